"""Exam files into questions: MLEC-QA, NEEP-306, CMB-Exam, CMExam, ExplainCPE, C-Eval and CMMLU, and a plain form.

Every format keeps its quirks here and nowhere else; a file that does not fit is an error that names file, question,
reason and mend. Formats as their repositories describe them (docs/reference/exams.md has one sample of each).
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.exams.question import Place, Question, checked_answer, checked_options, checked_text

Raw = dict[str, Any]
Options = list[tuple[str, str]]
# the names of question, options, answer and, where there is one, type
Fields = tuple[str, str, str, str]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SEVERAL = re.compile(r"多项|多选|不定项|X型|[Mm]ultiple")
_MARKED = re.compile(r"\s*[（(]?([A-Za-zＡ-Ｚ])[）)]?\s*[.．、:：\s]\s*(.*)", re.S)
# subsets of MLEC-QA, by the start of their file names
_MLEC_SUBJECTS = {
    "Clinic": "临床",
    "Stomatology": "口腔",
    "PublicHealth": "公共卫生",
    "TCM": "中医",
    "CWM": "中西医结合",
}
_SPLIT = re.compile(r"[_-](?:train|dev|val|valid|test)$", re.I)


@dataclass(frozen=True, slots=True)
class Paper:
    """The questions of a file, and the ids of those that its makers left without an answer."""

    questions: tuple[Question, ...]
    unanswered: tuple[str, ...] = ()


def read(path: Path, form: str, *, answers: Path | None = None, subject: str = "") -> Paper:
    """Read the questions of `path`, in order. `form` is a key of `FORMATS`.

    `answers` is a file of `{"id", "answer"}` objects for exams that keep their key apart. `subject` stands where the
    file names none. Raises `ConfigError` for an unknown format and `DataError` for a file or question that does not
    fit, a question id that stands twice, and a file without questions.
    """
    if form not in FORMATS:
        raise ConfigError(f"没有名为 {form} 的考题格式。可用的是：{'、'.join(FORMATS)}。")
    key = _key(answers) if answers else None
    found: list[Question] = []
    unanswered: list[str] = []
    seen: dict[str, int] = {}
    for file in _files(path):
        prefix = f"{file.stem}-" if path.is_dir() else ""
        for number, raw in enumerate(_objects(file), start=1):
            question_id = prefix + str(_first(raw, "id", "qid", "_id", "", default=number)).strip()
            place = Place(file.name, number, question_id)
            if question_id in seen:
                raise DataError(f"{place}的编号和第 {seen[question_id]} 题重复。请改掉其中一个，或删掉重复的题。")
            seen[question_id] = number
            whole = raw if key is None else {**raw, "answer": _keyed(key, raw, place)}
            if form == "cmexam" and "Answer" in whole and not _text(whole["Answer"]).strip():
                unanswered.append(question_id)
            else:
                found.append(FORMATS[form](whole, place, subject or _subject(file)))
    if not found:
        raise DataError(f"{path} 里一道题也没有。请检查文件。")
    return Paper(tuple(found), tuple(unanswered))


def _explaincpe(raw: Raw, place: Place, subject: str) -> Question:
    return _question(raw, place, ("question", "options", "answer", ""), subject)


def _mlec(raw: Raw, place: Place, subject: str) -> Question:
    return _question(raw, place, ("qtext", "options", "answer", "qtype"), subject)


def _neep(raw: Raw, place: Place, subject: str) -> Question:
    """Read NEEP-306 as MLEC-QA objects or as plain ones: no file of it was ever published."""
    if "qtext" in raw:
        return _mlec(raw, place, str(raw.get("subject") or subject))
    return _plain(raw, place, subject)


def _plain(raw: Raw, place: Place, subject: str) -> Question:
    named = str(raw.get("subject") or subject)
    if "options" in raw:
        return _question(raw, place, ("question", "options", "answer", "kind"), named)
    spread = {**raw, "options": _columns(raw)}
    return _question(spread, place, ("question", "options", "answer", "kind"), named)


def _cmb(raw: Raw, place: Place, subject: str) -> Question:
    """Read CMB-Exam; options that a question does not have stand in its file as empty texts."""
    if isinstance(raw.get("option"), dict):
        raw = {**raw, "option": {key: text for key, text in raw["option"].items() if str(text or "").strip()}}
    named = str(raw.get("exam_class") or raw.get("exam_subject") or subject)
    return _question(raw, place, ("question", "option", "answer", "question_type"), named)


def _cmexam(raw: Raw, place: Place, subject: str) -> Question:
    """Read CMExam; a few of its rows have no answer, and those alone are left out, listed in `Paper.unanswered`."""
    named = str(_first(raw, "Medical Discipline", "Clinical Department", default=subject))
    return _question(raw, place, ("Question", "Options", "Answer", ""), named)


def _csv_style(raw: Raw, place: Place, subject: str) -> Question:
    """Read C-Eval (`id,question,A,B,C,D,answer,explanation`) and CMMLU (`,Question,A,B,C,D,Answer`)."""
    row = {("" if name is None else name.strip().lower()): value for name, value in raw.items()}
    row["options"] = _columns({name.upper(): value for name, value in row.items() if len(name) == 1})
    return _question(row, place, ("question", "options", "answer", ""), subject)


FORMATS: Mapping[str, Callable[[Raw, Place, str], Question]] = {
    "explaincpe": _explaincpe,
    "mlec-qa": _mlec,
    "neep": _neep,
    "cmb": _cmb,
    "cmexam": _cmexam,
    "ceval": _csv_style,
    "cmmlu": _csv_style,
    "plain": _plain,
}


def _question(raw: Raw, place: Place, fields: Fields, subject: str) -> Question:
    text, options, answer, kind = fields
    missing = [name for name in (text, options, answer) if name not in raw]
    if missing:
        raise DataError(
            f"{place}缺少字段 {'、'.join(missing)}（有的是 {'、'.join(map(str, raw))}）。"
            f"请补上，或用 --format 换一种格式：{'、'.join(FORMATS)}。"
        )
    listed = checked_options(_options(raw[options], place), place)
    right = checked_answer(raw[answer], [letter for letter, _ in listed], place)
    told = str(raw.get(kind) or "").strip() if kind else ""
    choose = raw.get("choose")
    if choose is not None and choose != len(right):
        raise DataError(f"{place}说要选 {choose} 项，答案却有 {len(right)} 项。请改正其中一个。")
    multiple = len(right) > 1 or bool(_SEVERAL.search(told))
    label = told or ("多选" if multiple else "单选")
    return Question(
        place.question_id, checked_text(raw[text], place, text), listed, right, multiple, choose, subject, label
    )


def _options(value: Any, place: Place) -> Options:
    """Return `(letter, text)` of a mapping, a list of texts, a list of key and value, or lines of text."""
    if isinstance(value, dict):
        return [(str(letter), _text(text)) for letter, text in value.items()]
    if isinstance(value, list) and all(isinstance(one, dict) and {"key", "value"} <= one.keys() for one in value):
        return [(str(one["key"]), _text(one["value"])) for one in value]
    if isinstance(value, list) and len(value) <= len(_LETTERS):
        return _unmarked(list(zip(_LETTERS, map(_text, value), strict=False)))
    if isinstance(value, str):
        return _lines(value)
    raise DataError(f"{place}的选项应是列表、字典或分行的文字，实际是 {type(value).__name__}。请改成其中一种。")


def _unmarked(options: Options) -> Options:
    """Take the letters off options that carry them, `["A. 甲", "B. 乙"]`, and only where all carry their own."""
    found = [(letter, _MARKED.fullmatch(text)) for letter, text in options]
    if all(match and match[1].upper() == letter and match[2].strip() for letter, match in found):
        return [(letter, match[2]) for letter, match in found if match]
    return options


def _lines(text: str) -> Options:
    """Split `A 甲\\nB 乙`; a line that does not start with the next letter goes on with the option before it."""
    found: Options = []
    for line in filter(str.strip, text.splitlines()):
        match = _MARKED.fullmatch(line)
        if match and len(found) < len(_LETTERS) and match[1].upper() == _LETTERS[len(found)]:
            found.append((_LETTERS[len(found)], match[2]))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line.strip()}")
        else:
            return []
    return found


def _columns(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns named A, B, C…; the last ones may be empty where papers differ in their number of options."""
    found = {name: raw[name] for name in _LETTERS if name in raw}
    while found and not _text(found[list(found)[-1]]).strip():
        found.popitem()
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _first(raw: Mapping[str, Any], *names: str, default: Any) -> Any:
    return next((raw[name] for name in names if raw.get(name) not in (None, "")), default)


