"""The evidence panel: every fact once, names escaped, long ones cut only in the picture."""

import xml.etree.ElementTree as ET

from healgpt.schema import Fact
from healgpt.web.evidence import drawing, graph, table

FACTS = (
    Fact("颈椎病", "症状", "头晕", "CMeKG", 0.9),
    Fact("颈椎病", "检查", "<i>一个名字特别特别特别长的检查项目</i>", "CMeKG", 0.5),
)


def test_the_table_numbers_the_facts_as_answers_cite_them():
    shown = table(FACTS)
    assert shown.index(">[1]<") < shown.index("头晕") < shown.index(">[2]<")
    assert "&lt;i&gt;一个名字特别特别特别长的检查项目&lt;/i&gt;" in shown
    assert "90%" in shown


def test_the_picture_is_valid_and_draws_each_name_once():
    for dark in (False, True):
        root = ET.fromstring(drawing(FACTS, dark=dark))
        texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
        assert texts.count("颈椎病") == 1
        assert {"症状", "检查", "头晕"} <= set(texts)
        assert any(text.endswith("…") for text in texts)


def test_the_picture_is_told_to_those_who_cannot_see_it():
    assert 'alt="关系图：颈椎病 症状 头晕；' in graph(FACTS, dark=False)
