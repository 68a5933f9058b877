"""The interview with a graph at hand. Facts are made up for the test; the linker knows them and its own lexicon."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from healgpt.backends.scripted import Line, ScriptedModel
from healgpt.consult import grounding
from healgpt.consult.doctor import Doctor
from healgpt.consult.findings import Guide
from healgpt.consult.interview import MOST_QUESTIONS, opening, plan, state
from healgpt.knowledge import graph as graphs
from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.knowledge.linking import open_linker
from healgpt.knowledge.retrieval import Retriever
from healgpt.schema import Sampling

SYMPTOMS = {
    "颈椎病": "眩晕 头晕 恶心 麻木 颈部疼痛",
    "梅尼埃病": "眩晕 头晕 恶心 耳鸣 呕吐",
    "贫血": "头晕 乏力 面色苍白 心悸",
    "高血压": "头痛 头晕 心悸 胸闷",
    "支气管炎": "咳嗽 咳痰 发热",
    "肺炎": "咳嗽 咳痰 发热 胸痛",
    "脑梗死": "头晕 恶心 麻木 偏瘫",
    "功能性消化不良": "腹胀 嗳气 上腹痛",
}
DEPARTMENTS = {"颈椎病": "骨科", "梅尼埃病": "耳鼻喉科", "脑梗死": "神经内科", "肺炎": "呼吸内科"}
DIZZY = "头晕恶心，脖子僵"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeGraph]:
    folder = tmp_path_factory.mktemp("graph")
    rows = [(disease, "症状", name) for disease, listed in SYMPTOMS.items() for name in listed.split()]
    rows += [(disease, "就诊科室", name) for disease, name in DEPARTMENTS.items()]
    keys = ("subject", "predicate", "object")
    lines = [dict(zip(keys, row, strict=True)) | {"source": "试", "support": 0.95} for row in rows]
    path: Path = folder / "试.jsonl"
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    graphs.build(None, folder / "graph.sqlite", imports=[path])
    with KnowledgeGraph(folder / "graph.sqlite") as opened:
        yield opened


@pytest.fixture(scope="module")
def guide(graph: KnowledgeGraph) -> Guide:
    return grounding.guide((open_linker(graph), Retriever(graph)))


def user(text):
    return {"role": "user", "content": text}


def asked(messages, guide):
    """Return the conversation with the Doctor's questions added, as it writes them."""
    made = plan(messages, guide)
    assert made.task == "ask"
    lines = "\n".join(f"{number}. {question}" for number, question in enumerate(made.questions, 1))
    return [*messages, {"role": "assistant", "content": f"听起来不好受。\n\n{opening()}\n{lines}\n\n{made.lead}"}]


def test_warning_signs_come_first_then_what_separates(guide: Guide) -> None:
    made = plan([user(DIZZY)], guide)
    assert made.task == "ask"
    assert "看东西模糊" in made.questions[0]
    assert made.questions[1].startswith("有没有")
    assert "耳鸣" in made.questions[1] or "天旋地转" in made.questions[1]
    assert len(made.questions) <= MOST_QUESTIONS


def test_what_the_warning_signs_ask_is_not_asked_twice(guide: Guide) -> None:
    second = plan([user(DIZZY)], guide).questions[1]
    assert not [word for word in ("呕吐", "手脚发麻", "没劲", "头晕", "恶心") if word in second]


def test_without_a_graph_nothing_changes() -> None:
    assert plan([user(DIZZY)]) == plan([user(DIZZY)], None)
    assert state([user(DIZZY)], None) is None


@pytest.mark.parametrize("answer", ["都没有", "没有，两天了，35岁", "以上都没有。", "没有。"])
def test_a_short_no_denies_all_that_was_asked(guide: Guide, answer) -> None:
    talk = [*asked([user(DIZZY)], guide), user(answer)]
    found = state(talk, guide)
    assert found is not None
    assert {"呕吐", "麻木"} <= set(found.denied)
    assert {"头晕", "恶心"} <= set(found.stated)


def test_the_one_that_is_there_is_kept_when_the_rest_is_denied(guide: Guide) -> None:
    talk = [*asked([user(DIZZY)], guide), user("有点耳鸣，其他没有")]
    found = state(talk, guide)
    assert found is not None
    assert "耳鸣" in found.stated
    assert "呕吐" in found.denied


def test_what_the_lead_names_was_not_asked(guide: Guide) -> None:
    found = state([*asked([user(DIZZY)], guide), user("没有")], guide)
    assert found is not None
    assert not set(SYMPTOMS) & set(found.denied)


