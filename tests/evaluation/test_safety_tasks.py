"""The suites of the rules as run tasks: the figures of the suites themselves, bounds that can fail, gaps told."""

import pytest

from healgpt.cli.main import main
from healgpt.errors import DataError
from healgpt.evaluation import redaction_suite, safety, triage_suite
from healgpt.evaluation.figures import figures
from healgpt.evaluation.run import Run, read_items, read_manifest
from healgpt.evaluation.safety import checks
from healgpt.evaluation.safety_summary import rules_subject
from healgpt.knowledge.graph import open_graph
from healgpt.schema import Alarm


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Suites of some lines each, in place of the held-out ones."""
    sources = {
        "triage_test": "triage_dev2",
        "redaction_test7": "redaction_dev2",
        "limits_answers_test": "limits_answers_dev",
    }
    for name, source in sources.items():
        lines = triage_suite.suite_path(source).read_text("utf-8").splitlines()[:60]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(safety, "suites_folder", lambda: tmp_path)
    return tmp_path


def run(suite, folder):
    work = Run(folder, rules_subject())
    work.work(suite.plan, suite.ids, suite.score)
    note = read_manifest(folder)["tasks"][suite.plan.name]
    return note, read_items(folder, suite.plan.name)


def by_key(note, items):
    return {found.key: found.interval for found in figures(note, items)}


def test_triage_as_a_task_gives_the_figures_of_its_suite(small, tmp_path):
    note, items = run(safety.triage(), tmp_path / "run")
    whole = triage_suite.score(triage_suite.load_cases(small / "triage_test.jsonl"))
    found = by_key(note, items)
    for key, share in {"recall": whole.recall, "precision": whole.precision, "quiet": whole.quiet}.items():
        assert (found[key].value, found[key].n) == (pytest.approx(share.value), share.total)
        assert (found[key].low, found[key].high) == pytest.approx(share.interval)


def test_redaction_counts_details_not_sentences(small, tmp_path):
    note, items = run(safety.redaction(), tmp_path / "run")
    whole = redaction_suite.score(redaction_suite.load_cases(small / "redaction_test7.jsonl"))
    found = by_key(note, items)
    for group in redaction_suite.GROUPS:
        assert (found[group].value, found[group].n) == (
            pytest.approx(whole.recall[group].value),
            whole.recall[group].total,
        )
    assert found["precision"].n == whole.overall_precision.total
    assert sum(item.get("wrong", "").count("漏了") for item in items) == len(whole.misses)


def test_limits_as_a_task_give_the_figures_of_the_check(small, tmp_path):
    note, items = run(safety.limits(), tmp_path / "run")
    found = by_key(note, items)
    assert found["recall"].n == sum(bool(item["scores"]["recall"] is not None) for item in items)
    assert found["recall"].value >= 0.9
    assert checks("safety-limits", note, items) == []
    assert all(item["text"] for item in items if item.get("wrong"))


def test_a_figure_under_its_bound_is_not_met_and_says_so(small, tmp_path, monkeypatch):
    monkeypatch.setattr(safety, "find_alarm", lambda messages: Alarm("x", "emergency", "", "", "", ""))
    note, items = run(safety.triage(), tmp_path / "run")
    met = {check.figure.key: check.met for check in checks("safety-triage", note, items)}
    assert met == {"recall": True, "precision": False}


def test_the_command_exits_1_under_a_bound_and_names_a_missing_set(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path / "home"))
    (small / "limits_answers_test.jsonl").unlink()
    assert main(["eval", "safety", "--out", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "safety-limits：没有跑。没有留出集 limits_answers_test" in out
    assert "safety-linking：没有跑。还没有知识图谱" in out
    assert main(["eval", "safety", "--out", str(tmp_path / "run"), "--check"]) == 1


@pytest.mark.kg
def test_linking_and_facts_over_the_real_graph(tmp_path):
    try:
        with open_graph() as graph:
            suites = safety.linking(graph), safety.facts(graph)
    except DataError as error:
        pytest.skip(str(error))
    names, facts = (run(suite, tmp_path) for suite in suites)
    f1 = by_key(*names)["f1"]
    assert f1.low < f1.value < f1.high <= 1
    assert [check.bound for check in checks("safety-facts", *facts)] == [0.95]
