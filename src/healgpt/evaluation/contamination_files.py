"""Test items and training texts as contamination looks at them: normalised, with the place each came from.

A training file is streamed, record by record: JSON Lines, a JSON list, or plain text with a record a line. Every
string anywhere in a record is looked at, so conversations, ShareGPT, Alpaca and corpora of one's own need no mapping.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from healgpt import jsonl
from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.consultations import readers as consultations
from healgpt.evaluation.exams import readers as exams

_BLOCK_CHARS = 1 << 18
_LONGEST_RECORD_CHARS = 64 << 20
_BETWEEN_RECORDS = re.compile(r"[\s,]*")
_NO_TEXT = re.compile(r"[\W_]+")
# what makes up an item where the user names no fields; an item with none of them counts whole
_FIELDS = (
    *("question", "Question", "query", "ask", "title", "prompt", "instruction", "input", "text", "description"),
    *("options", "option", "Options", "conversation", "messages", "dialogue"),
)


@dataclass(frozen=True, slots=True)
class TestItem:
    """One item of a test: `parts` are its normalised texts; no n-gram reaches from one into the next."""

    __test__ = False  # pytest takes the name for a test otherwise

    item_id: str
    parts: tuple[str, ...]
    shown: str

    @property
    def text(self) -> str:
        """All parts in one."""
        return "".join(self.parts)


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """One record of a training file: where it stands, and its strings with their place inside."""

    place: str
    texts: tuple[tuple[str, str], ...]


def normalise(text: str) -> str:
    """Return `text` without punctuation, blanks, width and case: what a copy keeps however it was set."""
    return _NO_TEXT.sub("", unicodedata.normalize("NFKC", text).casefold())


def read_test(path: Path, *, form: str = "auto", fields: Sequence[str] = ()) -> list[TestItem]:
    """Return the items of a test file.

    `form` is an exam or case format of `healgpt eval choice` and `consult`, whose ids a run then shares, or "auto":
    JSON Lines or a JSON list, with `fields` naming what makes up an item. Raises `DataError` for a malformed file, an
    item without text, an id that stands twice; `ConfigError` for an unknown format or fields beside a format.
    """
    if form != "auto" and fields:
        raise ConfigError(f"--format {form} 已经规定了看哪些字段，不能再写 --fields。")
    if form == "auto":
        items = [_item(raw, number, path, fields) for number, raw in enumerate(_objects(path), start=1)]
    elif form in exams.FORMATS:
        asked = exams.read(path, form).questions
        items = [_made(one.question_id, [one.text, *(text for _, text in one.options)]) for one in asked]
    elif form in consultations.FORMATS:
        items = [_made(case.id, [case.question]) for case in consultations.read_cases(path, form)]
    else:
        known = "、".join(["auto", *exams.FORMATS, *consultations.FORMATS])
        raise ConfigError(f"不认识格式 {form}。可用：{known}。")
    if not items:
        raise DataError(f"{path} 里一道题也没有。请检查文件。")
    seen: set[str] = set()
    for item in items:
        if item.item_id in seen:
            raise DataError(f"{path} 里编号 {item.item_id} 出现了不止一次。请改成唯一的编号。")
        seen.add(item.item_id)
    return items


def stream_training(path: Path) -> Iterator[TrainingRecord]:
    """Yield the records of a training file, one in memory at a time.

    Raises `DataError` naming file and record where it is no UTF-8, no JSON, or a record exceeds 64 Mi characters.
    """
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, value in enumerate(_values(stream, path), start=1):
                texts = tuple((where, text) for where, raw in _strings(value, "") if (text := normalise(raw)))
                yield TrainingRecord(f"{path.name} 第 {number} 条", texts)
    except OSError as error:
        raise DataError(f"读不了文件 {path}：{error.strerror}。请检查路径和权限。") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} 不是 UTF-8 编码（第 {error.start} 字节）。请先转成 UTF-8 再读。") from error


def _values(stream: TextIO, path: Path) -> Iterator[Any]:
    suffix = path.suffix.lower()
    if suffix not in (".json", ".jsonl"):
        yield from (line for line in stream if line.strip())
        return
    start = ""
    while not start.strip() and (block := stream.read(64)):
        start += block
    stream.seek(0)
    if start.lstrip("\ufeff \t\r\n").startswith("["):
        yield from _array(stream, path)
    else:
        yield from jsonl.parse(stream, str(path))


def _array(stream: TextIO, path: Path) -> Iterator[Any]:
    """Yield the values of a JSON list, holding little more than one of them."""
    decoder, number = json.JSONDecoder(), 1
    buffer = stream.read(_BLOCK_CHARS)
    place = buffer.index("[") + 1
    while True:
        gap = _BETWEEN_RECORDS.match(buffer, place)
        place = gap.end() if gap else place
        if buffer.startswith("]", place):
            return
        try:
            value, place = decoder.raw_decode(buffer, place)
        except json.JSONDecodeError as error:
            waiting = buffer[place:]
            # doubling keeps the work on one long record linear
            block = stream.read(max(_BLOCK_CHARS, len(waiting)))
            if not block or len(waiting) > _LONGEST_RECORD_CHARS:
                raise DataError(
                    f"{path} 第 {number} 条不是合法的 JSON，或列表没有写完：{error.msg}。请修正。"
                ) from error
            buffer, place = waiting + block, 0
            continue
        yield value
        number += 1


def _objects(path: Path) -> list[Any]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            return list(_values(stream, path))
    except OSError as error:
        raise DataError(f"读不了文件 {path}：{error.strerror}。请检查路径和权限。") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} 不是 UTF-8 编码（第 {error.start} 字节）。请先转成 UTF-8 再读。") from error


def _item(raw: Any, number: int, path: Path, fields: Sequence[str]) -> TestItem:
    place = f"{path} 第 {number} 条"
    if isinstance(raw, str) and not fields:
        return _checked(_made(str(number), [raw]), place)
    if not isinstance(raw, Mapping):
        raise DataError(f"{place}应是一个 JSON 对象，实际是 {type(raw).__name__}。请修正。")
    item_id = next(
        (str(raw[key]) for key in ("id", "qid", "_id", "case") if raw.get(key) not in (None, "")), str(number)
    )
    if missing := [field for field in fields if field not in raw]:
        raise DataError(f"{place}没有字段 {'、'.join(missing)}。有的是：{'、'.join(map(str, raw))}。请改 --fields。")
    chosen = fields or [field for field in _FIELDS if field in raw] or [key for key in raw if key not in ("id", "_id")]
    return _checked(_made(item_id, [text for field in chosen for _, text in _strings(raw[field], "")]), place)


def _made(item_id: str, texts: Sequence[str]) -> TestItem:
    return TestItem(item_id, tuple(part for text in texts if (part := normalise(text))), " ".join(texts))


def _checked(item: TestItem, place: str) -> TestItem:
    if not item.parts:
        raise DataError(f"{place}没有可查的文字。请检查 --fields，或去掉这一条。")
    return item


def _strings(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _strings(inner, f"{where}[{number}]")
