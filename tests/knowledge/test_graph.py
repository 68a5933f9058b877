import pickle
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from healgpt.errors import ConfigError, DataError
from healgpt.knowledge import graph as graphs
from healgpt.knowledge import importers
from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.knowledge.triples import Triple
from healgpt.schema import Fact


def label(product: str, indication: str) -> dict[str, list[str]]:
    return {"成份": ["阿莫西林"], "适应症": [indication, "咽炎"], "商品名": [f"{product[-2:]}牌"]}


CMEKG = {
    "急性咽炎": {
        "常见症状": ["咽痛等", "发热"],
        "临床症状及体征": ["咽痛"],
        "就诊科室": ["耳鼻咽喉科"],
        "ICD10": ["J02"],
    },
    "初发性或维持性睡眠障碍［失眠症］": {"常见症状": ["乏力"], "别称": ["入睡困难症"], "就诊科室": ["神经内科"]},
    "肺炎": {"常见症状": ["发热", "咳嗽、咳痰", "胸痛（chest pain）"], "别称": ["肺部炎症"], "就诊科室": ["呼吸科"]},
    "阿莫西林胶囊": label("阿莫西林胶囊", "肺炎"),
    "阿莫西林片": label("阿莫西林片", "肺炎"),
    "注射用阿莫西林钠": label("注射用阿莫西林钠", "败血症"),
    "阿莫仙": {"通用名": ["阿莫西林胶囊"], "适应症": ["肺炎"]},
    "血常规检查": {"相关疾病": ["肺炎"], "相关症状": ["发热"], "所属分类": ["血"]},
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "cmekg.pkl"
    path.write_bytes(pickle.dumps(CMEKG, protocol=0))
    return path


@pytest.fixture(scope="module")
def graph(archive: Path) -> Iterator[KnowledgeGraph]:
    target = archive.with_name("graph.sqlite")
    graphs.build(archive, target)
    with KnowledgeGraph(target) as opened:
        yield opened


def objects(facts: list[Fact]) -> list[str]:
    return [fact.object for fact in facts]


def test_relabelled_predicates_become_one_fact_that_is_believed_more(graph: KnowledgeGraph) -> None:
    facts = graph.facts_about("急性咽炎", ["症状"], every=True)
    assert objects(facts) == ["咽痛", "发热"]
    assert facts[0].support > facts[1].support
    assert facts[0].source == "CMeKG"


def test_run_on_lists_and_latin_doubles_are_taken_apart(graph: KnowledgeGraph) -> None:
    assert set(objects(graph.facts_about("肺炎", ["症状"], every=True))) == {"发热", "咳嗽", "咳痰", "胸痛"}


def test_departments_get_one_name(graph: KnowledgeGraph) -> None:
    assert objects(graph.facts_about("肺炎", ["就诊科室"], every=True)) == ["呼吸内科"]


def test_a_symptom_finds_its_diseases_both_ways(graph: KnowledgeGraph) -> None:
    found = graph.subjects_of("症状", "发热", every=True)
    assert {fact.subject for fact in found} == {"急性咽炎", "肺炎"}
    inverse = graph.facts_about("发热", ["常见于"], every=True)
    assert {(fact.subject, fact.predicate, fact.object) for fact in inverse} == {
        ("发热", "常见于", "急性咽炎"),
        ("发热", "常见于", "肺炎"),
    }


def test_an_alias_and_the_untidied_name_lead_to_the_entity(graph: KnowledgeGraph) -> None:
    assert graph.resolve("肺部炎症") == "肺炎"
    assert graph.resolve("初发性或维持性睡眠障碍［失眠症］") == "失眠"
    entity = graph.entity("肺部炎症")
    assert entity is not None
    assert (entity.name, entity.kind) == ("肺炎", "disease")
    assert "肺部炎症" in entity.aliases


def test_an_ingredient_has_its_products_and_what_their_inserts_agree_on(graph: KnowledgeGraph) -> None:
    entity = graph.entity("阿莫西林")
    assert entity is not None
    assert entity.kind == "ingredient"
    products = graph.facts_about("阿莫西林", ["含此成份的药品"], every=True)
    assert set(objects(products)) == {"阿莫西林胶囊", "阿莫西林片", "注射用阿莫西林钠"}
    support = {fact.object: fact.support for fact in graph.facts_about("阿莫西林", ["适应症"], every=True)}
    assert support["咽炎"] > support["肺炎"] > support["败血症"]


def test_a_brand_is_another_name_of_its_generic_product(graph: KnowledgeGraph) -> None:
    assert graph.resolve("阿莫仙") == "阿莫西林胶囊"


def test_an_indication_finds_its_drugs(graph: KnowledgeGraph) -> None:
    assert "阿莫西林" in objects(graph.facts_about("肺炎", ["治疗药物"], every=True))


def test_what_a_check_says_about_diseases_counts_for_the_disease(graph: KnowledgeGraph) -> None:
    assert objects(graph.facts_about("肺炎", ["检查"], every=True)) == ["血常规检查"]


def test_only_facts_over_the_threshold_are_told_unasked(graph: KnowledgeGraph) -> None:
    told, every = graph.facts_about("肺炎"), graph.facts_about("肺炎", every=True)
    assert len(told) < len(every)
    assert all(fact.support >= graph.threshold for fact in told)


def test_the_untouched_triples_stay_in_the_store(graph: KnowledgeGraph) -> None:
    raw = {(fact.predicate, fact.object) for fact in graph.raw("肺炎")}
    assert ("常见症状", "胸痛（chest pain）") in raw
    assert len(raw) == 5


def test_names_cover_aliases_and_say_what_each_thing_is(graph: KnowledgeGraph) -> None:
    names = set(graph.names(every=True))
    assert {("肺炎", "肺炎", "disease"), ("肺部炎症", "肺炎", "disease")} <= names
    assert ("阿莫仙", "阿莫西林胶囊", "product") in names
    assert set(graph.names()) <= names


def test_search_puts_the_exact_name_first(graph: KnowledgeGraph) -> None:
    assert graph.search("阿莫西林")[0].name == "阿莫西林"
    assert graph.search("查无此名") == []


def test_unknown_names_are_empty_and_unknown_relations_are_errors(graph: KnowledgeGraph) -> None:
    assert graph.facts_about("查无此名") == []
    assert graph.subjects_of("症状", "查无此名") == []
    assert graph.entity("查无此名") is None
    with pytest.raises(ConfigError, match="症状"):
        graph.facts_about("肺炎", ["副作用"])
    with pytest.raises(ConfigError, match="症状"):
        graph.subjects_of("常见于", "肺炎")


@pytest.mark.parametrize("nasty", ["'; DROP TABLE fact; --", "%", "_", "", "\x00", "肺炎' OR '1'='1", "\ud800"])
def test_odd_names_find_nothing_and_break_nothing(graph: KnowledgeGraph, nasty: str) -> None:
    assert graph.facts_about(nasty) == []
    assert graph.entity(nasty) is None
    assert graph.resolve("肺炎") == "肺炎"


def test_the_store_cannot_be_written_through_the_graph(graph: KnowledgeGraph) -> None:
    with pytest.raises(sqlite3.OperationalError):
        graph._database.execute("DELETE FROM fact")


def test_the_order_of_triples_changes_nothing(archive: Path, graph: KnowledgeGraph, tmp_path: Path) -> None:
    turned = {name: dict(reversed(profile.items())) for name, profile in reversed(CMEKG.items())}
    other = tmp_path / "turned.pkl"
    other.write_bytes(pickle.dumps(turned, protocol=0))
    graphs.build(other, tmp_path / "turned.sqlite")
    with KnowledgeGraph(tmp_path / "turned.sqlite") as again:
        assert set(again.facts(every=True)) == set(graph.facts(every=True))


def test_an_export_imported_again_tells_the_same(graph: KnowledgeGraph, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    importers.write_jsonl(path, (Triple(f.subject, f.predicate, f.object, f.source, f.support) for f in graph.facts()))
    graphs.build(None, tmp_path / "again.sqlite", imports=[path])
    with KnowledgeGraph(tmp_path / "again.sqlite") as again:
        told = {(f.subject, f.predicate, f.object, f.source) for f in graph.facts()}
        assert told <= {(f.subject, f.predicate, f.object, f.source) for f in again.facts()}


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path / "home"))
    return tmp_path


