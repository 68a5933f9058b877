import pytest

from healgpt.evaluation.limits_suite import score, summary


@pytest.mark.parametrize("suite", ["limits_answers_dev", "limits_answers_dev2", "limits_answers_dev3"])
def test_the_development_answers_are_checked_well_enough_to_ship(suite: str) -> None:
    result = score(suite)
    assert result.passed
    assert "达标" in summary(result)
