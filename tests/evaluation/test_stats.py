import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healgpt.evaluation.stats import (
    bootstrap,
    holm,
    mcnemar,
    paired_bootstrap,
    smallest_visible_difference,
    wilson,
)


def test_wilson_agrees_with_published_values():
    # Newcombe (1998), table I: 81 of 263
    interval = wilson(81, 263)
    assert (interval.low, interval.high) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))
    assert wilson(0, 20).low == 0
    assert wilson(0, 20).high == pytest.approx(0.1611, abs=1e-4)


@given(st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_estimate_within_0_and_1(pair):
    interval = wilson(*pair)
    assert 0 <= interval.low <= interval.high <= 1
    if pair[1]:
        assert interval.low <= interval.value <= interval.high


def test_nothing_measured_is_no_number():
    assert math.isnan(wilson(0, 0).value)
    with pytest.raises(ValueError, match="no values"):
        bootstrap([])


def test_the_bootstrap_repeats_and_agrees_with_the_normal_interval():
    source = random.Random(3)
    values = [source.gauss(2, 1) for _ in range(400)]
    interval = bootstrap(values, seed=1)
    assert interval == bootstrap(values, seed=1)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_a_real_difference_is_told_from_noise():
    source = random.Random(5)
    first = [source.random() for _ in range(200)]
    better = [value + 0.1 + source.gauss(0, 0.1) for value in first]
    same = [value + source.gauss(0, 0.1) for value in first]
    difference, p = paired_bootstrap(first, better)
    assert difference.low > 0
    assert p < 0.001
    assert paired_bootstrap(first, same)[1] > 0.01


def test_mcnemar_counts_only_the_items_that_differ():
    first = [True] * 50 + [True] * 10 + [False] * 2
    second = [True] * 50 + [False] * 10 + [True] * 2
    assert mcnemar(first, second) == pytest.approx(0.0386, abs=1e-4)
    assert mcnemar(first, first) == 1


def test_holm_orders_and_never_lowers():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_more_items_show_smaller_differences():
    assert smallest_visible_difference(0.28, 120) == pytest.approx(0.0716, abs=1e-3)
