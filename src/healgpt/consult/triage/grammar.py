"""The pattern language of the data files, turned into a regular expression and the words a match can begin with.

胸痛                 these characters
(胸口|心口)痛        any of the alternatives, which may be patterns again; `(…)?` may be missing
{胸}痛               a named list from `[words]`, whose items may be patterns without further names
{胸}~痛              up to 8 characters of the same clause between, without a negation among them
突然…倒地            up to 15 characters of the same sentence between
烧到#度              a number in Arabic or Chinese digits
^有  没有$           only at the start, or the end, of a clause
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BREAK = r",!?;:。、\n\r\t "
DIGITS = "0123456789零一二两三四五六七八九十百半"
_NEAR = rf"(?:不停|不断|不知|不住|不行|无缘无故|不自主|不小心|没多久|[^{BREAK}不没无未别]){{0,8}}?"
_FAR = r"[^!?;。\n]{0,15}?"
_NUMBER = rf"(?<![{DIGITS}.])(?:\d+(?:\.\d+)?|[{DIGITS[10:]}]+)"
_SIGNS = {"~": _NEAR, "…": _FAR, "^": rf"(?<![^{BREAK}])", "$": rf"(?![^{BREAK}])"}
_TOKEN = re.compile(r"\{(?P<macro>\w+)\}|(?P<sign>[()|?~…#^$])|(?P<plain>[^{}()|?~…#^$]+)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a pattern: its `regex`, the `heads` it can begin with, whether it may be `empty`.

    `heads` holds None where a match could begin with anything.
    """

    regex: str
    heads: frozenset[str | None]
    empty: bool = False


def compile_pattern(pattern: str, words: Mapping[str, Sequence[str]]) -> Piece:
    """Return the whole pattern as one piece; its first number is the group `n`.

    Raises `ValueError` for a syntax error or where a match need not begin with words or a number.
    """
    tokens = list(_TOKEN.finditer(pattern))
    if _TOKEN.sub("", pattern):
        raise ValueError("有不认识的符号")
    piece, rest = _either(tokens, words)
    if rest:
        raise ValueError("括号不成对")
    if piece.empty or None in piece.heads or "" in piece.heads:
        raise ValueError("要以词语或数字开头")
    return Piece(piece.regex.replace(_NUMBER, _NUMBER.replace("(?:", "(?P<n>", 1), 1), piece.heads)


def _either(tokens: list[re.Match[str]], words: Mapping[str, Sequence[str]]) -> tuple[Piece, list[re.Match[str]]]:
    piece, rest = _sequence(tokens, words)
    pieces = [piece]
    while rest and rest[0]["sign"] == "|":
        piece, rest = _sequence(rest[1:], words)
        pieces.append(piece)
    if len(pieces) == 1:
        return piece, rest
    # longest first, so that a short alternative does not hide a longer one that begins alike
    regex = "(?:" + "|".join(sorted((part.regex for part in pieces), key=len, reverse=True)) + ")"
    heads = frozenset[str | None]().union(*(part.heads for part in pieces))
    return Piece(regex, heads, any(part.empty for part in pieces)), rest


def _sequence(tokens: list[re.Match[str]], words: Mapping[str, Sequence[str]]) -> tuple[Piece, list[re.Match[str]]]:
    whole, rest = Piece("", frozenset(), empty=True), tokens
    while rest and rest[0]["sign"] not in ("|", ")"):
        piece, rest = _single(rest, words)
        if rest and rest[0]["sign"] == "?":
            piece, rest = Piece(f"(?:{piece.regex})?", piece.heads, empty=True), rest[1:]
        heads = whole.heads | piece.heads if whole.empty else whole.heads
        whole = Piece(whole.regex + piece.regex, heads, whole.empty and piece.empty)
    return whole, rest


def _single(tokens: list[re.Match[str]], words: Mapping[str, Sequence[str]]) -> tuple[Piece, list[re.Match[str]]]:
    token, rest = tokens[0], tokens[1:]
    if token["plain"]:
        return Piece(re.escape(token["plain"]), frozenset([token["plain"]])), rest
    if name := token["macro"]:
        if name not in words:
            raise ValueError(f"词表“{name}”不存在")
        piece, surplus = _either(list(_TOKEN.finditer("|".join(words[name]))), {})
        if surplus:
            raise ValueError(f"词表“{name}”里括号不成对")
        return piece, rest
    match token["sign"]:
        case "(":
            piece, rest = _either(rest, words)
            if not rest or rest[0]["sign"] != ")":
                raise ValueError("括号不成对")
            return piece, rest[1:]
        case "#":
            return Piece(_NUMBER, frozenset(DIGITS)), rest
        case "^" | "$" as sign:
            return Piece(_SIGNS[sign], frozenset(), empty=True), rest
        case "~" | "…" as sign:
            return Piece(_SIGNS[sign], frozenset([None]), empty=True), rest
        case _:
            raise ValueError("“?”前面要有内容")
