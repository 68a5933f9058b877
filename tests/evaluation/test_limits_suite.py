from healgpt.evaluation.limits_suite import score, summary


def test_the_development_answers_are_checked_well_enough_to_ship():
    result = score("limits_answers_dev")
    assert result.passed
    assert "达标" in summary(result)
