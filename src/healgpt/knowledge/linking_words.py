"""The words that linking knows: folding to one spelling, the authored lexicon, and the names of a graph.

Data: lexicon.toml (everyday expressions) and linking.toml (stop words, patterns, parts of the body).
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from healgpt.knowledge.folding import Folded, fold_with, spelling_table
from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.knowledge.kinds import of_ending

# kinds of the graph that are things one can speak of; texts, populations and body sites are not
LINKED = frozenset(
    {"disease", "symptom", "product", "ingredient", "herb", "formula", "check", "procedure", "department", "class"}
)
_CHECKED = frozenset({"disease", "symptom", "check"})
_LONGEST = 16
_LONGEST_FACTLESS = 6
_SAME = {"疼": "痛", "涨": "胀", "您": "你", "她": "他", "粘": "黏", "莲花清瘟": "连花清瘟"}
# values of raw triples that are half a sentence: 有发热, 无腹痛, 伴呕吐
_NO_NAME = re.compile(
    r"[，。；、？！：,;:\s]|^[有无不伴可呈如未并见及与和或能会患使以致因经对该本少多偶常仅被为是]|^[a-z0-9.%]{1,2}$|^[\d.]+$|^[一-鿿]$"
)

_MODIFIER = re.compile(
    r"^(?:治疗|预防|严重|轻度|中度|重度|轻微|早期|晚期|初期|顽固性?|老年人?|引起|容易|易|次|明显|持续|反复|偶有|轻|伴发?)"
    r"|(?:患者|病人|症状|发作时|等症|等)$"
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a surface stands for: the canonical name and its kind."""

    name: str
    kind: str


def fold(text: str) -> Folded:
    """Return `text` in the spelling that linking knows."""
    return fold_with(text, _table())


@cache
def _table() -> dict[int, str]:
    return spelling_table(_SAME)


@cache
def lexicon() -> dict[str, Target]:
    """Return the authored expressions, folded, with the names themselves among them."""
    found: dict[str, Target] = {}
    tables = tomllib.loads(files("healgpt.knowledge").joinpath("lexicon.toml").read_text("utf-8"))
    for kind, rows in tables.items():
        for name in rows:
            found.setdefault(fold(name).text, Target(name, kind))
    for kind, rows in tables.items():
        for name, expressions in rows.items():
            for expression in expressions.split():
                found.setdefault(fold(expression).text, Target(name, kind))
    return {surface: target for surface, target in found.items() if len(surface) > 1}


@cache
def rules() -> dict[str, Any]:
    """Return linking.toml as it stands."""
    return tomllib.loads(files("healgpt.knowledge").joinpath("linking.toml").read_text("utf-8"))


def wider(name: str) -> str | None:
    """Return the nearest wider name that facts speak of, None when there is none."""
    table: Mapping[str, str] = rules()["wider"]
    return table.get(name)


def words(key: str) -> frozenset[str]:
    """Return one of the word lists of linking.toml, folded."""
    return frozenset(fold(word).text for word in str(rules()[key]).split())


def surfaces(graph: KnowledgeGraph | None) -> dict[str, Target]:
    """Return every surface that may be linked: the lexicon first, then the names of `graph`, then their aliases.

    A name without facts is taken only where its ending confirms its kind; two-character names only so, or from
    the list in linking.toml, because many are everyday words or brand names (大海, 安定, 必要).
    """
    found = dict(lexicon())
    if graph is None:
        return found
    stop, short = words("stop"), words("short")
    for factless in (False, True):
        for surface, name, kind in graph.names(every=factless):
            if _worthless(surface, kind, factless=factless):
                continue
            folded = fold(surface).text
            if folded not in found and folded not in stop and _fits(folded, kind, short, factless=factless):
                found[folded] = Target(name, kind)
    return {surface: target for surface, target in found.items() if not _composed(surface, target, found)}


def _composed(surface: str, target: Target, table: Mapping[str, Target]) -> bool:
    """Say whether `surface` is better read as its parts: 胃胀反酸 as two symptoms, 治疗糖尿病 as the disease."""
    if surface in lexicon():
        return False
    rest = _MODIFIER.sub("", surface)
    if rest != surface and rest in table:
        return True
    if target.kind not in ("symptom", "unknown") or len(surface) < 4:
        return False
    return any(surface[:cut] in lexicon() and surface[cut:] in lexicon() for cut in range(2, len(surface) - 1))


def _worthless(surface: str, kind: str, *, factless: bool) -> bool:
    if factless:
        return kind not in _CHECKED or len(surface) > _LONGEST_FACTLESS
    return kind not in LINKED or len(surface) > _LONGEST


def _fits(surface: str, kind: str, short: frozenset[str], *, factless: bool) -> bool:
    if _NO_NAME.search(surface) or (factless and of_ending(surface) != kind):
        return False
    if len(surface) == 2:
        return surface in short or (kind in _CHECKED and of_ending(surface) in _CHECKED)
    return True
