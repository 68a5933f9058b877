"""From scored items to figures: the value of each measure over a task, or over a group of its items, with its interval.

A share whose scores are all 0 or 1 gets Wilson's interval, any other mean the percentile bootstrap over items. An item
may count several things at once, such as the names in one sentence: it then carries, beside its score, `"counts":
{measure: [hits, total]}`, and the figure is all hits over all totals with Wilson's interval. `[hits, wanted, found]`
counts for an F score, whose interval is the bootstrap over items.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from healgpt.evaluation.run import Item, Measure
from healgpt.evaluation.stats import Interval, bootstrap, wilson

_ROUNDS = 2_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure over some items. `interval` is None where the measure applied to none of them."""

    key: str
    measure: Measure
    interval: Interval | None


def measures(note: Mapping[str, Any]) -> dict[str, Measure]:
    """Return the measures of a task from its note in a manifest, in order."""
    return {key: Measure(**one) for key, one in note["measures"].items()}


def done(items: Sequence[Item]) -> list[Item]:
    """Return the items that did not fail."""
    return [item for item in items if not item.get("failure")]


def figures(note: Mapping[str, Any], items: Sequence[Item]) -> list[Figure]:
    """Return every measure of a task over `items`; failed items count for none."""
    kept = done(items)
    return [Figure(key, measure, interval(kept, key, measure)) for key, measure in measures(note).items()]


def interval(items: Sequence[Item], key: str, measure: Measure) -> Interval | None:
    """Return the value of one measure over items that did not fail, or None where it applies to none."""
    counts = [item["counts"][key] for item in items if key in item.get("counts", {})]
    if counts:
        return _of_counts(counts)
    values = scores(items, key)
    if not values:
        return None
    if measure.share and is_binary(values):
        return wilson(round(sum(values)), len(values))
    return bootstrap(values)


def scores(items: Sequence[Item], key: str) -> list[float]:
    """Return the scores of one measure, without those that do not apply."""
    return [float(item["scores"][key]) for item in items if item["scores"].get(key) is not None]


def is_binary(values: Sequence[float]) -> bool:
    """Tell whether every value is 0 or 1."""
    return all(value in (0.0, 1.0) for value in values)


def groups(items: Sequence[Item], by: str) -> dict[str, list[Item]]:
    """Return the items that did not fail by the value of one group, in order of first appearance."""
    found: dict[str, list[Item]] = {}
    for item in done(items):
        if (value := item.get("groups", {}).get(by)) is not None:
            found.setdefault(str(value), []).append(item)
    return found


def group_names(items: Sequence[Item]) -> list[str]:
    """Return the names by which items are grouped, in order of first appearance."""
    return list(dict.fromkeys(name for item in items for name in item.get("groups", {})))


def shown(value: float, *, share: bool) -> str:
    """Return a figure as a reader sees it: three digits for a share, three significant ones for a number."""
    if math.isnan(value):
        return "—"
    if share or abs(value) < 10:
        return f"{value:.3f}" if share else f"{value:.2f}"
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def _of_counts(counts: Sequence[Sequence[int]]) -> Interval | None:
    if len(counts[0]) == 2:
        hits, total = (sum(row[place] for row in counts) for place in (0, 1))
        return wilson(hits, total) if total else None
    return _f_score(counts)


def _f_score(counts: Sequence[Sequence[int]]) -> Interval | None:
    import numpy

    table = numpy.asarray(counts, dtype=float)
    hits, wanted, found = table.sum(axis=0)
    if wanted + found == 0:
        return None
    drawn = numpy.random.default_rng(0).integers(0, len(table), (_ROUNDS, len(table)))
    sums = table[drawn].sum(axis=1)
    values = numpy.sort(2 * sums[:, 0] / numpy.maximum(sums[:, 1] + sums[:, 2], 1))
    low, high = values[int(0.025 * _ROUNDS)], values[math.ceil(0.975 * _ROUNDS) - 1]
    return Interval(float(2 * hits / (wanted + found)), float(low), float(high), len(table))
