"""Worked examples before a question: drawn by a seed from a named file, and never from the test."""

import random
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.exams.exam import digests
from healgpt.evaluation.exams.question import Question

_NAMED = 5


def draw_shots(candidates: Sequence[Question], count: int, *, seed: int, single: bool) -> tuple[Question, ...]:
    """Return `count` examples in the order they were drawn, with `single` only of questions with one answer.

    Raises `ConfigError` where there are too few.
    """
    usable = [question for question in candidates if not (single and question.multiple)]
    if count > len(usable):
        raise ConfigError(f"示例文件里能用的题只有 {len(usable)} 道，不够 --shots {count}。请减少示例，或换一个文件。")
    return tuple(random.Random(seed).sample(usable, count))


def refuse_leaks(shots: Sequence[Question], test: Sequence[Question]) -> None:
    """Raise `DataError` where a shot asks what a question of the test asks, blanks and widths aside."""
    asked = {_folded(question.text) for question in test}
    leaked = [shot.question_id for shot in shots if _folded(shot.text) in asked]
    if leaked:
        named = "、".join(leaked[:_NAMED]) + (f" 等 {len(leaked)} 道" if len(leaked) > _NAMED else "")
        raise DataError(f"示例题 {named} 的题干也在考题里，等于泄题。请从示例文件里删掉它们，或换一个示例文件。")


def refuse_same_file(shots: Path, test: Path) -> None:
    """Raise `ConfigError` where the shots come from the test itself, by path or by content."""
    if shots.resolve() == test.resolve() or set(digests(shots).values()) & set(digests(test).values()):
        raise ConfigError(f"示例文件 {shots} 就是考题文件，等于泄题。请用另一个文件，例如训练集或验证集。")


def _folded(text: str) -> str:
    kept = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in kept if unicodedata.category(sign)[0] in "LN")
