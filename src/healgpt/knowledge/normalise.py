"""Turn the values of raw triples into clean names: widths, dashes, brackets, debris, run-on lists, synonyms."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from healgpt.knowledge.relations import Form

_WIDTHS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5E)} | {
    ord("~"): "～",
    ord("\u3000"): " ",
    **dict.fromkeys(map(ord, "—–－―‐‑‒"), "-"),
    **dict.fromkeys(map(ord, "［【〔"), "（"),
    **dict.fromkeys(map(ord, "］】〕"), "）"),
}
# punctuation that stays full-width between Chinese characters
_PUNCTUATION = str.maketrans(
    {",": "，", ";": "；", ":": "：", "(": "（", ")": "）", "[": "（", "]": "）", "?": "？", "!": "！"}
)
_CJK = r"[\u4e00-\u9fff]"
_SPACE = re.compile(rf"(?<={_CJK})\s+|\s+(?={_CJK})")
_CITATION = re.compile(r"\[\d+(?:[-,]\d+)*\]|（\d+(?:[-,，]\d+)*）$")
_GLOSS = re.compile(rf"(?<={_CJK})（[A-Za-z][A-Za-z0-9 ,，.'/\-]{{1,60}}）")
# how a herb was prepared, or how much of it there is: 白术（炒）, 布洛芬0.3克
_PREPARED = re.compile(r"（[^）]*）$|\d[\d.]*(?:mg|g|克|毫克|ml|μg|单位|万单位|份)$")
_ROMAN = re.compile(r"（[IVX]+）")
_DIGITS_DASH = re.compile(r"(?<=\d)-+(?=\d)")
_DASH_CJK = re.compile(rf"(?<=\d)-(?={_CJK})")
_REPEATED = re.compile(r"-{2,}")
# the odd spaces are those that str.strip takes off
_EDGES = " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000。，、；：.,;:·*-—~～…/" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_SEPARATORS = {
    "entity": re.compile(r"[、；，]|。(?=.)|\s*;\s*"),
    "phrase": re.compile(r"；|。(?=.)"),
    "label": re.compile(r"；"),
    "text": re.compile(r"(?!)"),
}
_LONGEST = {"entity": 16, "label": 24, "phrase": 30, "text": 160}
_FRAGMENT = re.compile(
    r"^[的之与和及或而且则者后前中因由其该此等为是被把在从]|[的与和及或而且为是致因由其该如及伴]$|^[A-Za-z]$|^\d+$|^第|^\W+$"
)


@dataclass(frozen=True, slots=True)
class Cleaning:
    """The word lists of cleaning.toml; `leads` and `tails` are compiled, longest first."""

    leads: re.Pattern[str]
    tails: re.Pattern[str]
    whole: frozenset[str]
    stop: frozenset[str]
    stop_in: dict[str, frozenset[str]]
    same: dict[str, str]
    same_in: dict[str, dict[str, str]]
    sites: tuple[str, ...]


@cache
def cleaning() -> Cleaning:
    """Return the word lists that ship with the package."""
    data = tomllib.loads(files("healgpt.knowledge").joinpath("cleaning.toml").read_text("utf-8"))

    def alternatives(words: list[str]) -> str:
        return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))

    return Cleaning(
        leads=re.compile(f"^(?:{alternatives(data['leads'])})"),
        tails=re.compile(f"(?:{alternatives(data['tails'])})$"),
        whole=frozenset(data["whole"]),
        stop=frozenset(data["stop"]),
        stop_in={relation: frozenset(words) for relation, words in data["stop_in"].items()},
        same=dict(data["same"]),
        same_in=dict(data["same_in"]),
        sites=tuple(data["sites"].split()),
    )


@lru_cache(maxsize=1 << 18)
def tidy(text: str) -> str:
    """Return `text` with one width, one dash and balanced full-width brackets; the words stay as they are.

    A number range gets `～`; a dash between letters stays `-`; what follows an unclosed bracket is dropped,
    a closing bracket without its partner is removed.
    """
    text = text.translate(_WIDTHS)
    text = _CITATION.sub("", text)
    if re.search(_CJK, text):
        text = text.translate(_PUNCTUATION)
    text = _SPACE.sub("", text.strip())
    text = _REPEATED.sub("-", text)
    text = _DIGITS_DASH.sub("～", _DASH_CJK.sub("", text))
    return _balanced(text).strip(_EDGES)


def _balanced(text: str) -> str:
    kept: list[str] = []
    opened: list[int] = []
    for letter in text:
        if letter == "（":
            opened.append(len(kept))
        elif letter == "）":
            if not opened:
                continue
            opened.pop()
        kept.append(letter)
    return "".join(kept[: opened[0]] if opened else kept)


def name(text: str) -> str:
    """Return the canonical spelling of an entity name: tidied, without its Latin gloss, synonyms merged."""
    text = tidy(text)
    glossless = _GLOSS.sub(lambda found: found.group() if _ROMAN.fullmatch(found.group()) else "", text)
    return cleaning().same.get(glossless or text, glossless or text)


@lru_cache(maxsize=1 << 18)
def values(text: str, form: Form, relation: str = "") -> tuple[str, ...]:
    """Return the clean values that the raw `text` holds, in order; none when all of it is debris.

    Lists are split for `form` "entity" outside brackets. `relation` selects the stop words of that relation.
    """
    rules = cleaning()
    same = rules.same_in.get(relation, {})
    found: dict[str, None] = {}
    for part in _split(tidy(text), form):
        for value in _split(_strip(part, rules) if form != "text" else part, form):
            spelled = _spelled(value, form, relation, same)
            for piece in map(str.strip, _split(spelled, form)):
                if _usable(piece, form) and not stopped(piece, form, relation):
                    found.setdefault(piece)
    return tuple(found)


def stopped(value: str, form: Form, relation: str) -> bool:
    """Say whether `value` is a word that means nothing as a value of `relation`."""
    rules = cleaning()
    return (form in ("entity", "phrase") and value in rules.stop) or value in rules.stop_in.get(relation, ())


def _spelled(value: str, form: Form, relation: str, same: Mapping[str, str]) -> str:
    if form not in ("entity", "label"):
        return tidy(value)
    if relation == "成份":
        value = _PREPARED.sub("", value)
    value = name(value)
    return same.get(value, value)


def _split(text: str, form: Form) -> list[str]:
    separator = _SEPARATORS[form]
    if "（" not in text:
        return [part for part in separator.split(text) if part]
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "（") - (letter == "）")
        if depth == 0 and separator.match(text, place):
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return [part for part in parts if part]


def _strip(text: str, rules: Cleaning) -> str:
    """Remove introducing and trailing words until nothing more comes off."""
    before = ""
    while text != before:
        before = text
        if text in rules.whole or text in rules.same:
            return text
        shorter = rules.tails.sub("", text)
        if len(shorter) >= 2 and not (text.endswith("等") and shorter[-1] in "中高劣平均相同"):
            text = shorter.strip(_EDGES)
        shorter = rules.leads.sub("", text)
        if len(shorter) >= 2:
            text = shorter.strip(_EDGES)
    return text


def _usable(value: str, form: Form) -> bool:
    if not value or len(value) > _LONGEST[form] or (_FRAGMENT.search(value) and form != "text"):
        return False
    if form in ("entity", "phrase") and not re.search(_CJK, value) and len(value) < 2:
        return False
    return "见于" not in value or form == "text"
