"""How far each fact may be trusted: a log-odds sum of what speaks for and against it, squashed into [0, 1].

For a claim (subject, relation, object) these are weighed:

- the relation's prior (relations.toml);
- witnesses: how many independent raw predicates or directions state it, or how many products' inserts agree;
- type: whether the object is of a kind that the relation allows;
- frequency: an object seen with many subjects is a real term, one seen once may be debris;
- affinity: whether subjects like this one (same department, body site, parent, drug class, ending) share the object;
- shadow: the object is only a piece of a longer sibling (糖尿 beside 糖尿病), the mark of substring matching;
- plausibility: rules of medicine and of string sanity (plausibility.py).

Weights were set on the dev half of the hand-labelled sample only (docs/reference/fact-labelling.md).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from healgpt.knowledge import kinds, normalise, plausibility
from healgpt.knowledge.relations import Relation, Schema

Key = tuple[str, str, str]

_CONTESTED = frozenset({"症状", "不良反应", "适应症", "并发症", "相关疾病", "主治", "检查相关症状", "成份", "性味"})
_PEERED = frozenset(
    {
        "症状",
        "不良反应",
        "适应症",
        "并发症",
        "相关疾病",
        "检查",
        "就诊科室",
        "发病部位",
        "治疗方式",
        "药物类别",
        "鉴别诊断",
        "检查相关症状",
    }
)
# the trait that a relation itself would supply says nothing about it
_OWN_TRAIT = {"就诊科室": "科:", "药物类别": "类:"}


class Witnessed(Protocol):
    """What scoring needs to know about a claim's evidence."""

    witnesses: set[str]
    sources: set[str]
    products: int
    of: int
    given: float | None


@dataclass(frozen=True, slots=True)
class Context:
    """Statistics over all claims that single claims are judged against."""

    frequency: Counter[tuple[str, str]]
    siblings: dict[tuple[str, str], str]
    peers: dict[str, tuple[str, ...]]
    peer_size: Counter[tuple[str, str]]
    peer_count: Counter[tuple[str, str, str]]
    subjects: Counter[str]
    kind_of: Mapping[str, str]
    lifts: dict[tuple[str, str, str], float] = field(default_factory=dict)  # computed when first asked for


def score_all(claims: Mapping[Key, Witnessed], kind_of: Mapping[str, str], schema: Schema) -> dict[Key, float]:
    """Return the support of every claim; where a source gave one itself, the greater of the two."""
    context = survey(claims, kind_of)
    scores: dict[Key, float] = {}
    for key, evidence in claims.items():
        support = 1 / (1 + math.exp(-log_odds(key, evidence, schema.relations[key[1]], context)))
        scores[key] = round(max(support, evidence.given or 0.0), 4)
    return scores


def survey(claims: Iterable[Key], kind_of: Mapping[str, str]) -> Context:
    """Return the statistics of `claims`."""
    keys = list(claims)
    grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
    for subject, relation, value in keys:
        grouped[subject, relation].append(value)
    peers = {subject: _traits(subject, grouped) for subject in {key[0] for key in keys}}
    frequency: Counter[tuple[str, str]] = Counter()
    subjects: Counter[str] = Counter()
    peer_size: Counter[tuple[str, str]] = Counter()
    peer_count: Counter[tuple[str, str, str]] = Counter()
    for (subject, relation), values in grouped.items():
        subjects[relation] += 1
        frequency.update((relation, value) for value in values)
        if relation in _PEERED:
            for trait in peers[subject]:
                peer_size[relation, trait] += 1
                peer_count.update((relation, trait, value) for value in values)
    joined = {pair: "\n".join(["", *values, ""]) for pair, values in grouped.items() if pair[1] in _CONTESTED}
    return Context(frequency, joined, peers, peer_size, peer_count, subjects, kind_of)


def _traits(subject: str, grouped: Mapping[tuple[str, str], list[str]]) -> tuple[str, ...]:
    """Return what makes a subject alike to others: departments, classes, body sites in its name, its ending."""
    traits = [f"科:{value}" for value in grouped.get((subject, "就诊科室"), ())]
    traits += [f"类:{value}" for value in grouped.get((subject, "药物类别"), ())]
    traits += [f"处:{site}" for site in normalise.cleaning().sites if site in subject]
    traits.append(f"尾:{subject[-2:]}")
    return tuple(traits)


