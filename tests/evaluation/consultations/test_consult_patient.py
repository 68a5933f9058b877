"""The patient of rules: answers what is asked, from the case alone, the same way every time."""

import json
import re
from pathlib import Path

import pytest

from healgpt.evaluation.consultations.asks import questions
from healgpt.evaluation.consultations.case import Case
from healgpt.evaluation.consultations.narrative import clauses, rules, sentences
from healgpt.evaluation.consultations.patient import Patient, open_patient
from healgpt.evaluation.consultations.readers import read_cases
from healgpt.knowledge.linking import open_linker
from healgpt.schema import Message

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
DOCTOR = (
    "请再告诉我：\n1. 最高烧到多少度？有没有咳嗽、皮疹、呕吐或尿痛？\n2. 这种情况有多久了？\n3. 多大了？"
    "最近在吃什么药，有没有药物过敏？",
    "还有其他症状吗？做过什么检查？以前得过什么病？",
    "建议多休息，注意饮食。",
    "大便怎么样？具体哪里疼，有多重？",
    "请立即拨打120。",
    "您想了解什么？",
)


def case(question: str, *more: str, name: str = "a") -> Case:
    return Case(name, "test", question, (*sentences(question), *more))


def talk(patient: Patient, about: Case, doctor: tuple[str, ...]) -> list[str]:
    """Return what the patient answers to the doctor's turns, one after the other."""
    messages: list[Message] = [{"role": "user", "content": about.question}]
    for turn in doctor:
        messages.append({"role": "assistant", "content": turn})
        messages.append({"role": "user", "content": patient(about, messages)})
    return [message["content"] for message in messages[2::2]]


@pytest.fixture(scope="module")
def patient() -> Patient:
    return open_patient(open_linker(None).link)


CHILD = case("男孩子，已经5岁了，说话时觉得嗓子疼，有三天了，伴有轻微的咳嗽，有点低烧也没精神，请问：怎样治效果好。")


@pytest.mark.parametrize(
    ("asked", "told", "untold"),
    [
        ("孩子多大了？", "5岁", "咳嗽"),
        ("这种情况有多久了？", "三天", "5岁"),
        ("有没有发热？", "低烧", "5岁"),
        ("有没有咽痛？", "嗓子疼", "三天"),
        ("精神怎么样？", "没精神", "三天"),
        ("请您描述一下具体症状。", "嗓子疼", "5岁"),
    ],
)
def test_what_is_asked_is_answered_from_the_case(patient: Patient, asked: str, told: str, untold: str) -> None:
    (answer,) = talk(patient, CHILD, (asked,))
    assert told in answer
    assert untold not in answer


@pytest.mark.parametrize("asked", ["有没有皮疹？", "对什么药过敏吗？", "家族里有人得过类似的病吗？", "大便怎么样？"])
def test_what_the_case_does_not_say_is_neither_affirmed_nor_denied(patient: Patient, asked: str) -> None:
    (answer,) = talk(patient, CHILD, (asked,))
    assert any(phrase in answer for phrase in rules()["phrases"]["unknown"])
    assert not re.search("没有(?!注意)|有皮疹|过敏|嗓子", answer)


def test_a_hidden_field_is_told_only_when_it_is_asked_for(patient: Patient) -> None:
    hidden = case("嗓子疼怎么办", "过敏史：青霉素过敏", "患病多久：一周内", "既往病史：无")
    assert "青霉素" not in talk(patient, hidden, ("多喝水。",))[0]
    assert "青霉素过敏" in talk(patient, hidden, ("对什么药物过敏吗？",))[0]
    assert "患病一周内" in talk(patient, hidden, ("多久了？",))[0]
    assert "没有得过别的病" in talk(patient, hidden, ("有没有慢性病？",))[0]


def test_a_denial_in_the_case_is_told_as_a_denial(patient: Patient) -> None:
    assert "不发热" in talk(patient, case("头晕两天，不发热，不咳嗽"), ("有没有发烧？",))[0]


def test_a_record_is_told_without_the_word_patient(patient: Patient) -> None:
    answer = talk(patient, case("肚子疼怎么办", "病人，男，49岁，3小时前出现右下腹疼痛"), ("您多大年纪？",))[0]
    assert "49岁" in answer
    assert "病人" not in answer


def test_a_doctor_who_asks_nothing_is_asked(patient: Patient) -> None:
    first, second = talk(patient, CHILD, ("建议多喝水。", "建议多休息。"))
    assert first.endswith("？")
    assert second.endswith("？")
    assert first != second


def test_the_patient_does_not_ask_what_the_opening_asked_or_the_doctor_answered(patient: Patient) -> None:
    about = case("头痛应该挂什么科？需要做什么检查？", name="q")
    said = talk(patient, about, ("可能由感冒引起的。一般三到五天内就好，不用担心。",) * 5)
    assert not any(re.search("什么科|哪些检查|什么原因", text) for text in said[:3])


def test_a_patient_sent_to_hospital_at_once_goes(patient: Patient) -> None:
    (answer,) = talk(patient, CHILD, ("请马上打 120。",))
    assert "去医院" in answer


