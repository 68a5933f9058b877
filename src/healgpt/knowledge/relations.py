"""The schema of the graph: relations, entity kinds, and how raw predicates map onto them (data: relations.toml)."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Form = Literal["entity", "label", "phrase", "text"]


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of the schema; `prior` is in log-odds, the kinds are those of relations.toml.

    A fact whose witnesses are all `weak` is believed less; where `values` is not empty, only those are believed.
    """

    name: str
    inverse: str
    subjects: frozenset[str]
    objects: frozenset[str]
    form: Form
    prior: float
    weak: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where a raw predicate leads: to `relation`, with its ends swapped when `flipped`."""

    relation: Relation
    flipped: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """All relations by name and by inverse name, and the table from `(subject kind or "", predicate)` to mappings."""

    threshold: float
    kinds: dict[str, str]
    relations: dict[str, Relation]
    inverses: dict[str, Relation]
    mappings: dict[tuple[str, str], Mapping]

    def mapping(self, subject_kind: str, predicate: str) -> Mapping | None:
        """Return what `predicate` means for a subject of that kind; None when it has no patient-facing meaning."""
        return self.mappings.get((subject_kind, predicate)) or self.mappings.get(("", predicate))


@cache
def schema() -> Schema:
    """Return the schema that ships with the package."""
    return parse(tomllib.loads(files("healgpt.knowledge").joinpath("relations.toml").read_text("utf-8")))


def parse(data: dict[str, Any]) -> Schema:
    """Return the schema written in `data` (the content of relations.toml)."""
    relations: dict[str, Relation] = {}
    mappings: dict[tuple[str, str], Mapping] = {}
    for row in data["relation"]:
        relation = Relation(
            name=row["name"],
            inverse=row["inverse"],
            subjects=frozenset(row["subjects"]),
            objects=frozenset(row["objects"]),
            form=row["form"],
            prior=float(row["prior"]),
            weak=frozenset(row.get("weak", ())),
            values=frozenset(row.get("values", ())),
        )
        relations[relation.name] = relation
        for flipped, key in ((False, "predicates"), (True, "flipped")):
            for entry in row.get(key, ()):
                kind, _, predicate = entry.rpartition(":")
                mappings[kind, predicate] = Mapping(relation, flipped)
    for relation in relations.values():
        # the relation's own name is always a valid predicate, so that an export can be imported again
        mappings.setdefault(("", relation.name), Mapping(relation, False))
        if relation.inverse != relation.name:
            mappings.setdefault(("", relation.inverse), Mapping(relation, True))
    inverses = {relation.inverse: relation for relation in relations.values()}
    return Schema(float(data["threshold"]), data["kinds"], relations, inverses, mappings)
