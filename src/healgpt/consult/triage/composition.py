"""Concepts made of slots that stand near each other, in any order: a body part, a sensation, a degree.

`"部位腹 + 感痛 + 极度"` holds where all three are found in one sentence with at most 12 characters between
neighbours. Between a body part (`部位…`) and what is said of it no other body part may stand: 头不痛，肚子痛 is no
headache. A slot that is negated makes the whole negated.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from healgpt.consult.triage.context import Mention
from healgpt.consult.triage.patterns import Hit

_GAP = 12
_BODY = "部位"


@dataclass(frozen=True, slots=True)
class Composition:
    """`concept` holds where all of `slots` stand near each other."""

    concept: str
    slots: tuple[str, ...]


def compositions(table: Mapping[str, Iterable[str]]) -> tuple[Composition, ...]:
    """Read a TOML table `concept = ["slot + slot", …]`."""
    return tuple(
        Composition(concept, tuple(slot.strip() for slot in line.split("+")))
        for concept, lines in table.items()
        for line in lines
    )


def compose(mentions: Sequence[Mention], wanted: Sequence[Composition]) -> list[Mention]:
    """Return `mentions` with those that they make up together, in order of place."""
    by_name: dict[str, list[Mention]] = defaultdict(list)
    for mention in mentions:
        by_name[mention.hit.concept].append(mention)
    parts = sorted(
        (mention.hit.start, mention.hit.end) for mention in mentions if mention.hit.concept.startswith(_BODY)
    )
    made = {
        (whole.hit, whole.statuses): whole
        for composition in wanted
        if all(slot in by_name for slot in composition.slots)
        for whole in _wholes(composition, by_name, parts)
    }
    return sorted([*mentions, *made.values()], key=lambda mention: (mention.hit.start, mention.hit.end))


def _wholes(
    composition: Composition, by_name: Mapping[str, Sequence[Mention]], parts: Sequence[tuple[int, int]]
) -> Iterator[Mention]:
    first, *others = composition.slots
    for anchor in by_name[first]:
        chosen = [anchor]
        for slot in others:
            near = [
                mention
                for mention in _around(by_name[slot], anchor)
                if mention.sentence == anchor.sentence and not _parted(first, anchor, mention, parts)
            ]
            if not near:
                break
            chosen.append(min(near, key=lambda mention: ("negated" in mention.statuses, _gap(anchor, mention))))
        else:
            statuses = frozenset().union(*(mention.statuses for mention in chosen))
            start, end = min(m.hit.start for m in chosen), max(m.hit.end for m in chosen)
            yield Mention(Hit(start, end, composition.concept), anchor.clause, anchor.sentence, statuses)


def _around(mentions: Sequence[Mention], anchor: Mention) -> Sequence[Mention]:
    """Return the mentions that begin within reach of `anchor`; `mentions` stand in order."""
    first = bisect.bisect_left(mentions, anchor.hit.start - 2 * _GAP, key=lambda mention: mention.hit.start)
    last = bisect.bisect_right(mentions, anchor.hit.end + 2 * _GAP, key=lambda mention: mention.hit.start)
    return [mention for mention in mentions[first:last] if _gap(anchor, mention) <= _GAP]


def _gap(one: Mention, other: Mention) -> int:
    return max(0, one.hit.start - other.hit.end, other.hit.start - one.hit.end)


def _parted(slot: str, one: Mention, other: Mention, parts: Sequence[tuple[int, int]]) -> bool:
    """Whether another body part stands between `one`, a body part, and `other`."""
    if not slot.startswith(_BODY):
        return False
    low, high = min(one.hit.end, other.hit.end), max(one.hit.start, other.hit.start)
    between = bisect.bisect_left(parts, (low, 0))
    return between < len(parts) and parts[between][1] <= high
