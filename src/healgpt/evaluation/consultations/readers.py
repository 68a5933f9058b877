"""Reads cases from the files that the field shares: CMD, CMB-Clin, CMID and MedDialog descriptions."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.consultations.case import Case, refuse_repeats
from healgpt.evaluation.consultations.narrative import rules, sentences

Row = Mapping[str, Any]

_HEADINGS = frozenset({
    "现病史", "病史摘要", "主诉", "体格检查", "辅助检查", "实验室检查", "既往史", "个人史", "家族史",
    "月经史", "婚育史", "过敏史",
})  # fmt: skip
# a numbered heading of one examination, such as （2）多普勒超声检查
_OWN_HEADINGS = ("多普勒", "腹部", "胸部", "X线", "CT", "心电图", "超声", "B超", "血", "尿", "头颅", "影像")
_LONGEST_HEADING = 16
_WANTED = ("希望获得的帮助", "想得到怎样的帮助", "想得到的帮助")


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


def _cmb_clin(row: Row, place: str, number: int) -> Case:
    """A case of CMB-Clin: the patient knows the history and the findings, not the title, which is the diagnosis."""
    told = _sections(_text(row, "description", place))
    complaint = next((value for label, value in told if label == "主诉"), told[0][1])
    question = rules()["phrases"]["opening"].format(complaint=sentences(complaint)[0])
    facts = [_field(label, sentence) for label, value in told for sentence in sentences(value)]
    pairs = row.get("QA_pairs")
    if not isinstance(pairs, list) or not all(isinstance(pair, dict) for pair in pairs):
        raise DataError(f"{place}的 QA_pairs 应是列表。请对照 CMB-Clin 的格式修正。")
    reference = "\n".join(str(pair.get("answer", "")).strip() for pair in pairs)
    return Case(str(row.get("id", number)), "cmb-clin", question, tuple(dict.fromkeys(facts)), reference=reference)


def _sections(description: str) -> list[tuple[str, str]]:
    """Cut 现病史, （1）病史摘要, 体格检查 … from a description; what stands before any heading has an empty label."""
    found: list[tuple[str, str]] = [("", "")]
    for line in description.splitlines():
        heading = re.sub(r"^[\s（(\d）).、]+|[：:\s]+$", "", line)
        if heading in _HEADINGS:
            found.append((heading, ""))
        elif heading.startswith(_OWN_HEADINGS) and len(heading) <= _LONGEST_HEADING and re.match(r"\s*[（(]\d", line):
            found.append(("辅助检查", ""))
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line.strip()}".strip())
    return [(label, value) for label, value in found if value] or [("", description)]


def _field(label: str, sentence: str) -> str:
    """Keep the heading where it says what a sentence answers; those of the story itself say nothing more."""
    return f"{label}：{sentence}" if "slot" in rules()["labels"].get(label, {}) else sentence


def _cmid(row: Row, place: str, number: int) -> Case:
    """A question of CMID; its intent is the first label of four, its number the id, for it has none."""
    question = _text(row, "originalText", place)
    labels = row.get("label_4class")
    first = labels[0] if isinstance(labels, list) and labels else labels
    return Case(str(row.get("id", number)), "cmid", question, sentences(question), intent=str(first or "").strip("' "))


def _meddialog(row: Row, place: str, number: int) -> Case:
    """A described case of MedDialog (`medical_case`, or the processed `description`); opens with what is wanted."""
    text = _text(row, "medical_case" if "medical_case" in row else "description", place)
    facts = sentences(text)
    fields = {label: value for label, _, value in (fact.partition("：") for fact in facts) if value}
    illness, wanted = fields.get("疾病", ""), next((fields[name] for name in _WANTED if fields.get(name)), "")
    question = "。".join(part for part in (illness, wanted) if part) or facts[0]
    reference = str(row.get("doctor_diagnosis", ""))
    department = str(row.get("Department", row.get("department", "")))
    return Case(str(row.get("id", number)), "meddialog", question, facts, department, reference)


FORMATS: dict[str, Callable[[Row, str, int], Case]] = {
    "cmd": _cmd,
    "cmb-clin": _cmb_clin,
    "cmid": _cmid,
    "meddialog": _meddialog,
}
