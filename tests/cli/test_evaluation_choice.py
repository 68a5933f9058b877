"""`healgpt eval choice` and `export-lm` from the outside: a table, JSON, resuming, and refusals in one line."""

import json

import pytest

from healgpt.cli.main import main


@pytest.fixture
def exam(tmp_path):
    items = [
        {"id": number, "question": f"题{number}", "options": ["甲", "1", "丙"], "answer": "B"} for number in range(6)
    ]
    path = tmp_path / "paper.json"
    path.write_text(json.dumps(items, ensure_ascii=False), encoding="utf-8")
    return path


def model(tmp_path, *replies):
    path = tmp_path / "replies.jsonl"
    path.write_text("".join(json.dumps(reply, ensure_ascii=False) + "\n" for reply in replies), encoding="utf-8")
    return f"scripted:{path}"


def test_written_answers_are_scored_resumed_and_shown(exam, tmp_path, capsys):
    spec = model(
        tmp_path,
        {"match": "题[0-2]", "reply": "选B"},
        {"match": "题3", "reply": "说不好"},
        {"match": "题", "reply": "A"},
    )
    command = ["eval", "choice", str(exam), "--format", "explaincpe", "--model", spec, "--scorer", "generate"]
    out = tmp_path / "run"
    assert main([*command, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["micro"] == pytest.approx(
        {"accuracy": 0.5, "low": 0.188, "high": 0.812, "n": 6, "chance": 1 / 3}, abs=1e-3
    )
    assert told["abstained"] == 1
    before = (out / "choice-paper.jsonl").read_bytes()
    (out / "choice-paper.jsonl").write_bytes(b"".join(before.splitlines(keepends=True)[:2]))
    assert main([*command, "--out", str(out)]) == 0
    assert (out / "choice-paper.jsonl").read_bytes() == before
    shown = capsys.readouterr().out
    assert "50.0%" in shown
    assert "33.3%" in shown
    assert "没有从回答里读出答案" in shown


def test_failures_are_no_answers(exam, tmp_path, capsys):
    spec = model(tmp_path, {"match": "题0", "error": "服务器没有响应。"}, {"match": "题", "reply": "B"})
    arguments = [
        "--format",
        "explaincpe",
        "--model",
        spec,
        "--scorer",
        "generate",
        "--out",
        str(tmp_path / "run"),
        "--json",
    ]
    assert main(["eval", "choice", str(exam), *arguments]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["micro"]["n"], told["micro"]["accuracy"], told["failed"]) == (5, 1.0, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scorer", "letters"], "--scorer generate"),
        (["--shots", "2"], "--shots-file"),
        (["--shots", "1", "--shots-file", "paper.json"], "泄题"),
        (["--config", "x.toml"], "二者选一"),
        (["--format", "unknown"], "没有名为 unknown 的考题格式"),
    ],
)
def test_refusals_are_one_line(exam, tmp_path, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    spec = model(tmp_path, {"match": "题", "reply": "B"})
    command = ["eval", "choice", str(exam), "--format", "explaincpe", "--model", spec, "--out", str(tmp_path / "run")]
    assert main([*command, *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_an_exam_is_exported_for_the_harness(exam, tmp_path, capsys):
    out = tmp_path / "task"
    assert main(["eval", "export-lm", str(exam), "--format", "explaincpe", "--limit", "4", "--out", str(out)]) == 0
    assert "--tasks healgpt_paper" in capsys.readouterr().out
    assert len((out / "healgpt_paper.jsonl").read_text(encoding="utf-8").splitlines()) == 4
