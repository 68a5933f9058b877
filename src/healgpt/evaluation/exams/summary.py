"""From scored items to what a reader wants to know: accuracy with intervals, by subject and type, chance beside it."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from healgpt.evaluation.run import Item
from healgpt.evaluation.stats import Interval, wilson


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One row: how many of `interval.n` scored questions were right, and what blind guessing would get of them."""

    name: str
    interval: Interval
    chance: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The results of one exam. Questions that failed or cannot be scored are in no accuracy and counted here."""

    micro: Accuracy
    macro: Accuracy
    subjects: tuple[Accuracy, ...]
    kinds: tuple[Accuracy, ...]
    abstained: int | None
    not_scorable: int
    failed: int
    picked: dict[str, int]
    right_letters: dict[str, int]


def summarise(items: Sequence[Item]) -> Summary:
    """Return the accuracies of `items`: over all questions (micro), and as the mean over subjects (macro)."""
    scored = [item for item in items if item["scores"].get("right") is not None]
    subjects, kinds = _by(scored, "科目"), _by(scored, "题型")
    counted = [item["scores"]["abstained"] for item in scored if "abstained" in item["scores"]]
    failed = sum(bool(item.get("failure")) for item in items)
    return Summary(
        micro=_accuracy("全部", scored),
        macro=Accuracy(
            "科目平均", mean_of([row.interval for row in subjects]), _mean([row.chance for row in subjects])
        ),
        subjects=subjects,
        kinds=kinds,
        abstained=sum(counted) if counted else None,
        not_scorable=len(items) - len(scored) - failed,
        failed=failed,
        picked=dict(sorted(Counter(item["picked"] or "" for item in scored).items())),
        right_letters=dict(sorted(Counter(item["answer"] for item in scored).items())),
    )


def mean_of(shares: Sequence[Interval]) -> Interval:
    """Return the unweighted mean of independent proportions with an interval made of their Wilson intervals.

    Method of variance estimates recovery: Zou & Donner (2008), Newcombe (2001).
    """
    if not shares:
        return Interval(math.nan, 0.0, 1.0, 0)
    count, value = len(shares), _mean([one.value for one in shares])
    below = math.sqrt(sum((one.value - one.low) ** 2 for one in shares)) / count
    above = math.sqrt(sum((one.high - one.value) ** 2 for one in shares)) / count
    return Interval(value, max(0.0, value - below), min(1.0, value + above), sum(one.n for one in shares))


def chance(item: Item) -> float:
    """Return how often a blind guess is right: one letter, or any non-empty set of letters where several may be."""
    options, right = int(item["options"]), len(item["answer"])
    if not item.get("multiple"):
        return 1 / options
    return 1 / math.comb(options, right) if item.get("choose") else 1 / (2**options - 1)


def as_json(summary: Summary) -> dict[str, Any]:
    """Return the summary as JSON values; an accuracy over no question is null."""
    return {
        "micro": _row(summary.micro),
        "macro": _row(summary.macro),
        "subjects": {row.name: _row(row) for row in summary.subjects},
        "kinds": {row.name: _row(row) for row in summary.kinds},
        "abstained": summary.abstained,
        "not_scorable": summary.not_scorable,
        "failed": summary.failed,
        "picked": summary.picked,
        "right_letters": summary.right_letters,
    }


def _row(row: Accuracy) -> dict[str, Any]:
    if row.interval.n == 0:
        return {"accuracy": None, "low": None, "high": None, "n": 0, "chance": None}
    found = row.interval
    return {"accuracy": found.value, "low": found.low, "high": found.high, "n": found.n, "chance": row.chance}


def _by(items: Sequence[Item], group: str) -> tuple[Accuracy, ...]:
    names = dict.fromkeys(item["groups"][group] for item in items)
    return tuple(_accuracy(name, [item for item in items if item["groups"][group] == name]) for name in names)


def _accuracy(name: str, items: Sequence[Item]) -> Accuracy:
    right = sum(item["scores"]["right"] for item in items)
    return Accuracy(name, wilson(right, len(items)), _mean([chance(item) for item in items]))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan
