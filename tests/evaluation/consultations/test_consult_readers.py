"""Cases are read from the formats of the field, and refused with file, item, reason and mend."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.consultations.case import Case, from_item, to_item
from healgpt.evaluation.consultations.readers import read_cases
from healgpt.evaluation.consultations.task import choose_cases

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
Write = Callable[[Any], Path]

CMD = {
    "id": "0-1",
    "department": "儿科",
    "raw_case": "内科",
    "question": "孩子咳嗽三天怎么办",
    "raw_anwser": "多喝水。",
}
CLIN = {
    "id": "7",
    "title": "案例分析-肺炎",
    "description": "现病史\n（1）病史摘要\n     病人，男，30岁，受凉后发热。既往体健。\n"
    "（2）主诉\n     发热咳嗽3天。\n\n体格检查\n体温：T 39℃，右肺有湿啰音。\n\n"
    "辅助检查\n（1）实验室检查\n     血常规：WBC 15×109／L。\n"
    "（2）胸部X线检查\n     右肺片状影。",
    "QA_pairs": [{"question": "诊断？", "answer": "肺炎。"}, {"question": "治疗？", "answer": "抗感染。"}],
}
CMID = {
    "originalText": "间质性肺病的症状?",
    "entities": [{"label_type": "疾病和诊断", "start_pos": 0, "end_pos": 5}],
    "seg_result": ["间质性肺病", "的", "症状", "?"],
    "label_4class": ["'病症'"],
    "label_36class": ["'临床表现'"],
}
DIALOG = {
    "id": 5,
    "medical_case": "疾病：\n皮疹\n病情描述：\n孩子两岁，起疹子一周，不痒。\n"
    "希望获得的帮助：\n这是什么？\n患病多久：\n一周内\n过敏史：\n无（2020-03-25填写）",
    "doctor_diagnosis": "病情摘要及初步印象：\n湿疹",
    "Department": "皮肤科",
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(held: Any) -> Path:
        path = tmp_path / "cases.json"
        path.write_text(held if isinstance(held, str) else json.dumps(held, ensure_ascii=False), encoding="utf-8")
        return path

    return written


def test_cmd(write: Write) -> None:
    (case,) = read_cases(write([CMD]), "cmd")
    assert (case.id, case.department, case.reference) == ("0-1", "儿科", "多喝水。")
    assert case.question == case.facts[0] == "孩子咳嗽三天怎么办"
    assert case.groups == {"科室": "儿科"}


def test_the_patient_of_cmb_clin_knows_the_findings_and_not_the_diagnosis(write: Write) -> None:
    (case,) = read_cases(write([CLIN]), "cmb-clin")
    assert "发热咳嗽3天" in case.question
    assert "实验室检查：血常规：WBC 15×109／L" in case.facts
    assert "辅助检查：右肺片状影" in case.facts
    assert "体格检查：体温：T 39℃，右肺有湿啰音" in case.facts
    assert "肺炎" not in "".join((case.question, *case.facts))
    assert case.reference == "肺炎。\n抗感染。"


def test_cmid_keeps_the_intent(write: Write) -> None:
    (case,) = read_cases(write([CMID]), "cmid")
    assert (case.id, case.question, case.intent) == ("1", "间质性肺病的症状?", "病症")
    assert case.groups == {"意图": "病症"}


def test_meddialog_opens_with_what_is_wanted_and_hides_the_rest(write: Write) -> None:
    (case,) = read_cases(write([DIALOG]), "meddialog")
    assert case.question == "皮疹。这是什么？"
    assert "患病多久：一周内" in case.facts
    assert any("两岁" in fact for fact in case.facts)
    assert (case.id, case.department) == ("5", "皮肤科")
    assert "湿疹" in case.reference


def test_json_lines_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps(CMD) + "\n\n" + json.dumps({**CMD, "id": "0-2"}) + "\n", encoding="utf-8")
    assert [case.id for case in read_cases(path, "cmd")] == ["0-1", "0-2"]


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ("{", "不是合法的 JSON"),
        ({"a": 1}, "应是一个 JSON 列表"),
        ([], "没有病例"),
        ([CMD, 3], "第 2 个病例应是 JSON 对象"),
        ([CMD, {**CMD, "id": "0-2", "question": " "}], "第 2 个病例缺少 question"),
        ([CMD, {**CMD, "question": "头痛"}], "编号都是 0-1"),
        ([{**CMD, "department": None}], "缺少 department"),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_reason(write: Write, held: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_cases(write(held), "cmd")


def test_a_missing_file_and_an_unknown_format_are_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="读不了文件"):
        read_cases(tmp_path / "none.json", "cmd")
    with pytest.raises(ConfigError, match="cmb-clin"):
        read_cases(write([CMD]), "cdm")
    with pytest.raises(DataError, match="QA_pairs"):
        read_cases(write([{**CLIN, "QA_pairs": "无"}]), "cmb-clin")


def test_a_limit_takes_cases_at_even_distances(write: Write) -> None:
    path = write([{**CMD, "id": str(number)} for number in range(12)])
    assert [case.id for case in choose_cases(path, "cmd", 3)] == ["0", "4", "8"]
    assert len(choose_cases(path, "cmd", 99)) == 12


def test_a_case_survives_being_kept(write: Write) -> None:
    (case,) = read_cases(write([CMD]), "cmd")
    assert from_item(json.loads(json.dumps({"case": to_item(case)})), "x") == case
    with pytest.raises(DataError, match="x 没有完整的病例"):
        from_item({}, "x")


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="shared/data is not beside the repository")
@pytest.mark.parametrize(
    ("name", "form", "count", "departments"),
    [("disc_cmd/cmd_samples.json", "cmd", 120, 6), ("huatuo_med_dialog_100.json", "meddialog", 100, 20)],
)
def test_the_public_files_are_read_whole(name: str, form: str, count: int, departments: int) -> None:
    cases = read_cases(SHARED / name, form)
    assert len(cases) == count
    assert len({case.department for case in cases}) == departments
    assert all(isinstance(case, Case) and case.facts and case.reference for case in cases)
