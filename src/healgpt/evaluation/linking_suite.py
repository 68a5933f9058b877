"""Scores linking on a labelled suite: F1 of names with bootstrap intervals, and how often the status is right.

A suite is JSONL, one message a line: `{"id", "text", "mentions": [{"start", "end", "name", "status"}]}`. Both suites
shipped with the package, and the lexicon they try, were written by a language model, screened by rule, and were not
reviewed by clinicians; the guide for the labels is docs/reference/linking.md.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.errors import DataError
from healgpt.evaluation.stats import Interval, wilson

# lowest F1 accepted on the test suite
F1_BOUND = 0.9
STATUSES = ("present", "absent", "uncertain", "past")
_ROUNDS = 2000


@dataclass(frozen=True, slots=True)
class Labelled:
    """Characters `[start, end)`, the canonical name, and what is said of it."""

    start: int
    end: int
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Case:
    """One message of a suite."""

    case_id: str
    text: str
    mentions: tuple[Labelled, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """What a suite says about a linker.

    A prediction is right when it overlaps a labelled mention of exactly its name; each of both counts once.
    The bounds of `f1` are the 95 % percentile bootstrap over messages, 2,000 rounds with a fixed seed; the others are
    Wilson's. `status` counts
    the right predictions whose status agrees. `misses` and `false_alarms` name the case, the text and the name.
    """

    cases: int
    precision: Interval
    recall: Interval
    f1: Interval
    status: Interval
    misses: tuple[tuple[str, str, str], ...]
    false_alarms: tuple[tuple[str, str, str], ...]
    wrong_statuses: tuple[tuple[str, str, str, str], ...]

    @property
    def passed(self) -> bool:
        """Tell whether F1 holds its bound, as a point estimate."""
        return self.f1.value >= F1_BOUND


def load_cases(name: str) -> list[Case]:
    """Read the shipped suite `name` ("linking_dev", "linking_test"). Raises `DataError` for labels out of place."""
    path = Path(str(resources.files("healgpt.evaluation").joinpath("suites", f"{name}.jsonl")))
    return [_case(item, f"{path} 第 {number} 条") for number, item in enumerate(jsonl.read(path), start=1)]


def _case(item: dict[str, Any], place: str) -> Case:
    try:
        mentions = tuple(
            Labelled(int(row["start"]), int(row["end"]), str(row["name"]), str(row["status"]))
            for row in item["mentions"]
        )
        case = Case(str(item["id"]), str(item["text"]), mentions)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{place} 缺少 id、text 或 mentions（start、end、name、status）：{error}。请补全。") from error
    for mention in case.mentions:
        if mention.status not in STATUSES:
            raise DataError(f"{place} 的状态 {mention.status} 不认识。可用：{'、'.join(STATUSES)}。")
        if not 0 <= mention.start < mention.end <= len(case.text):
            raise DataError(f"{place} 的区间 [{mention.start}, {mention.end}) 越界。请核对字符位置。")
    return case


def score(cases: Iterable[Case], link: Callable[[str], Sequence[Any]]) -> Score:
    """Run `link` over `cases`; it returns mentions with `start`, `end`, `name` and `status`."""
    rows = [(case, [Labelled(one.start, one.end, one.name, one.status) for one in link(case.text)]) for case in cases]
    matched = [_match(case.mentions, predicted) for case, predicted in rows]
    counts = [
        (len(pairs), len(case.mentions), len(predicted)) for (case, predicted), pairs in zip(rows, matched, strict=True)
    ]
    right = [(case, *pair) for (case, _), pairs in zip(rows, matched, strict=True) for pair in pairs]
    hits, gold, found = (sum(count[place] for count in counts) for place in range(3))
    agreed = sum(one.status == other.status for _, one, other in right)
    return Score(
        cases=len(rows),
        precision=wilson(hits, found),
        recall=wilson(hits, gold),
        f1=_bootstrap(counts),
        status=wilson(agreed, len(right)),
        misses=_left(rows, matched, place=0),
        false_alarms=_left(rows, matched, place=1),
        wrong_statuses=tuple(
            (case.case_id, case.text[one.start : one.end], one.status, other.status)
            for case, one, other in right
            if one.status != other.status
        ),
    )


def summary(result: Score) -> str:
    """Return the score as lines of Chinese text, with n and the 95 % interval of each figure."""
    return "\n".join(
        (
            f"共 {result.cases} 句",
            f"F1 {_figure(result.f1)}，区间按句自助法",
            f"精确率 {_figure(result.precision)}，召回率 {_figure(result.recall)}",
            f"状态（有、无、疑似、既往）判对 {_figure(result.status)}",
        )
    )


def _figure(share: Interval) -> str:
    return f"{share.value:.3f}（95% 区间 {share.low:.3f}–{share.high:.3f}，n = {share.n}）"


def _match(gold: Sequence[Labelled], predicted: Sequence[Labelled]) -> list[tuple[Labelled, Labelled]]:
    free = list(predicted)
    pairs = []
    for one in gold:
        for other in free:
            if one.name == other.name and other.start < one.end and one.start < other.end:
                pairs.append((one, other))
                free.remove(other)
                break
    return pairs


def _left(
    rows: Sequence[tuple[Case, list[Labelled]]], matched: Sequence[list[tuple[Labelled, Labelled]]], *, place: int
) -> tuple[tuple[str, str, str], ...]:
    found = []
    for (case, predicted), pairs in zip(rows, matched, strict=True):
        used = {id(pair[place]) for pair in pairs}
        for one in case.mentions if place == 0 else predicted:
            if id(one) not in used:
                found.append((case.case_id, case.text[one.start : one.end], one.name))
    return tuple(found)


def _f1(counts: Sequence[tuple[int, int, int]]) -> float:
    hits, gold, found = (sum(count[place] for count in counts) for place in range(3))
    return 2 * hits / (gold + found) if gold + found else 0.0


def _bootstrap(counts: Sequence[tuple[int, int, int]]) -> Interval:
    dice = random.Random(20)
    values = sorted(_f1(dice.choices(counts, k=len(counts))) for _ in range(_ROUNDS)) if counts else [0.0]
    return Interval(_f1(counts), values[int(0.025 * len(values))], values[int(0.975 * len(values))], len(counts))
