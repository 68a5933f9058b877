"""What the whole of CMeKG must tell once pulled and built; the store is shared with the user's own home."""

from collections.abc import Iterator

import pytest

from healgpt.knowledge.graph import KnowledgeGraph, open_graph
from healgpt.models import catalog
from healgpt.models.pull import pull

pytestmark = pytest.mark.kg


@pytest.fixture(scope="module")
def graph() -> Iterator[KnowledgeGraph]:
    if not catalog.installed(catalog.find("cmekg")):
        pull("cmekg")
    with open_graph() as opened:
        yield opened


def told(graph: KnowledgeGraph, name: str, relation: str) -> set[str]:
    return {fact.object for fact in graph.facts_about(name, [relation])}


def test_the_archive_is_read_whole(graph: KnowledgeGraph) -> None:
    assert graph.counts().triples == 967_409


def test_what_substring_matching_put_in_is_not_told(graph: KnowledgeGraph) -> None:
    assert not {"性病", "乳房疼痛"} & told(graph, "颈椎病", "并发症")
    assert not {"肿瘤", "腕管综合征", "交感神经型颈椎病"} & told(graph, "颈椎病", "症状")
    assert not {"麻疹", "敏感", "感染"} & told(graph, "阿莫西林", "不良反应")
    assert not {"溶血症", "流感", "敏感"} & told(graph, "阿莫西林", "适应症")
    assert not {"糖尿", "糖尿病", "剂量", "年龄"} & told(graph, "阿司匹林", "适应症")
    assert "低血糖症" not in told(graph, "二甲双胍", "适应症")


def test_what_every_doctor_knows_is_told(graph: KnowledgeGraph) -> None:
    assert told(graph, "颈椎病", "就诊科室") == {"骨科"}
    assert {"麻木", "眩晕"} <= told(graph, "颈椎病", "症状")
    assert {"X线检查", "CT检查"} <= told(graph, "颈椎病", "检查")
    assert {"咳痰", "发热", "胸痛", "呼吸困难"} <= told(graph, "肺炎", "症状")
    assert {"咽炎", "中耳炎", "扁桃体炎", "尿路感染"} <= told(graph, "阿莫西林", "适应症")
    assert "糖尿病" in told(graph, "二甲双胍", "适应症")


def test_ingredients_without_an_entry_of_their_own_have_products(graph: KnowledgeGraph) -> None:
    for name, product in (("阿莫西林", "阿莫西林胶囊"), ("阿司匹林", "阿司匹林肠溶片"), ("布洛芬", "布洛芬缓释胶囊")):
        found = told(graph, name, "含此成份的药品")
        assert product in found, found


def test_brands_and_aliases_lead_to_what_they_name(graph: KnowledgeGraph) -> None:
    assert graph.resolve("颈椎综合征") == "颈椎病"
    assert graph.resolve("拉肚子") == "腹泻"
    brand = graph.resolve("芬必得")
    assert brand is not None
    assert "布洛芬" in brand


def test_every_fact_told_is_over_the_threshold_and_has_a_source(graph: KnowledgeGraph) -> None:
    for number, fact in enumerate(graph.facts()):
        assert fact.support >= graph.threshold
        assert fact.source == "CMeKG"
        if number == 20_000:
            break
