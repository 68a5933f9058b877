import io
import json
import pickle

import pytest

from healgpt.cli.main import main
from healgpt.knowledge import graph as graphs

CMEKG = {
    "颈椎病": {
        "检查": ["CT检查"],
        "影像学检查": ["CT检查"],
        "辅助检查": ["CT检查"],
        "诊断依据_辅助检查": ["CT检查"],
        "就诊科室": ["骨科"],
        "所属科室": ["骨科"],
        "常见症状": ["头晕"],
        "ICD10": ["M47"],
    }
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graph")
    (folder / "cmekg.pkl").write_bytes(pickle.dumps(CMEKG, protocol=0))
    graphs.build(folder / "cmekg.pkl", folder / "graph.sqlite")
    return str(folder / "graph.sqlite")


def test_ask_answers_from_the_graph_with_source_and_support(store, capsys):
    assert main(["kg", "ask", "颈椎病要做哪些检查？", "--store", store]) == 0
    printed = capsys.readouterr().out
    assert "颈椎病·检查：CT检查（来源 CMeKG，支持度 0." in printed
    assert "检查与结果" in printed


def test_ask_says_when_the_graph_has_no_answer(store, capsys):
    assert main(["kg", "ask", "今天天气怎么样", "--store", store]) == 0
    assert "没有找到" in capsys.readouterr().out


def test_link_gives_names_status_and_offsets_line_by_line(store, capsys, monkeypatch):
    lines = [
        {"id": 7, "text": "我妈没有发烧，颈椎病犯了"},
        {"messages": [{"role": "user", "content": "头晕"}, {"role": "assistant", "content": "发烧吗"}]},
    ]
    fed = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(fed), encoding="utf-8"))
    assert main(["kg", "link", "--json", "--store", store]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["id"] == 7
    assert [(row["name"], row["status"], row["start"], row["end"]) for row in first["mentions"]] == [
        ("发热", "absent", 4, 6),
        ("颈椎病", "present", 7, 10),
    ]
    assert first["person"]["who"] == "母亲"
    assert [(row["turn"], row["name"]) for row in second["mentions"]] == [(0, "头晕")]


def test_facts_are_those_an_answer_would_cite(store, capsys, monkeypatch):
    fed = json.dumps({"text": "颈椎病挂什么科"}, ensure_ascii=False).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(fed), encoding="utf-8"))
    assert main(["kg", "facts", "--json", "--store", store]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["intent"] == "department"
    assert {fact["object"] for fact in line["facts"]} == {"骨科", "CT检查"}


def test_a_bad_line_is_named(store, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"question": "x"}'), encoding="utf-8"))
    assert main(["kg", "link", "--json", "--store", store]) == 2
    assert "第 1 条" in capsys.readouterr().err
