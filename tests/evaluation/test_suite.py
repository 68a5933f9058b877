"""The whole suite with a scripted model: what it writes, what it leaves out and says, that it goes on where it was."""

import json
from pathlib import Path

import pytest

from healgpt.cli.main import main
from healgpt.errors import ConfigError
from healgpt.evaluation import answer_suites, suite
from healgpt.evaluation.amounts import FULL, QUICK, read_amounts
from healgpt.evaluation.run import read_manifest
from healgpt.schema import Alarm, Fact, Reply

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "eval"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without a graph, a data folder with an exam and cases, a script that answers everything."""
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(suite, "run_rules", lambda run, report: {"safety-linking": "还没有知识图谱。"})
    data = tmp_path / "data" / "inner"
    data.mkdir(parents=True)
    exam = [
        {
            "id": place,
            "question": f"第{place}题？",
            "options": ["甲", "乙", "丙", "丁", "戊"],
            "answer": "A",
            "explanation": "",
        }
        for place in range(40)
    ]
    cases = [
        {"id": f"0-{place}", "department": "内科", "question": f"头痛{place}天怎么办", "raw_anwser": "看神经内科。"}
        for place in range(5)
    ]
    (data / "explaincpe_train.json").write_text(json.dumps(exam, ensure_ascii=False), encoding="utf-8")
    (data / "cmd_samples.json").write_text(json.dumps(cases, ensure_ascii=False), encoding="utf-8")
    script = tmp_path / "script.jsonl"
    script.write_text(
        '{"match": "题？", "reply": "答案：A"}\n{"match": ".", "reply": "请问多久了？"}\n', encoding="utf-8"
    )
    return tmp_path, ["--model", f"scripted:{script}", "--system", "bare", "--out", str(tmp_path / "run")]


def test_one_command_runs_every_part_and_writes_the_report(home, capsys):
    folder, flags = home
    assert main(["eval", "all", *flags, "--quick", "--data", str(folder / "data")]) == 0
    out = capsys.readouterr().out
    assert "只抽了 30/40 题" in out
    assert "问诊只做了 3/5 例" in out
    assert "依据 没有跑：裸模型没有资料可以引用。" in out
    assert "裁判 没有跑" in out
    tasks = read_manifest(folder / "run")["tasks"]
    assert list(tasks) == ["choice-explaincpe_train", "safety-answers", "consult-cmd"]
    assert {name: note["done"] for name, note in tasks.items()} == {
        "choice-explaincpe_train": 30,
        "safety-answers": 6,
        "consult-cmd": 3,
    }
    assert tasks["choice-explaincpe_train"]["settings"]["scorer"] == "generate"
    page = (folder / "run" / "report.html").read_text("utf-8")
    assert "问诊只做了 3/5 例" in page
    assert "safety-linking 没有跑。还没有知识图谱。" in page


def test_a_judge_that_is_named_scores_the_dialogues_and_no_more_than_asked(home, capsys):
    folder, flags = home
    script = folder / "judge.jsonl"
    script.write_text('{"match": ".", "reply": "主动性：4\\n准确性：3\\n帮助性：4\\n语言质量：5"}\n', encoding="utf-8")
    numbers = folder / "numbers.toml"
    numbers.write_text("questions = 0\nadversarial = 0\ngrounding = 0\ncases = 3\njudged = 2\n", encoding="utf-8")
    command = ["eval", "all", *flags, "--config", str(numbers), "--data", str(folder / "data")]
    assert main([*command, "--judge", f"scripted:{script}"]) == 0
    assert "裁判只评了 2/3 段对话" in capsys.readouterr().out
    judged = [note for note in read_manifest(folder / "run")["tasks"].values() if note["kind"] == "judge"]
    assert [note["done"] for note in judged] == [2]
    assert "主动性" in (folder / "run" / "report.md").read_text("utf-8")


def test_the_same_command_again_asks_nothing_twice_and_leaves_the_same_files(home):
    folder, flags = home
    command = ["eval", "all", *flags, "--quick", "--data", str(folder / "data")]
    assert main(command) == 0
    kept = {path.name: path.read_bytes() for path in (folder / "run").glob("*.jsonl")}
    Path(flags[1].partition(":")[2]).write_text('{"reply": "换了"}\n', encoding="utf-8")
    assert main(command) == 0
    assert {path.name: path.read_bytes() for path in (folder / "run").glob("*.jsonl")} == kept


def test_data_that_is_not_there_leaves_its_part_out_and_data_that_is_wrong_does_not(home, capsys):
    folder, flags = home
    (folder / "empty").mkdir()
    assert main(["eval", "all", *flags, "--quick", "--data", str(folder / "empty")]) == 0
    out = capsys.readouterr().out
    assert "考试 没有跑：数据文件夹里没有 explaincpe*.json" in out
    assert "问诊 没有跑" in out
    (folder / "empty" / "cmd_samples.json").write_text("[{}]", encoding="utf-8")
    assert main(["eval", "all", *flags[:-1], str(folder / "other"), "--quick", "--data", str(folder / "empty")]) == 2
    assert main(["eval", "all", *flags, "--data", str(folder / "nowhere")]) == 2


def test_the_shipped_numbers_are_those_of_the_config_files(tmp_path):
    assert read_amounts(CONFIGS / "full.toml") == FULL
    assert read_amounts(CONFIGS / "quick.toml") == QUICK
    wrong = tmp_path / "wrong.toml"
    for text, reason in (
        ("case = 3", "cases"),
        ("cases = -1", "不小于 0"),
        ("rounds = 0", "不小于 1"),
        ("x", "读不懂"),
    ):
        wrong.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=reason):
            read_amounts(wrong)


class Answering:
    """A doctor that gives one reply to everything."""

    name, window = "x", 4096

    def __init__(self, reply):
        self.reply = reply

    def complete(self, messages, sampling):
        return self.reply


def test_a_forbidden_answer_is_counted_by_what_the_question_asked_for():
    dose = Reply("阿莫西林每次0.5克，每天三次。", "x")
    made = answer_suites.adversarial(Answering(dose), limit=24, max_tokens=8, doctor=False)
    scores = {one: made.score(one) for one in made.ids}
    kinds = {item["groups"]["问的是"]: item["scores"]["crossed"] for item in scores.values()}
    assert kinds["处方药剂量"] == 1
    assert kinds["假证明"] == 0
    assert set(kinds) == set(answer_suites.CATEGORIES.values())
    alarm = Alarm("suicide", "emergency", "", "", "", "")
    sent = answer_suites.adversarial(
        Answering(Reply("请打120。", "x", alarm=alarm)), limit=3, max_tokens=8, doctor=True
    )
    assert [sent.score(one)["scores"]["alarm"] for one in sent.ids] == [1, 1, 1]


def test_citations_are_counted_one_by_one_and_an_answer_without_facts_has_none(tmp_path):
    facts = (Fact("胃炎", "检查", "胃镜检查", "x"), Fact("胃炎", "就诊科室", "消化内科", "x"))
    cited = Reply("建议做胃镜检查[1]。请多喝水[2]。", "x", facts=facts)
    made = answer_suites.grounding(Answering(cited), lambda text: [], limit=2, max_tokens=8)
    item = made.score(made.ids[0])
    assert item["scores"] == {"has_facts": 1, "citing": 1, "citations_right": 0.5, "contradicts": 0}
    assert item["counts"] == {"citations_right": [1, 2], "contradicts": [0, 2]}
    plain = answer_suites.grounding(Answering(Reply("不知道。", "x")), lambda text: [], limit=2, max_tokens=8)
    assert plain.score(plain.ids[0])["scores"]["citing"] is None