def test_without_any_graph_the_user_is_told_what_to_pull(own_home: Path) -> None:
    with pytest.raises(DataError, match="healgpt pull cmekg"):
        graphs.open_graph()
    with pytest.raises(DataError, match="healgpt pull cmekg"):
        graphs.open_graph(own_home / "missing.sqlite")


def test_two_graphs_are_merged_with_provenance_and_rebuilt_when_one_changes(own_home: Path) -> None:
    first, second = own_home / "甲.csv", own_home / "乙.csv"
    first.write_text("主语,谓词,宾语\n感冒,症状,咳嗽\n感冒,症状,流涕\n", "utf-8")
    second.write_text("主语,谓词,宾语\n感冒,常见症状,咳嗽\n", "utf-8")
    assert graphs.import_graph(first)[0] == 2
    with graphs.open_graph() as graph:
        before = {fact.object: fact for fact in graph.facts_about("感冒", ["症状"], every=True)}
    assert before["咳嗽"].source == "甲"
    graphs.import_graph(second)
    with graphs.open_graph() as graph:
        after = {fact.object: fact for fact in graph.facts_about("感冒", ["症状"], every=True)}
    assert after["咳嗽"].source == "乙、甲"
    assert after["流涕"].source == "甲"
    assert after["咳嗽"].support > before["咳嗽"].support


