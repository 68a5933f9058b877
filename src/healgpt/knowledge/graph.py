"""The knowledge graph on disk: one SQLite file of scored facts, raw triples, entities and names, and its questions.

The store is built once from the pulled CMeKG archive and whatever was imported beside it, into a scratch file that
replaces the old store in one step; it is rebuilt when a source or the schema changes. Opening it reads nothing but
the header, so memory stays small however large the graph is.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from healgpt import settings
from healgpt.errors import ConfigError, DataError
from healgpt.knowledge import importers, store
from healgpt.knowledge.construction import Report, build, store_key
from healgpt.knowledge.relations import Relation, schema
from healgpt.models import catalog
from healgpt.schema import Fact


@dataclass(frozen=True, slots=True)
class Entity:
    """A named thing of the graph; `kind` is a key of relations.toml's kinds (disease, symptom, ingredient, ...)."""

    name: str
    kind: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a graph holds; pairs are (patient-facing, all), of `kinds` (with a fact over the threshold, all)."""

    sources: str
    triples: int
    threshold: float
    kept: int
    total: int
    relations: dict[str, tuple[int, int]]
    kinds: dict[str, tuple[int, int]]


class KnowledgeGraph:
    """Questions to one opened store. Facts that may not reach a patient are answered only with `every=True`.

    Those are the facts under the shipped threshold and those that nothing bears out (corroboration.py); the latter
    `held_back` tells with the reason.

    Safe to use from several threads at once. Close it, or use it as a context manager.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = store.connect(path)
        self._meta = store.meta(self._database)
        self.threshold = float(self._meta["threshold"])

    def __enter__(self) -> "KnowledgeGraph":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file; the graph answers nothing afterwards."""
        self._database.close()

    def resolve(self, name: str) -> str | None:
        """Return the canonical name behind `name` or one of its aliases, None when the graph knows neither."""
        rows = self._rows("SELECT name FROM entity WHERE name = ?", (name,)) or self._rows(
            "SELECT e.name FROM alias a JOIN entity e ON e.id = a.entity WHERE a.surface = ? "
            "ORDER BY e.facts DESC, e.name",
            (name,),
        )
        return str(rows[0][0]) if rows else None

    def entity(self, name: str) -> Entity | None:
        """Return the entity called `name` (or having it as an alias), None when there is none."""
        canonical = self.resolve(name)
        if canonical is None:
            return None
        key, kind = self._rows("SELECT id, kind FROM entity WHERE name = ?", (canonical,))[0]
        aliases = self._rows("SELECT DISTINCT surface FROM alias WHERE entity = ? ORDER BY surface", (key,))
        return Entity(canonical, kind, tuple(row[0] for row in aliases))

    def facts_about(
        self, name: str, relations: Sequence[str] | None = None, *, every: bool = False, limit: int | None = None
    ) -> list[Fact]:
        """Return the facts with `name` as subject, best supported first.

        `relations` narrows; an inverse name (常见于, 治疗药物, 含此成份的药品 …) reads the facts from their other
        end, so that 头晕 with 常见于 gives diseases. Without `relations` only the forward ones are given.
        Raises `ConfigError` for a relation that the schema does not have.
        """
        canonical = self.resolve(name)
        if canonical is None:
            return []
        rules = schema()
        wanted = relations if relations is not None else list(rules.relations)
        found: list[Fact] = []
        for relation in wanted:
            if relation in rules.relations:
                found += self._select("subject", canonical, rules.relations[relation], every, limit)
            elif relation in rules.inverses:
                for fact in self._select("object", canonical, rules.inverses[relation], every, limit):
                    found.append(Fact(fact.object, relation, fact.subject, fact.source, fact.support))
            else:
                raise ConfigError(f"图谱里没有“{relation}”这种关系。可用的关系：{'、'.join(rules.relations)}。")
        found.sort(key=lambda fact: -fact.support)
        return found[:limit]

    def subjects_of(self, relation: str, value: str, *, every: bool = False, limit: int | None = None) -> list[Fact]:
        """Return the facts `? relation value`, best supported first: the diseases with a symptom, say.

        Raises `ConfigError` for a relation that the schema does not have.
        """
        rules = schema()
        if relation not in rules.relations:
            raise ConfigError(f"图谱里没有“{relation}”这种关系。可用的关系：{'、'.join(rules.relations)}。")
        canonical = self.resolve(value)
        return [] if canonical is None else self._select("object", canonical, rules.relations[relation], every, limit)

    def facts(self, relation: str | None = None, *, every: bool = False) -> Iterator[Fact]:
        """Yield all facts (of one relation), subject by subject."""
        where = " AND ".join(["1", *([] if every else ["f.held = 0"]), *(["r.name = ?"] if relation else [])])
        query = f"{_SELECT} WHERE {where} ORDER BY f.subject, f.relation, f.support DESC"
        for row in self._database.execute(query, (relation,) if relation else ()):
            yield Fact(*row)

    def held_back(self, name: str) -> list[tuple[Fact, str]]:
        """Return the facts with `name` as subject that are over the threshold but not told, each with the reason.

        Reasons are keys of `corroboration.REASONS`.
        """
        query = (
            f"SELECT s.name, r.name, o.name, c.name, f.support, h.name FROM fact f {_JOINS} "  # noqa: S608  # a constant
            "JOIN reason h ON h.id = f.held WHERE f.subject = (SELECT id FROM entity WHERE name = ?) "
            "ORDER BY f.relation, f.support DESC"
        )
        return [(Fact(*row[:5]), str(row[5])) for row in self._rows(query, (self.resolve(name),))]

    def raw(self, name: str) -> Iterator[Fact]:
        """Yield the untouched triples of a subject as their source has them; `support` is 0 as nobody judged them."""
        query = (
            "SELECT s.text, p.text, o.text, c.name FROM raw t JOIN word s ON s.id = t.subject "
            "JOIN word p ON p.id = t.predicate JOIN word o ON o.id = t.object JOIN source c ON c.id = t.source "
            "WHERE t.subject = (SELECT id FROM word WHERE text = ?)"
        )
        for row in self._database.execute(query, (name,)):
            yield Fact(row[0], row[1], row[2], row[3], support=0.0)

    def names(self, *, every: bool = False) -> Iterator[tuple[str, str, str]]:
        """Yield `(surface, canonical name, kind)` of all entities with a fact over the threshold, aliases included.

        Told or not: a herb of which nothing is told is still recognised. With `every`, also of those without.
        A surface can come more than once, for different entities.
        """
        least = 0 if every else 1
        yield from self._database.execute("SELECT name, name, kind FROM entity WHERE facts >= ?", (least,))
        query = (
            "SELECT DISTINCT a.surface, e.name, e.kind FROM alias a JOIN entity e ON e.id = a.entity WHERE e.facts >= ?"
        )
        yield from self._database.execute(query, (least,))

    def search(self, text: str, *, limit: int = 20) -> list[Entity]:
        """Return entities whose name or alias contains `text`, those with most facts first."""
        query = (
            "SELECT e.name, e.kind FROM entity e WHERE instr(e.name, ?1) OR e.id IN "
            "(SELECT entity FROM alias WHERE instr(surface, ?1)) "
            "ORDER BY e.name = ?1 DESC, e.facts DESC, e.name LIMIT ?2"
        )
        return [Entity(*row) for row in self._rows(query, (text, limit))]

    def counts(self) -> Counts:
        """Return the figures of `healgpt kg stats`; takes about a second on the whole of CMeKG."""
        per = self._rows(
            "SELECT r.name, sum(f.held = 0), count(*) FROM fact f JOIN relation r ON r.id = f.relation "
            "GROUP BY r.name ORDER BY 2 DESC",
            (),
        )
        by_kind = self._rows("SELECT kind, sum(facts > 0), count(*) FROM entity GROUP BY kind ORDER BY 2 DESC", ())
        return Counts(
            sources=self._meta["sources"],
            triples=int(self._meta["triples"]),
            threshold=self.threshold,
            kept=sum(row[1] for row in per),
            total=sum(row[2] for row in per),
            relations={name: (good, every) for name, good, every in per},
            kinds={kind: (good, every) for kind, good, every in by_kind},
        )

    def _select(self, end: str, name: str, relation: Relation, every: bool, limit: int | None) -> list[Fact]:
        told = "" if every else "AND f.held = 0"
        query = (  # `end` is one of two column names, never what a user typed
            f"{_SELECT} WHERE f.{end} = (SELECT id FROM entity WHERE name = ?) AND r.name = ? {told} "  # noqa: S608
            "ORDER BY f.support DESC, f.evidence DESC, f.subject, f.object LIMIT ?"
        )
        return [Fact(*row) for row in self._rows(query, (name, relation.name, -1 if limit is None else limit))]

    def _rows(self, query: str, values: Iterable[object]) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(query, tuple(values)).fetchall()
        except UnicodeEncodeError:  # half a surrogate pair is no name of anything
            return []
        except sqlite3.DatabaseError as error:
            raise DataError(f"图谱文件 {self.path} 读不了（{error}）。删除它后会自动重建。") from error


_JOINS = (
    "JOIN relation r ON r.id = f.relation JOIN entity s ON s.id = f.subject JOIN entity o ON o.id = f.object "
    "JOIN source c ON c.id = f.source"
)
_SELECT = f"SELECT s.name, r.name, o.name, c.name, f.support FROM fact f {_JOINS}"  # noqa: S608  # a constant


def imports_folder() -> Path:
    """Return where imported graphs lie, one JSONL file of triples a graph."""
    return settings.home() / "graphs" / "imports"


def import_graph(path: Path, *, source: str = "", form: str = "") -> tuple[int, Path]:
    """Take a graph of any known format into the user's own; return how many triples and where they now lie.

    Nothing is taken over unless all of it can be read. The store is rebuilt at the next `open_graph`.
    Raises `DataError` for what cannot be read or has no triples, `ConfigError` for an unknown `form`.
    """
    named = re.sub(r'[\\/:*?"<>|\s]+', "_", source or path.name.split(".")[0]) or "graph"
    target = imports_folder() / f"{named}.jsonl"
    count = importers.write_jsonl(target, importers.read(path, source, form))
    if not count:
        target.unlink(missing_ok=True)
        raise DataError(f"{path} 里没有三元组。请检查文件内容和 --format。")
    return count, target


def open_graph(path: Path | None = None, *, report: Report | None = None) -> KnowledgeGraph:
    """Open the graph; without `path` the user's own, built on first use from what was pulled and imported.

    Opening checks that the store still belongs to its sources and rebuilds it where not; two processes never build
    at the same time. Raises `DataError` when nothing was pulled or imported.
    """
    if path is not None:
        return KnowledgeGraph(path)
    target = settings.home() / "graphs" / "graph.sqlite"
    archive = catalog.path(catalog.find("cmekg"))
    found = archive if archive.is_file() else None
    imports = sorted(imports_folder().glob("*.jsonl"))
    if found is None and not imports:
        if target.is_file():
            return KnowledgeGraph(target)
        raise DataError("还没有知识图谱。请先运行 healgpt pull cmekg（约 11 MB），再重试。")
    key = store_key(found, imports)
    if not _belongs(target, key):
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not _belongs(target, key):
                build(found, target, imports=imports, report=report)
    return KnowledgeGraph(target)


def _belongs(target: Path, key: str) -> bool:
    if not target.is_file():
        return False
    try:
        with closing(store.connect(target)) as database:
            return store.meta(database).get("key") == key
    except DataError:
        return False
