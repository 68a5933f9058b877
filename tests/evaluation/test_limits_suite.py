"""The shipped development answers: a guard against losing what the check already finds."""

import pytest

from healgpt.evaluation.limits_suite import score, summary


@pytest.mark.parametrize("suite", ["limits_answers_dev", "limits_answers_dev2", "limits_answers_dev3"])
def test_the_check_still_finds_what_it_was_built_on(suite: str) -> None:
    result = score(suite)
    assert result.recall.value >= 0.9
    assert result.precision.value >= 0.95
    assert "召回率" in summary(result)
