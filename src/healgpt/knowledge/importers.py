"""Read graphs of other formats as triples, and write triples as JSONL.

Known formats: JSONL triples, `spo_list` JSON, entity records (`{"中心词": …}`), CSV, Neo4j CSV dumps (a node and an
edge file, or `apoc.export.csv`), Cypher scripts of CREATE/MERGE statements, and the CMeKG archive. Nothing is dropped
silently: what cannot be read is a `DataError` with file, line, reason and mend.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from healgpt import jsonl
from healgpt.errors import DataError
from healgpt.knowledge.triples import Triple


def read_jsonl(path: Path, source: str = "") -> Iterator[Triple]:
    """Yield triples of a JSONL file: `{"subject", "predicate", "object", "source"?, "support"?}` a line.

    `source` stands in where a line names none, the file's own name where neither does.
    """
    for number, item in enumerate(jsonl.read(path), start=1):
        texts = [item.get(key) for key in ("subject", "predicate", "object")]
        for key, text in zip(("subject", "predicate", "object"), texts, strict=True):
            if not isinstance(text, str) or not text.strip():
                raise DataError(f"{path} 第 {number} 条缺少 {key} 或它不是文字。请补上，例如 {_EXAMPLE}。")
        support = item.get("support")
        if support is not None and not (isinstance(support, int | float) and 0 <= support <= 1):
            raise DataError(f"{path} 第 {number} 条的 support 应是 0 到 1 之间的数，现在是 {support!r}。请修正或去掉。")
        subject, predicate, value = (str(text).strip() for text in texts)
        named = str(item.get("source") or source or path.stem)
        yield Triple(subject, predicate, value, named, None if support is None else float(support))


_EXAMPLE = '{"subject":"感冒","predicate":"症状","object":"咳嗽"}'


def write_jsonl(path: Path, triples: Iterable[Triple]) -> int:
    """Write `triples` as JSONL, whole or not at all; return how many."""
    return jsonl.write(path, map(_row, triples))


def _row(item: Triple) -> dict[str, object]:
    row: dict[str, object] = {
        "subject": item.subject,
        "predicate": item.predicate,
        "object": item.object,
        "source": item.source,
    }
    return row if item.support is None else {**row, "support": item.support}
