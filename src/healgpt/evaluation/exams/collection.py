"""An exam made of several files, described in TOML, so that a published collection is one command.

name = "published-subset"
[[part]]
file = "Clinic.json"      # in the data folder
format = "mlec-qa"
subject = "临床"
count = 336               # how many questions the file must hold
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.exams.exam import Exam, digests, draw
from healgpt.evaluation.exams.question import Question
from healgpt.evaluation.exams.readers import FORMATS, read

_PART: Mapping[str, type] = {"file": str, "format": str, "subject": str, "count": int}


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a collection and how many questions it must hold."""

    file: str
    format: str
    subject: str
    count: int


def open_collection(config: Path, data: Path, *, limit: int | None = None, seed: int = 0) -> Exam:
    """Read every part that `config` lists from the folder `data`, and draw `limit` of all questions.

    Raises `ConfigError` for a configuration that does not fit, `DataError` for missing files, all named at once, and
    for a file with another number of questions than the collection has.
    """
    name, parts = read_config(config)
    missing = [part.file for part in parts if not (data / part.file).is_file()]
    if missing:
        raise DataError(f"文件夹 {data} 里缺少 {'、'.join(missing)}。请放进去，文件名以 {config.name} 里写的为准。")
    questions: list[Question] = []
    inputs: dict[str, str] = {}
    for part in parts:
        path = data / part.file
        found = read(path, part.format, subject=part.subject).questions
        if len(found) != part.count:
            raise DataError(
                f"{path} 有 {len(found)} 题，{config.name} 里写的是 {part.count} 题。请核对是不是同一份题。"
            )
        # papers of one collection count their questions from the same number
        stem = path.stem
        questions += [replace(one, question_id=f"{stem}-{one.question_id}", subject=part.subject) for one in found]
        inputs |= digests(path)
    settings: dict[str, Any] = {"collection": name, "limit": limit, "seed": seed if limit else None}
    return Exam(f"choice-{name}", tuple(questions), tuple(draw(questions, limit, seed)), inputs, settings)


def read_config(path: Path) -> tuple[str, list[Part]]:
    """Return the name and the parts of a collection. Raises `ConfigError` for what is missing, unknown or wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"读不了配置 {path}：{error.strerror}。请检查路径。") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} 不是合法的 TOML：{error}。请修正。") from error
    _only(data, {"name": str, "part": list}, str(path))
    parts = [_part(raw, f"{path} 第 {number} 个 part") for number, raw in enumerate(data["part"], start=1)]
    if not parts:
        raise ConfigError(f"{path} 里一个 part 也没有。请写出考题文件。")
    return data["name"], parts


def _part(raw: Any, place: str) -> Part:
    if not isinstance(raw, dict):
        raise ConfigError(f"{place} 应写成 [[part]] 表。")
    _only(raw, _PART, place)
    if raw["format"] not in FORMATS:
        raise ConfigError(f"{place} 的 format 是 {raw['format']}。可用的是：{'、'.join(FORMATS)}。")
    return Part(**raw)


def _only(data: Mapping[str, Any], wanted: Mapping[str, type], place: str) -> None:
    for key in data:
        if key not in wanted:
            near = difflib.get_close_matches(key, wanted, n=1)
            hint = f"是不是想写 {near[0]}？" if near else f"可用的是：{'、'.join(wanted)}。"
            raise ConfigError(f"{place} 里有不认识的设置 {key}。{hint}")
    for key, kind in wanted.items():
        if key not in data:
            raise ConfigError(f"{place} 缺少 {key}。请补上。")
        if not isinstance(data[key], kind):
            raise ConfigError(f"{place} 的 {key} 应是 {kind.__name__}，实际是 {type(data[key]).__name__}。请改正。")
