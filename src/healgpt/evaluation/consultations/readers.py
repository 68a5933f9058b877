"""Reads cases from the files that the field shares: CMD, CMB-Clin, CMID and MedDialog descriptions."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.consultations.case import Case, refuse_repeats
from healgpt.evaluation.consultations.narrative import sentences

Row = Mapping[str, Any]


def read_cases(path: Path, form: str) -> list[Case]:
    """Return the cases of `path`; `form` is one of FORMATS. Raises `DataError` with file, item, reason and mend."""
    if form not in FORMATS:
        raise ConfigError(f"不认识病例格式 {form}。可用：{'、'.join(FORMATS)}。")
    rows = read_rows(path)
    if not rows:
        raise DataError(f"{path} 里没有病例。请检查文件。")
    cases = []
    for number, row in enumerate(rows, start=1):
        place = f"{path} 第 {number} 个病例"
        if not isinstance(row, dict):
            raise DataError(f"{place}应是 JSON 对象，实际是 {type(row).__name__}。请修正。")
        cases.append(FORMATS[form](row, place, number))
    refuse_repeats(cases, str(path))
    return cases


def read_rows(path: Path) -> list[Any]:
    """Return the items of a JSON list or of JSON Lines. Raises `DataError` for a file that is neither."""
    if path.suffix.lower() == ".jsonl":
        return list(jsonl.read(path))
    try:
        held = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"读不了文件 {path}：{error.strerror}。请检查路径和权限。") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} 不是 UTF-8 编码（第 {error.start} 字节）。请先转成 UTF-8 再读。") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{path} 第 {error.lineno} 行不是合法的 JSON：{error.msg}。请修正，或存成 .jsonl。") from error
    if not isinstance(held, list):
        raise DataError(f"{path} 应是一个 JSON 列表，实际是 {type(held).__name__}。请修正。")
    return held


def _text(row: Row, key: str, place: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{place}缺少 {key}，或它不是文字。请补全。")
    return value.strip()


def _cmd(row: Row, place: str, number: int) -> Case:
    """A row of the published CMD sample; its key for the answer is spelt raw_anwser."""
    question = _text(row, "question", place)
    reference = row.get("raw_anwser", row.get("raw_answer", ""))
    return Case(
        _text(row, "id", place), "cmd", question, sentences(question), _text(row, "department", place), str(reference)
    )


FORMATS: dict[str, Callable[[Row, str, int], Case]] = {"cmd": _cmd}
