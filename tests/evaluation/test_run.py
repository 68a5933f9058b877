"""A run on disk: resumed to the same bytes, refused under other settings, failures kept as failures."""

import json

import pytest

from healgpt.errors import ConfigError, DataError, ModelUnavailable
from healgpt.evaluation.run import Measure, Plan, Run, Subject, differences, read_items, read_manifest

SUBJECT = Subject("scripted:x", "x", "bare")
PLAN = Plan("choice-x", "choice", {"right": Measure("正确")}, {"shots": 0}, {"x.json": "ab"}, {"exam": "cd"})
IDS = ["a", "b", "c", "d"]


def right(one):
    if one == "c":
        raise ModelUnavailable("服务器没有响应。请重试。")
    return {"scores": {"right": float(one == "a")}, "groups": {"科目": "内科"}}


def test_an_interrupted_run_resumes_to_the_same_file(tmp_path):
    Run(tmp_path / "whole", SUBJECT).work(PLAN, IDS, right)
    asked = []

    def crashing(one):
        asked.append(one)
        if one == "c" and len(asked) < 5:
            raise KeyboardInterrupt
        return right(one)

    with pytest.raises(KeyboardInterrupt):
        Run(tmp_path / "broken", SUBJECT).work(PLAN, IDS, crashing)
    with (tmp_path / "broken" / "choice-x.jsonl").open("a") as stream:
        stream.write('{"id":"c","sco')
    asked += [""] * 5
    items = Run(tmp_path / "broken", SUBJECT).work(PLAN, IDS, crashing)
    assert asked.count("a") == 1
    files = [(tmp_path / name / "choice-x.jsonl").read_bytes() for name in ("whole", "broken")]
    assert files[0] == files[1]
    assert items == read_items(tmp_path / "broken", "choice-x")
    assert read_manifest(tmp_path / "broken")["tasks"]["choice-x"]["done"] == 4


def test_a_failure_is_kept_with_its_reason_and_counted(tmp_path):
    items = Run(tmp_path, SUBJECT).work(PLAN, IDS, right, workers=3)
    assert [item["id"] for item in items] == IDS
    assert "服务器没有响应" in items[2]["failure"]
    assert items[2]["scores"] == {}
    assert read_manifest(tmp_path)["tasks"]["choice-x"]["failures"] == {"ModelUnavailable": 1}


def test_other_settings_another_subject_or_other_items_are_refused(tmp_path):
    Run(tmp_path, SUBJECT).work(PLAN, IDS, right)
    other = Plan(PLAN.name, PLAN.kind, PLAN.measures, {"shots": 5}, PLAN.inputs, PLAN.prompts)
    with pytest.raises(ConfigError, match="设置"):
        Run(tmp_path, SUBJECT).work(other, IDS, right)
    with pytest.raises(ConfigError, match="续写"):
        Run(tmp_path, Subject("scripted:y", "y", "bare"))
    with pytest.raises(ConfigError, match="题目"):
        Run(tmp_path, SUBJECT).work(PLAN, ["b", "a"], right)


def test_repeated_ids_and_folders_that_hold_no_run_are_told(tmp_path):
    with pytest.raises(DataError, match="编号都是 a"):
        Run(tmp_path / "new", SUBJECT).work(PLAN, ["a", "a"], right)
    with pytest.raises(DataError, match=r"manifest\.json"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 9}))
    with pytest.raises(DataError, match="格式版本"):
        read_manifest(tmp_path)


def test_differences_name_what_keeps_two_tasks_apart():
    note = {"settings": {"a": (1, 2)}, "inputs": {}, "prompts": {"p": "1"}, "ids": "x"}
    assert differences(note, {**note, "settings": {"a": [1, 2]}}) == []
    assert differences(note, {**note, "prompts": {"p": "2"}}) == ["提示词"]
