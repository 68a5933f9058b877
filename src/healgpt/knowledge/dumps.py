"""Read what Neo4j exports: CSV of nodes and edges, and plain Cypher scripts."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from healgpt.errors import DataError
from healgpt.knowledge.triples import Triple

_NAMES = ("name", "名称", "title", "名字", "label")
_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_WORD = r"`[^`]+`|[\w\u4e00-\u9fff]+"
_NODE = re.compile(
    rf"\(\s*(?P<var>{_WORD})?\s*(?P<labels>(?::\s*(?:{_WORD})\s*)*)(?P<props>\{{.*?\}})?\s*\)", re.DOTALL
)
_PROPERTY = re.compile(rf"(?P<key>{_WORD})\s*:\s*(?P<value>{_STRING}|[\w.\-]+)")
_EDGE = re.compile(
    rf"(?P<left>\([^()]*?\))\s*(?P<in><)?-\s*\[\s*(?:{_WORD})?\s*:\s*(?P<type>{_WORD})\s*(?:\{{.*?\}})?\s*\]\s*-(?P<out>>)?\s*"
    r"(?P<right>\([^()]*?\))",
    re.DOTALL,
)
_UNSUPPORTED = re.compile(r"\b(UNWIND|LOAD\s+CSV|FOREACH|CALL)\b", re.IGNORECASE)


def read_neo4j(path: Path, source: str) -> Iterator[Triple]:
    """Yield the edges of a Neo4j CSV dump: one file of `apoc.export.csv`, or a folder of node and edge files.

    A node is called by its `name` column (else 名称, title); `:ID`/`_id`, `:START_ID`/`_start` … are Neo4j's own
    headers. Raises `DataError` for a missing header, a node without name and an edge to a node that is not there.
    """
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"文件夹 {path} 里没有 CSV 文件。请放入 Neo4j 导出的节点和关系文件。")
    names: dict[str, str] = {}
    edges: list[tuple[str, str, str, str]] = []
    for file in files:
        _read_table(file, names, edges)
    for start, kind, end, place in edges:
        for node in (start, end):
            if node not in names:
                raise DataError(f"{place}的关系指向节点 {node}，但没有这个节点或它没有 name。请补上节点文件。")
        yield Triple(names[start], kind, names[end], source)


def _read_table(file: Path, names: dict[str, str], edges: list[tuple[str, str, str, str]]) -> None:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"读不了 {file}（{error}）。请检查权限，并以 UTF-8 导出。") from error
    reader = csv.reader(lines)
    header = [field.strip() for field in next(reader, [])]
    columns = {_role(field): place for place, field in reversed(list(enumerate(header))) if _role(field)}
    if "start" not in columns and "id" not in columns:
        raise DataError(f"{file} 第 1 行没有 :ID 或 :START_ID（apoc 为 _id、_start）。请确认是 Neo4j 导出的 CSV。")
    for fields in reader:
        row = {role: fields[place].strip() for role, place in columns.items() if place < len(fields)}
        place = f"{file} 第 {reader.line_num} 行"
        if row.get("start"):
            if not row.get("end") or not row.get("type"):
                raise DataError(f"{place}的关系缺少终点或类型。请补全这一行。")
            edges.append((row["start"], row["type"], row["end"], place))
        elif row.get("id"):
            if not row.get("name"):
                raise DataError(f"{place}的节点没有 name。请补上，或去掉这个节点。")
            names[row["id"]] = row["name"]


def _role(field: str) -> str:
    lowered = field.lower()
    for mark, role in ((":start_id", "start"), (":end_id", "end"), (":type", "type"), (":id", "id")):
        if mark in lowered:
            return role
    exact = {"_start": "start", "_end": "end", "_type": "type", "_id": "id"}
    return exact.get(lowered, "name" if lowered.split(":")[0] in _NAMES else "")


def read_cypher(path: Path, source: str) -> Iterator[Triple]:
    """Yield the edges that a script of CREATE, MERGE and MATCH … CREATE statements makes.

    Nodes are known by variable within a statement, and by any shared property over the whole script. Statements
    that compute rows (UNWIND, LOAD CSV, FOREACH, CALL) are refused: export with `cypherFormat: "create"` and
    `useOptimizations: {type: "NONE"}`. Raises `DataError` with the statement's line.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"读不了 {path}（{error}）。请检查权限，并以 UTF-8 导出。") from error
    known: dict[tuple[str, str], str] = {}
    variables: dict[str, str] = {}
    for number, statement in _statements(text):
        if found := _UNSUPPORTED.search(re.sub(_STRING, "''", statement)):
            raise DataError(
                f"{path} 第 {number} 行用了 {found.group(1).upper()}，不能直接读。"
                '请导出时设 useOptimizations: {type: "NONE"}，或改用 CSV 导出。'
            )
        for node in _NODE.finditer(statement):
            _learn(node, known, variables)
        for edge in _EDGE.finditer(statement):
            left, right = (_resolve(edge[side], known, variables) for side in ("left", "right"))
            if left is None or right is None:
                raise DataError(f"{path} 第 {number} 行的关系有一端没有 name。请给节点写上 name 属性。")
            start, end = (right, left) if edge["in"] and not edge["out"] else (left, right)
            yield Triple(start, edge["type"].strip("`"), end, source)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield `(line number, statement)`; comments and transaction brackets are left out, strings may hold semicolons."""
    line, start, begun = 1, 1, ""
    for piece in re.findall(rf"//[^\n]*|{_STRING}|;|\n|[^;\n'\"/]+|/|'|\"", text):
        if piece == ";":
            if begun.strip() and not begun.strip().startswith(":"):
                yield start, begun
            begun = ""
        elif not piece.startswith("//"):
            if not begun.strip():
                start = line
            begun += piece
        line += piece.count("\n")
        if piece == "\n" and begun.strip().startswith(":"):  # a shell command such as :begin ends with its line
            begun = ""
    if begun.strip() and not begun.strip().startswith(":"):
        yield start, begun


def _properties(text: str | None) -> dict[str, str]:
    found = {}
    for item in _PROPERTY.finditer(text or ""):
        value = item["value"]
        if value[0] in "'\"":
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        found[item["key"].strip("`")] = value
    return found


def _learn(node: re.Match[str], known: dict[tuple[str, str], str], variables: dict[str, str]) -> None:
    properties = _properties(node["props"])
    name = next((properties[key] for key in _NAMES if key in properties), None)
    if name is None:
        name = next((known[item] for item in properties.items() if item in known), None)
    if name is None:
        return
    for key, value in properties.items():
        if "id" in key.lower():
            known[key, value] = name
    if node["var"]:
        variables[node["var"].strip("`")] = name


def _resolve(text: str, known: dict[tuple[str, str], str], variables: dict[str, str]) -> str | None:
    node = _NODE.fullmatch(text.strip())
    if node is None:
        return None
    properties = _properties(node["props"])
    for key in _NAMES:
        if key in properties:
            return properties[key]
    for item in properties.items():
        if item in known:
            return known[item]
    return variables.get((node["var"] or "").strip("`"))
