"""A conversation as a file to keep or to hand on: Markdown for people, JSON for programs."""

import json
from dataclasses import asdict

from healgpt import prompts
from healgpt.consult.archive import Conversation, Turn


def to_markdown(conversation: Conversation) -> str:
    """Return the conversation as Markdown, evidence under each answer and the disclaimer at the end."""
    parts = [
        f"# {conversation.title or '未命名对话'}",
        f"{conversation.created} · 模型 {conversation.model or '未记录'}",
    ]
    for turn in conversation.turns:
        parts += ["## 我" if turn.role == "user" else "## HealGPT", turn.content, *_evidence(turn)]
    parts += ["---", prompts.render("disclaimer")]
    return "\n\n".join(parts) + "\n"


def to_json(conversation: Conversation) -> str:
    """Return the conversation as JSON with everything that is known of each turn."""
    return json.dumps(asdict(conversation), ensure_ascii=False, indent=2) + "\n"


def _evidence(turn: Turn) -> list[str]:
    if not turn.facts:
        return []
    rows = [
        f"| {number} | {fact.subject} | {fact.predicate} | {fact.object} | {fact.source} | {fact.support:.2f} |"
        for number, fact in enumerate(turn.facts, start=1)
    ]
    return ["\n".join(["| 编号 | 主体 | 关系 | 内容 | 来源 | 可信度 |", "|---|---|---|---|---|---|", *rows])]
