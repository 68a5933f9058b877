"""The medical content as data: kinds with their advice, rules with their conditions, concepts with their patterns."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import chain
from typing import Any, Literal

from healgpt.consult.triage.composition import Composition, compositions
from healgpt.consult.triage.context import CUES, STATUSES
from healgpt.consult.triage.expressions import Expression, names, parse
from healgpt.consult.triage.patterns import Lexicon, compile_lexicon, entries
from healgpt.errors import ConfigError

Level = Literal["emergency", "urgent"]
Scope = Literal["talk", "message", "sentence", "clause"]
_SCOPES = ("talk", "message", "sentence", "clause")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of emergency; `advice` by level is what the person reads."""

    name: str
    title: str
    call: str
    source: str
    advice: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """`when` must hold among the mentions of one `scope` whose statuses all lie in `even`."""

    kind: Kind
    rank: int
    level: Level
    when: Expression
    scope: Scope
    even: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything triage knows."""

    kinds: Mapping[str, Kind]
    rules: tuple[Rule, ...]
    lexicon: Lexicon
    compositions: tuple[Composition, ...]


@lru_cache(maxsize=1)
def rulebook() -> Rulebook:
    """Return the shipped rules, read and compiled once a process."""
    return build(*(_table(name) for name in ("kinds.toml", "rules.toml", "concepts.toml", "context.toml")))


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def build(
    kinds: Mapping[str, Any], rules: Mapping[str, Any], concepts: Mapping[str, Any], context: Mapping[str, Any]
) -> Rulebook:
    """Check the four tables against each other and compile them.

    The order of `kinds` is their priority. Raises `ConfigError` for a name that is used and not defined, a
    level without advice, or a pattern or condition that cannot be read.
    """
    known = {name: _kind(name, table) for name, table in kinds.items()}
    words = concepts["words"]
    groups = concepts["concepts"]
    near = compositions(concepts.get("near", {}))
    if undefined := {slot for composition in near for slot in composition.slots} - groups.keys():
        raise ConfigError(
            f"分诊概念的组合用到了没有定义的概念：{'、'.join(sorted(undefined))}。请在 [concepts] 里补上。"
        )
    defined = groups.keys() | {composition.concept for composition in near}
    if unknown := context.keys() - set(CUES) - {"words"}:
        raise ConfigError(f"分诊语境里有不认识的线索：{'、'.join(sorted(unknown))}。可用的有 {'、'.join(CUES)}。")
    cues = {name: items for name, items in context.items() if name != "words"}
    lexicon = compile_lexicon(chain(entries(groups), entries(cues)), words | context.get("words", {}))
    ranks = {name: rank for rank, name in enumerate(known)}
    built = tuple(_rule(known[name], ranks[name], table, defined) for name in known for table in rules.get(name, []))
    if stray := rules.keys() - known.keys():
        raise ConfigError(f"分诊规则写给了不存在的类别：{'、'.join(sorted(stray))}。请先在 kinds.toml 里定义。")
    return Rulebook(known, built, lexicon, near)


def _kind(name: str, table: Mapping[str, Any]) -> Kind:
    advice = {level: table[level].strip() for level in ("emergency", "urgent") if level in table}
    return Kind(name, table["title"], table.get("call", "120"), table["source"], advice)


def _rule(kind: Kind, rank: int, table: Mapping[str, Any], concepts: Any) -> Rule:
    when, scope, even = parse(table["when"]), table.get("within", "talk"), frozenset(table.get("even", []))
    place = f"分诊规则 {kind.name}“{table['when']}”"
    if missing := names(when) - set(concepts):
        raise ConfigError(f"{place}用到了没有定义的概念：{'、'.join(sorted(missing))}。请在 concepts.toml 里补上。")
    if table["level"] not in kind.advice:
        raise ConfigError(f"{place}的级别 {table['level']} 没有对应的建议文字，请在 kinds.toml 里补上。")
    if scope not in _SCOPES or even - STATUSES:
        raise ConfigError(f"{place}的 within 或 even 写错了：可用 {_SCOPES} 和 {sorted(STATUSES)}。")
    return Rule(kind, rank, table["level"], when, scope, even)
