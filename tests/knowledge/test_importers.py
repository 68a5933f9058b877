from pathlib import Path

import pytest

from healgpt.errors import ConfigError, DataError
from healgpt.knowledge import importers
from healgpt.knowledge.triples import Triple

COUGH = ("感冒", "症状", "咳嗽")


def rows(path: Path, **options: str) -> list[tuple[str, str, str]]:
    return [(item.subject, item.predicate, item.object) for item in importers.read(path, **options)]


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"subject":"感冒","predicate":"症状","object":"咳嗽"}\n\n'),
        ("a.json", '[{"text":"…","spo_list":[["感冒","症状","咳嗽"]]}]'),
        ("b.json", '{"text":"…","spo_list":[{"subject":"感冒","predicate":"症状","object":{"@value":"咳嗽"}}]}'),
        ("c.json", '[{"中心词":"感冒","症状":["咳嗽"],"检查":[]}]'),
        ("d.jsonl", '{"中心词":"感冒","症状":"咳嗽"}'),
        ("a.csv", "感冒,症状,咳嗽\n"),
        ("b.csv", "source,object,subject,predicate\n院内,咳嗽,感冒,症状\n"),
        ("c.csv", "头实体,关系,尾实体\n感冒,症状,咳嗽\n"),
        ("apoc.csv", "_id,_labels,name,_start,_end,_type\n1,:病,感冒,,,\n2,:症状,咳嗽,,,\n,,,1,2,症状\n"),
        ("a.cypher", "CREATE (a:病 {name:'感冒'}), (b:症状 {name:\"咳嗽\"}) CREATE (a)-[:症状]->(b);"),
        ("b.cypher", "MERGE (:Disease {name:'感冒'})-[r:`症状` {w:1}]->(:Symptom {name:'咳嗽'});"),
        ("c.cypher", "MATCH (a:D {name:'感冒'}),(b:S {name:'咳嗽'}) CREATE (b)<-[:症状]-(a);"),
        (
            "apoc.cypher",
            ':begin\nCREATE (:`病`:`UNIQUE IMPORT LABEL` {`name`:"感冒", `UNIQUE IMPORT ID`:1});\n'
            'CREATE (:`症`:`UNIQUE IMPORT LABEL` {`name`:"咳嗽", `UNIQUE IMPORT ID`:2});\n:commit\n'
            "MATCH (n1:`UNIQUE IMPORT LABEL`{`UNIQUE IMPORT ID`:1}), (n2:`UNIQUE IMPORT LABEL`{`UNIQUE IMPORT ID`:2}) "
            "CREATE (n1)-[r:`症状`]->(n2);\n",
        ),
    ],
)
def test_every_format_gives_the_same_triple(tmp_path: Path, name: str, text: str) -> None:
    assert rows(written(tmp_path, name, text)) == [COUGH]


def test_a_folder_of_node_and_edge_files_is_a_neo4j_dump(tmp_path: Path) -> None:
    written(tmp_path, "nodes.csv", "diseaseId:ID,name,:LABEL\nd1,感冒,Disease\ns1,咳嗽,Symptom\n")
    written(tmp_path, "edges.csv", ":START_ID,:END_ID,:TYPE\nd1,s1,症状\n")
    assert rows(tmp_path) == [COUGH]


def test_gb18030_files_are_read_too(tmp_path: Path) -> None:
    assert rows(written(tmp_path, "a.csv", "感冒,症状,咳嗽\n", "gb18030")) == [COUGH]


def test_the_source_is_the_one_named_then_the_lines_own_then_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "院内.csv", "感冒,症状,咳嗽\n")
    assert [item.source for item in importers.read(path)] == ["院内"]
    assert [item.source for item in importers.read(path, "三甲")] == ["三甲"]
    own = written(tmp_path, "a.jsonl", '{"subject":"感冒","predicate":"症状","object":"咳嗽","source":"甲"}')
    assert [item.source for item in importers.read(own, "乙")] == ["甲"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.jsonl", '{"subject":"感冒","predicate":"症状","object":"咳嗽"}\n{"subject":\n', "第 2 行不是合法的 JSON"),
        ("a.jsonl", '{"subject":"感冒","predicate":"症状"}', "第 1 行缺少 object"),
        ("a.jsonl", '{"subject":"感冒","predicate":"症状","object":"咳嗽","support":3}', "第 1 行的 support"),
        ("a.jsonl", '{"subject":"感冒","predicate":"症状","object":"咳嗽","support":"高"}', "第 1 行的 support"),
        ("a.jsonl", '"subject"', "第 1 行应是一个 JSON 对象"),
        ("a.json", '[{"spo_list":[["感冒","症状"]]}]', "第 1 项的 spo_list"),
        ("a.json", '[{"spo_list":"无"}]', "没有 spo_list"),
        ("a.json", '[{"中心词":"","症状":["咳嗽"]}]', "缺少 中心词"),
        ("a.json", '[{"中心词":"感冒","症状":[{"名":"咳嗽"}]}]', "嵌套"),
        ("a.json", '[\n{"中心词":"感冒",}]', "第 2 行不是合法的 JSON"),
        ("a.csv", "感冒,症状,咳嗽\n感冒,症状\n", "第 2 行只有 2 列"),
        ("a.csv", "感冒,症状,\n", "第 1 行缺少 object"),
        ("apoc.csv", "_id,name,_start,_end,_type\n1,感冒,,,\n,,1,9,症状\n", "第 3 行的关系指向节点 9"),
        ("apoc.csv", "_id,name,_start,_end,_type\n1,,,,\n", "第 2 行的节点没有 name"),
        ("a.cypher", "// 说明\nCREATE (a {name:'x;y'});\nCREATE (a)-[:症状]->(b);", "第 3 行的关系有一端没有 name"),
        ("a.cypher", "UNWIND [1] AS row CREATE (a {name:'x'});", "第 1 行用了 UNWIND"),
        ("a.json", "{}", "--format"),
    ],
)
def test_a_bad_line_names_place_reason_and_mend(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(DataError, match=told) as caught:
        rows(written(tmp_path, name, text))
    assert name in str(caught.value)


def test_an_unknown_format_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="spo"):
        rows(written(tmp_path, "a.xml", "<a/>"), form="rdf")


def test_what_is_written_reads_back_with_source_and_support(tmp_path: Path) -> None:
    items = [Triple(*COUGH, "甲", 0.9), Triple("感冒", "症状", "一行\u2028两行", "乙")]
    path = tmp_path / "out.jsonl"
    assert importers.write_jsonl(path, items) == 2
    assert list(importers.read(path)) == items
