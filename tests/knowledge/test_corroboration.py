"""What of the graph may reach a patient, and what is only looked up."""

from pathlib import Path

import pytest

from healgpt.knowledge import corroboration
from healgpt.knowledge import graph as graphs
from healgpt.knowledge.assembly import Evidence
from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.knowledge.importers import write_jsonl
from healgpt.knowledge.opinions import opinions
from healgpt.knowledge.triples import Triple

KINDS = {
    "硫辛酸": "ingredient", "阿莫西林": "ingredient", "吗啡": "ingredient", "阿莫西林胶囊": "product",
    "左氧氟沙星": "ingredient", "左氧氟沙星滴眼液": "product", "滇瓦花": "herb", "黄芪": "herb", "糖尿病": "disease",
}  # fmt: skip


def reason(subject: str, relation: str, value: str, **evidence: object) -> str:
    """Return why that one claim, over the threshold, is held back; empty when it is told."""
    stated = Evidence(witnesses={relation}, sources={"CMeKG"})
    for name, said in evidence.items():
        setattr(stated, name, said)
    key = (subject, relation, value)
    claims = {key: stated, ("左氧氟沙星滴眼液", "成份", "左氧氟沙星"): Evidence(witnesses={"药名"}, sources={"CMeKG"})}
    held = corroboration.held_back(claims, dict.fromkeys(claims, 0.9), KINDS, 0.86)
    return held.get(key, "")


@pytest.mark.parametrize(
    ("subject", "relation", "value"),
    [
        ("急性膀胱炎", "症状", "尿频"),
        ("肺炎", "症状", "咳嗽"),
        ("阿莫西林", "适应症", "中耳炎"),
        ("黄芪", "功效", "补气"),
        ("肺癌", "检查", "CT检查"),
        ("角膜炎", "就诊科室", "眼科"),
        ("梅毒", "传播途径", "性接触"),
    ],
)
def test_what_medicine_bears_out_is_told(subject: str, relation: str, value: str) -> None:
    expected = (
        "alone" if value == "结膜炎" else ""
    )  # no row of the table has the eye for a drug that is mostly swallowed
    assert reason(subject, relation, value) == expected


@pytest.mark.parametrize(
    ("subject", "relation", "value", "why"),
    [
        ("输卵管阻塞", "症状", "尿频", "alone"),
        ("硫辛酸", "适应症", "糖尿病", "alone"),
        ("左氧氟沙星滴眼液", "适应症", "肺炎", "alone"),
        ("滇瓦花", "性味", "味甘", "catalogue"),
        ("滇瓦花", "功效", "止泻", "catalogue"),
        ("阿莫西林胶囊", "用法用量", "口服，一次1粒，一日3次", "label"),
        ("吗啡", "适应症", "疼痛", "controlled"),
        ("错构瘤", "症状", "不适", "vague"),
        ("子宫肌瘤", "就诊科室", "肿瘤科", "alone"),
        ("疟疾", "传播途径", "接触传播", "alone"),
        ("霍乱", "传染性", "无传染性", "alone"),
    ],
)
def test_what_nothing_bears_out_is_held_back_with_its_reason(subject: str, relation: str, value: str, why: str) -> None:
    assert reason(subject, relation, value) == why


def test_a_source_that_vouches_for_a_fact_or_a_second_source_is_enough() -> None:
    assert reason("输卵管阻塞", "症状", "尿频", given=0.97) == ""
    assert reason("输卵管阻塞", "症状", "尿频", sources={"CMeKG", "院内"}) == ""
    assert reason("吗啡", "适应症", "疼痛", given=0.97) == "controlled"


def test_an_adverse_reaction_needs_two_inserts() -> None:
    claims = {(f"药{number}", "不良反应", "皮疹"): Evidence({"不良反应"}, {"CMeKG"}) for number in range(40)}
    claims["甲药", "不良反应", "皮疹"] = Evidence({"不良反应"}, {"CMeKG"}, products=3, of=4)
    held = corroboration.held_back(claims, dict.fromkeys(claims, 0.9), {"皮疹": "symptom"}, 0.86)
    assert ("甲药", "不良反应", "皮疹") not in held
    assert held["药1", "不良反应", "皮疹"] == "alone"


def test_every_reason_has_words_and_every_table_is_read() -> None:
    assert set(corroboration.REASONS) == {"catalogue", "label", "controlled", "vague", "alone"}
    assert all(opinions().tables.values())


def test_what_is_held_back_is_shown_by_name_and_told_to_nobody(tmp_path: Path) -> None:
    said = [Triple("肺炎", "就诊科室", "呼吸内科", "甲"), Triple("肺炎", "就诊科室", "外科", "甲")]
    rows = [*said, *(Triple(f"肺炎{number}", "就诊科室", "外科", "甲") for number in range(40))]
    write_jsonl(tmp_path / "甲.jsonl", rows)
    graphs.build(None, tmp_path / "graph.sqlite", imports=[tmp_path / "甲.jsonl"])
    with KnowledgeGraph(tmp_path / "graph.sqlite") as graph:
        held = {fact.object: why for fact, why in graph.held_back("肺炎")}
        told = {fact.object for fact in graph.facts_about("肺炎")}
    assert not held.keys() & told
    assert set(held.values()) <= set(corroboration.REASONS)
