"""Dialogues are held, kept whole or in part, resumed, scored again, and read from recorded files."""

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from healgpt.errors import DataError, ModelUnavailable
from healgpt.evaluation.consultations import dialogue, scoring, task
from healgpt.evaluation.consultations.case import Case
from healgpt.evaluation.consultations.narrative import sentences
from healgpt.evaluation.consultations.patient import open_patient
from healgpt.evaluation.run import Item, Run, Subject, read_items, read_manifest
from healgpt.knowledge.linking import open_linker
from healgpt.schema import Alarm, Delta, Fact, Message, Reply, Sampling, Timings, Usage

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
ALARM = Alarm("stroke", "urgent", "题", "文", "120", "源")
FACT = Fact("头痛", "就诊科室", "神经内科", "cmekg")


class Doctor:
    """Answers by how often it was spoken to in this dialogue; fails at the message that `breaks` names."""

    name = "stub"
    window = 4096

    def __init__(self, breaks: str = "") -> None:
        self.breaks = breaks
        self.asked: list[Sampling] = []

    def count_tokens(self, text: str) -> int:
        return len(text)

    def complete(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        self.asked.append(sampling)
        if self.breaks and self.breaks in messages[0]["content"] and len(messages) > 1:
            raise ModelUnavailable("断了")
        text = ("有没有发烧？", "多久了？", "建议去神经内科。")[len(messages) // 2]
        return Reply(text, "stub", "length", Usage(9, 4, 3), Timings(0.1, 0.2), alarm=ALARM, facts=(FACT,))

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Delta, None, None]:
        yield Delta(reply=self.complete(messages, sampling))


def cases() -> list[Case]:
    stories = {"a": "头痛两天，发烧", "b": "咳嗽", "c": "肚子疼一周"}
    return [Case(name, "cmd", text, sentences(text), "内科") for name, text in stories.items()]


def held(folder: Path, doctor: Doctor, ids: str = "abc", workers: int = 1) -> list[Item]:
    score = task.holding(cases(), doctor, open_patient(open_linker(None).link), rounds=3, max_tokens=50)
    path = folder.parent / "cases.json"
    path.write_text("[]", encoding="utf-8")
    made = task.plan("cmd", path, task.Player(lambda case, messages: "", {"patient": "rules"}), {"rounds": 3})
    return Run(folder, Subject("stub", "stub", "bare")).work(made, list(ids), score, workers=workers)


def test_a_dialogue_has_three_messages_of_each_and_keeps_what_made_the_turns(tmp_path: Path) -> None:
    doctor = Doctor()
    item = held(tmp_path / "run", doctor)[0]
    assert [message["role"] for message in item["dialogue"]] == ["user", "assistant"] * 3
    assert item["dialogue"][0]["content"] == "头痛两天，发烧"
    assert "发烧" in item["dialogue"][2]["content"]
    assert "头痛两天" in item["dialogue"][4]["content"]
    turn = item["turns"][0]
    assert turn["finish_reason"] == "length"
    assert turn["usage"] == {"prompt_tokens": 9, "cached_tokens": 4, "completion_tokens": 3}
    assert turn["alarm"]["kind"] == "stroke"
    assert turn["facts"][0]["object"] == "神经内科"
    assert item["scores"]["asks_back"] == pytest.approx(2 / 3)
    assert item["groups"] == {"科室": "内科"}
    assert {(drawn.temperature, drawn.seed, drawn.max_tokens) for drawn in doctor.asked} == {(0.0, 0, 50)}


def test_a_dialogue_that_breaks_off_keeps_what_was_said_and_has_no_scores(tmp_path: Path) -> None:
    items = held(tmp_path / "run", Doctor(breaks="咳嗽"))
    broken = items[1]
    assert broken["failure"] == "ModelUnavailable：断了"
    assert broken["scores"] == {}
    assert len(broken["dialogue"]) == 3
    assert len(broken["turns"]) == 1
    assert items[2]["failure"] is None
    assert read_manifest(tmp_path / "run")["tasks"]["consult-cmd"]["failures"] == {"ModelUnavailable": 1}


def test_an_interrupted_run_ends_with_the_same_file(tmp_path: Path) -> None:
    held(tmp_path / "whole", Doctor())
    whole = (tmp_path / "whole" / "consult-cmd.jsonl").read_bytes()
    held(tmp_path / "cut", Doctor())
    cut = tmp_path / "cut" / "consult-cmd.jsonl"
    cut.write_bytes(whole[: whole.index(b"\n") + 40])
    doctor = Doctor()
    held(tmp_path / "cut", doctor)
    assert cut.read_bytes() == whole
    assert len(doctor.asked) == 6


def test_slots_change_nothing(tmp_path: Path) -> None:
    assert held(tmp_path / "one", Doctor()) == held(tmp_path / "four", Doctor(), workers=4)


def test_scores_are_computed_anew_without_the_model(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    items = held(folder, Doctor(breaks="咳嗽"))
    path = folder / "consult-cmd.jsonl"
    spoilt = [{**item, "scores": {"old": 1.0}} if not item["failure"] else item for item in items]
    path.write_text("".join(json.dumps(item) + "\n" for item in spoilt), encoding="utf-8")
    assert scoring.rescore(folder) == {"consult-cmd": 2}
    assert read_items(folder, "consult-cmd") == json.loads(json.dumps(items))
    assert set(read_manifest(folder)["tasks"]["consult-cmd"]["measures"]) == set(scoring.measures())


def test_a_run_is_resumed_after_its_measures_changed(tmp_path: Path) -> None:
    held(tmp_path / "whole", Doctor())
    folder = tmp_path / "run"
    held(folder, Doctor())
    path, manifest = folder / "consult-cmd.jsonl", folder / "manifest.json"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0].replace(b'"scores":{', b'"scores":{"old":1,') + lines[1][:50])
    note = json.loads(manifest.read_text(encoding="utf-8"))
    note["tasks"]["consult-cmd"]["inputs"]["measures"] = "old"
    manifest.write_text(json.dumps(note), encoding="utf-8")
    assert scoring.keep_up(folder) == 1
    assert scoring.keep_up(folder) == 0
    doctor = Doctor()
    held(folder, doctor)
    assert path.read_bytes() == (tmp_path / "whole" / "consult-cmd.jsonl").read_bytes()
    assert len(doctor.asked) == 6


