"""What linking promises on the whole of CMeKG: its targets exist, and the test suite keeps its bound."""

from collections.abc import Iterator

import pytest

from healgpt.evaluation.linking_suite import load_cases, score
from healgpt.knowledge.graph import KnowledgeGraph, open_graph
from healgpt.knowledge.linking import Linker, open_linker
from healgpt.knowledge.linking_words import lexicon
from healgpt.models import catalog
from healgpt.models.pull import pull

pytestmark = pytest.mark.kg

# concepts that people speak of and the graph has no entity for; linked all the same, without facts
CONCEPTS = {"胃窦炎", "包皮过长", "头孢克肟", "莫沙必利", "坦索罗辛", "口服补液盐"}
FOODS_ARE_CONCEPTS = ("food", "class", "check", "procedure", "department")


@pytest.fixture(scope="module")
def graph() -> Iterator[KnowledgeGraph]:
    if not catalog.installed(catalog.find("cmekg")):
        pull("cmekg")
    with open_graph() as opened:
        yield opened


@pytest.fixture(scope="module")
def linker(graph: KnowledgeGraph) -> Linker:
    return open_linker(graph)


def test_every_everyday_expression_leads_to_an_entity_or_to_a_listed_concept(graph):
    targets = {(target.name, target.kind) for target in lexicon().values()}
    missing = {name for name, kind in targets if graph.entity(name) is None and kind not in FOODS_ARE_CONCEPTS}
    assert missing <= CONCEPTS


@pytest.mark.parametrize("suite", ["linking_dev", "linking_test"])
def test_the_suites_keep_their_bound(linker, suite):
    result = score(load_cases(suite), linker.link)
    assert result.passed, (result.misses, result.false_alarms)


def test_names_and_aliases_of_the_graph_are_linked(linker):
    found = {mention.name for mention in linker.link("确诊克罗恩病和强直性脊柱炎，吃美沙拉嗪")}
    assert {"克罗恩病", "强直性脊柱炎"} <= found
