"""From what a message names to the facts that speak of it.

Which relations are wanted depends on what the user wants (consult/intent.py); here they are looked up, ranked and
cut to size. The same mentions always give the same facts.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache

from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.knowledge.linking import Linker, Mention, open_linker
from healgpt.knowledge.linking_words import rules, wider
from healgpt.schema import Fact

# kind of entity -> relations wanted, most telling first, each with how many of its facts
Wanted = Mapping[str, Sequence[tuple[str, int]]]

GENERAL: Wanted = {
    "disease": (("就诊科室", 1), ("检查", 2), ("症状", 2), ("病因", 1), ("治疗方式", 1)),
    "symptom": (("就诊科室", 1), ("检查", 1), ("病因", 1)),
    "ingredient": (("适应症", 2), ("禁忌", 1), ("不良反应", 2), ("注意事项", 1)),
    "product": (("适应症", 2), ("主治", 1), ("禁忌", 1), ("不良反应", 2), ("注意事项", 1)),
    "class": (("适应症", 2), ("不良反应", 2)),
    "herb": (("功效", 2), ("主治", 2), ("禁忌", 1)),
    "formula": (("功效", 1), ("主治", 2)),
    "check": (("可查疾病", 2),),
}
# diseases that a patient's symptoms may point to, and the symptoms of a message that are looked at
_CANDIDATES, _SYMPTOMS = 3, 6
# symptoms that point nowhere by themselves
_VAGUE = frozenset({"疼痛", "肿胀", "出血", "包块", "瘙痒", "过敏", "麻木"})
# facts looked at for one relation of one entity; symptoms have up to 1,300 diseases
_MOST, _WIDEST = 40, 1500
# support from which a symptom counts as a leading one of its disease
_LEADING = 0.9


class Retriever:
    """Looks facts up in one graph, remembering the last few thousand answers. Safe to share between threads."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph = graph
        self.facts = lru_cache(maxsize=8192)(self._facts)
        self._diseases = lru_cache(maxsize=1024)(self._with_symptom)

    def find(self, mentions: Sequence[Mention], *, wanted: Wanted = GENERAL, limit: int = 8) -> list[Fact]:
        """Return at most `limit` facts about `mentions`, what was asked first and best supported first.

        What is denied is left out. Every entity gets a share before any gets a second helping. Where `wanted` asks
        for 常见于 of symptoms, the diseases that fit most of them stand for it, unless a disease was named that
        facts are known of.
        """
        told = _entities(mentions)
        queues = [self._of(name, wanted.get(kind, ())) for name, kind in told]
        explained = any(kind == "disease" and queue for (_, kind), queue in zip(told, queues, strict=True))
        if not explained and any(relation == "常见于" for relation, _ in wanted.get("symptom", ())):
            felt = [name for name, kind in told if kind == "symptom" and name not in _VAGUE]
            queues.append(self._likely(felt))
        found = _dealt(queues, limit)
        return sorted(found, key=lambda fact: -fact.support)

    def _of(self, name: str, wanted: Sequence[tuple[str, int]]) -> list[Fact]:
        found: list[Fact] = []
        for relation, most in wanted:
            if relation != "常见于":
                found += self.facts(name, relation)[:most]
        return found

    def _facts(self, name: str, relation: str) -> tuple[Fact, ...]:
        """Return the facts of one relation, or those of the next wider name where there are none."""
        facts = self.graph.facts_about(name, [relation], limit=_MOST)
        above = wider(name)
        if not facts and above:
            facts = self.graph.facts_about(above, [relation], limit=_MOST)
        return tuple(_distinct(facts))

    def _with_symptom(self, name: str) -> dict[str, Fact]:
        """Return the facts `disease 症状 name` by disease."""
        facts = self.graph.subjects_of("症状", name, limit=_WIDEST)
        above = wider(name)
        if not facts and above:
            facts = self.graph.subjects_of("症状", above, limit=_WIDEST)
        return {fact.subject: fact for fact in facts}

    def _likely(self, names: Sequence[str]) -> list[Fact]:
        """Return what speaks for the illnesses that fit most of the symptoms `names`, rare symptoms first.

        Only illnesses that people see a doctor for every day: the graph lists hundreds of rare poisonings for every
        headache. Two symptoms must fit; where none has two, one that is a leading symptom of the illness.
        """
        told = [rows for name in names[:_SYMPTOMS] if (rows := self._diseases(name))]
        weights: dict[str, float] = {}
        for rows in told:
            for disease in rows.keys() & _everyday():
                weights[disease] = weights.get(disease, 0.0) + 1.0 / math.log(2 + len(rows))
        ranked = sorted(weights, key=lambda disease: (-weights[disease], -_support(told, disease), disease))
        ranked = [disease for disease in ranked if disease not in names]
        fits = [disease for disease in ranked if sum(disease in rows for rows in told) > 1]
        leading = [disease for disease in ranked if _leads(told, disease)]
        likely = (fits or leading)[:_CANDIDATES]
        found = [max((rows[disease] for rows in told if disease in rows), key=_supported) for disease in likely]
        for disease in likely[:2]:
            found += self.facts(disease, "就诊科室")[:1]
        return found


