"""Intervals and tests for evaluation results. Every figure this project reports carries one of these intervals.

Sources: Wilson (1927) for proportions; Efron (1979), percentile bootstrap; McNemar (1947), exact binomial form;
Holm (1979). Random numbers come from a seed, so a report repeats to the digit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_Z = {0.90: 1.6448536269514722, 0.95: 1.959963984540054, 0.99: 2.5758293035489004}
_Z_POWER_80 = 0.8416212335729143
RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its bounds; `n` counts the items it rests on."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}], n = {self.n}"


def wilson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Return a proportion with its Wilson score interval; with `n == 0` nothing is known: [0, 1] around nan."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    if n == 0:
        return Interval(math.nan, 0.0, 1.0, 0)
    z, share = _Z[level], successes / n
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    middle, scale = share + z * z / (2 * n), 1 + z * z / n
    # rounding may leave the bound an ulp past the estimate at 0 and 1
    low = 0.0 if successes == 0 else (middle - spread) / scale
    high = 1.0 if successes == n else (middle + spread) / scale
    return Interval(share, low, high, n)


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `total` with the 95 % Wilson interval; 0 of 0 has value nan and the interval [0, 1]."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        return wilson(self.hits, self.total).value

    @property
    def interval(self) -> tuple[float, float]:
        """The bounds of the interval."""
        bounds = wilson(self.hits, self.total)
        return bounds.low, bounds.high

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f}（{self.hits}/{self.total}，95% 区间 {low:.3f}–{high:.3f}）"


def bootstrap(values: Sequence[float], *, seed: int = 0, level: float = 0.95) -> Interval:
    """Return the mean of `values` with its percentile bootstrap interval. Raises `ValueError` when empty."""
    means = _resampled_means(values, seed)
    return _percentiles(math.fsum(values) / len(values), means, len(values), level)


def paired_bootstrap(first: Sequence[float], second: Sequence[float], *, seed: int = 0) -> tuple[Interval, float]:
    """Return the mean difference `second - first` over the same items with its 95 % interval, and a p-value.

    The p-value is two-sided: twice the smaller share of resampled differences on either side of zero.
    Raises `ValueError` for lists of different lengths or none.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} items against {len(second)}")
    differences = [b - a for a, b in zip(first, second, strict=True)]
    means = _resampled_means(differences, seed)
    below = sum(mean <= 0 for mean in means)
    above = sum(mean >= 0 for mean in means)
    p = min(1.0, 2 * (min(below, above) + 1) / (len(means) + 1))
    return _percentiles(math.fsum(differences) / len(differences), means, len(differences), 0.95), p


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Return the exact two-sided p-value that two runs err equally often on the same items."""
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    if discordant == 0:
        return 1.0
    tail = sum(math.comb(discordant, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << discordant))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number, in the order given."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = largest
    return corrected


def smallest_visible_difference(deviation: float, n: int) -> float:
    """Return the mean paired difference that `n` items show with 80 % power at the 5 % level.

    `deviation` is the standard deviation of the paired differences.
    """
    return (_Z[0.95] + _Z_POWER_80) * deviation / math.sqrt(n)


def _resampled_means(values: Sequence[float], seed: int) -> list[float]:
    import numpy

    if not values:
        raise ValueError("no values to resample")
    sample = numpy.asarray(values, dtype=float)
    random = numpy.random.default_rng(seed)
    # a few hundred rows at a time keeps memory flat however many items there are
    means: list[float] = []
    while len(means) < RESAMPLES:
        rows = min(500, RESAMPLES - len(means))
        means += sample[random.integers(0, len(sample), (rows, len(sample)))].mean(axis=1).tolist()
    return means


def _percentiles(value: float, means: Sequence[float], n: int, level: float) -> Interval:
    ordered = sorted(means)
    cut = (1 - level) / 2
    low, high = ordered[math.floor(cut * len(ordered))], ordered[math.ceil((1 - cut) * len(ordered)) - 1]
    return Interval(value, low, high, n)
