"""Scores redaction on a labelled suite: recall, precision and characters left open, with Wilson intervals.

A suite is JSONL, one sentence a line: `{"id", "text", "spans": [{"start", "end", "type"}]}`. The suites shipped
with the package were written by a language model, screened by rule, and were not reviewed by clinicians.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from healgpt import jsonl
from healgpt.errors import DataError
from healgpt.evaluation.stats import Share
from healgpt.privacy.kinds import LABELS
from healgpt.privacy.redact import redact

Group = Literal["structured", "name", "address"]
GROUPS: tuple[Group, ...] = ("structured", "name", "address")
# lowest recall accepted in each group, and lowest precision overall
RECALL_BOUNDS: dict[Group, float] = {"structured": 0.98, "name": 0.9, "address": 0.9}
PRECISION_BOUND = 0.95


@dataclass(frozen=True, slots=True)
class Labelled:
    """Characters `[start, end)` and their type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence of a suite; no spans make it a look-alike."""

    case_id: str
    text: str
    spans: tuple[Labelled, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """What a suite says about a redactor.

    A labelled span counts as found when a predicted span of its group overlaps it; a predicted span is right when it
    overlaps a labelled one of its group. `typed` is the share of labelled spans found with exactly their type,
    `covered` the share of labelled characters that were replaced whatever the type: what stays readable is 1 minus
    that. `misses` and `false_alarms` name the case, the type and the text.
    """

    cases: int
    recall: dict[Group, Share]
    precision: dict[Group, Share]
    overall_recall: Share
    overall_precision: Share
    typed: Share
    covered: Share
    clean_lookalikes: Share
    misses: tuple[tuple[str, str, str], ...]
    false_alarms: tuple[tuple[str, str, str], ...]

    @property
    def passed(self) -> bool:
        """Tell whether every bound holds, as a point estimate."""
        recalls = all(self.recall[group].value >= bound for group, bound in RECALL_BOUNDS.items())
        return recalls and self.overall_precision.value >= PRECISION_BOUND


def suite_path(name: str) -> Path:
    """Return where the shipped suite `name` (such as `redaction_dev`) lies."""
    return Path(str(resources.files("healgpt.evaluation").joinpath("suites", f"{name}.jsonl")))


def load_cases(path: Path) -> list[Case]:
    """Read a suite. Raises `DataError` for unknown types, offsets outside the text, and overlapping spans."""
    return [_case(item, f"{path} 第 {number} 条") for number, item in enumerate(jsonl.read(path), start=1)]


def _case(item: dict[str, Any], place: str) -> Case:
    try:
        spans = tuple(Labelled(int(span["start"]), int(span["end"]), str(span["type"])) for span in item["spans"])
        case = Case(str(item["id"]), str(item["text"]), tuple(sorted(spans, key=lambda span: span.start)))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{place} 缺少 id、text 或 spans（start、end、type）：{error}。请补全。") from error
    end = 0
    for span in case.spans:
        if span.type not in LABELS:
            raise DataError(f"{place} 的类型 {span.type} 不认识。可用：{'、'.join(LABELS)}。")
        if not end <= span.start < span.end <= len(case.text):
            raise DataError(f"{place} 的区间 [{span.start}, {span.end}) 越界或重叠。请核对字符位置。")
        end = span.end
    return case


def predict(text: str) -> list[Labelled]:
    """Return what the shipped redactor replaces in `text`."""
    return [Labelled(span.start, span.end, span.type) for span in redact(text).spans]


def score(cases: Iterable[Case], predictor: Callable[[str], Sequence[Labelled]] = predict) -> Score:
    """Run `predictor` over `cases` and count, micro-averaged within each group."""
    rows = [(case, predictor(case.text)) for case in cases]
    gold = [(case, span, predicted) for case, predicted in rows for span in case.spans]
    found = [(case, span) for case, predicted in rows for span in predicted]
    missed = [(case, span) for case, span, predicted in gold if not _meets(span, predicted)]
    false = [(case, span) for case, span in found if not _meets(span, case.spans)]
    typed = sum(_meets(span, [other for other in predicted if other.type == span.type]) for _, span, predicted in gold)
    characters = [any(other.start <= at < other.end for other in predicted) for at, predicted in _positions(gold)]
    plain = [predicted for case, predicted in rows if not case.spans]
    return Score(
        cases=len(rows),
        recall=_by_group([span for _, span, _ in gold], [span for _, span in missed]),
        precision=_by_group([span for _, span in found], [span for _, span in false]),
        overall_recall=Share(len(gold) - len(missed), len(gold)),
        overall_precision=Share(len(found) - len(false), len(found)),
        typed=Share(typed, len(gold)),
        covered=Share(sum(characters), len(characters)),
        clean_lookalikes=Share(sum(not predicted for predicted in plain), len(plain)),
        misses=tuple((case.case_id, span.type, case.text[span.start : span.end]) for case, span in missed),
        false_alarms=tuple((case.case_id, span.type, case.text[span.start : span.end]) for case, span in false),
    )


def group_of(kind: str) -> Group:
    """Return the group in which a type is counted."""
    match kind:
        case "NAME":
            return "name"
        case "ADDRESS":
            return "address"
        case _:
            return "structured"


def summary(result: Score) -> str:
    """Return the score as lines of Chinese text, with n and the 95 % interval of each figure."""
    lines = [f"共 {result.cases} 句"]
    names: dict[Group, str] = {"structured": "结构化信息", "name": "姓名", "address": "地址"}
    for group in GROUPS:
        lines.append(f"{names[group]}：召回 {result.recall[group]}，精确 {result.precision[group]}")
    lines.append(f"合计：召回 {result.overall_recall}，精确 {result.overall_precision}")
    lines.append(f"类型完全一致 {result.typed}，字符覆盖 {result.covered}")
    lines.append(f"易混句未误伤 {result.clean_lookalikes}")
    return "\n".join(lines)


def _by_group(spans: Sequence[Labelled], wrong: Sequence[Labelled]) -> dict[Group, Share]:
    totals = {group: sum(group_of(span.type) == group for span in spans) for group in GROUPS}
    wrongs = {group: sum(group_of(span.type) == group for span in wrong) for group in GROUPS}
    return {group: Share(totals[group] - wrongs[group], totals[group]) for group in GROUPS}


def _meets(span: Labelled, others: Iterable[Labelled]) -> bool:
    group = group_of(span.type)
    return any(other.start < span.end and span.start < other.end and group_of(other.type) == group for other in others)


def _positions(
    gold: Iterable[tuple[Case, Labelled, Sequence[Labelled]]],
) -> Iterable[tuple[int, Sequence[Labelled]]]:
    for _, span, predicted in gold:
        for at in range(span.start, span.end):
            yield at, predicted
