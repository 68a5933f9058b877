"""How far two raters agree on the same items: Spearman, weighted kappa, and intervals over cases.

Sources: Spearman (1904) with mean ranks for ties; Cohen (1968), kappa with quadratic weights. A measure that does not
exist, because a rater gave one score to everything, is nan and never 0.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from healgpt.evaluation.stats import Interval

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

RESAMPLES = 1000
Statistic = Callable[[Sequence[float], Sequence[float]], float]


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the rank correlation in [-1, 1]; nan where either side is constant or there are fewer than two items.

    Raises `ValueError` for lists of different lengths.
    """
    import numpy

    if len(first) != len(second):
        raise ValueError(f"{len(first)} items against {len(second)}")
    if len(first) < 2:
        return math.nan
    a, b = (_ranks(side) for side in (first, second))
    a, b = a - a.mean(), b - b.mean()
    scale = float(numpy.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else math.nan


def weighted_kappa(first: Sequence[float], second: Sequence[float]) -> float:
    """Return kappa with quadratic weights, for any numeric scores; nan where both sides are one same constant.

    With these weights kappa is 1 - the mean squared difference of the pairs / that of all pairings, so half points
    and means need no table of categories. Raises `ValueError` for lists of different lengths.
    """
    import numpy

    if len(first) != len(second):
        raise ValueError(f"{len(first)} items against {len(second)}")
    if not first:
        return math.nan
    a, b = numpy.asarray(first, dtype=float), numpy.asarray(second, dtype=float)
    chance = float(a.var() + b.var() + (a.mean() - b.mean()) ** 2)
    return 1 - float(((a - b) ** 2).mean()) / chance if chance > 0 else math.nan


def over_cases(statistic: Callable[[Sequence[int]], float], cases: Sequence[Hashable], *, seed: int = 0) -> Interval:
    """Return `statistic` of all places with its 95 % percentile interval, resampling whole cases.

    `statistic` takes the places of the items drawn; `cases` names the case of each place. Dialogues on one case are
    no independent evidence, so a case is drawn with all its dialogues. Resamples where the statistic does not exist
    are left out; where that is more than half of them, the bounds are nan.
    """
    import numpy

    members: dict[Hashable, list[int]] = {}
    for place, case in enumerate(cases):
        members.setdefault(case, []).append(place)
    groups, random = list(members.values()), numpy.random.default_rng(seed)
    value = statistic(range(len(cases))) if cases else math.nan
    found = []
    for _ in range(RESAMPLES if groups else 0):
        drawn = random.integers(0, len(groups), len(groups))
        result = statistic([place for group in drawn for place in groups[group]])
        if not math.isnan(result):
            found.append(result)
    if len(found) <= RESAMPLES // 2:
        return Interval(value, math.nan, math.nan, len(cases))
    found.sort()
    low, high = found[math.floor(0.025 * len(found))], found[math.ceil(0.975 * len(found)) - 1]
    return Interval(value, low, high, len(cases))


def paired(statistic: Statistic, first: Sequence[float], second: Sequence[float]) -> Callable[[Sequence[int]], float]:
    """Return `statistic` of two lists as a function of the places drawn."""
    return lambda places: statistic([first[place] for place in places], [second[place] for place in places])


def own_preference(
    given: Sequence[float], reference: Sequence[float], own: Sequence[bool]
) -> Callable[[Sequence[int]], float]:
    """Return how much higher a judge scores its own dialogues than others of equal reference, by places drawn.

    Within each reference score, the mean for own minus the mean for others; averaged by the number of own
    dialogues. Scores that only one side has are left out; nan where nothing is left.
    """

    def preference(places: Sequence[int]) -> float:
        levels: Mapping[float, tuple[list[float], list[float]]] = {reference[place]: ([], []) for place in places}
        for place in places:
            levels[reference[place]][0 if own[place] else 1].append(given[place])
        shared = [(mine, others) for mine, others in levels.values() if mine and others]
        weight = sum(len(mine) for mine, _ in shared)
        if not weight:
            return math.nan
        return sum(sum(mine) - len(mine) * sum(others) / len(others) for mine, others in shared) / weight

    return preference


def _ranks(values: Sequence[float]) -> "NDArray[float64]":
    """Return ranks from 1, ties sharing their mean rank."""
    import numpy

    _, place, counts = numpy.unique(numpy.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    last = numpy.cumsum(counts)
    ranks: NDArray[float64] = (last - (counts - 1) / 2)[place]
    return ranks
