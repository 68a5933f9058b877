"""A patient played by a model: shown the case alone, checked for the doctor's voice and the reference answer."""

import pytest

from healgpt.backends.scripted import Line, ScriptedModel
from healgpt.errors import ModelError
from healgpt.evaluation.consultations.case import Case
from healgpt.evaluation.consultations.patient_model import exchanged, fault, play
from healgpt.schema import Message

CASE = Case(
    "a",
    "test",
    "头痛怎么办",
    ("头痛怎么办", "头痛三天", "过敏史：无"),
    reference="考虑为偏头痛，可口服布洛芬缓解疼痛。",
)
SAID: list[Message] = [{"role": "user", "content": "头痛怎么办"}, {"role": "assistant", "content": "多久了？"}]


def scripted(*replies: str) -> ScriptedModel:
    return ScriptedModel([Line(reply=reply) for reply in replies])


def test_the_patient_is_sent_the_case_without_its_reference_and_the_roles_exchanged() -> None:
    wire = exchanged(CASE, SAID)
    assert [message["role"] for message in wire] == ["system", "user", "assistant", "user"]
    assert "头痛三天" in wire[0]["content"]
    assert "布洛芬" not in "".join(message["content"] for message in wire)
    assert wire[-1]["content"] == "多久了？"


def test_an_answer_that_fits_stands() -> None:
    assert play(scripted("患者：有三天了。"))(CASE, SAID) == "有三天了。"


def test_a_bad_answer_is_asked_for_once_more() -> None:
    assert play(scripted("建议您去医院检查。", "三天了。"))(CASE, SAID) == "三天了。"


def test_a_patient_who_plays_the_doctor_ends_the_dialogue() -> None:
    with pytest.raises(ModelError, match="像医生一样说话"):
        play(scripted("建议您多喝水。", "您的症状可能是感冒。"))(CASE, SAID)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("三天了，一直疼。", ""),
        ("这个我不太清楚。我需要吃药吗？", ""),
        ("医生，您看我需要做检查吗？", ""),
        ("", "empty"),
        ("根据您的描述，这是偏头痛。", "doctor"),
        ("您有没有其他症状？", "doctor"),
        ("请您描述一下疼痛的部位。", "doctor"),
        ("祝您早日康复！", "doctor"),
        ("我可口服布洛芬缓解疼痛吧", "reference"),
        ("我今年50岁，头痛三天", "invented"),
        ("头痛怎么办", "repeated"),
    ],
)
def test_faults(text: str, found: str) -> None:
    assert fault(text, CASE, SAID) == found


def test_what_the_doctor_said_may_be_taken_up() -> None:
    said = [*SAID[:1], Message(role="assistant", content="可口服布洛芬缓解疼痛。")]
    assert fault("医生说可口服布洛芬缓解疼痛，要吃几天？", CASE, said) == ""
