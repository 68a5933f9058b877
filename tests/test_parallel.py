import itertools

import pytest

from healgpt.errors import DataError
from healgpt.parallel import map_ordered


def halve(number):
    if number % 2:
        raise DataError(f"{number} 是奇数")
    return number // 2


def test_outcomes_keep_the_order_and_collect_failures():
    outcomes = list(map_ordered(halve, range(9), workers=3))
    assert [outcome.item for outcome in outcomes] == list(range(9))
    assert [outcome.result for outcome in outcomes if outcome.error is None] == [0, 1, 2, 3, 4]
    assert "1 是奇数" in str(outcomes[1].error)


def test_an_endless_source_is_read_only_as_far_as_needed():
    first = list(itertools.islice(map_ordered(halve, itertools.count(0, 2), workers=2), 5))
    assert [outcome.result for outcome in first] == [0, 1, 2, 3, 4]


def test_a_bug_is_not_collected():
    with pytest.raises(ZeroDivisionError):
        list(map_ordered(lambda n: 1 // n, [1, 0], workers=1))
