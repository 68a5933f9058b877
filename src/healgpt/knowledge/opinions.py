"""Second opinions on what the sources say: which objects go with which names (data: corroboration.toml)."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: `objects` or, where there is one, the pattern `value` of objects, and their subjects."""

    objects: frozenset[str]
    value: re.Pattern[str] | None
    of: re.Pattern[str]
    without: re.Pattern[str] | None

    def agrees(self, subject: str, value: str) -> bool:
        """Say whether the row has `value` go with `subject`."""
        named = value in self.objects if self.value is None else bool(self.value.search(value))
        return named and self.concerns(subject)

    def concerns(self, subject: str) -> bool:
        """Say whether the row is about `subject`."""
        return bool(self.of.search(subject)) and not (self.without and self.without.search(subject))


@dataclass(frozen=True, slots=True)
class Opinions:
    """The content of corroboration.toml, compiled."""

    tables: dict[str, tuple[Row, ...]]
    routes: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]
    spread: dict[str, re.Pattern[str]]
    patterns: dict[str, re.Pattern[str]]
    herbs: frozenset[str]  # with the ready formulas that every pharmacy knows

    def agree(self, table: str, subject: str, value: str) -> bool:
        """Say whether any row of `table` has `value` go with `subject`."""
        return any(row.agrees(subject, value) for row in self.tables[table])


@cache
def opinions() -> Opinions:
    """Return the tables that ship with the package."""
    data = tomllib.loads(files("healgpt.knowledge").joinpath("corroboration.toml").read_text("utf-8"))
    subjects = {"symptom": "of", "indication": "drugs", "named": "name", "cause": "of"}
    subjects |= dict.fromkeys(("treatment", "check", "complication", "way", "goes_to", "treats"), "of")
    return Opinions(
        tables={table: tuple(_row(row, key) for row in data[table]) for table, key in subjects.items()},
        routes=tuple((re.compile(row["form"]), re.compile(row["fits"])) for row in data["route"]),
        spread={name: re.compile(pattern) for name, pattern in data["spread"].items()},
        patterns={name: re.compile(data[name]) for name in ("headings", "vague", "controlled")},
        herbs=frozenset(f"{data['herbs']} {data['formulas']}".split()),
    )


def _row(row: Mapping[str, Any], subject: str) -> Row:
    return Row(
        objects=frozenset(str(row.get("names") or row.get("for") or "").split()),
        value=re.compile(row["value"]) if "value" in row else None,
        of=re.compile(row[subject]),
        without=re.compile(row["not"]) if "not" in row else None,
    )
