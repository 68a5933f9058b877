"""Building the store of a knowledge graph: read the sources, assemble and score facts, write them in one step."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from healgpt.errors import DataError
from healgpt.knowledge import importers, store
from healgpt.knowledge.assembly import assemble
from healgpt.knowledge.relations import schema
from healgpt.knowledge.triples import Triple
from healgpt.knowledge.unpickle import read_triples

Report = Callable[[str], None]


def build(archive: Path | None, target: Path, *, imports: Sequence[Path] = (), report: Report | None = None) -> None:
    """Build the store at `target` from the CMeKG `archive` and the JSONL triples in `imports`, whole or not at all.

    `report` is told each stage in Chinese. Takes about a minute and 1.5 GiB for CMeKG; an interrupted build leaves
    the old store as it was. Raises `DataError` for a source that cannot be read or a full disk.
    """
    tell = report or (lambda stage: None)
    tell("读取图谱来源")
    raw = [Triple(*row, source="CMeKG") for row in read_triples(archive)] if archive else []
    for path in imports:
        raw.extend(importers.read_jsonl(path))
    if not raw:
        raise DataError("没有任何三元组可用。请先运行 healgpt pull cmekg，或用 healgpt kg import 导入图谱。")
    rules = schema()
    assembly = assemble(raw, rules, tell)
    tell("写入本地图谱")
    header = {
        "version": str(store.SCHEMA_VERSION),
        "key": store_key(archive, imports),
        "threshold": str(rules.threshold),
        "triples": str(len(raw)),
        "sources": "、".join(sorted({item.source for item in raw})),
    }
    scratch = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch.unlink(missing_ok=True)
        store.write(scratch, assembly, raw, header)
        scratch.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise DataError(f"写不进图谱文件 {target}（{error}）。请检查磁盘空间和权限后重试。") from error
    finally:
        scratch.unlink(missing_ok=True)


# every file that decides which facts a store holds and how far they are believed
_RULES = (
    "assembly.py",
    "cleaning.toml",
    "corroboration.py",
    "corroboration.toml",
    "drugs.py",
    "kinds.py",
    "normalise.py",
    "opinions.py",
    "plausibility.py",
    "quality.py",
    "relations.py",
    "relations.toml",
)


def store_key(archive: Path | None, imports: Sequence[Path]) -> str:
    """Return what a store was built from: sources by size and time, the format, and the rules in code and data.

    So a new version of the package that judges facts otherwise rebuilds the store by itself.
    """
    digest = hashlib.sha256(str(store.SCHEMA_VERSION).encode())
    for name in _RULES:
        digest.update(files("healgpt.knowledge").joinpath(name).read_bytes())
    for path in [archive, *sorted(imports)]:
        if path is not None:
            state = path.stat()
            digest.update(f"{path.name}:{state.st_size}:{state.st_mtime_ns}".encode())
    return digest.hexdigest()
