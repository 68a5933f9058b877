"""Redaction of personal data: typed placeholders that can be turned back only by the object that made them.

`redact` is a pure function of its text; `Redactor` keeps the numbering over a conversation, so that the same name
is 〔姓名1〕 in every message. Both are idempotent and take time linear in the text. What they cannot find is written
down in docs/reference/privacy.md: names without any cue, addresses told in a roundabout way, identifiers in pictures.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NoReturn

from healgpt.privacy import addresses, dates, names, numbers, places
from healgpt.privacy.kinds import KIND_OF_LABEL, MASKS, PLACEHOLDER, Found, Kind, placeholder
from healgpt.schema import Message

_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
# these keep their width, because as Chinese punctuation they end a clause
for _kept in "，。；：！？（）":
    _FULL_WIDTH.pop(ord(_kept), None)


@cache
def _spelling() -> dict[int, str]:
    """Return the table to one spelling, character for character: half width, simplified."""
    from opencc import OpenCC

    ideographs = [chr(code) for code in range(0x4E00, 0x9FA6)]
    simplified = OpenCC("t2s").convert("\n".join(ideographs)).split("\n")
    # a surname, or common in names, where the simplified form is a function word
    kept = "乾於瞭麼"
    pairs = zip(ideographs, simplified, strict=True)
    return _FULL_WIDTH | {ord(old): new for old, new in pairs if old != new and len(new) == 1 and old not in kept}


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `[start, end)` of the original text, what they are, and what replaced them."""

    start: int
    end: int
    type: Kind
    placeholder: str


@dataclass(frozen=True, slots=True)
class Redaction:
    """A redacted text, the spans of the original that were replaced, and, in memory only, their content.

    It refuses to be pickled and does not print the content, so that a log or a cache cannot keep it by accident.
    """

    text: str
    spans: tuple[Span, ...]
    _originals: tuple[str, ...] = field(repr=False)

    def restore(self) -> str:
        """Return the original text, character for character."""
        pieces: list[str] = []
        place = shift = 0
        for span, original in zip(self.spans, self._originals, strict=True):
            cut = span.start + shift
            pieces += (self.text[place:cut], original)
            place = cut + len(span.placeholder)
            shift = place - span.end
        return "".join(pieces) + self.text[place:]

    def __reduce__(self) -> NoReturn:
        """Raise `TypeError`: the content must not leave this process."""
        raise TypeError("Redaction holds personal data and cannot be pickled or copied; keep its text instead")


class Redactor:
    """Redacts the texts of one conversation with one numbering; holds what it replaced for `restore`.

    Not safe for several threads at once. Drop it when the conversation ends: nothing else keeps the content.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[Kind, str], int] = {}
        self._taken: dict[Kind, int] = {}
        self._originals: dict[str, str] = {}
        self._names: set[str] = set()

    def redact(self, text: str) -> Redaction:
        """Redact one text. A name found earlier in the conversation is found again wherever it stands."""
        for match in PLACEHOLDER.finditer(text):
            kind = KIND_OF_LABEL[match[1]]
            self._taken[kind] = max(self._taken.get(kind, 0), int(match[2]))
        pieces: list[str] = []
        spans: list[Span] = []
        originals: list[str] = []
        place = 0
        for found in _find(text, self._names):
            original = text[found.start : found.end]
            span = Span(found.start, found.end, found.kind, self._placeholder(found.kind, original))
            pieces += (text[place : span.start], span.placeholder)
            spans.append(span)
            originals.append(original)
            place = span.end
        return Redaction("".join(pieces) + text[place:], tuple(spans), tuple(originals))

    def redact_messages(self, messages: Iterable[Message]) -> list[Message]:
        """Return the conversation with every content redacted."""
        return [Message(role=message["role"], content=self.redact(message["content"]).text) for message in messages]

    def restore(self, text: str) -> str:
        """Put back what this redactor replaced, for example in a model's answer; unknown placeholders stay.

        A value written in two ways comes back as it was written first.
        """
        return PLACEHOLDER.sub(lambda match: self._originals.get(match[0], match[0]), text)

    def _placeholder(self, kind: Kind, original: str) -> str:
        key = (kind, _canonical(original))
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._taken[kind] = self._taken.get(kind, 0) + 1
            self._originals[placeholder(kind, number)] = original
        return placeholder(kind, number)


def redact(text: str) -> Redaction:
    """Replace the personal data of `text` by placeholders that are stable within it.

    `redact(redact(x).text).text == redact(x).text`, and placeholders that stood in `x` are left as they are.
    """
    return Redactor().redact(text)


def redact_messages(messages: Sequence[Message]) -> list[Message]:
    """Redact a whole conversation with one numbering."""
    return Redactor().redact_messages(messages)


def _find(text: str, known_names: set[str]) -> list[Found]:
    """Return what is to be replaced, in order and without overlap; adds new full names to `known_names`.

    Works on a copy in which placeholders and findings are one character each and repeats until nothing more is
    found: a redacted text shrinks to that same copy, which is why redacting twice changes nothing.
    """
    holes = [Found(match.start(), match.end(), KIND_OF_LABEL[match[1]]) for match in PLACEHOLDER.finditer(text)]
    findings: list[Found] = []
    plain = text.translate(_spelling())
    while True:
        masked, offsets = _mask(plain, holes)
        fresh = [
            Found(offsets[found.start], offsets[found.end - 1] + 1, found.kind)
            for found in _detect(masked, known_names)
        ]
        if not fresh:
            return sorted(findings, key=lambda found: found.start)
        findings += fresh
        holes = sorted(holes + fresh, key=lambda found: found.start)


def _detect(masked: str, known_names: set[str]) -> list[Found]:
    """Run the detectors, surest first; each sees what the ones before it found as masks."""
    kept: list[Found] = []
    for detector in (numbers.find, dates.find, addresses.find, places.find):
        kept = _merge(kept, detector(masked))
    view, offsets = _mask(masked, kept)
    found_names = [
        Found(offsets[name.start], offsets[name.end - 1] + 1, "NAME") for name in names.find(view, known_names)
    ]
    return _merge(kept, found_names)


def _merge(kept: list[Found], fresh: Iterable[Found]) -> list[Found]:
    """Add to `kept` what does not overlap it; both are small lists sorted by start afterwards."""
    merged: list[Found] = []
    # the stable sort lets the earlier detector win where both start at the same place
    ranked = sorted(
        [(found, 0) for found in kept] + [(found, 1) for found in fresh],
        key=lambda item: (item[0].start, item[1], -item[0].end),
    )
    for found, rank in ranked:
        while merged and rank == 0 and merged[-1].end > found.start:
            merged.pop()
        if not merged or merged[-1].end <= found.start:
            merged.append(found)
    return merged


def _mask(text: str, holes: Sequence[Found]) -> tuple[str, list[int]]:
    """Return `text` with each hole as one character, and the place in `text` of each character of the result.

    A hole's place is its start. Detectors never include a mask, so the last character of a finding is a real one.
    """
    pieces: list[str] = []
    offsets: list[int] = []
    place = 0
    for hole in holes:
        pieces += (text[place : hole.start], MASKS[hole.kind])
        offsets.extend(range(place, hole.start))
        offsets.append(hole.start)
        place = hole.end
    offsets.extend(range(place, len(text)))
    return "".join(pieces) + text[place:], offsets


def _canonical(original: str) -> str:
    """Return the form under which two spellings count as the same value."""
    return "".join(ch for ch in unicodedata.normalize("NFKC", original).upper() if ch.isalnum())
