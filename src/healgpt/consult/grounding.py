"""Opens what a Doctor grounds its answers in: the user's graph, its linker, and the function that finds facts."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from healgpt.consult.findings import Guide, open_guide
from healgpt.consult.intent import Planner, evidence_finder
from healgpt.consult.interview import opening, plan
from healgpt.errors import DataError
from healgpt.knowledge import graph as graphs
from healgpt.knowledge.linking import Linker, open_linker
from healgpt.knowledge.retrieval import Retriever
from healgpt.schema import Fact, Message

Find = Callable[[Sequence[Message]], tuple[Fact, ...]]

_log = logging.getLogger(__name__)


def graph_built() -> bool:
    """Tell whether there is a store to ground answers in. Cheap enough to ask at every start."""
    return _store().is_file()


def open_knowledge() -> tuple[Linker, Retriever] | None:
    """Open the user's graph and a linker over it; None, with a line in the log, where there is no store.

    Never builds the store, which takes half a minute: `healgpt pull cmekg` and the `kg` commands do. A store older
    than its sources still answers. About a second.
    """
    if not graph_built():
        _log.info("没有本地知识图谱，回答不引用资料。运行 healgpt pull cmekg 可以下载并建立。")
        return None
    try:
        graph = graphs.open_graph(_store())
        return open_linker(graph), Retriever(graph)
    except DataError as error:
        _log.warning("本地知识图谱打不开，回答不引用资料：%s", error)
        return None


def _store() -> Path:
    return graphs.imports_folder().parent / "graph.sqlite"


def guide(knowledge: tuple[Linker, Retriever]) -> Guide:
    """Return what lets the interview ask by the differential; half a second."""
    linker, retriever = knowledge
    return open_guide(linker, retriever.graph, opening())


def finder(knowledge: tuple[Linker, Retriever], count: Callable[[str], int], planned: Planner = plan) -> Find:
    """Return the function that a Doctor calls for the facts of a turn; the first call is as fast as the others."""
    linker, retriever = knowledge
    find = evidence_finder(linker, retriever, count, planned=planned)
    find([{"role": "user", "content": "头痛"}])
    return find
