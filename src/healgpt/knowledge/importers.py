"""Read graphs of other formats as triples, and write triples as JSONL.

| format | what | recognised by |
|---|---|---|
| `jsonl` | `{"subject","predicate","object","source"?,"support"?}` a line | .jsonl with `subject` |
| `spo` | `{"text","spo_list":[[s,p,o],…]}`, array or a line each; CMeIE's objects `{"@value":…}` too | `spo_list` |
| `record` | `{"中心词":"感冒","症状":["咳嗽"],…}`, array or a line each | `中心词` |
| `csv` | three columns with or without a header | .csv |
| `neo4j` | Neo4j CSV: `apoc.export.csv`, or a folder with node and edge files | `_start,_end,_type` or a folder |
| `cypher` | CREATE/MERGE statements, `apoc.export.cypher` in its plain form | .cypher, .cql |
| `cmekg` | the PyCMeKG source archive or its pickle | .tar.gz, .pkl |

Nothing is dropped silently: what cannot be read is a `DataError` with file, line, reason and mend.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.errors import ConfigError, DataError
from healgpt.knowledge import dumps
from healgpt.knowledge.triples import Triple
from healgpt.knowledge.unpickle import read_triples

FORMATS = ("jsonl", "spo", "record", "csv", "neo4j", "cypher", "cmekg")
_EXAMPLE = '{"subject":"感冒","predicate":"症状","object":"咳嗽"}'
_HEADERS = {
    "subject": {"subject", "head", "主语", "头实体", "主体", "实体1", "start", "h"},
    "predicate": {"predicate", "relation", "谓词", "关系", "谓语", "rel", "r"},
    "object": {"object", "tail", "宾语", "尾实体", "客体", "实体2", "end", "t"},
    "source": {"source", "来源"},
}


def read(path: Path, source: str = "", form: str = "") -> Iterator[Triple]:
    """Yield the triples of `path`; `form` is one of FORMATS, guessed from name and beginning where empty.

    `source` names the graph in every fact's provenance; the file's own name where empty.
    Raises `DataError` for a file that cannot be read, `ConfigError` for an unknown `form`.
    """
    form = form or guess(path)
    named = source or path.name.split(".")[0]
    match form:
        case "jsonl":
            return read_jsonl(path, source)
        case "spo":
            return _read_spo(path, named)
        case "record":
            return _read_records(path, named)
        case "csv":
            return _read_csv(path, named)
        case "neo4j":
            return dumps.read_neo4j(path, named)
        case "cypher":
            return dumps.read_cypher(path, named)
        case "cmekg":
            return (Triple(*row, source=source or "CMeKG") for row in read_triples(path))
    raise ConfigError(f"不认识的图谱格式 {form}。可用的有：{'、'.join(FORMATS)}。")


def guess(path: Path) -> str:
    """Return the format of `path`. Raises `DataError` when neither its name nor its beginning tells."""
    name = path.name.lower()
    if path.is_dir():
        return "neo4j"
    if name.endswith((".tar.gz", ".tgz", ".pkl")):
        return "cmekg"
    if name.endswith((".cypher", ".cql")):
        return "cypher"
    head = text_of(path)[:4096]
    if name.endswith(".csv"):
        return "neo4j" if "_start" in head.split("\n")[0] else "csv"
    for mark, form in (('"spo_list"', "spo"), ('"中心词"', "record"), ('"subject"', "jsonl")):
        if mark in head:
            return form
    raise DataError(f"看不出 {path} 是什么格式的图谱。请用 --format 指明：{'、'.join(FORMATS)}。")


def text_of(path: Path) -> str:
    """Return the text of a UTF-8 or GB18030 file. Raises `DataError` when it is neither or cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"读不了文件 {path}：{error.strerror}。请检查路径和权限。") from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError(f"{path} 既不是 UTF-8 也不是 GB18030 编码。请先转换编码。")


def read_jsonl(path: Path, source: str = "") -> Iterator[Triple]:
    """Yield triples of a JSONL file; `source` stands in where a line names none, else the file's own name."""
    for number, item in _numbered(path):
        subject, predicate, value = (
            _text(item.get(key), path, number, key) for key in ("subject", "predicate", "object")
        )
        support = item.get("support")
        if isinstance(support, bool) or not isinstance(support, int | float | None):
            raise DataError(f"{path} 第 {number} 行的 support 应是 0 到 1 之间的数，现在是 {support!r}。请修正或去掉。")
        if support is not None and not 0 <= support <= 1:
            raise DataError(f"{path} 第 {number} 行的 support 应在 0 到 1 之间，现在是 {support}。请修正或去掉。")
        named = str(item.get("source") or source or path.stem)
        yield Triple(subject, predicate, value, named, None if support is None else float(support))


