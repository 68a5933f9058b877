import pytest

from healgpt.consult.intent import evidence_finder, intent, topic, understand
from healgpt.knowledge.linking import open_linker
from healgpt.knowledge.relations import schema
from healgpt.schema import Fact


@pytest.fixture(scope="module")
def link():
    return open_linker(None).link


def talk(*texts):
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我头痛三天了", "symptoms"),
        ("糖尿病有哪些症状？", "disease"),
        ("阿莫西林和头孢能一起吃吗", "interaction"),
        ("孕妇能吃布洛芬吗", "interaction"),
        ("布洛芬是治什么的", "drug_use"),
        ("胃炎吃什么药好", "drug_treatment"),
        ("失眠挂什么科", "department"),
        ("颈椎病要做哪些检查？", "test"),
        ("血常规白细胞偏高是什么意思", "test"),
        ("高血压饮食要注意什么", "diet_care"),
        ("糖尿病能吃西瓜吗", "diet_care"),
        ("怎么预防流感？", "prevention"),
        ("乙肝会传染吗", "contagion"),
        ("脂肪肝能治好吗", "treatment"),
        ("你好，在吗", "chitchat"),
        ("帮我写一首诗", "out_of_scope"),
        # what is asked decides, not what is told before it
        ("奶奶去医院检查说是癫痫，吃了药，能治好吗？", "treatment"),
    ],
)
def test_what_a_turn_wants(link, text, name):
    assert intent(text, link(text)).name == name


def test_a_follow_up_is_about_what_was_named_before(link):
    found = topic(talk("得了胃炎要紧吗？", "要看情况。", "那要忌口吗？"), link)
    assert [mention.name for mention in found] == ["胃炎"]


def test_the_answer_to_questions_goes_on_with_the_complaint(link):
    found = topic(talk("我头疼", "多久了？", "两天了，还恶心"), link)
    assert {mention.name for mention in found} == {"头痛", "恶心"}


def test_a_new_subject_leaves_the_old_one_behind(link):
    mentions, _ = understand(talk("糖尿病有哪些症状？", "多饮多尿。", "那高血压呢？"), link)
    assert [mention.name for mention in mentions] == ["高血压"]


def test_a_question_on_one_food_gets_only_facts_that_speak_of_it():
    class Shelf:
        def find(self, mentions, *, wanted, limit):
            return [Fact("糖尿病", "就诊科室", "内分泌科", "s"), Fact("糖尿病", "高危因素", "过量饮酒", "s")]

    find = evidence_finder(open_linker(None), Shelf(), len)
    assert find(talk("糖尿病能吃西瓜吗")) == ()
    assert [fact.object for fact in find(talk("糖尿病能喝酒吗"))] == ["过量饮酒"]
    assert len(find(talk("糖尿病饮食要注意什么"))) == 2


def test_every_relation_wanted_is_one_of_the_schema(link):
    known = set(schema().relations) | set(schema().inverses)
    for text in ("我头痛", "胃炎吃什么药", "布洛芬是治什么的", "失眠挂什么科", "乙肝会传染吗", "怎么预防流感"):
        wanted = intent(text, link(text)).wanted
        assert {relation for listed in wanted.values() for relation, _ in listed} <= known