def test_a_patient_who_speaks_otherwise_today_is_noticed(tmp_path: Path) -> None:
    items = held(tmp_path / "run", Doctor())
    patient = open_patient(open_linker(None).link)
    assert task.changed_answers(items, patient) == []
    items[1]["dialogue"][2]["content"] = "换了一句。"
    assert task.changed_answers(items, patient) == ["b"]
    assert scoring.kept(tmp_path / "none", "consult-cmd") == []


def test_rescoring_refuses_what_holds_no_consultation(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="不是评测结果"):
        scoring.rescore(tmp_path)
    held(tmp_path / "run", Doctor())
    with pytest.raises(DataError, match="没有问诊 x"):
        scoring.rescore(tmp_path / "run", ["x"])


def recorded(tmp_path: Path, rows: list[dict[str, Any]]) -> Path:
    path = tmp_path / "gpt.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return path


def row(name: str, *said: tuple[str, str]) -> dict[str, Any]:
    return {"id": name, "model": "gpt", "conversation": [{"role": role, "content": text} for role, text in said]}


SAID = (("patient", "头痛两天，发烧"), ("doctor", "有没有呕吐？"))


def test_recorded_dialogues_are_scored_and_those_without_a_case_named(tmp_path: Path) -> None:
    path = recorded(tmp_path, [row("a", *SAID), row("z", *SAID)])
    subject, known, surplus, rate = task.recorded(path, cases())
    assert (subject.name, subject.system) == ("gpt", "recorded")
    assert [case.id for case in known] == ["a"]
    assert surplus == ["z"]
    item = rate("a")
    assert item["scores"]["asks_back"] == 1.0
    assert item["dialogue"][1] == {"role": "assistant", "content": "有没有呕吐？"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row("a", ("doctor", "您好"), *SAID)], "第 1 条.*不是由患者先开口"),
        ([row("a", *SAID), row("a", *SAID)], "编号 a 出现了不止一次"),
        ([row("y", *SAID)], "一个也对不上"),
    ],
)
def test_a_recorded_file_that_cannot_be_scored_is_refused(
    tmp_path: Path, rows: list[dict[str, Any]], told: str
) -> None:
    with pytest.raises(DataError, match=told):
        task.recorded(recorded(tmp_path, rows), cases())


def test_a_doctor_that_cannot_even_begin_leaves_the_opening() -> None:
    class Refusing(Doctor):
        def complete(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
            raise DataError("太长")

    kept = dialogue.hold(cases()[0], Refusing(), lambda case, said: "", rounds=2, sampling=dialogue.greedy())
    assert [message["role"] for message in kept.messages] == ["user"]
    assert str(kept.failure) == "太长"


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="shared/data is not beside the repository")
def test_each_published_file_has_one_dialogue_without_a_case() -> None:
    known = task.choose_cases(SHARED / "disc_cmd" / "cmd_samples.json", "cmd", None)
    for path in sorted((SHARED / "disc_cmd" / "dialogues").glob("*.json")):
        _, found, surplus, _ = task.recorded(path, known)
        assert (len(found), surplus) == (120, ["0-33275"])
