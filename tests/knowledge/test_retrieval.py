import pickle
from collections.abc import Iterator

import pytest

from healgpt.knowledge import graph as graphs
from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.knowledge.linking import open_linker
from healgpt.knowledge.retrieval import Retriever, fitting, retrieve
from healgpt.schema import Fact

CMEKG = {
    "急性咽炎": {"常见症状": ["咽痛", "发热"], "临床症状及体征": ["咽痛"], "就诊科室": ["耳鼻喉科"], "ICD10": ["J02"]},
    "肺炎": {
        "常见症状": ["发热", "咳嗽"],
        "临床症状及体征": ["发热", "咳嗽"],
        "主要症状": ["发热", "咳嗽"],
        "诊断依据_临床表现": ["发热", "咳嗽"],
        "就诊科室": ["呼吸内科"],
        "所属科室": ["呼吸内科"],
        "检查": ["血常规检查"],
        "影像学检查": ["胸部X线检查"],
        "ICD10": ["J18"],
    },
    "血常规检查": {"相关疾病": ["肺炎"], "所属分类": ["血"]},
}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeGraph]:
    folder = tmp_path_factory.mktemp("graph")
    archive = folder / "cmekg.pkl"
    archive.write_bytes(pickle.dumps(CMEKG, protocol=0))
    graphs.build(archive, folder / "graph.sqlite")
    with KnowledgeGraph(folder / "graph.sqlite") as opened:
        yield opened


def test_facts_about_what_is_named_come_best_supported_first(graph):
    facts = retrieve(graph, "得了肺炎怎么办")
    assert {fact.subject for fact in facts} == {"肺炎"}
    assert [fact.support for fact in facts] == sorted((fact.support for fact in facts), reverse=True)
    assert len({(fact.predicate, fact.object) for fact in facts}) == len(facts)


@pytest.mark.parametrize("text", ["今天天气怎么样", "我没有肺炎", ""])
def test_nothing_named_or_all_denied_is_an_empty_list(graph, text):
    assert retrieve(graph, text) == []


def test_the_limit_holds_and_the_same_message_gives_the_same_facts(graph):
    retriever, mentions = Retriever(graph), open_linker(graph).link("肺炎")
    assert len(retriever.find(mentions, limit=1)) == 1
    assert retriever.find(mentions) == Retriever(graph).find(mentions)


def test_symptoms_are_explained_by_the_illnesses_that_have_them(graph):
    wanted = {"symptom": (("常见于", 1),)}
    facts = Retriever(graph).find(open_linker(graph).link("发烧、咳嗽"), wanted=wanted)
    assert ("肺炎", "就诊科室", "呼吸内科") in {(fact.subject, fact.predicate, fact.object) for fact in facts}


def test_facts_that_do_not_fit_are_passed_over_for_shorter_ones():
    facts = [Fact("药", "注意事项", "长" * 90, "s"), Fact("药", "禁忌", "孕妇禁用", "s")]
    assert fitting(facts, len, budget=40) == (facts[1],)
