import pytest

from healgpt import prompts
from healgpt.backends.scripted import Line, ScriptedModel
from healgpt.consult.doctor import Doctor
from healgpt.errors import DataError
from healgpt.schema import Alarm, ChatModel, Fact, Message, Sampling

FACT = Fact("感冒", "检查", "血常规", "CMeKG", 0.9)


def alarm(level="emergency"):
    return Alarm("stroke", level, "疑似脑卒中", "**请立即拨打 120。**", "120", "指南")


def alarmed_by(word, level="emergency"):
    return lambda messages: alarm(level) if any(word in m["content"] for m in messages if m["role"] == "user") else None


class Recorder(ScriptedModel):
    """A scripted model that keeps what it was sent."""

    sent: list[Message]

    def stream(self, messages, sampling):
        self.sent, self.sampling = list(messages), sampling
        yield from super().stream(messages, sampling)


def doctor(*replies, **seams):
    seams.setdefault("triage", lambda messages: None)
    return Doctor(Recorder([Line(reply=reply) for reply in replies or ("多久了？",)]), **seams)


def user(*texts):
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(texts)]


def test_a_doctor_is_a_chat_model():
    assert isinstance(doctor(), ChatModel)


def test_the_text_streamed_is_the_text_of_the_reply_and_the_system_prompt_comes_first():
    subject = doctor("请问咳嗽多久了？")
    deltas = list(subject.stream(user("咳嗽怎么护理？"), Sampling()))
    assert "".join(d.text for d in deltas) == deltas[-1].reply.text == "请问咳嗽多久了？"
    assert [m["role"] for m in subject.model.sent] == ["system", "user"]


def test_an_emergency_is_answered_by_its_text_alone_before_any_model():
    subject = doctor(triage=alarmed_by("口角歪斜"))
    deltas = list(subject.stream(user("突然口角歪斜"), Sampling()))
    assert deltas[0].alarm.kind == "stroke"
    assert not deltas[0].text
    assert deltas[-1].reply.text == "**请立即拨打 120。**"
    assert not hasattr(subject.model, "sent")


def test_after_an_emergency_was_told_a_reminder_comes_first_and_the_model_follows():
    subject = doctor("好的。", triage=alarmed_by("口角歪斜"))
    messages = user("突然口角歪斜", "**请立即拨打 120。**", "已经打了，路上要注意什么")
    reply = subject.complete(messages, Sampling())
    assert "120" in reply.text.split("好的。")[0]
    assert reply.text.endswith("好的。")
    assert reply.alarm is not None


def test_an_urgent_alarm_comes_first_and_the_model_follows():
    subject = doctor("耳鸣多久了？", triage=alarmed_by("突然听不见", "urgent"))
    reply = subject.complete(user("左耳突然听不见"), Sampling())
    assert reply.text.startswith("**请立即拨打 120。**\n\n耳鸣多久了？")


def test_facts_come_before_the_words_and_go_into_the_turn_they_belong_to():
    subject = doctor("可查血常规[1]。", retrieve=lambda messages: (FACT,))
    deltas = list(subject.stream(user("感冒要查什么？"), Sampling()))
    assert deltas[0].facts == (FACT,)
    assert deltas[-1].reply.facts == (FACT,)
    assert "血常规" in subject.model.sent[-1]["content"]


def test_closing_the_stream_closes_the_model():
    closed = []

    class Endless(ScriptedModel):
        def stream(self, messages, sampling):
            try:
                while True:
                    yield from super().stream(messages, sampling)
            finally:
                closed.append(True)

    subject = Doctor(Endless([Line(reply="嗯" * 99)] * 2), triage=lambda messages: None)
    stream = subject.stream(user("咳嗽怎么护理？"), Sampling())
    next(stream)
    next(stream)
    stream.close()
    assert closed == [True]


def test_a_long_conversation_keeps_the_system_prompt_and_the_newest_turns():
    subject = doctor(*["好"] * 3)
    subject.model.window = 2000
    messages = user(*["头疼" * 100] * 15)
    subject.complete(messages, Sampling(max_tokens=200))
    sent = subject.model.sent
    assert sent[0]["role"] == "system"
    assert sent[1]["role"] == "user"
    assert len(sent) < len(messages)


def test_an_answer_longer_than_the_window_is_refused_with_the_way_out():
    with pytest.raises(DataError, match="--max-tokens"):
        doctor().complete(user("咳嗽"), Sampling(max_tokens=4096))


