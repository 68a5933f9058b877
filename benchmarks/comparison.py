"""How often a comparison calls noise a difference, and how often it sees one as large as it says it can see.

    python benchmarks/comparison.py            400 pairs of made-up runs for each row; about a minute

Scores are like those of consultations: shares of three turns (bootstrap), or 0 and 1 (McNemar). Under "no difference"
both runs draw from the same distribution, so at most 5 % may be called real; under "visible difference" the second run
is shifted by the difference that the first comparison says it can see, which should be found in about 80 %.
"""

import statistics

import numpy

from healgpt.evaluation.comparison import LEVEL, paired_test
from healgpt.evaluation.run import Measure

ROUNDS = 400


def main() -> None:
    """Print one line a row."""
    dice = numpy.random.default_rng(7)
    print("| scores | n | called real under no difference | visible difference | found |")
    print("|---|---|---|---|---|")
    for kind in ("turns", "binary"):
        for n in (6, 24, 120):
            row(dice, kind, n)


def row(dice: numpy.random.Generator, kind: str, n: int) -> None:
    """Print false alarms and power for one kind of score and one number of items."""
    false, visible = 0, []
    for _ in range(ROUNDS):
        test = compared(dice, kind, n, 0.0)
        false += test.p < LEVEL
        if test.visible is not None:
            visible.append(test.visible)
    shift = statistics.median(visible)
    found = sum(compared(dice, kind, n, shift).p < LEVEL for _ in range(ROUNDS)) / ROUNDS
    print(f"| {kind} | {n} | {false / ROUNDS:.3f} | {shift:.2f} | {found:.2f} |", flush=True)


def compared(dice: numpy.random.Generator, kind: str, n: int, shift: float):  # type: ignore[no-untyped-def]
    """Compare two runs whose items share their difficulty; the second's chances are `shift` higher."""
    easy = dice.beta(2, 4, n)
    turns = 3 if kind == "turns" else 1
    first = dice.binomial(turns, easy) / turns
    second = dice.binomial(turns, numpy.clip(easy + shift, 0, 1)) / turns
    return paired_test("task", "share", Measure("份额"), list(zip(first.tolist(), second.tolist(), strict=True)))


if __name__ == "__main__":
    main()
