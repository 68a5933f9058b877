"""What users think of answers, kept for review: one redacted line each, never the raw words."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from healgpt import jsonl
from healgpt.privacy.redact import redact
from healgpt.settings import home

Verdict = Literal["up", "down"]


def record(
    conversation_id: str, turn_index: int, verdict: Verdict, *, reason: str = "", question: str = "", answer: str = ""
) -> Path:
    """Append one verdict on the answer at `turn_index` and return the file.

    Names, numbers and addresses in the texts are replaced before they reach the disk. Raises `DataError` when
    the file cannot be written.
    """
    path = home() / "feedback.jsonl"
    jsonl.append(
        path,
        {
            "at": datetime.now().astimezone().isoformat(timespec="seconds"),
            "conversation": conversation_id,
            "turn": turn_index,
            "verdict": verdict,
            "reason": redact(reason).text,
            "question": redact(question).text,
            "answer": redact(answer).text,
        },
    )
    return path
