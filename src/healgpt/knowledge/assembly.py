"""Turn raw triples of several sources into scored facts: name, type, map, aggregate, score."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from healgpt.knowledge import corroboration, drugs, kinds, normalise, quality
from healgpt.knowledge.relations import Relation, Schema
from healgpt.knowledge.triples import Triple

# predicates that a source derived from another one: they bear no witness of their own
_SAME_WITNESS = {"相关药物": "适应症"}
_NAMING = (
    "别称",
    "同义词",
    "又称",
    "英文名",
    "英文名称",
    "英文别名",
    "英文别称",
    "商品名",
    "其他名称",
    "俗称",
    "别名",
    "外文名",
)
_MERGED_LEVELS = ("适应症", "不良反应", "药物相互作用", "药物类别", "禁忌", "注意事项")


@dataclass(slots=True)
class Evidence:
    """What speaks for one claim: witnesses are raw predicates, `products` counts those that an ingredient pools."""

    witnesses: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    products: int = 0
    of: int = 0
    given: float | None = None


Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Assembly:
    """The result: kinds of all names, aliases `(surface, name, predicate)`, and facts `(key, evidence, support)`.

    `held` says why facts over the threshold may not reach a patient (a key of `corroboration.REASONS`).
    """

    kinds: dict[str, str]
    aliases: set[tuple[str, str, str]]
    facts: dict[Key, tuple[Evidence, float]]
    held: dict[Key, str] = field(default_factory=dict)


def assemble(triples: Iterable[Triple], schema: Schema, report: Callable[[str], None] = lambda stage: None) -> Assembly:
    """Return the scored facts of `triples`. The order of `triples` does not matter."""
    raw = list(triples)
    report("识别实体类型")
    kind_of, canonical, aliases = _entities(raw)
    report("规范化谓词和取值")
    claims = _claims(raw, schema, kind_of, canonical)
    report("按药物成分汇总说明书")
    _pool(claims, kind_of, aliases)
    report("给每条事实打分")
    scores = quality.score_all(claims, kind_of, schema)
    report("核对哪些事实可以给患者看")
    held = corroboration.held_back(claims, scores, kind_of, schema.threshold)
    return Assembly(kind_of, aliases, {key: (evidence, scores[key]) for key, evidence in claims.items()}, held)


def _entities(raw: list[Triple]) -> tuple[dict[str, str], dict[str, str], set[tuple[str, str, str]]]:
    """Return kinds by name, the canonical name of merged ones, and aliases."""
    profiles: dict[str, set[str]] = defaultdict(set)
    uses: dict[str, Counter[str]] = defaultdict(Counter)
    surfaces: dict[str, set[tuple[str, str]]] = defaultdict(set)
    generic: dict[str, set[str]] = defaultdict(set)
    for item in raw:
        subject = normalise.name(item.subject)
        profiles[subject].add(item.predicate)
        if subject != item.subject:
            surfaces[item.subject].add((subject, "原名"))
        if item.predicate in _NAMING:
            for value in (
                normalise.values(item.object, "entity") if _is_chinese(item.object) else (item.object.strip(),)
            ):
                surfaces[value].add((subject, item.predicate))
        elif item.predicate == "通用名":
            generic[subject].add(normalise.name(item.object))
        else:
            uses[normalise.name(item.object)][item.predicate] += 1
    kind_of = {name: kinds.of_profile(name, predicates) for name, predicates in profiles.items()}
    for name, counts in uses.items():
        if name not in kind_of:
            kind_of[name] = kinds.of_uses(name, counts)
    canonical = _merged(surfaces, generic, profiles, kind_of)
    aliases = {
        (surface, canonical.get(name, name), origin) for surface, names in surfaces.items() for name, origin in names
    }
    aliases |= {(brand, target, "商品名") for brand, target in canonical.items() if brand in generic}
    kind_of = {name: kind for name, kind in kind_of.items() if name not in canonical}
    return kind_of, canonical, {row for row in aliases if row[0] != row[1] and len(row[0]) > 1}


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def _merged(
    surfaces: dict[str, set[tuple[str, str]]],
    generic: dict[str, set[str]],
    profiles: dict[str, set[str]],
    kind_of: dict[str, str],
) -> dict[str, str]:
    """Return which names are replaced: brands by their generic product or ingredient, diseases by an alias's owner."""
    merged: dict[str, str] = {}
    for brand, products in generic.items():
        stems = set(map(drugs.stem, products))
        if len(products) == 1 and brand not in products and products <= profiles.keys():
            merged[brand] = next(iter(products))
        elif len(stems) == 1 and kind_of.get(stem := next(iter(stems))) == "ingredient" and stem != brand:
            merged[brand] = stem  # one drug in several forms: 芬必得 is sold as capsules and as cream
    for surface, names in surfaces.items():
        targets = {name for name, origin in names if origin in ("别称", "同义词", "又称", "别名", "俗称")}
        if len(targets) != 1 or surface in profiles or surface in merged:
            continue
        (target,) = targets
        # a shared pair of characters keeps 别称 that are only related (a syndrome's symptom, say) apart
        if kind_of.get(target) == "disease" and len(surface) >= 3 and len(set(surface) & set(target)) >= 2:
            merged[surface] = target
    return {surface: merged.get(target, target) for surface, target in merged.items() if merged.get(target) != surface}