def test_an_answer_about_time_and_age_denies_nothing(guide: Guide) -> None:
    found = state([*asked([user(DIZZY)], guide), user("两天了，35岁")], guide)
    assert found is not None
    assert found.denied == ()


def test_after_two_rounds_it_sums_up(guide: Guide) -> None:
    talk = asked([user(DIZZY)], guide)
    talk = asked([*talk, user("没有")], guide)
    made = plan([*talk, user("有耳鸣")], guide)
    assert made.task == "advise"
    assert made.questions == ()
    assert made.likely[0].name == "颈椎病"
    assert made.likely[0].words in ("较有可能", "有可能", "不能排除")


def test_what_was_asked_is_not_asked_again(guide: Guide) -> None:
    first = plan([user(DIZZY)], guide).questions[1]
    second = plan([*asked([user(DIZZY)], guide), user("不清楚")], guide).questions
    words = first.removeprefix("有没有").rstrip("？").replace("或", "、").split("、")
    assert not [word for word in words if any(word in question for question in second)]


def test_a_stroke_is_never_suggested(guide: Guide) -> None:
    talk = [user("头晕恶心，手脚发麻")]
    made = plan(talk, guide)
    found = state(talk, guide)
    assert found is not None
    assert "脑梗死" not in made.lead
    assert "脑梗死" not in {one.name for one in found.likely}


def test_the_lead_says_it_is_no_diagnosis_and_cites_what_it_names(guide: Guide) -> None:
    made = plan([user(DIZZY)], guide)
    assert made.lead.startswith("【可能相关】")
    assert "不是诊断" in made.lead
    for number, fact in enumerate(made.facts, 1):
        named = fact.object if fact.predicate == "就诊科室" else fact.subject
        assert f"{named}[{number}]" in made.lead


def test_a_child_is_sent_to_paediatrics(guide: Guide) -> None:
    talk = [user("孩子5岁，咳嗽有痰，发烧两天了，没有别的")]
    found = state(talk, guide)
    assert found is not None
    assert {one.department for one in found.likely} == {"儿科"}
    assert plan(talk, guide).lead == ""


def test_one_symptom_suggests_nothing_yet(guide: Guide) -> None:
    assert plan([user("我头晕")], guide).lead == ""


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("颈椎病有哪些症状？", "inform"),
        ("你好", "talk"),
        ("今天天气不错", "inform"),
        ("我有高血压，最近想办移民", "inform"),
    ],
)
def test_what_is_no_complaint_is_not_asked_back(guide: Guide, text, task) -> None:
    assert plan([user(text)], guide).task == task
    assert state([user(text)], guide) is None


def test_a_known_illness_is_not_looked_for_again(guide: Guide) -> None:
    made = plan([user("我有高血压十年了，50岁，最近头晕、恶心，没有别的，怎么回事")], guide)
    assert made.task != "ask"


def test_the_same_messages_plan_the_same(graph: KnowledgeGraph, guide: Guide) -> None:
    again = grounding.guide((open_linker(graph), Retriever(graph)))
    talk = [*asked([user(DIZZY)], guide), user("没有")]
    assert plan(talk, guide) == plan(talk, again)


@pytest.fixture
def doctor(guide: Guide) -> Doctor:
    return Doctor(ScriptedModel([Line(reply="听起来不好受。")]), guide=guide)


def test_the_doctor_writes_questions_and_lead_and_shows_the_facts(doctor: Doctor, guide: Guide) -> None:
    reply = doctor.complete([user(DIZZY)], Sampling())
    made = plan([user(DIZZY)], guide)
    assert all(question in reply.text for question in made.questions)
    assert reply.text.endswith(made.lead)
    assert reply.facts == made.facts


def test_beside_an_alarm_nothing_harmless_is_suggested(doctor: Doctor) -> None:
    reply = doctor.complete([user("孕28周，头晕恶心，脖子僵，今天胎动明显减少")], Sampling())
    assert reply.alarm is not None
    assert "可能相关" not in reply.text


def test_the_hint_stays_within_the_budget_of_the_facts(doctor: Doctor, guide: Guide) -> None:
    talk = asked([user(DIZZY)], guide)
    talk = [*asked([*talk, user("没有")], guide), user("有耳鸣")]
    evidence = doctor.evidence(talk)
    assert evidence.task.startswith("【可能相关】")
    assert "梅尼埃病" in evidence.task
    assert {fact.subject for fact in evidence.facts} <= {one.name for one in plan(talk, guide).likely}
    assert "就诊科室" in {fact.predicate for fact in evidence.facts}
    assert doctor.count_tokens(evidence.task.partition("\n")[0]) < 120
