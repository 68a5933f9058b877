"""A yes to the Doctor's own questions counts as if the patient had said the words."""

import pytest

from healgpt.consult.triage import triage

QUESTIONS = (
    "我了解了。\n\n为了帮您判断，请再告诉我：\n"
    "1. 有没有出冷汗、气喘、头晕，或者疼到左肩、后背、下巴？是活动时发作还是休息时也有？\n"
    "2. 有没有呼吸困难或胸痛？\n3. 您多大年纪？\n\n想先挂号，可以考虑心血管内科[1]。"
)


@pytest.mark.parametrize(
    ("answer", "alarmed"), [("都有", True), ("全都有，60岁", True), ("都没有", False), ("没有", False)]
)
def test_a_yes_to_all_takes_up_every_question(answer, alarmed):
    talk = [
        {"role": "user", "content": "胸口闷"},
        {"role": "assistant", "content": QUESTIONS},
        {"role": "user", "content": answer},
    ]
    assert (triage(talk) is not None) == alarmed
