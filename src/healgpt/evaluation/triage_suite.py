"""Scores triage on a labelled suite: recall and precision of emergencies with Wilson intervals, and each kind.

A suite is JSONL, one conversation a line: `{"id", "messages", "level", "kind", "note"}` with `level` one of
"emergency", "urgent", "none" and `kind` null where it is "none". The suites shipped with the package were written
by a language model, screened by rule, and were not reviewed by clinicians.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

from healgpt import jsonl
from healgpt.consult.triage import triage
from healgpt.errors import DataError
from healgpt.evaluation.stats import Share
from healgpt.schema import Alarm, Message

Level = Literal["emergency", "urgent", "none"]
LEVELS: tuple[Level, ...] = get_args(Level)
# lowest recall and precision accepted for level "emergency"
RECALL_BOUND, PRECISION_BOUND = 0.97, 0.92


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation of a suite and what triage should say of it."""

    case_id: str
    messages: tuple[Message, ...]
    level: Level
    kind: str | None


@dataclass(frozen=True, slots=True)
class Error:
    """A case whose level came out wrong."""

    case: Case
    level: Level
    kind: str | None


@dataclass(frozen=True, slots=True)
class Score:
    """What a suite says about triage.

    `recall` and `precision` are of level "emergency", whatever the kind. `recall_by_kind` is the recall of each
    kind's emergencies at that level, `kind_right` the share of emergencies found that got exactly their kind.
    `urgent_recall` counts urgent cases answered with any alarm, `urgent_exact` with exactly "urgent", and
    `quiet` the share of "none" cases that raise no alarm of either level.
    """

    cases: int
    recall: Share
    precision: Share
    recall_by_kind: dict[str, Share]
    kind_right: Share
    urgent_recall: Share
    urgent_exact: Share
    quiet: Share
    errors: tuple[Error, ...]

    @property
    def passed(self) -> bool:
        """Whether recall and precision of emergencies hold their bounds."""
        return self.recall.value >= RECALL_BOUND and self.precision.value >= PRECISION_BOUND


def suite_path(name: str) -> Path:
    """Return the path of a shipped suite: "triage_dev", "triage_dev2" or "triage_test"."""
    return Path(str(resources.files("healgpt.evaluation") / "suites" / f"{name}.jsonl"))


def load_cases(path: Path) -> list[Case]:
    """Read a suite. Raises `DataError` naming file, item, reason and mend for a case that cannot be scored."""
    cases = []
    seen: set[str] = set()
    for number, item in enumerate(jsonl.read(path), start=1):
        level, kind = item.get("level"), item.get("kind")
        kind_fits = kind is not None if level == "emergency" else level == "urgent" or kind is None
        if level not in LEVELS or not kind_fits or not item.get("messages"):
            raise DataError(f"{path} 第 {number} 条的 level、kind 或 messages 不合格式，请对照文档修正。")
        case_id = str(item.get("id", number))
        if case_id in seen:
            raise DataError(f"{path} 第 {number} 条的 id {case_id} 重复了，请改成唯一的编号。")
        seen.add(case_id)
        cases.append(Case(case_id, tuple(item["messages"]), level, kind))
    return cases


def score(cases: Sequence[Case], triage: Callable[[Sequence[Message]], Alarm | None] = triage) -> Score:
    """Run `triage` over `cases` and count."""
    answers = [(case, _answer(triage(case.messages))) for case in cases]
    found = [(case, kind) for case, (level, kind) in answers if case.level == "emergency" and level == "emergency"]
    wanted = [case for case in cases if case.level == "emergency"]
    raised = sum(level == "emergency" for _, (level, _) in answers)
    urgent = [level for case, (level, _) in answers if case.level == "urgent"]
    none = [level for case, (level, _) in answers if case.level == "none"]
    return Score(
        cases=len(cases),
        recall=Share(len(found), len(wanted)),
        precision=Share(len(found), raised),
        recall_by_kind={kind: _of_kind(kind, wanted, found) for kind in sorted({str(case.kind) for case in wanted})},
        kind_right=Share(sum(case.kind == kind for case, kind in found), len(found)),
        urgent_recall=Share(sum(level != "none" for level in urgent), len(urgent)),
        urgent_exact=Share(sum(level == "urgent" for level in urgent), len(urgent)),
        quiet=Share(sum(level == "none" for level in none), len(none)),
        errors=tuple(Error(case, level, kind) for case, (level, kind) in answers if level != case.level),
    )


def _answer(alarm: Alarm | None) -> tuple[Level, str | None]:
    return (alarm.level, alarm.kind) if alarm else ("none", None)


def _of_kind(kind: str, wanted: Sequence[Case], found: Sequence[tuple[Case, str | None]]) -> Share:
    return Share(sum(case.kind == kind for case, _ in found), sum(case.kind == kind for case in wanted))


def summary(result: Score) -> str:
    """Return the figures as Chinese lines for a terminal or a report."""
    lines = [
        f"分诊：{result.cases} 条，{'达标' if result.passed else '未达标'}"
        f"（急症召回率 ≥ {RECALL_BOUND}，精确率 ≥ {PRECISION_BOUND}）",
        f"急症召回率 {result.recall}",
        f"急症精确率 {result.precision}",
        f"类别正确 {result.kind_right}",
        f"“今天就医”有提醒 {result.urgent_recall}，级别正好 {result.urgent_exact}",
        f"无急症而安静 {result.quiet}",
        *(f"  {kind} {share}" for kind, share in result.recall_by_kind.items()),
    ]
    return "\n".join(lines)