def test_nothing_is_said_twice(patient: Patient) -> None:
    said = talk(patient, CHILD, DOCTOR)
    assert len(set(said)) == len(said)


def test_two_dialogues_are_alike(patient: Patient) -> None:
    again = open_patient(open_linker(None).link)
    assert talk(patient, CHILD, DOCTOR) == talk(again, CHILD, DOCTOR)


def test_cases_differ_in_what_they_ask_first(patient: Patient) -> None:
    first = {talk(patient, case("头痛", name=str(number)), ("多喝水。",))[0] for number in range(20)}
    assert len(first) > 3


def invented(answer: str, about: Case) -> list[str]:
    """Return what of an answer stands neither in the case nor among the fixed phrases."""
    phrases = [text for row in rules()["phrases"].values() for text in ([row] if isinstance(row, str) else row)]
    phrases += [row["unknown"] for row in rules()["slot"] if "unknown" in row]
    phrases += [row["none"] for row in rules()["labels"].values() if "none" in row]
    left = answer
    for phrase in sorted(filter(None, phrases), key=len, reverse=True):
        left = left.replace(phrase, "。")
    for row in rules()["follow"]:
        before, _, after = row["say"].rpartition("{who}")
        found = re.search(rf"(?:^|(?<=。)){re.escape(before)}(?P<who>[^。？]{{0,6}}?){re.escape(after)}", left)
        if found and (found["who"] in ("", "孩子") or found["who"] in about.question):
            left = left.replace(found[0], "。")
    told = _bare("".join((about.question, *about.facts)))
    pieces = [_bare(piece) for piece in re.split("[。，]", left)]
    said = [row["say"].partition("{value}")[0] for row in rules()["labels"].values() if "say" in row]
    return [piece for piece in pieces if piece and not any(piece.removeprefix(start) in told for start in ("", *said))]


def _bare(text: str) -> str:
    return re.sub(r"[^\w]|_", "", text)


def test_every_word_is_the_cases_or_a_fixed_phrase(patient: Patient) -> None:
    for answer in talk(patient, CHILD, DOCTOR):
        assert invented(answer, CHILD) == []


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="shared/data is not beside the repository")
@pytest.mark.parametrize(
    ("name", "form", "step"), [("disc_cmd/cmd_samples.json", "cmd", 1), ("huatuo_med_dialog_100.json", "meddialog", 2)]
)
def test_nothing_is_invented_for_real_cases(patient: Patient, name: str, form: str, step: int) -> None:
    for about in read_cases(SHARED / name, form)[::step]:
        said = talk(patient, about, DOCTOR)
        assert len(set(said)) == len(said), about.id
        for answer in said:
            assert invented(answer, about) == [], about.id


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="shared/data is not beside the repository")
def test_few_turns_of_the_published_models_ask_the_patient() -> None:
    turns = [
        turn["content"]
        for path in sorted((SHARED / "disc_cmd" / "dialogues").glob("*.json"))
        for row in json.loads(path.read_text(encoding="utf-8"))
        for turn in row["conversation"]
        if turn["role"] == "doctor"
    ]
    assert 5 < sum(bool(questions(turn)) for turn in turns) < len(turns) / 10


@pytest.mark.parametrize(
    ("turn", "count"),
    [
        ("有没有发烧？", 1),
        ("请告诉我：\n1. 年龄\n2. 症状", 3),
        ("我需要了解更多信息。您多大？", 2),
        ("如何预防？多喝水。", 0),
        ("什么是高血压？高血压是……", 0),
        ("您还有其他问题吗？", 0),
        ("还有什么可以帮您的吗？", 0),
        ("如果您发烧了怎么办？请就医。", 0),
        ("就诊时请详细描述您的症状，以便医生诊断。", 0),
        ("请及时告诉医生您的过敏史。", 0),
        ("建议多休息。", 0),
    ],
)
def test_only_what_seeks_something_of_the_patient_is_a_question(turn: str, count: int) -> None:
    assert len(questions(turn)) == count


def test_what_repeats_the_patient_asks_nothing() -> None:
    assert questions("剂量一样吗? 周岁\n您多大？", ["六岁孩子打疫苗剂量一样吗? 周岁"]) == ["您多大？"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("小孩脚麻是怎么回事 ", ["小孩脚麻"]),
        (
            "主要症状:前腹疼痛,后背疼痛发病时间:7月份化验检查结果:无",
            ["前腹疼痛", "后背疼痛", "发病时间是7月份", "没有化验检查结果"],
        ),
        ("我父亲右肾结石1.2cm，还有0.9cm，请问能喝菊花茶吗？", ["我父亲右肾结石1.2cm", "还有0.9cm"]),
        ("医生您好，现在我父亲是癌症晚期，医生给开了吗啡片", ["现在我父亲是癌症晚期", "医生给开了吗啡片"]),
        ("六岁孩子打疫苗剂量一样吗?", ["六岁孩子"]),
        ("睾丸炎是怎么引起的？", []),
    ],
)
def test_a_story_is_cut_into_what_can_be_told(text: str, told: list[str]) -> None:
    assert [clause.text for clause in clauses(sentences(text))] == told
