"""JSON Lines on standard input for commands that judge texts or conversations one by one."""

import sys
from collections.abc import Iterator
from typing import Any

from healgpt import jsonl
from healgpt.errors import DataError
from healgpt.schema import Message


def conversations(text: str | None) -> Iterator[tuple[dict[str, Any], list[Message]]]:
    """Yield `(line, messages)`: for the argument `text`, or for each line of standard input.

    A line is `{"text": …}` or `{"messages": [{"role", "content"}]}`; other keys are the caller's. Raises `DataError`
    for a line that is neither, and where there is neither argument nor input.
    """
    if text is not None:
        yield {}, [{"role": "user", "content": text}]
        return
    if sys.stdin.isatty():
        raise DataError(
            '没有要处理的文字。请写在命令后面，或用 < 文件 送入 JSONL（每行 {"text": …} 或 {"messages": …}）。'
        )
    for number, item in enumerate(jsonl.parse(_lines(), "标准输入"), start=1):
        yield item, _messages(item, number)


def _lines() -> Iterator[str]:
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"标准输入第 {number} 行不是 UTF-8 编码。请先转成 UTF-8 再读。") from error


def _messages(item: dict[str, Any], number: int) -> list[Message]:
    if isinstance(item.get("text"), str):
        return [{"role": "user", "content": item["text"]}]
    messages = item.get("messages")
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        raise DataError(
            f'标准输入第 {number} 条既没有 "text"，也没有合格的 "messages"。'
            '请写成 {"text": "…"} 或 {"messages": [{"role": "user", "content": "…"}]}。'
        )
    return messages


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("role") in ("system", "user", "assistant")
        and isinstance(value.get("content"), str)
    )
