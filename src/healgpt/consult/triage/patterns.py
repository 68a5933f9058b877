"""One pass over a text that finds every pattern at once.

The words that patterns begin with stand in an Aho-Corasick automaton; a text costs one linear pass plus a short
look at each of them found.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ahocorasick

from healgpt.consult.triage.folding import fold
from healgpt.consult.triage.grammar import compile_pattern
from healgpt.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Entry:
    """One pattern of one named concept; `low <= number <= high` where it holds a number."""

    concept: str
    pattern: str
    low: float = float("-inf")
    high: float = float("inf")


@dataclass(frozen=True, slots=True)
class Hit:
    """A concept found at `[start, end)` of the folded text."""

    start: int
    end: int
    concept: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All patterns, ready to run: the automaton maps a first word to its length and the patterns to try there."""

    automaton: Any

    def find(self, text: str) -> list[Hit]:
        """Return every concept in the folded `text`, in order, each place once."""
        found: set[tuple[int, int, str]] = set()
        for last, (length, candidates) in self.automaton.iter(text):
            start = last + 1 - length
            for entry, regex in candidates:
                if regex is None:
                    found.add((start, last + 1, entry.concept))
                elif (match := regex.match(text, start)) and _in_bounds(entry, match):
                    found.add((start, match.end(), entry.concept))
        return [Hit(*item) for item in sorted(found)]


def entries(table: Mapping[str, Iterable[str | Mapping[str, Any]]]) -> Iterator[Entry]:
    """Yield the patterns of a TOML table `concept = [pattern or {is, min, max}, …]`."""
    for concept, items in table.items():
        for item in items:
            if isinstance(item, str):
                yield Entry(concept, item)
            else:
                yield Entry(concept, item["is"], item.get("min", float("-inf")), item.get("max", float("inf")))


def compile_lexicon(patterns: Iterable[Entry], words: Mapping[str, Sequence[str]]) -> Lexicon:
    """Build the automaton. Raises `ConfigError` naming the pattern that cannot be read."""
    folded = {name: [fold(word).text for word in items] for name, items in words.items()}
    by_head: dict[str, dict[tuple[Entry, str], re.Pattern[str] | None]] = {}
    for entry in patterns:
        text = fold(entry.pattern).text
        try:
            piece = compile_pattern(text, folded)
        except ValueError as error:
            raise ConfigError(f"分诊规则“{entry.concept}”里的写法“{entry.pattern}”读不懂：{error}。") from error
        literal = piece.regex == re.escape(text)
        regex = None if literal else re.compile(piece.regex)
        for head in piece.heads:
            by_head.setdefault(str(head), {})[entry, text] = regex
    automaton = ahocorasick.Automaton()
    for head, candidates in by_head.items():
        automaton.add_word(head, (len(head), [(entry, regex) for (entry, _), regex in candidates.items()]))
    automaton.make_automaton()
    return Lexicon(automaton)


_ROUGHLY = re.compile("一两|一二|[二两]三|三四|四五|五六|六七|七八|八九")


def _in_bounds(entry: Entry, match: re.Match[str]) -> bool:
    if "n" not in match.re.groupindex or match["n"] is None:
        return True
    return entry.low <= number(match["n"]) <= entry.high


def number(text: str) -> float:
    """Return the value of Arabic digits or of a Chinese numeral below a thousand; a leading 半 is 0.5.

    Of a numeral that leaves the choice (三四次) the less counts.

    >>> number("三十八"), number("半"), number("38.5")
    (38.0, 0.5, 38.5)
    >>> number("三四"), number("十七八")
    (3.0, 17.0)
    """
    text = _ROUGHLY.sub(lambda match: match[0][0], text)
    if text[0].isascii():
        return float(text)
    if text.startswith("半"):
        return 0.5
    value, digit = 0, 0
    for character in itertools.takewhile(lambda character: character != "半", text):
        place = "零一二三四五六七八九".find("二" if character == "两" else character)
        if place >= 0:
            digit = digit * 10 + place
        else:
            value += (digit or 1) * (100 if character == "百" else 10)
            digit = 0
    return float(value + digit)
