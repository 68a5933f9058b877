"""Chooses the dialogues that are most worth reading: those that stand worst among all on the measures that apply.

Each measure with a better direction ranks the dialogues of its task from 0 (best) to 1 (worst), equal scores sharing
their mean rank; a dialogue's badness is the mean of its ranks. Ranks, because scores have different units. Dialogues
that failed come with the failures, not here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from healgpt.evaluation.figures import done, measures, shown
from healgpt.evaluation.run import Item, Measure
from healgpt.schema import Message

COUNT = 10
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A dialogue with its badness in [0, 1] and, in words, the measures that put it there."""

    case: str
    groups: Mapping[str, str]
    badness: float
    reasons: tuple[str, ...]
    messages: tuple[Message, ...]


def worst_dialogues(note: Mapping[str, Any], items: Sequence[Item], count: int = COUNT) -> tuple[Dialogue, ...]:
    """Return the worst dialogues of a task, the worst first; none where items keep no dialogue."""
    kept = [item for item in done(items) if item.get("dialogue")]
    directed = {key: one for key, one in measures(note).items() if one.better != "neither"}
    ranks = [_ranks([item["scores"].get(key) for item in kept], one) for key, one in directed.items()]
    found = []
    for place, item in enumerate(kept):
        own = [(row[place], key, measure) for row, (key, measure) in zip(ranks, directed.items(), strict=True)]
        applied = [(rank, key, measure) for rank, key, measure in own if rank is not None]
        if not applied:
            continue
        badness = sum(rank for rank, _, _ in applied) / len(applied)
        worst = sorted(applied, key=lambda one: -one[0])[:_SHOWN]
        reasons = tuple(f"{measure.label} {_score(item, key, measure)}" for rank, key, measure in worst if rank > 0.5)
        found.append(Dialogue(str(item["id"]), item.get("groups", {}), badness, reasons, tuple(item["dialogue"])))
    return tuple(sorted(found, key=lambda one: (-one.badness, one.case))[:count])


def _ranks(scores: Sequence[float | None], measure: Measure) -> list[float | None]:
    """Return ranks from 0 (best) to 1 (worst); None where the measure does not apply or tells nothing apart."""
    sign = -1 if measure.better == "higher" else 1
    values = sorted(sign * float(score) for score in scores if score is not None)
    if len(set(values)) < 2:
        return [None] * len(scores)
    return [None if score is None else _rank(sign * float(score), values) for score in scores]


def _rank(value: float, values: Sequence[float]) -> float:
    below = sum(other < value for other in values)
    equal = sum(other == value for other in values)
    return (below + (equal - 1) / 2) / (len(values) - 1)


def _score(item: Item, key: str, measure: Measure) -> str:
    return shown(float(item["scores"][key]), share=measure.share)
