"""`healgpt triage`: does this text, or each conversation on standard input, describe an emergency?"""

from typing import Annotated, Any

import typer

from healgpt import jsonl
from healgpt.cli.batch import conversations
from healgpt.consult.triage import Finding, explain
from healgpt.schema import Message

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_LEVELS = {"emergency": "急症（立即就医）", "urgent": "今天就医"}


@app.command(
    epilog="""例子：

    healgpt triage "胸口压着疼，出了一身冷汗"

    healgpt triage --json < questions.jsonl      每行 {"text": "…"} 或 {"messages": [{"role": "user", "content": "…"}]}
"""
)
def triage(
    text: Annotated[str | None, typer.Argument(help="要判断的话；不写就从标准输入逐行读 JSONL。")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="每条输出一行 JSON：级别、类别、理由（概念、原话、字符位置）、建议。")
    ] = False,
) -> None:
    """用规则判断有没有急症信号，不用任何模型。没有信号不等于没有危险。"""
    for item, messages in conversations(text):
        _show(item, messages, as_json)


def _show(item: dict[str, Any], messages: list[Message], as_json: bool) -> None:
    finding = explain(messages)
    if as_json:
        print(jsonl.dump(({"id": item["id"]} if "id" in item else {}) | _decision(finding)))
    elif finding is None:
        print("没有发现急症信号（不等于没有危险，不放心请就医）。")
    else:
        alarm = finding.alarm
        words = "、".join(f"{reason.concept}“{reason.text}”" for reason in finding.reasons)
        print(f"{_LEVELS[alarm.level]}：{alarm.title}　电话：{alarm.call}\n依据：{words}")
        print(f"{alarm.text}\n出处：{alarm.source}")


def _decision(finding: Finding | None) -> dict[str, Any]:
    if finding is None:
        return {"level": "none", "kind": None, "reasons": []}
    alarm = finding.alarm
    reasons = [
        {"concept": reason.concept, "turn": reason.turn, "start": reason.start, "end": reason.end, "text": reason.text}
        for reason in finding.reasons
    ]
    return {
        "level": alarm.level,
        "kind": alarm.kind,
        "title": alarm.title,
        "call": alarm.call,
        "reasons": reasons,
        "text": alarm.text,
        "source": alarm.source,
    }
