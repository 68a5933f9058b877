import pytest

from healgpt.consult.interview import MOST_QUESTIONS, plan


def talk(*texts):
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("我感觉自己颈椎非常不舒服，每天睡醒都会头痛", "ask"),
        ("宝宝拉肚子", "ask"),
        ("胸口闷", "ask"),
        ("月经推迟了", "ask"),
        ("高血压能喝酒么？", "inform"),
        ("糖尿病有哪些症状？", "inform"),
        ("颈椎病要做哪些检查？", "inform"),
        ("乙肝容易传染吗", "inform"),
        ("你好", "talk"),
        ("谢谢！", "talk"),
        ("我35岁，头痛三天了，没有发烧和呕吐，没吃药", "advise"),
    ],
)
def test_what_a_first_turn_has_to_do(text, task):
    assert plan(talk(text)).task == task


def test_warning_signs_are_asked_first_and_never_more_than_three():
    questions = plan(talk("我头疼")).questions
    assert "看东西模糊" in questions[0]
    assert len(questions) <= MOST_QUESTIONS


def test_what_was_said_is_not_asked_again():
    questions = plan(talk("咳嗽一周了")).questions
    assert not any("多久" in question for question in questions)


def test_a_childs_questions_speak_of_the_child():
    assert any("孩子多大" in question for question in plan(talk("宝宝拉肚子")).questions)


def test_pregnancy_is_asked_where_it_matters():
    assert any("怀孕" in question for question in plan(talk("月经推迟了")).questions)


def test_the_answer_to_the_questions_is_advised_on():
    assert plan(talk("我头疼", "多久了？", "两天了，28岁，没有呕吐")).task == "advise"


def test_questions_end_after_two_rounds():
    assert plan(talk("我头疼", "多久了？", "就是疼", "多久了？", "疼啊")).task == "advise"


def test_a_new_complaint_later_is_asked_back_again():
    messages = talk("我头疼两天了，28岁，没有呕吐", "建议看神经内科。", "宝宝也拉肚子")
    assert plan(messages).task == "ask"


def test_a_long_conversation_plans_quickly():
    assert plan(talk(*["我头疼", "多久了？"] * 500, "头疼")).task in ("ask", "advise")
