"""What the measures read dialogues with: the linker, the graph and its differential, opened once a process."""

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from healgpt.consult.grounding import open_knowledge
from healgpt.knowledge.differential import Differential, joined
from healgpt.knowledge.disease_matrix import open_differential
from healgpt.knowledge.linking import Mention, open_linker
from healgpt.knowledge.linking_words import wider
from healgpt.schema import Fact

# files whose content decides scores, by package and how their names begin
_RULES = {
    "healgpt.evaluation.measures": ("",),
    "healgpt.evaluation": ("grounding",),
    "healgpt.consult": ("limits", "citations"),
    "healgpt.consult.triage": ("",),
    "healgpt.knowledge": ("linking", "lexicon", "differential", "disease_"),
}

_SPELLING = re.compile(r"^(?:出现|引起|伴有)")

_log = logging.getLogger(__name__)

Link = Callable[[str], Sequence[Mention]]
# subject and relation to facts
Lookup = Callable[[str, str], tuple[Fact, ...]]


@dataclass(frozen=True, slots=True)
class Ground:
    """`facts(name, relation)` gives every fact that the graph holds, those that may not reach a patient included.

    Without a graph `facts` and `differential` are None: measures that need them do not apply.
    """

    link: Link
    facts: Lookup | None = None
    differential: Differential | None = None
    threshold: float = 0.86
    digest: str = ""


@cache
def open_ground() -> Ground:
    """Open the user's graph, or the lexicon alone where there is none; a second, then kept for the process."""
    knowledge = open_knowledge()
    if knowledge is None:
        _log.warning("没有本地知识图谱，与图谱有关的指标不计。运行 healgpt pull cmekg 后再评测。")
        return Ground(lru_cache(maxsize=8192)(open_linker(None).link))
    linker, retriever = knowledge
    graph = retriever.graph

    @lru_cache(maxsize=16384)
    def facts(name: str, relation: str) -> tuple[Fact, ...]:
        return tuple(graph.facts_about(name, [relation], every=True))

    link = lru_cache(maxsize=8192)(linker.link)
    counts = graph.counts()
    digest = hashlib.sha256(f"{counts.sources} {counts.triples} {counts.kept} {counts.total}".encode()).hexdigest()
    return Ground(link, facts, open_differential(graph), graph.threshold, digest)


def digests() -> dict[str, str]:
    """Return what the scores rest on beside the dialogues, for a run's `inputs`: the graph, and code and word lists."""
    rules = hashlib.sha256()
    for package, prefixes in _RULES.items():
        for entry in sorted(files(package).iterdir(), key=lambda entry: entry.name):
            if entry.name.startswith(prefixes) and entry.name.endswith((".toml", ".py")):
                rules.update(entry.read_bytes())
    return {"measures": rules.hexdigest(), "graph": open_ground().digest or "none"}


def names(mention: Mention) -> frozenset[str]:
    """Return the names under which `mention` may be meant elsewhere: its own, the joined one, the next wider one.

    The graph also holds one thing under several spellings: 睾丸痛 and 睾丸疼痛, 发热 and 出现发热.
    """
    plain = _SPELLING.sub("", mention.name).replace("疼痛", "痛").replace("部痛", "痛") or mention.name
    known = {mention.name, plain, joined().get(plain, plain), joined().get(mention.name, mention.name)}
    above = wider(mention.name) or wider(plain)
    return frozenset(known | {above} if above else known)
