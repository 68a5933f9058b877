"""The development suite guards the rules; the scorer counts what it says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from healgpt.errors import DataError
from healgpt.evaluation.stats import Share
from healgpt.evaluation.triage_suite import Case, load_cases, score, suite_path, summary
from healgpt.schema import Alarm


def test_the_development_suite_is_half_hard_negatives_and_passes() -> None:
    cases = load_cases(suite_path("triage_dev"))
    negatives = sum(case.level == "none" for case in cases)
    assert len(cases) >= 300
    assert 0.4 <= negatives / len(cases) <= 0.6
    result = score(cases)
    assert result.recall.value >= 0.98, summary(result)
    assert result.precision.value >= 0.95, summary(result)


def test_levels_are_counted_apart() -> None:
    def case(text: str, level: str, kind: str | None) -> Case:
        return Case(text, ({"role": "user", "content": text},), level, kind)  # type: ignore[arg-type]

    answers = {"a": ("acs", "emergency"), "b": None, "c": ("acs", "urgent"), "d": ("acs", "emergency"), "e": None}

    def scripted(messages: object) -> Alarm | None:
        found = answers[messages[0]["content"]]  # type: ignore[index]
        return Alarm(found[0], found[1], "", "", "", "") if found else None  # type: ignore[arg-type]

    cases = [
        case("a", "emergency", "stroke"),
        case("b", "emergency", "acs"),
        case("c", "urgent", "acs"),
        case("d", "none", None),
        case("e", "none", None),
    ]
    result = score(cases, scripted)
    assert (result.recall, result.precision, result.kind_right) == (Share(1, 2), Share(1, 2), Share(0, 1))
    assert (result.urgent_recall, result.urgent_exact, result.quiet) == (Share(1, 1), Share(1, 1), Share(1, 2))
    assert result.recall_by_kind == {"acs": Share(0, 1), "stroke": Share(1, 1)}
    assert [error.case.case_id for error in result.errors] == ["b", "d"]
    assert not result.passed


@pytest.mark.parametrize(
    "item",
    [
        {"id": "1", "messages": [{"role": "user", "content": "x"}], "level": "maybe", "kind": None},
        {"id": "1", "messages": [{"role": "user", "content": "x"}], "level": "emergency", "kind": None},
        {"id": "1", "messages": [], "level": "none", "kind": None},
    ],
)
def test_a_case_that_cannot_be_scored_is_named(tmp_path: Path, item: dict[str, object]) -> None:
    file = tmp_path / "suite.jsonl"
    file.write_text(json.dumps(item), encoding="utf-8")
    with pytest.raises(DataError, match="第 1 条"):
        load_cases(file)


_RUN = [sys.executable, "-m", "healgpt.cli.main", "triage"]


def test_the_command_answers_lines_in_order_with_offsets() -> None:
    lines = [
        {"text": "感冒了"},
        {"id": "x", "messages": [{"role": "user", "content": "胸口闷"}, {"role": "user", "content": "一身冷汗"}]},
    ]
    given = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    done = subprocess.run([*_RUN, "--json"], input=given, capture_output=True, check=True, timeout=60)
    first, second = map(json.loads, done.stdout.splitlines())
    assert first == {"level": "none", "kind": None, "reasons": []}
    assert (second["id"], second["level"], second["kind"]) == ("x", "emergency", "acs")
    assert second["reasons"][0] == {"concept": "胸闷", "turn": 0, "start": 0, "end": 3, "text": "胸口闷"}


def test_the_command_names_a_bad_line() -> None:
    done = subprocess.run([*_RUN, "--json"], input=b'{"question": 1}', capture_output=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "第 1 条" in done.stderr.decode()
