"""What of a differential a patient may see: a few everyday candidates with careful words, never a diagnosis."""

from collections.abc import Sequence
from dataclasses import dataclass

from healgpt.knowledge.differential import Candidate, joined
from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.schema import Fact

MOST_SHOWN = 3
# a candidate this many times less likely than the first is not worth a worry
_FAR_BEHIND = 8.0
_LEAST_SHARE = 0.01
# share of all fitting diseases -> how likely it is called
_STANDS_OUT = 0.12
_WORDS = ((0.4, "较有可能"), (_STANDS_OUT, "有可能"), (0.0, "不能排除"))


@dataclass(frozen=True, slots=True)
class Likely:
    """A candidate as a patient may read it: `words` say how likely, `fits` which of their symptoms belong to it.

    `firm`: it explains two findings or stands out, so that it may be named before all questions are asked.
    """

    name: str
    words: str
    fits: tuple[str, ...]
    department: str = ""
    firm: bool = False


def likely(ranked: Sequence[Candidate], present: int) -> tuple[Likely, ...]:
    """Return the few of `ranked` that may be shown for `present` findings, best first; often none.

    Each explains half of the findings, rounded down; of a family of names (肺炎, 大叶性肺炎) only the first is taken.
    """
    found: list[Candidate] = []
    for one in ranked:
        first = found[0].share if found else one.share
        if len(found) == MOST_SHOWN or one.share < max(_LEAST_SHARE, first / _FAR_BEHIND):
            break
        family = any(one.name in other.name or other.name in one.name for other in found)
        if one.shown and not family and len(one.fits) >= max(1, present // 2):
            found.append(one)
    return tuple(
        Likely(one.name, _words(one.share), one.fits, one.department, len(one.fits) > 1 or one.share >= _STANDS_OUT)
        for one in found
    )


def _words(share: float) -> str:
    return next(words for least, words in _WORDS if share >= least)


def supporting(graph: KnowledgeGraph, ranked: Sequence[Candidate], found: Sequence[Likely]) -> tuple[Fact, ...]:
    """Return what links the firm ones among the first two of `found` to the patient, then what names departments.

    Without any of `found`, the department is the one that most of what is `ranked` and may be shown goes to.
    """
    signs: list[Fact] = []
    departments: dict[str, Fact] = {}
    for one in found[:2]:
        told = graph.facts_about(one.name, ["症状"]) if one.firm else []
        signs += [fact for fact in told if joined().get(fact.object, fact.object) in one.fits][:1]
        for fact in graph.facts_about(one.name, ["就诊科室"], limit=1):
            departments.setdefault(fact.object, fact)
    if not departments:
        votes: dict[str, float] = {}
        for candidate in ranked:
            if candidate.shown and candidate.department:
                votes[candidate.department] = votes.get(candidate.department, 0.0) + candidate.share
        chosen = max(votes, key=lambda name: (votes[name], name), default=None)
        for candidate in ranked if chosen else ():
            if candidate.shown and candidate.department == chosen:
                told = graph.facts_about(candidate.name, ["就诊科室"])
                departments = {fact.object: fact for fact in told if fact.object == chosen}
                break
    return (*signs, *departments.values())


def summing_up(graph: KnowledgeGraph, found: Sequence[Likely], *, departments: bool = True) -> tuple[Fact, ...]:
    """Return what advice on the first two of `found` may cite: a check each, the departments, what links them."""
    told: list[Fact] = []
    for relation in ("检查", "就诊科室", "症状") if departments else ("检查", "症状"):
        for one in found[:2]:
            facts = graph.facts_about(one.name, [relation])
            if relation == "症状":
                facts = [fact for fact in facts if joined().get(fact.object, fact.object) in one.fits]
            told += facts[:1]
    return tuple(told)