def retrieve(
    graph: KnowledgeGraph, message: str | Sequence[Mention], *, wanted: Wanted = GENERAL, limit: int = 8
) -> list[Fact]:
    """Return facts about the diseases, symptoms and drugs that `message` names, best supported first.

    A text is linked first, which opens a linker; pass mentions, or keep a `Retriever`, where that is done often.
    Nothing found is an empty list, not an error: the doctor then answers without evidence and says so.
    """
    linker: Linker | None = open_linker(graph) if isinstance(message, str) else None
    mentions = linker.link(message) if linker is not None and isinstance(message, str) else message
    return Retriever(graph).find([one for one in mentions if isinstance(one, Mention)], wanted=wanted, limit=limit)


def fitting(facts: Sequence[Fact], count: Callable[[str], int], *, budget: int = 120) -> tuple[Fact, ...]:
    """Return the `facts` that fit in `budget` tokens as they are written in a turn, in their order.

    A fact too long for what is left is passed over, so a long sentence of a package insert does not shut out the
    short facts after it.
    """
    kept: list[Fact] = []
    left = budget
    for fact in facts:
        cost = count(f"[{len(kept) + 1}] {fact.subject}·{fact.predicate}：{fact.object}\n")
        if cost <= left:
            kept.append(fact)
            left -= cost
    return tuple(kept)


def generous(wanted: Wanted) -> Wanted:
    """Return `wanted` with up to three times as many facts of each relation, for a reader instead of a model."""
    return {kind: tuple((relation, 3 * most) for relation, most in listed) for kind, listed in wanted.items()}


def _entities(mentions: Sequence[Mention]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for mention in mentions:
        if mention.status != "absent":
            found.setdefault(mention.name, mention.kind)
    return list(found.items())


def _dealt(queues: Sequence[list[Fact]], limit: int) -> list[Fact]:
    """Take one fact of each queue in turn until `limit`, none twice."""
    found: dict[tuple[str, str, str], Fact] = {}
    for place in range(max(map(len, queues), default=0)):
        for queue in queues:
            if place < len(queue) and len(found) < limit:
                fact = queue[place]
                found.setdefault((fact.subject, fact.predicate, fact.object), fact)
    return list(found.values())


def _distinct(facts: Sequence[Fact]) -> list[Fact]:
    """Drop facts whose object says the same as a better supported one: 孕妇禁用 beside 孕妇及哺乳期妇女禁用."""
    kept: list[Fact] = []
    for fact in facts:
        if not any(_same(fact.object, other.object) for other in kept):
            kept.append(fact)
    return kept


def _same(one: str, other: str) -> bool:
    if min(len(one), len(other)) < 6:
        return one == other
    return len(set(one) & set(other)) / min(len(set(one)), len(set(other))) > 0.8


@cache
def _everyday() -> frozenset[str]:
    return frozenset(str(rules()["common"]).split())


def _leads(told: Sequence[Mapping[str, Fact]], disease: str) -> bool:
    return any(disease in rows and rows[disease].support >= _LEADING for rows in told)


def _supported(fact: Fact) -> float:
    return fact.support


def _support(told: Sequence[Mapping[str, Fact]], disease: str) -> float:
    return sum(rows[disease].support for rows in told if disease in rows)
