"""`healgpt redact`: personal data out of one text, or out of JSON Lines, in order and with offsets."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from healgpt import jsonl
from healgpt.errors import DataError
from healgpt.privacy.redact import Redaction, Redactor, Span, redact

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(
    help=(
        "隐去个人信息：姓名、身份证号、电话、银行卡号、病历号、医保号、地址、邮箱、微信、QQ、出生日期、车牌、床位，"
        "换成〔姓名1〕这样的占位符。给一段文字，或从标准输入读 JSONL"
        '（每行 {"text": …} 或 {"messages": [{"role": …, "content": …}]}，同一行内编号一致）。'
        "原文只在内存里，不写入任何文件。"
    ),
    epilog=(
        "\b\n例子：\n"
        '  healgpt redact "我叫王小明，电话13812345678"\n'
        '  healgpt redact --json "我叫王小明"\n'
        "  healgpt redact --json < 对话.jsonl > 脱敏.jsonl"
    ),
)
def main(
    text: Annotated[
        str | None, typer.Argument(metavar="文字", help="要脱敏的文字；不写则从标准输入读 JSONL", show_default=False)
    ] = None,
    *,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="每行输出一个 JSON：脱敏后的内容和 spans（start、end 是原文字符位置）"),
    ] = False,
) -> None:
    if text is not None:
        result = redact(text)
        print(jsonl.dump(_of_text(result)) if as_json else result.text)
        return
    if sys.stdin.isatty():
        raise DataError('没有要脱敏的文字。请写在命令后面，如 healgpt redact "我叫王小明"，或用 < 文件 送入 JSONL。')
    for line in _lines():
        print(jsonl.dump(line) if as_json else _plain(line))


def _lines() -> Iterator[dict[str, Any]]:
    """Yield one result for each line of standard input. Raises `DataError` with the number of a bad line."""
    stream = (_decoded(line, number) for number, line in enumerate(sys.stdin.buffer, start=1))
    for number, item in enumerate(_parsed(stream), start=1):
        if isinstance(item.get("text"), str):
            yield _of_text(redact(item["text"]))
        elif _is_conversation(item.get("messages")):
            yield _of_messages(item["messages"])
        else:
            raise DataError(
                f"标准输入的第 {number} 个对象既没有字符串 text，也没有 messages（role 和 content 都是字符串的列表）。"
                "请修正这一行。"
            )


def _parsed(stream: Iterator[str]) -> Iterator[dict[str, Any]]:
    return jsonl.parse(stream, "标准输入")


def _decoded(line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"标准输入第 {number} 行不是 UTF-8 编码。请先转成 UTF-8 再读。") from error


def _is_conversation(messages: object) -> bool:
    return isinstance(messages, list) and all(
        isinstance(message, dict) and isinstance(message.get("role"), str) and isinstance(message.get("content"), str)
        for message in messages
    )


def _of_text(result: Redaction) -> dict[str, Any]:
    return {"text": result.text, "spans": [_span(span) for span in result.spans]}


def _of_messages(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Redact with one numbering; a span names the message by its place, counted from 0, as `turn`."""
    redactor = Redactor()
    results = [redactor.redact(message["content"]) for message in messages]
    return {
        "messages": [
            {"role": message["role"], "content": result.text} for message, result in zip(messages, results, strict=True)
        ],
        "spans": [{"turn": turn, **_span(span)} for turn, result in enumerate(results) for span in result.spans],
    }


def _span(span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "type": span.type, "placeholder": span.placeholder}


def _plain(line: dict[str, Any]) -> str:
    if "text" in line:
        return str(line["text"])
    return "\n".join(f"{message['role']}: {message['content']}" for message in line["messages"])