def _claims(
    raw: list[Triple], schema: Schema, kind_of: dict[str, str], canonical: dict[str, str]
) -> dict[Key, Evidence]:
    claims: dict[Key, Evidence] = {}
    for item in raw:
        subject = normalise.name(item.subject)
        subject = canonical.get(subject, subject)
        mapping = schema.mapping(kind_of.get(subject, "unknown"), item.predicate)
        if mapping is None:
            continue
        relation = mapping.relation
        witness = _SAME_WITNESS.get(item.predicate, item.predicate)
        for value in normalise.values(item.object, relation.form, relation.name):
            target = canonical.get(value, value)
            key = (target, relation.name, subject) if mapping.flipped else (subject, relation.name, target)
            if target == subject or (mapping.flipped and normalise.stopped(subject, relation.form, relation.name)):
                continue
            evidence = claims.get(key)
            if evidence is None:
                evidence = claims[key] = Evidence()
            evidence.witnesses.add(witness)
            evidence.sources.update(item.source.split("、"))  # an exported fact may have several
            if item.support is not None:
                evidence.given = max(item.support, evidence.given or 0.0)
            _classify(kind_of, key, relation)
    return claims


def _classify(kind_of: dict[str, str], key: Key, relation: Relation) -> None:
    """Give names that only arose by splitting a kind; the others have one."""
    for name in (key[0], key[2]):
        if name not in kind_of:
            kind = kinds.of_ending(name)
            allowed = relation.subjects if name is key[0] else relation.objects
            if kind == "unknown" and len(allowed) == 1:
                kind = next(iter(allowed))
            kind_of[name] = kind


def _pool(claims: dict[Key, Evidence], kind_of: dict[str, str], aliases: set[tuple[str, str, str]]) -> None:
    """Add each ingredient with its products and what their package inserts agree on."""
    families = _families(claims, kind_of)
    members = {product: name for name, products in families.items() for product in products}
    with_relation: dict[tuple[str, str], set[str]] = defaultdict(set)
    pooled: dict[Key, list[Evidence]] = defaultdict(list)
    sources: dict[str, set[str]] = defaultdict(set)
    for (subject, relation, value), evidence in claims.items():
        if subject in members:
            sources[subject] |= evidence.sources
        if relation in _MERGED_LEVELS and subject in members:
            with_relation[members[subject], relation].add(subject)
            pooled[members[subject], relation, value].append(evidence)
    for (name, relation, value), parts in pooled.items():
        evidence = claims.setdefault((name, relation, value), Evidence())
        evidence.products, evidence.of = len(parts), len(with_relation[name, relation])
        for part in parts:
            evidence.sources |= part.sources
            evidence.witnesses |= part.witnesses
    everywhere = {source for made in sources.values() for source in made}
    for name, products in families.items():
        for product in products:
            evidence = claims.setdefault((product, "成份", name), Evidence())
            evidence.witnesses.add("药名")
            # a product of which nothing else is told still comes from somewhere
            evidence.sources |= sources[product] or everywhere
        aliases |= {(base, name, "药名") for base in map(drugs.stem, products) if base not in (name, "")}


def _families(claims: dict[Key, Evidence], kind_of: dict[str, str]) -> dict[str, set[str]]:
    """Return the products of each ingredient and mark the ingredients' kind."""
    uses: Counter[str] = Counter()
    herbs: Counter[str] = Counter()
    for (subject, relation, value), evidence in claims.items():
        if relation in ("成份", "药物相互作用"):
            uses[value] += 1
        elif relation == "适应症" and "药物治疗" in evidence.witnesses:
            uses[subject] += 1
        if relation == "成份" and kind_of.get(value) == "herb":
            herbs[subject] += 1
    families: dict[str, set[str]] = defaultdict(set)
    for product in [name for name, kind in kind_of.items() if kind == "product"]:
        name = drugs.ingredient(product, lambda base: uses[base] > 0 and kind_of.get(base) not in ("herb", "formula"))
        if name is not None and name != product:
            families[name].add(product)
    # a product of several herbs is named after what it does (抗病毒颗粒), not after what is in it
    families = {name: made for name, made in families.items() if max(herbs[product] for product in made) < 3}
    kind_of |= dict.fromkeys(families, "ingredient")
    return families