def test_an_opened_graph_is_not_built_twice(own_home: Path) -> None:
    path = own_home / "甲.csv"
    path.write_text("感冒,症状,咳嗽\n", "utf-8")
    graphs.import_graph(path)
    stages: list[str] = []
    graphs.open_graph(report=stages.append).close()
    assert stages
    stages.clear()
    graphs.open_graph(report=stages.append).close()
    assert stages == []


def test_a_bad_import_leaves_everything_as_it_was(own_home: Path) -> None:
    path = own_home / "甲.csv"
    path.write_text("感冒,症状,咳嗽\n", "utf-8")
    graphs.import_graph(path)
    path.write_text("感冒,症状,流涕\n感冒,症状\n", "utf-8")
    with pytest.raises(DataError, match="第 2 行"):
        graphs.import_graph(path)
    with graphs.open_graph() as graph:
        assert objects(graph.facts_about("感冒", ["症状"], every=True)) == ["咳嗽"]


def test_a_damaged_store_is_rebuilt_from_its_sources(own_home: Path) -> None:
    path = own_home / "甲.csv"
    path.write_text("感冒,症状,咳嗽\n", "utf-8")
    graphs.import_graph(path)
    graphs.open_graph().close()
    (own_home / "home" / "graphs" / "graph.sqlite").write_bytes(b"SQLite format 3\x00 broken")
    with graphs.open_graph() as graph:
        assert objects(graph.facts_about("感冒", ["症状"], every=True)) == ["咳嗽"]


def test_a_failed_build_leaves_the_old_store(
    own_home: Path, graph: KnowledgeGraph, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    target = own_home / "graph.sqlite"
    target.write_bytes(graph.path.read_bytes())
    monkeypatch.setattr(graphs.store, "write", full_disk)
    with pytest.raises(DataError, match="磁盘"):
        graphs.build(archive, target)
    assert target.read_bytes() == graph.path.read_bytes()
    assert list(own_home.glob("*.part")) == []
