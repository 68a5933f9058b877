"""`healgpt eval judge` and `calibrate` from the shell: figures, what is left, and mistakes told before any call."""

import json

import pytest

from healgpt import jsonl
from healgpt.cli.main import main

FOUR = "主动性：4\n准确性：5\n帮助性：4\n语言质量：5"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    rows = [
        {
            "id": f"c{number}",
            "model": "gpt-9",
            "conversation": [
                {"role": "patient", "content": f"头痛{number}天"},
                {"role": "doctor", "content": "多久了？" * (number + 1)},
            ],
        }
        for number in range(6)
    ]
    (tmp_path / "dialogues").mkdir()
    (tmp_path / "dialogues" / "gpt-9.json").write_text(json.dumps(rows, ensure_ascii=False))
    scores = "Proactivity: {}\nAccuracy: 5\nHelpfulness: 4\nLinguistic Quality: 5"
    jsonl.write(
        tmp_path / "scores" / "gpt-9.jsonl", ({"id": f"c{n}", "scores": scores.format(3 + n % 3)} for n in range(6))
    )
    jsonl.write(
        tmp_path / "judge.jsonl",
        [
            {"match": "头痛5天", "reply": "作为语言模型，我不能评分。"},
            {"match": "头痛[03]天", "reply": FOUR.replace("主动性：4", "主动性：2")},
            {"match": "头痛", "reply": FOUR},
        ],
    )
    return tmp_path


def test_a_recorded_file_is_judged_within_a_budget_and_finished_later(folder, capsys):
    arguments = ["eval", "judge", "dialogues/gpt-9.json", "--judge", "scripted:judge.jsonl", "--out", "run"]
    assert main([*arguments, "--budget", "2"]) == 0
    assert "还剩 4 段没有评" in capsys.readouterr().out
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "主动性：3.200" in told
    assert "失败 1 段，不计入，例如 c5" in told
    assert "调用裁判 4 次" in told
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failures"] == {"JudgeError": 1}


def test_calibration_prints_its_table_and_one_conclusion(folder, capsys):
    arguments = ["eval", "calibrate", "--dialogues", "dialogues", "--scores", "scores", "--out", "run"]
    assert main([*arguments, "--judge", "scripted:judge.jsonl", "--own", "gpt-9"]) == 0
    told = capsys.readouterr().out
    assert "| 主动性 |" in told
    assert "读得出评分 5 段；失败 JudgeError 1" in told
    assert told.strip().splitlines()[-1].startswith("结论：这个裁判只有 83%")
    assert main([*arguments, "--judge", "scripted:judge.jsonl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["asked"] == 6


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["dialogues/gpt-9.json"], "--out"),
        (["dialogues/gpt-9.json", "--out", "run", "--mode", "rubric"], "--rubric"),
        (["dialogues/gpt-9.json", "--out", "run", "--against", "x"], "pairwise"),
        (["dialogues/gpt-9.json", "--out", "run", "--budget", "0"], "正整数"),
        (["missing.json", "--out", "run"], "读不了"),
        (["home", "--out", "run"], "manifest"),
    ],
)
def test_mistakes_are_told_in_one_line(folder, capsys, arguments, reason):
    (folder / "home").mkdir(exist_ok=True)
    assert main(["eval", "judge", *arguments, "--judge", "scripted:judge.jsonl"]) == 2
    assert reason in capsys.readouterr().err


def test_a_limit_takes_the_first_of_the_cases_that_have_a_list(folder, capsys):
    lists = [{"case": f"c{number}", "items": [{"text": "问了多久", "points": 1}]} for number in (1, 2, 4)]
    jsonl.write(folder / "rubric.jsonl", lists)
    jsonl.write(folder / "yes.jsonl", [{"match": ".", "reply": "是"}])
    arguments = ["eval", "judge", "dialogues/gpt-9.json", "--judge", "scripted:yes.jsonl", "--out", "run"]
    assert main([*arguments, "--mode", "rubric", "--rubric", "rubric.jsonl", "--limit", "2"]) == 0
    told = capsys.readouterr().out
    assert "要点得分：1.000" in told
    assert "n = 2" in told
    assert "3 段对话没有评分要点" in told
