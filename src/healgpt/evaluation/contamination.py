"""Does a training file hold the test? Item by item, with the place, and the score without those items.

Two searches. Character n-grams (13 by default, after punctuation, width and case are dropped) find copies, also inside
longer texts: an item's share is how many of its n-grams one training record holds. MinHash over character trigrams
finds light rewording of whole texts: candidates come from locality-sensitive hashing, their Jaccard similarity is then
computed exactly, so a reported figure is never an estimate; what hashing misses is measured in the docs. Neither finds
a translation or a free paraphrase.

Sources: n-gram overlap as in Brown et al. (2020), appendix C; MinHash, Broder (1997); similarity sketches by `rensa`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from healgpt.errors import ConfigError, DataError
from healgpt.evaluation import figures
from healgpt.evaluation.contamination_files import TestItem, TrainingRecord
from healgpt.evaluation.contamination_index import GramIndex, NearIndex, ShortIndex
from healgpt.evaluation.run import read_items, read_manifest

_EXCERPT = 60


@dataclass(frozen=True, slots=True)
class Rule:
    """When an item counts as contaminated: n-grams of `n` characters, the share of them that one record holds, or
    the Jaccard similarity of trigrams with one text."""

    n: int = 13
    share: float = 0.5
    jaccard: float = 0.6

    def __post_init__(self) -> None:
        """Raises `ConfigError` for bounds that mean nothing."""
        if self.n < 5 or not 0 < self.share <= 1 or not 0.6 <= self.jaccard <= 1:
            raise ConfigError("--n 至少为 5，--share 在 0 到 1 之间，--jaccard 在 0.6 到 1 之间（再低就找不全了）。")


@dataclass(frozen=True, slots=True)
class Match:
    """The record most like an item by one search: `value` is the share of n-grams or the Jaccard similarity."""

    value: float
    place: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """What was found for one item; None where a search found nothing at all."""

    item: TestItem
    copied: Match | None
    similar: Match | None
    flagged: bool


@dataclass(slots=True)
class Seen:
    """How much training text was read."""

    records: int = 0
    chars: int = 0


@dataclass(frozen=True, slots=True)
class Search:
    """All items in order, and how many are too short for an n-gram."""

    overlaps: tuple[Overlap, ...]
    short: int
    seen: Seen

    @property
    def flagged(self) -> frozenset[str]:
        """The ids of the contaminated items."""
        return frozenset(one.item.item_id for one in self.overlaps if one.flagged)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One measure of a task over all items, over the clean ones, and over the contaminated ones."""

    task: str
    label: str
    all_items: figures.Figure
    clean: figures.Figure
    flagged: figures.Figure


@dataclass(slots=True)
class _Best:
    copied: dict[int, Match] = field(default_factory=dict)
    similar: dict[int, Match] = field(default_factory=dict)

    @staticmethod
    def keep(held: dict[int, Match], item: int, match: Match) -> None:
        """Keep the better match of an item; the earlier one of two equals."""
        if item not in held or match.value > held[item].value:
            held[item] = match


def search(items: Sequence[TestItem], records: Iterable[TrainingRecord], rule: Rule) -> Search:
    """Look for every item in every record. Memory grows with the test, not with the training text."""
    grams = GramIndex(items, rule.n)
    short = [number for number, size in enumerate(grams.sizes) if not size]
    shorts, near = ShortIndex(items, short), NearIndex(items, rule.jaccard)
    best, seen = _Best(), Seen()
    for record in records:
        seen.records += 1
        seen.chars += sum(len(text) for _, text in record.texts)
        for item, match in _copies(grams, record).items():
            _Best.keep(best.copied, item, match)
        for item, (inside, text) in shorts.hits(record).items():
            _Best.keep(best.copied, item, Match(1.0, _place(record, inside), text[:_EXCERPT]))
        for inside, text in record.texts:
            for item, similarity in near.like(text):
                _Best.keep(best.similar, item, Match(similarity, _place(record, inside), text[:_EXCERPT]))
    overlaps = tuple(_overlap(item, best.copied.get(n), best.similar.get(n), rule) for n, item in enumerate(items))
    return Search(overlaps, len(short), seen)


def cleaned(folder: Path, found: Search, *, task: str | None = None) -> list[Cleaned]:
    """Return the measures of a run's tasks on this test with all items, without the contaminated, and with only those.

    Raises `DataError` where the run holds no task on these items, or scored items that the test file does not have.
    """
    manifest, known = read_manifest(folder), {one.item.item_id for one in found.overlaps}
    names = [task] if task is not None else list(manifest["tasks"])
    result: list[Cleaned] = []
    for name in names:
        items = read_items(folder, name)
        strange = [item["id"] for item in items if item["id"] not in known]
        if strange and (task is not None or len(strange) < len(items)):
            raise DataError(
                f"{folder} 的 {name} 里有 {len(strange)} 题不在测试文件里，例如 {strange[0]}。请换成它用的文件。"
            )
        if strange or not items:
            continue
        result += _compared(name, manifest["tasks"][name], items, found.flagged)
    if not result:
        raise DataError(f"{folder} 里没有一项评测用的是这个测试文件（题目编号对不上）。请检查文件和 --format。")
    return result


def as_lines(found: Search) -> list[dict[str, Any]]:
    """Return one JSON object for every item in which anything was found, most suspicious first."""
    touched = [one for one in found.overlaps if one.copied or one.similar]
    touched.sort(key=lambda one: (one.flagged, _value(one.copied), _value(one.similar)), reverse=True)
    return [
        {
            "id": one.item.item_id,
            "flagged": one.flagged,
            "text": one.item.shown[: 2 * _EXCERPT],
            "copied": _plain(one.copied),
            "similar": _plain(one.similar),
        }
        for one in touched
    ]


def _copies(grams: GramIndex, record: TrainingRecord) -> dict[int, Match]:
    """Return how much of each item the whole record holds, placed at the text that holds most of it."""
    found: dict[int, set[str]] = {}
    most: dict[int, tuple[int, str, str]] = {}
    for inside, text in record.texts:
        for item, hits in grams.hits(text).items():
            found.setdefault(item, set()).update(hits)
            if item not in most or len(hits) > most[item][0]:
                most[item] = (len(hits), inside, _around(text, hits))
    return {
        item: Match(len(held) / grams.sizes[item], _place(record, most[item][1]), most[item][2])
        for item, held in found.items()
    }


def _around(text: str, hits: Iterable[str]) -> str:
    start = min(text.index(gram) for gram in hits)
    return text[max(0, start - 5) : start + _EXCERPT - 5]


def _place(record: TrainingRecord, inside: str) -> str:
    return f"{record.place}{f' {inside}' if inside else ''}"


def _overlap(item: TestItem, copied: Match | None, similar: Match | None, rule: Rule) -> Overlap:
    flagged = (copied is not None and copied.value >= rule.share) or similar is not None
    return Overlap(item, copied, similar, flagged)


def _compared(
    name: str, note: Mapping[str, Any], items: Sequence[dict[str, Any]], flagged: frozenset[str]
) -> list[Cleaned]:
    rows = [
        figures.figures(note, items),
        figures.figures(note, [item for item in items if item["id"] not in flagged]),
        figures.figures(note, [item for item in items if item["id"] in flagged]),
    ]
    return [Cleaned(name, whole.measure.label, whole, rest, only) for whole, rest, only in zip(*rows, strict=True)]


def _value(match: Match | None) -> float:
    return match.value if match else 0.0


def _plain(match: Match | None) -> dict[str, Any] | None:
    if match is None:
        return None
    return {"value": round(match.value, 4), "place": match.place, "excerpt": match.excerpt}