def write_jsonl(path: Path, triples: Iterable[Triple]) -> int:
    """Write `triples` as JSONL, whole or not at all; return how many."""
    return jsonl.write(path, map(row, triples))


def row(item: Triple) -> dict[str, Any]:
    """Return `item` as the object of a JSONL line."""
    bare = {"subject": item.subject, "predicate": item.predicate, "object": item.object, "source": item.source}
    return bare if item.support is None else {**bare, "support": item.support}


def _numbered(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield `(line or item number, object)` of a JSON array or of JSON Lines."""
    text = text_of(path)
    if text.lstrip().startswith("["):
        try:
            items = json.loads(text)
        except json.JSONDecodeError as error:
            raise DataError(f"{path} 第 {error.lineno} 行不是合法的 JSON：{error.msg}。请修正这一行。") from error
        for number, item in enumerate(items, start=1):
            if not isinstance(item, dict):
                raise DataError(f"{path} 第 {number} 项应是 JSON 对象，实际是 {type(item).__name__}。请修正。")
            yield number, item
        return
    # str.splitlines would also break at U+2028 and the like, which may stand inside a JSON string
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{path} 第 {number} 行不是合法的 JSON：{error.msg}（第 {error.colno} 列）。请修正这一行。"
            ) from error
        if not isinstance(item, dict):
            raise DataError(f"{path} 第 {number} 行应是一个 JSON 对象，实际是 {type(item).__name__}。请修正这一行。")
        yield number, item


def _text(value: Any, path: Path, number: int, key: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{path} 第 {number} 行缺少 {key} 或它不是文字。请补上，例如 {_EXAMPLE}。")
    return value.strip()


def _read_spo(path: Path, source: str) -> Iterator[Triple]:
    for number, item in _numbered(path):
        rows = item.get("spo_list")
        if not isinstance(rows, list):
            raise DataError(f"{path} 第 {number} 项没有 spo_list 列表。请补上，没有三元组时写 []。")
        for one in rows:
            parts = [one.get(key) for key in ("subject", "predicate", "object")] if isinstance(one, dict) else one
            if not isinstance(parts, list) or len(parts) != 3:
                raise DataError(f"{path} 第 {number} 项的 spo_list 里应是 [主语, 谓词, 宾语]，现在是 {one!r}。请修正。")
            if isinstance(parts[2], dict):
                parts = [*parts[:2], parts[2].get("@value")]
            subject, predicate, value = (_text(part, path, number, "三元组的一项") for part in parts)
            yield Triple(subject, predicate, value, source)


def _read_records(path: Path, source: str) -> Iterator[Triple]:
    for number, item in _numbered(path):
        subject = _text(item.get("中心词"), path, number, "中心词")
        for predicate, values in item.items():
            if predicate == "中心词" or values in (None, "", [], {}):
                continue
            for value in values if isinstance(values, list) else [values]:
                if isinstance(value, dict | list):
                    raise DataError(f"{path} 第 {number} 项的“{predicate}”应是文字或文字列表，现在嵌套了结构。请展平。")
                yield Triple(subject, predicate, _text(str(value), path, number, predicate), source)


def _read_csv(path: Path, source: str) -> Iterator[Triple]:
    reader = csv.reader(text_of(path).splitlines())
    columns: dict[str, int] = {}
    for fields in reader:
        if not any(field.strip() for field in fields):
            continue
        if not columns:
            columns = _columns(fields)
            if columns:
                continue
            columns = {"subject": 0, "predicate": 1, "object": 2}
        if len(fields) <= max(columns.values()):
            raise DataError(
                f"{path} 第 {reader.line_num} 行只有 {len(fields)} 列，需要主语、谓词、宾语三列。请补全这一行。"
            )
        subject, predicate, value = (
            _text(fields[columns[key]], path, reader.line_num, key) for key in ("subject", "predicate", "object")
        )
        named = fields[columns["source"]].strip() if "source" in columns else ""
        yield Triple(subject, predicate, value, named or source)


def _columns(fields: list[str]) -> dict[str, int]:
    """Return where the columns are if `fields` is a header, else nothing."""
    found = {
        key: place
        for place, field in enumerate(fields)
        for key, names in _HEADERS.items()
        if field.strip().lower() in names
    }
    return found if {"subject", "predicate", "object"} <= found.keys() else {}