@pytest.mark.parametrize("text", ["", "\x00", "\ud800"])
def test_unreadable_questions_are_refused(text):
    with pytest.raises(DataError, match="没有读到文字"):
        doctor().complete(user(text), Sampling())


def test_a_bare_complaint_is_asked_back_and_the_model_adds_one_sentence():
    subject = doctor("听起来您很难受。")
    reply = subject.complete(user("我头痛"), Sampling())
    assert reply.text.startswith("听起来您很难受。\n\n")
    assert reply.text.count("？") >= 3
    assert "年纪" in reply.text


def test_the_questions_are_streamed_too():
    deltas = list(doctor("嗯。").stream(user("我头痛"), Sampling()))
    assert "".join(d.text for d in deltas) == deltas[-1].reply.text


def test_an_emergency_is_told_even_in_a_text_too_long_for_the_model():
    subject = doctor(triage=alarmed_by("口角歪斜"))
    reply = subject.complete(user("突然口角歪斜" + "。" * 100_000), Sampling())
    assert "120" in reply.text


def test_words_the_doctor_added_are_read_by_the_engine_before_the_next_turn():
    prepared = []

    class Preparing(ScriptedModel):
        def prepare(self, messages):
            prepared.append(messages[-1]["content"])

    subject = Doctor(
        Preparing([Line(reply="听起来很难受。"), Line(reply="可以适量吃。")]), triage=lambda messages: None
    )
    asked = subject.complete(user("我头痛"), Sampling())
    subject.complete(user("糖尿病能吃西瓜吗？"), Sampling())
    assert prepared == [asked.text]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("你头痛很难受，这是正常的，可以按摩", "你头痛很难受。"),
        ("这是正常现象，不用担心。", "您说的情况我了解了。"),
        ("听起来您很难受。", "听起来您很难受。"),
    ],
)
def test_nothing_is_explained_or_played_down_before_the_questions(said, shown):
    assert doctor(said).complete(user("我头痛"), Sampling()).text.split("\n\n")[0] == shown


def test_the_note_on_missing_evidence_stands_once_even_where_the_model_copies_it():
    note = prompts.render("no_evidence")
    for written in ("少吃辛辣，多喝水。", f"少吃辛辣，多喝水。\n\n{note}"):
        subject = doctor(written, admits_no_evidence=True)
        told = subject.complete(user("慢性咽炎平时能不能吃辣？"), Sampling()).text
        assert told.count(note[1:12]) == 1


def test_a_model_that_does_not_read_facts_answers_alone_and_the_doctor_tells_them():
    facts = (FACT, Fact("感冒", "检查", "胸片", "CMeKG", 0.9), Fact("感冒", "就诊科室", "呼吸内科", "CMeKG", 0.9))
    subject = doctor("多休息，多喝水[1]。", retrieve=lambda messages: facts[::-1], reads_facts=False)
    deltas = list(subject.stream(user("感冒要做什么检查？"), Sampling()))
    assert "血常规" not in subject.model.sent[-1]["content"]
    assert {fact.object for fact in deltas[0].facts} == {fact.object for fact in facts}
    text = deltas[-1].reply.text
    assert text.startswith("多休息，多喝水。\n\n")
    assert "感冒常做的检查有胸片[1]、血常规[2]；感冒可以看呼吸内科[3]" in text
    # a small model would go on with what it read in its earlier answers
    assert subject.model.sampling.stop == ("【资料】", "（知识图")
    assert [fact.object for fact in deltas[0].facts] == ["胸片", "血常规", "呼吸内科"]


def test_beside_an_alarm_no_facts_are_told():
    subject = doctor("好。", triage=alarmed_by("胸痛", "urgent"), retrieve=lambda messages: (FACT,), reads_facts=False)
    assert "血常规" not in subject.complete(user("胸痛要做什么检查？"), Sampling()).text


def test_triage_reads_both_ends_of_a_text_that_no_window_holds():
    read = []
    subject = doctor(triage=lambda messages: read.append(messages[-1]["content"]))
    with pytest.raises(DataError):
        subject.complete(user("头" + "疼" * 100_000 + "尾"), Sampling())
    assert len(read[0]) == 100_002
    assert read[0].strip("\n")[0] + read[0][-1] == "头尾"
    assert read[0].count("疼") < 10_000
