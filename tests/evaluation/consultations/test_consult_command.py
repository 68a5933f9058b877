"""`healgpt eval consult` and `healgpt eval score` from the shell."""

import json
from pathlib import Path

import pytest

from healgpt.cli.main import main
from healgpt.evaluation.run import read_items, read_manifest

CASES = [
    {"id": "1", "department": "内科", "question": "头痛两天，发烧38度", "raw_anwser": "去医院。"},
    {"id": "2", "department": "儿科", "question": "孩子咳嗽怎么办", "raw_anwser": "多喝水。"},
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "cases.json").write_text(json.dumps(CASES), encoding="utf-8")
    line = {"match": ".*", "reply": "最高烧到多少度？"}
    (tmp_path / "doctor.jsonl").write_text(json.dumps(line), encoding="utf-8")
    line = {"match": ".*", "reply": "建议您多喝水。"}
    (tmp_path / "patient.jsonl").write_text(json.dumps(line), encoding="utf-8")
    return tmp_path


def run(files: Path, *more: str) -> int:
    arguments = ["eval", "consult", str(files / "cases.json"), "--format", "cmd", "--out", str(files / "run")]
    return main([*arguments, "--model", f"scripted:{files / 'doctor.jsonl'}", *more])


def test_a_run_is_held_resumed_and_scored_again(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(files, "--rounds", "2", "--slots", "2") == 0
    first = (files / "run" / "consult-cmd.jsonl").read_bytes()
    assert "2 段对话，失败 0 段" in capsys.readouterr().out
    items = read_items(files / "run", "consult-cmd")
    assert "38度" in items[0]["dialogue"][2]["content"]
    note = read_manifest(files / "run")["tasks"]["consult-cmd"]
    assert (note["kind"], note["settings"]["patient"], note["settings"]["rounds"]) == ("consult", "rules", 2)
    assert set(note["prompts"]) == {"patient_rules"}
    assert run(files, "--rounds", "2") == 0
    assert main(["eval", "score", str(files / "run")]) == 0
    assert "重算了 2 段" in capsys.readouterr().out
    assert (files / "run" / "consult-cmd.jsonl").read_bytes() == first


def test_other_settings_are_not_mixed_into_a_run(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(files, "--rounds", "1") == 0
    assert run(files, "--rounds", "2") == 2
    assert "设置" in capsys.readouterr().err


def test_a_model_that_plays_the_doctor_fails_as_a_patient(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(files, "--patient", f"scripted:{files / 'patient.jsonl'}", "--limit", "1") == 0
    assert "像医生一样说话" in capsys.readouterr().out
    (item,) = read_items(files / "run", "consult-cmd")
    assert item["failure"].startswith("ModelError")
    assert len(item["dialogue"]) == 2
    assert set(read_manifest(files / "run")["tasks"]["consult-cmd"]["prompts"]) == {"patient", "patient_opening"}


def test_recorded_dialogues_are_scored_and_what_has_no_case_is_named(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [{"role": "patient", "content": "头痛"}, {"role": "doctor", "content": "多久了？"}]
    rows = [{"id": name, "model": "gpt", "conversation": said} for name in ("1", "9")]
    (files / "gpt.json").write_text(json.dumps(rows), encoding="utf-8")
    assert run(files, "--recorded", str(files / "gpt.json")) == 0
    told = capsys.readouterr().err
    assert "没有对应的病例，未计：9" in told
    assert "没有对话，未计：2" in told
    manifest = read_manifest(files / "run")
    assert manifest["subject"]["system"] == "recorded"
    assert manifest["tasks"]["consult-cmd"]["settings"]["left_out"] == ["9"]
