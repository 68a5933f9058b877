"""How far each fact may be trusted: a log-odds sum of what speaks for and against it, squashed into [0, 1].

For a claim (subject, relation, object) these are weighed:

- the relation's prior (relations.toml);
- witnesses: how many independent raw predicates or directions state it, or how many products' inserts agree;
- type: whether the object is of a kind that the relation allows;
- frequency: an object seen with many subjects is a real term, one seen once may be debris;
- affinity: whether subjects like this one (same department, body site, parent, drug class, ending) share the object;
- shadow: the object is only a piece of a longer sibling (糖尿 beside 糖尿病), the mark of substring matching;
- sex and string sanity.

Weights were set on the dev half of the hand-labelled sample only (docs/reference/fact-labelling.md).
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from healgpt.knowledge import kinds, normalise
from healgpt.knowledge.relations import Relation, Schema

Key = tuple[str, str, str]

_FEMALE = re.compile(
    r"月经|经期|痛经|闭经|子宫|卵巢|阴道|外阴|妊娠|孕|产后|分娩|哺乳|白带|宫颈|输卵管|更年期|盆腔炎|女"
)
_MALE = re.compile(r"前列腺|睾丸|阴茎|阴囊|附睾|精索|精囊|包皮|龟头|阳痿|早泄|遗精|射精|男")
_CONTESTED = frozenset({"症状", "不良反应", "适应症", "并发症", "相关疾病", "主治", "检查相关症状", "成份"})
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
_CAUSE = re.compile(
    r"(感染|遗传|因素|外伤|损伤|缺乏|过敏|吸烟|饮酒|肥胖|突变|缺陷|异常|压迫|刺激|接触史|中毒|免疫|炎|病毒|菌|肿瘤|劳损|退行性变"
    r"|畸形|梗阻|缺血|史|不足|过度|障碍|堵塞|反流|紊乱|不良|不洁|疲劳|受凉|素质|反应|减退|增高|手术|药物)$"
)
# package inserts of antibiotics name germs whose names contain an illness: 流感嗜血杆菌, 溶血性链球菌, 肺炎链球菌
_ANTIBIOTIC = re.compile(r"霉素|沙星|头孢|西林|培南|磺胺|硝唑|四环素|环素|抗生素|先锋|舒巴坦|他唑巴坦|卡星|米星|菌素")
_GERM_NAMED = frozenset({"流感", "溶血症", "病毒感染", "感冒", "发热", "疼痛", "癌", "贫血", "肿瘤"})
# where a drug is used, not what it is used for: 休克时肾灌注不足, 外科手术前, 中毒引起的昏迷
_SCENES = frozenset({"休克", "中毒", "昏迷", "手术", "烧伤", "创伤", "外伤", "年老体弱", "惊厥", "过敏性休克", "水肿"})
# a drug for the first is not one for the second, which its insert names as a danger
_CONTRARY = {"低血糖症": ("糖尿病", "高血糖症"), "低血压": ("高血压",), "出血": ("血栓形成", "深静脉血栓")}
_CATALOGUE = re.compile(r"特指|疾患|归类|和其他|及其他|所致的|有关的|^[\"“]")
_EFFECT = re.compile(
    r"^(止[痛血咳泻痒吐汗带]|活血|清热|解毒|祛[风湿痰寒]|利[尿湿水]|补[肾气血肝脾虚]|健脾|散[瘀结寒]|消[肿炎食]|舒[筋肝]|养[血阴心]"
    r"|益气|化[痰瘀湿]|通[经络便淋]|温[中经肾]|润[肺肠燥]|生津|安神|明目|开窍|平肝|理气)"
)


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
        size = context.peer_size[relation, trait] - 1
        if size >= 3 and not trait.startswith(own):
            count = context.peer_count[relation, trait, value] - 1
            lifts.append(math.log((count + 1.0) / (size * share + 1.0)))
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
    if relation.name in _CONTESTED:
        total += _shadow_weight(key, context)
    if (_FEMALE.search(subject) and _MALE.search(value)) or (_MALE.search(subject) and _FEMALE.search(value)):
        total -= 4.0
    if relation.name in ("并发症", "症状", "相关疾病") and value in subject:  # 肩部骨折 → 骨折 tells nothing
        total -= 2.0
    if relation.name == "鉴别诊断" and subject in value:
        total -= 2.0
    if relation.name in ("分型", "相关疾病", "并发症") and (_CATALOGUE.search(value) or _CATALOGUE.search(subject)):
        total -= 2.0
    if relation.name == "适应症" and _contrary(subject, value, context):
        total -= 5.0
    if relation.name == "适应症" and value in _GERM_NAMED and _ANTIBIOTIC.search(subject):
        total -= 4.0
    return total + _sanity_weight(value, relation)


def _contrary(subject: str, value: str, context: Context) -> bool:
    listed = context.siblings.get((subject, "适应症"), "")
    return any(f"\n{other}\n" in listed for other in _CONTRARY.get(value, ()))


def _witness_weight(evidence: Witnessed, relation: Relation) -> float:
    weight = 1.2 * min(len(evidence.witnesses) - 1, 2) + 0.8 * min(len(evidence.sources) - 1, 2)
    if evidence.witnesses <= relation.weak:
        weight -= 1.0
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


def _sanity_weight(value: str, relation: Relation) -> float:
    if relation.form == "text":
        return -1.5 if len(value) < 3 or value.count("：") > 3 else 0.0
    weight = 0.0
    if relation.values and value not in relation.values:
        weight -= 4.0
    if relation.name == "病因":
        weight += 0.8 if _CAUSE.search(value) and len(value) >= 3 else -0.8 if value.endswith("性") else 0.0
    if relation.name == "主治" and _EFFECT.search(value):
        weight -= 1.5
    if relation.form == "phrase" and re.search(r"等(?!级)", value):
        weight -= 0.8
    if relation.form == "entity" and not re.search("[\u4e00-\u9fff]{2}", value) and relation.name != "检查":
        weight -= 2.0
    if relation.name == "就诊科室" and value in ("内科", "外科", "中西医结合科", "中医科"):  # true of half the hospital
        weight -= 1.5
    if relation.name == "适应症" and value in _SCENES:
        weight -= 2.0
    if re.search(r"[a-z]{4,}", value):
        weight -= 1.5
    if relation.form == "entity" and len(value) > 9:
        weight -= 0.8
    if len(value) == 1 and relation.name not in ("成份", "发病部位", "性味"):
        weight -= 3.0
    if re.search(r"[，。：；]|\d{3,}", value):
        weight -= 1.0
    return weight
