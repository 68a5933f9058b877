"""The SQLite file behind a knowledge graph: its tables, written once and read often.

Names and strings are interned to integers, facts lie clustered by subject with one index for the way back, and the
raw triples of all sources are kept beside them. Compared with arrays in memory and a memory-mapped table in
benchmarks/kg_store.py.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from healgpt.errors import DataError
from healgpt.knowledge import corroboration
from healgpt.knowledge.assembly import Assembly, Key
from healgpt.knowledge.triples import Triple

SCHEMA_VERSION = 4
# what `held` says of a fact: told to patients, or not for want of support; what is over 0 is the key of a reason
TOLD, UNSUPPORTED = 0, -1

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE relation (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE entity (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, facts INTEGER NOT NULL);
CREATE TABLE alias (surface TEXT, entity INTEGER, origin TEXT, PRIMARY KEY (surface, entity, origin)) WITHOUT ROWID;
CREATE TABLE fact (
  subject INTEGER, relation INTEGER, object INTEGER, support REAL NOT NULL, evidence INTEGER NOT NULL,
  source INTEGER NOT NULL, held INTEGER NOT NULL, PRIMARY KEY (subject, relation, object)
) WITHOUT ROWID;
CREATE TABLE reason (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE raw (
  subject INTEGER, predicate INTEGER, object INTEGER, source INTEGER, PRIMARY KEY (subject, predicate, object, source)
) WITHOUT ROWID;
"""

_INDEXES = """
CREATE UNIQUE INDEX entity_name ON entity (name);
CREATE INDEX alias_entity ON alias (entity);
CREATE INDEX fact_object ON fact (object, relation, held, support);
CREATE UNIQUE INDEX word_text ON word (text);
ANALYZE;
"""


def write(path: Path, assembly: Assembly, raw: Iterable[Triple], meta: Mapping[str, str]) -> None:
    """Write a new store to `path`, which must not exist yet. Raises `sqlite3.Error` when the disk is full."""
    threshold = float(meta["threshold"])
    database = sqlite3.connect(path)
    try:
        database.executescript(_TABLES)
        told = _told(assembly.facts, threshold)
        names = sorted(set(assembly.kinds) | {name for key in assembly.facts for name in (key[0], key[2])})
        entities = {name: number for number, name in enumerate(names)}
        database.executemany(
            "INSERT INTO entity VALUES (?, ?, ?, ?)",
            ((key, name, assembly.kinds.get(name, "unknown"), told.get(name, 0)) for name, key in entities.items()),
        )
        database.executemany(
            "INSERT OR IGNORE INTO alias VALUES (?, ?, ?)",
            (
                (surface, entities[name], origin)
                for surface, name, origin in sorted(assembly.aliases)
                if name in entities
            ),
        )
        _write_facts(database, assembly, entities, threshold)
        _write_raw(database, raw)
        database.executemany("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))
        database.executescript(_INDEXES)
        database.commit()
    finally:
        database.close()


def _told(facts: Mapping[Key, tuple[object, float]], threshold: float) -> dict[str, int]:
    told: dict[str, int] = {}
    for (subject, _, value), (_, support) in facts.items():
        if support >= threshold:
            told[subject] = told.get(subject, 0) + 1
            told[value] = told.get(value, 0) + 1
    return told


def _write_facts(
    database: sqlite3.Connection, assembly: Assembly, entities: Mapping[str, int], threshold: float
) -> None:
    relations: dict[str, int] = {}
    sources: dict[str, int] = {}
    reasons = {name: number for number, name in enumerate(corroboration.REASONS, start=1)}
    rows = []
    for key, (evidence, support) in assembly.facts.items():
        subject, relation, value = key
        source = sources.setdefault("、".join(sorted(evidence.sources)), len(sources) + 1)
        number = relations.setdefault(relation, len(relations) + 1)
        weight = max(evidence.products, len(evidence.witnesses))
        held = UNSUPPORTED if support < threshold else reasons[assembly.held[key]] if key in assembly.held else TOLD
        rows.append((entities[subject], number, entities[value], support, weight, source, held))
    rows.sort()
    database.executemany("INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    database.executemany("INSERT INTO relation VALUES (?, ?)", ((key, name) for name, key in relations.items()))
    database.executemany("INSERT INTO source VALUES (?, ?)", ((key, name) for name, key in sources.items()))
    database.executemany("INSERT INTO reason VALUES (?, ?)", ((key, name) for name, key in reasons.items()))


def _write_raw(database: sqlite3.Connection, raw: Iterable[Triple]) -> None:
    words: dict[str, int] = {}
    sources = {name: key for key, name in database.execute("SELECT id, name FROM source")}
    rows = []
    for item in raw:
        if item.source not in sources:
            sources[item.source] = len(sources) + 1
            database.execute("INSERT INTO source VALUES (?, ?)", (sources[item.source], item.source))
        subject, predicate, value = (
            words.setdefault(text, len(words) + 1) for text in (item.subject, item.predicate, item.object)
        )
        rows.append((subject, predicate, value, sources[item.source]))
    rows.sort()
    database.executemany("INSERT OR IGNORE INTO raw VALUES (?, ?, ?, ?)", rows)
    database.executemany("INSERT INTO word VALUES (?, ?)", ((key, text) for text, key in words.items()))


def connect(path: Path) -> sqlite3.Connection:
    """Open a store for reading. Raises `DataError` when it is missing or no store."""
    if not path.is_file():
        raise DataError(f"没有图谱文件 {path}。请先运行 healgpt pull cmekg。")
    address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    return sqlite3.connect(address, uri=True, check_same_thread=False)


def meta(database: sqlite3.Connection) -> dict[str, str]:
    """Return the header of a store. Raises `DataError` for a file that is no store or of another version."""
    try:
        found = dict(database.execute("SELECT key, value FROM meta"))
    except sqlite3.DatabaseError as error:
        raise DataError(f"图谱文件已损坏或不是图谱（{error}）。请删除它，下次使用时会自动重建。") from error
    if found.get("version") != str(SCHEMA_VERSION):
        raise DataError(
            f"图谱文件的版本是 {found.get('version')}，需要 {SCHEMA_VERSION}。请删除它，下次使用时会自动重建。"
        )
    return found
