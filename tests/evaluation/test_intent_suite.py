"""The suite of intents counts what the rules find; its shipped sets can be read."""

import json

import pytest

from healgpt.errors import DataError
from healgpt.evaluation.intent_suite import load_cases, score, summary
from healgpt.evaluation.triage_suite import suite_path
from healgpt.knowledge.linking import open_linker


@pytest.fixture(scope="module")
def link():
    return open_linker(None).link


def written(folder, *rows):
    path = folder / "intents.jsonl"
    lines = [json.dumps({"messages": [{"role": "user", "content": text}], "intent": name}) for text, name in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["intent_dev", "intent_test"])
def test_shipped_suites_can_be_read(name):
    assert len(load_cases(suite_path(name))) == 150


def test_counts_by_intent(tmp_path, link):
    rows = [("失眠挂什么科", "department"), ("我头痛三天了", "department"), ("你是真人吗", "chitchat")]
    found = score(load_cases(written(tmp_path, *rows)), link)
    assert (found.accuracy.hits, found.accuracy.total) == (2, 3)
    assert found.rows["department"].f1 == pytest.approx(2 / 3)
    assert found.macro_f1 == pytest.approx((2 / 3 + 1) / 2)
    assert [name for _, name in found.errors] == ["symptoms"]
    assert "2/3" in summary(found)


def test_intents_recognised_by_a_name_alone_count_as_their_like(tmp_path, link):
    found = score(load_cases(written(tmp_path, ("血常规", "test"), ("西瓜", "diet_care"))), link)
    assert found.accuracy.value == 1


def test_an_unknown_intent_is_named(tmp_path):
    with pytest.raises(DataError, match="第 1 条"):
        load_cases(written(tmp_path, ("头痛", "sorcery")))