def _subject(file: Path) -> str:
    stem = _SPLIT.sub("", file.stem)
    return next((label for start, label in _MLEC_SUBJECTS.items() if stem.lower().startswith(start.lower())), stem)


def _files(path: Path) -> Sequence[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in (".csv", ".json", ".jsonl"))
    if not files:
        raise DataError(f"文件夹 {path} 里没有 .csv、.json 或 .jsonl 文件。请检查路径。")
    return files


def _objects(path: Path) -> Iterator[Raw]:
    """Yield the objects of a JSON list, of JSON Lines (under either name), or the rows of a CSV with a header."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"读不了文件 {path}：{error.strerror}。请检查路径和权限。") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} 不是 UTF-8 编码（第 {error.start} 字节）。请先转成 UTF-8 再读。") from error
    if path.suffix.lower() == ".csv":
        yield from csv.DictReader(io.StringIO(text, newline=""))
        return
    if not text.lstrip().startswith("[") and path.suffix.lower() != ".json":
        yield from jsonl.parse(text.split("\n"), str(path))
        return
    try:
        items = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":  # JSON Lines under the name of JSON
            yield from jsonl.parse(text.split("\n"), str(path))
            return
        raise DataError(
            f"{path} 第 {error.lineno} 行第 {error.colno} 列不是合法的 JSON：{error.msg}。请修正。"
        ) from error
    if isinstance(items, dict) and len(text.splitlines()) > 1:
        raise DataError(f"{path} 最外层是一个对象，应是题目的列表。请取出其中的列表，或写成每行一题。")
    for number, item in enumerate(items if isinstance(items, list) else [items], start=1):
        if not isinstance(item, dict):
            raise DataError(f"{path} 第 {number} 题应是一个 JSON 对象，实际是 {type(item).__name__}。请修正。")
        yield item


def _key(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, raw in enumerate(_objects(path), start=1):
        if "id" not in raw or "answer" not in raw:
            raise DataError(f'{path} 第 {number} 条缺少 id 或 answer。请写成 {{"id": 1, "answer": "B"}}。')
        found[str(raw["id"])] = raw["answer"]
    return found


def _keyed(key: Mapping[str, Any], raw: Raw, place: Place) -> Any:
    number = str(raw.get("id", place.number))
    if number not in key:
        raise DataError(f"{place}在答案文件里没有答案。请检查 --answers 是不是同一套题的。")
    return key[number]
