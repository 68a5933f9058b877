"""Reads a judge's answer. What is not exactly a verdict is a `JudgeError`, never a guess or a default."""

import re
from typing import Literal

from healgpt.errors import JudgeError

CRITERIA = ("主动性", "准确性", "帮助性", "语言质量")
Side = Literal["first", "second", "tie"]

_NAMED = re.compile(rf"({'|'.join(CRITERIA)})\W{{0,4}}?[：:]")
# a value, a unit, and then nothing or the start of a reason; "4-5" and "4或5" are no verdict
_VALUE = re.compile(r"[\s*]*(-?\d+(?:\.\d+)?)(?:\s*分|\s*/\s*5(?![\d.]))?[\s*`]*(?=$|[，,。；;、|（(])")
_SCALE = frozenset("12345")
_QUOTED = 60


def criteria(text: str) -> dict[str, int]:
    """Return the four scores of a judge's answer.

    Every criterion must be named once with a whole number from 1 to 5 after a colon; words around them are let
    pass. Raises `JudgeError` for a refusal, prose, a missing or repeated criterion, and a score out of range.
    """
    found: dict[str, int] = {}
    marks = list(_NAMED.finditer(text))
    for place, mark in enumerate(marks):
        end = marks[place + 1].start() if place + 1 < len(marks) else len(text)
        line = text[mark.end() : end].partition("\n")[0].strip()
        value = _score(mark[1], line, text)
        if found.setdefault(mark[1], value) != value:
            raise JudgeError(f"裁判给“{mark[1]}”写了两个不同的分数：{_quote(text)}")
    missing = [name for name in CRITERIA if name not in found]
    if missing:
        raise JudgeError(f"裁判的回答里没有{'、'.join(missing)}的分数：{_quote(text)}")
    return found


def yes_or_no(text: str) -> bool:
    """Return a judge's yes or no. Raises `JudgeError` for anything but 是 or 否 with punctuation around it."""
    match _bare(text):
        case "是":
            return True
        case "否":
            return False
    raise JudgeError(f"裁判没有只答“是”或“否”：{_quote(text)}")


def side(text: str) -> Side:
    """Return which dialogue a judge prefers. Raises `JudgeError` for anything but 甲, 乙 or 平."""
    match _bare(text):
        case "甲":
            return "first"
        case "乙":
            return "second"
        case "平":
            return "tie"
    raise JudgeError(f"裁判没有只答“甲”“乙”或“平”：{_quote(text)}")


def _score(name: str, line: str, text: str) -> int:
    value = _VALUE.match(line)
    if value is None:
        raise JudgeError(f"裁判给“{name}”的不是一个分数：{_quote(text)}")
    if value[1] not in _SCALE:
        raise JudgeError(f"裁判给“{name}”打了 {value[1]}，应是 1 到 5 的整数：{_quote(text)}")
    return int(value[1])


def _bare(text: str) -> str:
    return re.sub(r"[\s\W_]+", "", text)


def _quote(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line[:_QUOTED]}{'…' if len(line) > _QUOTED else ''}”" if line else "（空回答）"
