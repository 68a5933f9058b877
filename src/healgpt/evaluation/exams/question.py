"""One multiple-choice question, whatever file it came from, and the checks that no reader may leave out."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from healgpt.errors import DataError

_BETWEEN_LETTERS = re.compile(r"[\s,、;|/和及]+")
_LETTER = re.compile(r"[A-Z]")


@dataclass(frozen=True, slots=True)
class Question:
    """A question as a candidate sees it, and its key.

    `options` are `(letter, text)` in the order of the paper; `answer` holds the right letters in that order. `multiple`
    says that the paper announces several right letters, `choose` how many where it announces that too. `subject` and
    `kind` (题型) group results and may be empty.
    """

    question_id: str
    text: str
    options: tuple[tuple[str, str], ...]
    answer: tuple[str, ...]
    multiple: bool = False
    choose: int | None = None
    subject: str = ""
    kind: str = ""

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters that may be answered."""
        return tuple(letter for letter, _ in self.options)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question stands, for error messages."""

    file: str
    number: int
    question_id: str = ""

    def __str__(self) -> str:
        named = f"（编号 {self.question_id}）" if self.question_id else ""
        return f"{self.file} 第 {self.number} 题{named}"


def checked_text(value: Any, place: Place, name: str) -> str:
    """Return a text field without the blanks around it. Raises `DataError` where it is no text or empty."""
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if not text:
        raise DataError(f"{place}没有题干：字段 {name} 缺失、为空或不是文字。请补上，或用 --format 换一种格式。")
    return text


def checked_options(options: Sequence[tuple[str, str]], place: Place) -> tuple[tuple[str, str], ...]:
    """Return the options with normalised letters. Raises `DataError` for empty, repeated or too few ones.

    An option of one character is an option: many are a digit, a Greek letter or a single word.
    """
    found: list[tuple[str, str]] = []
    for letter, text in options:
        sign = unicodedata.normalize("NFKC", letter).strip().upper()
        if not _LETTER.fullmatch(sign):
            raise DataError(f"{place}的选项编号 {letter!r} 不是字母。请用 A、B、C… 编号。")
        if not text.strip():
            raise DataError(f"{place}的选项 {sign} 是空的。请补上选项内容，或删掉这道题。")
        if any(sign == other for other, _ in found):
            raise DataError(f"{place}有两个选项 {sign}。请改掉其中一个的编号。")
        found.append((sign, text.strip()))
    if len(found) < 2:
        raise DataError(f"{place}只有 {len(found)} 个选项。选择题至少要有两个，请补上或删掉这道题。")
    return tuple(found)


def checked_answer(value: Any, letters: Sequence[str], place: Place) -> tuple[str, ...]:
    """Return the right letters of `"B"`, `"ABD"`, `"A、B"` or `["A", "B"]`, in the order of the options.

    Raises `DataError` for no answer, a repeated letter, or one that is no option of this question.
    """
    parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, str) for part in parts):
        raise DataError(f'{place}的答案 {value!r} 应是字母或字母的列表。请改成 "B"、"ABD" 或 ["A", "B"]。')
    joined = _BETWEEN_LETTERS.sub("", unicodedata.normalize("NFKC", " ".join(parts)).upper())
    if not joined:
        raise DataError(f"{place}没有答案。请补上答案字母，或删掉这道题。")
    strange = [sign for sign in joined if sign not in letters]
    if strange:
        raise DataError(
            f"{place}的答案 {joined} 里，{'、'.join(dict.fromkeys(strange))} 不是这道题的选项"
            f"（选项是 {'、'.join(letters)}）。请改正答案或补上选项。"
        )
    if len(set(joined)) < len(joined):
        raise DataError(f"{place}的答案 {joined} 里有重复的字母。请改正答案。")
    return tuple(letter for letter in letters if letter in joined)
