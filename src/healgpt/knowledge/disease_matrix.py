"""Reads what a differential needs of a graph into memory: symptoms, risks, departments, groups, drugs by disease."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import closing

from healgpt.knowledge import store
from healgpt.knowledge.differential import Differential, histories, joined, rules
from healgpt.knowledge.disease_profile import Profile, profile
from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.knowledge.linking_words import lexicon

# weight of the logarithm of the drugs made for a disease; log-odds of having an everyday name
_DRUGS, _EVERYDAY = 0.4, 1.5
# a name that so many diseases list is a symptom, not an explanation
_SYMPTOM_OF = 50
# a disease that so many drugs are made for is common enough to suggest
_KNOWN_DRUGS = 5
_RELATIONS = ("症状", "高危因素", "多发人群", "就诊科室")

Row = tuple[str, str, float]


def open_differential(graph: KnowledgeGraph) -> Differential:
    """Read the symptoms, risks, departments and groups of all diseases of `graph` that may reach a patient.

    Takes half a second for CMeKG, once a process.
    """
    facts, drugs = _read(graph)
    listed: dict[str, set[str]] = {}
    for disease, symptom, _ in facts["症状"]:
        listed.setdefault(disease, set()).add(joined().get(symptom, symptom))
    spread = Counter(name for symptoms in listed.values() for name in symptoms)
    everyday = frozenset(target.name for target in lexicon().values() if target.kind == "disease")
    broad = set(rules()["candidates"]["broad"].split())
    diseases = sorted(name for name in listed if name not in broad and (spread[name] < _SYMPTOM_OF or name in everyday))
    for disease, risk, _ in facts["高危因素"]:
        for key, row in histories().items():
            if disease in listed and re.search(row["values"], risk):
                listed[disease].add(key)
    defining: set[tuple[int, str]] = set()
    for symptom, pattern in rules()["named"].items():
        for place, name in enumerate(diseases):
            if re.search(pattern, name):
                listed[name].add(symptom)
                defining.add((place, symptom))
    carriers: dict[str, list[int]] = {}
    for place, name in enumerate(diseases):
        for symptom in listed[name]:
            carriers.setdefault(symptom, []).append(place)
    unshown = re.compile(rules()["candidates"]["unshown"])
    known = {name for name in diseases if name in everyday or drugs.get(name, 0) >= _KNOWN_DRUGS}
    return Differential(
        tuple(diseases),
        tuple(frozenset(listed[name]) for name in diseases),
        {name: tuple(places) for name, places in carriers.items()},
        tuple(_DRUGS * math.log1p(drugs.get(name, 0)) + _EVERYDAY * (name in everyday) for name in diseases),
        _profiles(diseases, facts["多发人群"]),
        _departments(facts["就诊科室"]),
        frozenset(name for name in known if not unshown.search(name)),
        frozenset(defining),
    )


def _profiles(diseases: Sequence[str], told: Sequence[Row]) -> tuple[Profile, ...]:
    groups: dict[str, list[str]] = {}
    for disease, group, _ in told:
        groups.setdefault(disease, []).append(group)
    return tuple(profile(name, groups.get(name, ()), rules()["candidates"]) for name in diseases)


def _departments(told: Sequence[Row]) -> dict[str, str]:
    """Return the best supported department of each disease."""
    best: dict[str, tuple[float, str]] = {}
    for disease, department, support in told:
        best[disease] = max(best.get(disease, (0.0, "")), (support, department))
    return {disease: department for disease, (_, department) in best.items()}


def _read(graph: KnowledgeGraph) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """Return `(disease, object, support)` by relation, and how many drugs are made for each disease.

    Symptoms count that no patient is told as facts, for the ranking was measured with them; departments are shown,
    so only those that may be. Reads the store in two passes: asking the graph for facts relation by relation takes
    three times as long.
    """
    with closing(store.connect(graph.path)) as database:
        ids = dict(database.execute("SELECT name, id FROM relation"))
        rows = database.execute(
            "SELECT f.relation, s.name, o.name, f.support FROM fact f JOIN entity s ON s.id = f.subject "
            "JOIN entity o ON o.id = f.object WHERE f.relation IN (?, ?, ?, ?) AND f.support >= ? "
            "AND (f.held = 0 OR f.relation != ?)",
            (*(ids.get(name, -1) for name in _RELATIONS), graph.threshold, ids.get("就诊科室", -1)),
        )
        facts: dict[int, list[Row]] = {ids.get(name, -1): [] for name in _RELATIONS}
        for relation, subject, value, support in rows:
            facts[relation].append((subject, value, support))
        drugs = database.execute(
            "SELECT o.name, count(*) FROM fact f JOIN entity o ON o.id = f.object "
            "WHERE f.relation IN (?, ?) AND f.support >= ? GROUP BY f.object",
            (ids.get("适应症", -1), ids.get("主治", -1), graph.threshold),
        )
        counts: dict[str, int] = dict(drugs)
    return {name: facts[ids.get(name, -1)] for name in _RELATIONS}, counts
