"""What a report says, and that nothing in it can act: figures, comparisons, worst dialogues, gaps, escaped text."""

import json
import re

import pytest
from sample_runs import ATTACK, CONSULT, answers, plan, subject, whole, write

from healgpt.cli.main import main
from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.report import charts, font
from healgpt.evaluation.report.content import MOST_RUNS, build, load
from healgpt.evaluation.report.document import write as write_report
from healgpt.evaluation.report.worst import worst_dialogues
from healgpt.evaluation.run import Measure
from healgpt.evaluation.stats import Interval


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    first = whole(folder / "bare", subject("1.5b"), 0.2, set(range(20)))
    return first, whole(folder / "doctor", subject("1.5b", "doctor"), 0.5, set(range(5, 45)))


@pytest.fixture(scope="module")
def written(runs, tmp_path_factory):
    made = write_report(runs, tmp_path_factory.mktemp("report") / "报告.html", embed=False)
    return made.page.read_text("utf-8"), made.markdown.read_text("utf-8")


def test_every_figure_stands_with_its_interval_its_n_and_its_failures(written):
    page, markdown = written
    for text in ("0.333", "0.227–0.459", "n=60", "1.5b（裸模型）", "1.5b（Doctor）", "失败 1：ModelUnavailable 1"):
        assert text in page
    assert "0.333（0.227–0.459，n = 60）" in markdown
    assert "瞎猜能得 0.200" in page
    assert "24 / 25" in page


def test_bounds_are_held_against_the_figures(written):
    page, markdown = written
    assert "0.97" in page
    assert "未达标" in page
    assert "下限 0.97，**未达标**" in markdown
    assert page.index("下限 0.97，未达标") < page.index('id="kind-choice"')


def test_the_second_run_is_compared_with_the_first(written):
    for text in written:
        assert "差别是真的" in text
        assert "choice-x 正确率" in text
        assert "例在其中一次没有做成" in text


def test_what_a_patient_or_a_model_wrote_is_never_markup(written):
    page, markdown = written
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;window.hacked" in page
    assert "<script" not in markdown
    assert "<img" not in markdown
    assert r"\[link\](javascript:1)" in markdown


def test_the_page_needs_nothing_from_elsewhere_and_forbids_it(written):
    page, _ = written
    assert not re.findall(r"(?:src|href)\s*=\s*[\"'](?!#)", page)
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_the_worst_dialogue_stands_first_with_what_made_it_so(runs):
    note = load(runs)[0].manifest["tasks"]["consult-cmd"]
    found = worst_dialogues(note, load(runs)[0].items["consult-cmd"])
    assert len(found) == 10
    assert found[0].case == "3"
    assert found[0].messages[0]["content"] == ATTACK
    assert "给剂量的轮次 1.000" in found[0].reasons
    assert [one.badness for one in found] == sorted((one.badness for one in found), reverse=True)


def test_equal_scores_share_their_rank_and_undirected_measures_count_for_nothing():
    items = [
        {
            "id": str(place),
            "scores": {"asks_back": score, "length": place},
            "dialogue": [{"role": "user", "content": "x"}],
        }
        for place, score in enumerate([1.0, 0.0, 0.0])
    ]
    note = {
        "measures": {
            key: {"label": CONSULT[key].label, "better": CONSULT[key].better} for key in ("asks_back", "length")
        }
    }
    assert [(one.case, one.badness) for one in worst_dialogues(note, items)] == [("1", 0.75), ("2", 0.75), ("0", 0.0)]


def test_what_was_cut_skipped_or_not_finished_stands_on_top(runs, tmp_path):
    folder = write(tmp_path / "run", subject(), plan(), answers({1}, 5))
    (folder / "suite.json").write_text(
        json.dumps({"cut": ["问诊只做了 40/120 例。"], "skipped": {"consult": "没有 cmd_samples.json。"}}),
        encoding="utf-8",
    )
    lines = (folder / "choice-x.jsonl").read_text("utf-8").splitlines(keepends=True)
    (folder / "choice-x.jsonl").write_text("".join(lines[:3]), encoding="utf-8")
    notices = build(load([folder])).notices
    assert "问诊只做了 40/120 例。" in notices
    assert "consult 没有跑。没有 cmd_samples.json。" in notices
    assert any("还没有跑完（3/5）" in line for line in notices)


def test_tasks_that_cannot_be_compared_are_named_and_the_rest_is(runs, tmp_path):
    other = write(tmp_path / "other", subject("丙"), plan(settings={"shots": 5}), answers({1}, 60))
    write(other, subject("丙"), plan("choice-y"), answers({1}, 5))
    first = write(tmp_path / "first", subject("丁"), plan("choice-y"), answers({1, 2}, 5))
    write(first, subject("丁"), plan(), answers({1}, 60))
    compared = build(load([first, other])).comparisons[0]
    assert {test.task for test in compared.tests} == {"choice-y"}
    assert "choice-x 没有比较：两次的设置（shots）不一样。" in compared.remarks


def test_folders_that_are_no_runs_or_stand_twice_are_told(runs, tmp_path):
    with pytest.raises(DataError, match=r"manifest\.json"):
        load([tmp_path])
    with pytest.raises(ConfigError, match="两次"):
        load([runs[0], runs[0]])
    with pytest.raises(ConfigError, match="最多放 10 次"):
        load([tmp_path / str(place) for place in range(11)])
    assert MOST_RUNS == charts.STYLES


def test_a_machine_without_a_font_gets_a_page_that_says_so(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(font, "folders", lambda: [tmp_path])
    assert main(["eval", "report", str(runs[0]), "--out", str(tmp_path / "r.html")]) == 0
    assert "没有找到可以嵌入的中文字体" in capsys.readouterr().out
    assert "没有嵌入中文字体" in (tmp_path / "r.html").read_text("utf-8")
    with pytest.raises(ConfigError, match="读不了字体"):
        write_report([runs[0]], tmp_path / "s.html", font_path=runs[0] / "manifest.json")


def test_a_chart_says_in_words_what_it_shows_and_escapes_its_labels():
    rows = [charts.Row("<b>", (Interval(0.5, 0.4, 0.6, 9), None))]
    svg = charts.intervals(rows, charts.SHARE, "图")
    assert "&lt;b&gt;：0.500（0.400 到 0.600）、—" in svg
    assert "<b>" not in svg
    assert "polyline" in charts.radar(["甲", "乙", "丙"], [[0.1, None, 1.0]], "雷达")


def test_a_scale_holds_all_intervals():
    scale = charts.fitting([charts.Row("x", (Interval(230, 211, 249, 9), Interval(-1, -3, 0, 9)))])
    assert scale.low <= -3
    assert scale.high >= 249
    assert Measure("x").better == "higher"
