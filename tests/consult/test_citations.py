import pytest
from hypothesis import given
from hypothesis import strategies as st

from healgpt.backends.scripted import Line, ScriptedModel
from healgpt.consult.citations import CitationFilter, cited_sentences, keep_given, uncited
from healgpt.consult.doctor import Doctor
from healgpt.evaluation.grounding import compare, grounding
from healgpt.knowledge.linking import open_linker
from healgpt.schema import Fact, Sampling

FACT = Fact("肺炎", "检查", "血常规检查", "CMeKG", 0.9)


@pytest.mark.parametrize(
    ("text", "given_", "kept"),
    [
        ("可查血常规[1]。", 1, "可查血常规[1]。"),
        ("可查血常规[2]。", 1, "可查血常规。"),
        ("可查血常规[1,3]。", 2, "可查血常规[1]。"),
        ("可查血常规【1】。", 1, "可查血常规[1]。"),
        ("可查血常规[1-3]。", 2, "可查血常规[1][2]。"),
        ("可查血常规[0]。", 2, "可查血常规。"),
        ("可查血常规[1]。", 0, "可查血常规。"),
        ("数组[a]和[注]不是引用", 1, "数组[a]和[注]不是引用"),
    ],
)
def test_citations_of_facts_that_were_not_given_are_removed(text, given_, kept):
    assert keep_given(text, given_) == kept


_TEXTS = st.lists(
    st.sampled_from(["[", "]", "1", "2", "9", "【", "】", "，", ",", "可查血常规", " ", "。", "-"]), max_size=30
)


@given(_TEXTS, st.integers(0, 3), st.integers(1, 4))
def test_a_stream_cut_anywhere_reads_as_the_whole(pieces, given_, size):
    text = "".join(pieces)
    citations = CitationFilter(given_)
    parts = [citations.feed(text[place : place + size]) for place in range(0, len(text), size)]
    assert "".join(parts) + citations.close() == keep_given(text, given_)


def test_text_without_brackets_is_never_held_back():
    assert CitationFilter(2).feed("可查血常规，") == "可查血常规，"


def test_sentences_and_their_numbers():
    answer = "建议查血常规[1]。多喝水。必要时拍片。[2]"
    assert [(one.text, one.numbers) for one in cited_sentences(answer)] == [
        ("建议查血常规。", (1,)),
        ("必要时拍片。", (2,)),
    ]
    assert cited_sentences("多休息。[1]查血常规。")[0].following == "查血常规。"
    assert uncited(answer, [FACT] * 3) == [3]


def doctor(reply, facts):
    model = ScriptedModel([Line(reply=reply)])
    return Doctor(model, retrieve=lambda messages: facts, triage=lambda messages: None, admits_no_evidence=True)


def test_a_doctor_drops_citations_without_a_fact_while_it_streams():
    deltas = list(doctor("可查血常规[1]，还可[7]拍片[12]。", (FACT,)).stream([ask("肺炎要查什么？")], Sampling()))
    assert deltas[-1].reply.text == "可查血常规[1]，还可拍片。"
    assert "".join(delta.text for delta in deltas) == deltas[-1].reply.text


def test_an_answer_without_evidence_says_so_once_and_tells_the_model():
    subject = doctor("少吃辛辣[1]。", ())
    reply = subject.complete([ask("肺炎怎么护理？")], Sampling())
    assert reply.text.startswith("少吃辛辣。")
    assert "没有资料依据" in reply.text
    assert "没有参考资料" in subject.wire([ask("肺炎怎么护理？")], 100)[-1]["content"]


@pytest.mark.parametrize(("question", "said"), [("肺炎怎么护理？", True), ("肺炎挂什么科？", False)])
def test_a_department_alone_is_evidence_only_for_where_to_go(question, said):
    department = Fact("肺炎", "就诊科室", "呼吸内科", "CMeKG", 0.9)
    reply = doctor("去呼吸内科[1]。", (department,)).complete([ask(question)], Sampling())
    assert ("没有资料依据" in reply.text) is said


@pytest.mark.parametrize("question", ["你好", "我头痛"])
def test_small_talk_and_questions_back_need_no_evidence(question):
    assert "没有资料依据" not in doctor("好。", ()).complete([ask(question)], Sampling()).text


def ask(text):
    return {"role": "user", "content": text}


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("建议做血常规。", "agrees"),
        ("抽血看看就行。", "agrees"),
        ("多喝水，注意休息。", "unrelated"),
        ("不需要做血常规检查。", "contradicts"),
    ],
)
def test_a_cited_sentence_is_compared_with_its_fact(sentence, verdict):
    assert compare(sentence, FACT, open_linker(None).link) == verdict


def test_agreement_is_counted_over_citations():
    answers = [("建议做血常规[1]。多休息[1]。", [FACT]), ("不清楚。", [FACT]), ("见资料[3]。", [])]
    result = grounding(answers, open_linker(None).link)
    assert (result.citing.value, result.citing.n) == (1 / 2, 2)
    assert (result.agreement.value, result.agreement.n) == (1 / 3, 3)
