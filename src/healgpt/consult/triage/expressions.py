"""The small language of `when`: concept names joined by `&`, `|`, `!` and parentheses."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from healgpt.errors import ConfigError

_TOKEN = re.compile(r"\s*(?:(?P<sign>[&|!()])|(?P<name>[^&|!()\s]+))")


@dataclass(frozen=True, slots=True)
class Expression:
    """`sign` is "&", "|", "!" over `parts`, or "" for the concept `name`."""

    sign: str
    name: str = ""
    parts: tuple["Expression", ...] = ()


def parse(source: str) -> Expression:
    """Read an expression; `&` binds tighter than `|`. Raises `ConfigError` for a syntax error."""
    tokens = [match["sign"] or match["name"] for match in _TOKEN.finditer(source)]
    if _TOKEN.sub("", source).strip() or not tokens:
        raise ConfigError(f"分诊规则的条件“{source}”读不懂。")
    try:
        tree, rest = _either(tokens)
    except IndexError:
        raise ConfigError(f"分诊规则的条件“{source}”不完整，请检查括号和 & |。") from None
    if rest:
        raise ConfigError(f"分诊规则的条件“{source}”在“{rest[0]}”处多出内容，请检查括号和 & |。")
    return tree


def _either(tokens: list[str]) -> tuple[Expression, list[str]]:
    return _chain(tokens, "|")


def _chain(tokens: list[str], sign: str) -> tuple[Expression, list[str]]:
    inner = (lambda rest: _chain(rest, "&")) if sign == "|" else _single
    part, rest = inner(tokens)
    parts = [part]
    while rest and rest[0] == sign:
        part, rest = inner(rest[1:])
        parts.append(part)
    return (parts[0] if len(parts) == 1 else Expression(sign, parts=tuple(parts))), rest


def _single(tokens: list[str]) -> tuple[Expression, list[str]]:
    head, rest = tokens[0], tokens[1:]
    if head == "!":
        part, rest = _single(rest)
        return Expression("!", parts=(part,)), rest
    if head == "(":
        part, rest = _either(rest)
        if rest[0] != ")":
            raise IndexError
        return part, rest[1:]
    if head in "&|)":
        raise IndexError
    return Expression("", name=head), rest


def names(expression: Expression) -> set[str]:
    """Return the concepts an expression speaks of."""
    return {expression.name} - {""} | {name for part in expression.parts for name in names(part)}


def satisfy(expression: Expression, present: Mapping[str, object], anywhere: Collection[str]) -> list[str] | None:
    """Return the concepts of `present` that make the expression true, or None when it is false.

    `!` looks at `anywhere`, what the whole conversation speaks of and does not deny, and contributes no names.
    """
    match expression.sign:
        case "":
            return [expression.name] if expression.name in present else None
        case "!":
            return None if satisfy(expression.parts[0], dict.fromkeys(anywhere), anywhere) is not None else []
        case "&":
            every = [satisfy(part, present, anywhere) for part in expression.parts]
            return None if any(part is None for part in every) else [name for part in every for name in part or ()]
        case _:
            some = [satisfy(part, present, anywhere) for part in expression.parts]
            true = [part for part in some if part is not None]
            return [name for part in true for name in part] if true else None