def affinity(key: Key, context: Context) -> float:
    """Return how much more often (log ratio) peers of the subject have this object than subjects at large.

    The claim itself is left out of the count. 0 where there are no peers.
    """
    subject, relation, value = key
    share = (context.frequency[relation, value] - 1) / max(context.subjects[relation], 1)
    own = _OWN_TRAIT.get(relation, " ")
    lifts = []
    for trait in context.peers[subject]:
        if trait.startswith(own):
            continue
        lift = context.lifts.get((relation, trait, value))
        if lift is None:
            size = context.peer_size[relation, trait] - 1
            count = context.peer_count[relation, trait, value] - 1
            lift = math.log((count + 1.0) / (size * share + 1.0)) if size >= 3 else math.nan
            context.lifts[relation, trait, value] = lift
        if not math.isnan(lift):  # nan: too few peers to say anything
            lifts.append(lift)
    return sum(lifts) / len(lifts) if lifts else 0.0


def log_odds(key: Key, evidence: Witnessed, relation: Relation, context: Context) -> float:
    """Return the log-odds that the claim is right."""
    subject, _, value = key
    total = relation.prior + _type_fit(key, relation, context)
    total += _witness_weight(evidence, relation)
    if relation.form != "text":
        total += _frequency_weight(context.frequency[relation.name, value], relation)
    if relation.name in _PEERED:
        total += max(-1.8, min(1.8, affinity(key, context)))
    # 阿莫西林 beside 阿莫西林三水合物 in the list of a product called 阿莫西林胶囊 is no fragment
    if relation.name in _CONTESTED and "药名" not in evidence.witnesses:
        total += _shadow_weight(key, context)
    kind = context.kind_of.get(subject, "unknown")
    listed = context.siblings.get((subject, relation.name), "")
    return total + plausibility.weight(plausibility.Claim(subject, kind, relation, value, listed))


def _witness_weight(evidence: Witnessed, relation: Relation) -> float:
    weight = 1.2 * min(len(evidence.witnesses) - 1, 2) + 0.8 * min(len(evidence.sources) - 1, 2)
    if evidence.witnesses <= relation.weak:
        weight -= 1.6
    if "药名" in evidence.witnesses:  # the product is called after it
        weight += 2.5
    if evidence.of >= 2:
        share = evidence.products / evidence.of
        weight += 0.9 * math.log(evidence.products) + 2.0 * (share - 0.5)
    return weight


def _frequency_weight(count: int, relation: Relation) -> float:
    if relation.form == "phrase" or relation.name in ("分型", "鉴别诊断"):
        return 0.4 if count >= 3 else 0.0
    if count >= 30:
        return 0.8
    if count >= 8:
        return 0.5
    return 0.0 if count >= 3 else -0.8


def _type_fit(key: Key, relation: Relation, context: Context) -> float:
    subject, _, value = key
    subject_kind, kind = context.kind_of.get(subject, "unknown"), context.kind_of.get(value, "unknown")
    total = 0.0 if subject_kind in relation.subjects else -2.5
    if relation.name in ("症状", "不良反应", "检查相关症状"):
        fit = kinds.fits_symptom(value, kind)
        if fit < 0:  # an adverse reaction may be a diagnosis (药物性肝炎); a symptom of a disease may not
            fit *= 1.0 if relation.name == "不良反应" else 2.5
        return total + fit
    if kind in relation.objects or "any" in relation.objects:
        return total + 0.6
    return total + (-0.5 if kind == "unknown" else -2.0)


def _shadow_weight(key: Key, context: Context) -> float:
    """Return the penalty for an object that is a piece of a sibling: heavy inside or in front, light at its end."""
    subject, relation, value = key
    text = context.siblings[subject, relation]
    if text.count(value) < 2:
        return 0.0
    longer = [other for other in text.split("\n") if value in other and other != value]
    terms = [other for other in longer if context.frequency[relation, other] >= 3 and len(other) - len(value) <= 4]
    if not terms:
        return 0.0
    return -0.3 if any(other.endswith(value) for other in terms) else -2.5
