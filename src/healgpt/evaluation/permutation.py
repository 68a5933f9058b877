"""The sign-flip test of paired differences: exact in level, where the bootstrap of few items is too sure."""

import math
from collections.abc import Sequence

RESAMPLES = 10_000
_EXACT = 13


def sign_flip(differences: Sequence[float], *, seed: int = 0) -> float:
    """Return the two-sided p-value that the differences are as likely of one sign as of the other.

    Up to 13 differences other than zero all flips are counted, so that the p-value is exact and never below 2 / 2^k;
    beyond that 10,000 drawn flips stand for them, the observed one among them. Source: Fisher (1935); Phipson &
    Smyth (2010) for counting the observed one.
    """
    import numpy

    kept = numpy.asarray([gap for gap in differences if gap != 0], dtype=float)
    if not len(kept):
        return 1.0
    # a relative tolerance: sums of the same numbers in another order may differ in the last digit
    observed = abs(math.fsum(kept)) * (1 - 1e-9)
    if len(kept) <= _EXACT:
        bits = numpy.arange(1 << len(kept))[:, None] >> numpy.arange(len(kept)) & 1
        return float((numpy.abs((1 - 2 * bits) @ kept) >= observed).mean())
    random = numpy.random.default_rng(seed)
    reached, rows = 0, 500
    for _ in range(RESAMPLES // rows):
        signs = 1 - 2 * random.integers(0, 2, (rows, len(kept)))
        reached += int((numpy.abs(signs @ kept) >= observed).sum())
    return (reached + 1) / (RESAMPLES + 1)
