"""The scorer counts what it says, and the shipped rules hold their bounds on the development suite."""

from pathlib import Path

import pytest

from healgpt.errors import DataError
from healgpt.evaluation.redaction_suite import Case, Labelled, load_cases, score, suite_path, summary
from healgpt.evaluation.stats import Share


@pytest.mark.parametrize(
    "name", ["redaction_dev", "redaction_dev2", "redaction_dev3", "redaction_dev4", "redaction_dev5"]
)
def test_the_development_suites_are_half_lookalikes_and_pass(name: str) -> None:
    cases = load_cases(suite_path(name))
    lookalikes = sum(not case.spans for case in cases)
    assert len(cases) >= 200
    assert 0.4 <= lookalikes / len(cases) <= 0.6
    result = score(cases)
    assert result.passed, summary(result)
    assert result.clean_lookalikes.value >= 0.95


def test_overlap_counts_within_a_group_only() -> None:
    cases = [
        Case("a", "我叫王小明", (Labelled(2, 5, "NAME"),)),
        Case("b", "13812345678", (Labelled(0, 11, "PHONE"),)),
        Case("c", "高血压", ()),
    ]
    answers = {
        "我叫王小明": [Labelled(2, 3, "NAME")],
        "13812345678": [Labelled(0, 11, "WECHAT")],
        "高血压": [Labelled(0, 2, "NAME")],
    }
    result = score(cases, answers.__getitem__)
    assert result.recall["name"] == Share(1, 1)
    assert result.recall["structured"] == Share(1, 1)
    assert result.precision["name"] == Share(1, 2)
    assert result.typed == Share(1, 2)
    assert result.covered == Share(12, 14)
    assert result.clean_lookalikes == Share(0, 1)
    assert not result.passed


def test_wilson_interval_agrees_with_the_published_example() -> None:
    low, high = Share(81, 263).interval
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_a_wrong_offset_is_refused(tmp_path: Path) -> None:
    suite = tmp_path / "suite.jsonl"
    suite.write_text('{"id":"x","text":"头疼","spans":[{"start":0,"end":9,"type":"NAME"}]}\n', encoding="utf-8")
    with pytest.raises(DataError, match="越界"):
        load_cases(suite)
