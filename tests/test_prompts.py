import pytest

from healgpt import prompts
from healgpt.errors import ConfigError


def test_values_cannot_smuggle_in_variables():
    assert "{{title}} {{call}}" in prompts.render("alarm_reminder", title="{{title}} {{call}}", call="120")


@pytest.mark.parametrize("variables", [{}, {"title": "a", "call": "b", "more": "c"}])
def test_missing_and_surplus_variables_are_errors(variables):
    with pytest.raises(ConfigError, match="变量不符"):
        prompts.render("alarm_reminder", **variables)


def test_an_unknown_prompt_names_the_known_ones():
    with pytest.raises(ConfigError, match="system"):
        prompts.render("nothing")


def test_the_system_prompt_promises_what_a_patient_needs():
    text = prompts.render("system")
    for promise in ("不是医生", "科室", "过敏", "怀孕", "120", "剂量"):
        assert promise in text
