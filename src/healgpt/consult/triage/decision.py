"""From a conversation to an alarm: find concepts, judge their context, try the rules, keep the gravest."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from healgpt.consult.triage.context import Mention, judge
from healgpt.consult.triage.expressions import satisfy
from healgpt.consult.triage.folding import fold
from healgpt.consult.triage.rules import Rule, Rulebook, rulebook
from healgpt.schema import Alarm, Message


@dataclass(frozen=True, slots=True)
class Reason:
    """One concept that raised an alarm, with the words of the patient it was read from."""

    concept: str
    turn: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """An alarm with its reasons, in the order in which the words were said."""

    alarm: Alarm
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    turn: int
    mention: Mention
    reason: Reason


def triage(messages: Sequence[Message]) -> Alarm | None:
    """Return the gravest alarm that the patient's words raise, all messages taken together, or None.

    Pure rules: the same conversation always gives the same answer. Only `user` messages speak of the patient.
    """
    finding = explain(messages)
    return finding.alarm if finding else None


def explain(messages: Sequence[Message]) -> Finding | None:
    """Return the alarm of `triage` together with the words that raised it."""
    book = rulebook()
    places = [place for turn, message in enumerate(messages) for place in _places(book, turn, message)]
    spoken_of = frozenset(place.reason.concept for place in places if "negated" not in place.mention.statuses)
    views: dict[tuple[str, frozenset[str]], list[Mapping[str, _Place]]] = {}
    best: tuple[Rule, list[_Place]] | None = None
    for rule in book.rules:
        if best is not None and (best[0].level == "emergency" or rule.level == "urgent"):
            continue
        view = rule.scope, rule.even
        if view not in views:
            views[view] = list(_scopes(rule, places))
        if (proof := _prove(rule, views[view], spoken_of)) is not None:
            best = rule, proof
    return _finding(*best) if best else None


def _places(book: Rulebook, turn: int, message: Message) -> Iterable[_Place]:
    if message["role"] != "user":
        return
    folded = fold(message["content"])
    for mention in judge(folded.text, book.lexicon.find(folded.text)):
        start, end = folded.span(mention.hit.start, mention.hit.end)
        reason = Reason(mention.hit.concept, turn, start, end, message["content"][start:end])
        yield _Place(turn, mention, reason)


def _prove(rule: Rule, scopes: Iterable[Mapping[str, _Place]], spoken_of: Collection[str]) -> list[_Place] | None:
    """Return the mentions that satisfy `rule` in one of `scopes`, or None."""
    for present in scopes:
        if (proof := satisfy(rule.when, present, spoken_of)) is not None:
            return [present[name] for name in dict.fromkeys(proof)]
    return None


def _scopes(rule: Rule, places: Sequence[_Place]) -> Iterable[Mapping[str, _Place]]:
    """Yield, for each clause, sentence, message or the whole talk, the first usable mention of each concept in it."""
    scopes: dict[tuple[int, ...], dict[str, _Place]] = defaultdict(dict)
    for place in places:
        if not place.mention.statuses <= rule.even:
            continue
        match rule.scope:
            case "talk":
                key: tuple[int, ...] = ()
            case "message":
                key = (place.turn,)
            case "sentence":
                key = (place.turn, place.mention.sentence)
            case _:
                key = (place.turn, place.mention.clause)
        scopes[key].setdefault(place.reason.concept, place)
    return scopes.values()


def _finding(rule: Rule, proof: Sequence[_Place]) -> Finding:
    reasons = tuple(sorted((place.reason for place in proof), key=lambda reason: (reason.turn, reason.start)))
    alarm = Alarm(
        kind=rule.kind.name,
        level=rule.level,
        title=rule.kind.title,
        text=rule.kind.advice[rule.level],
        call=rule.kind.call,
        source=rule.kind.source,
        spans=tuple((reason.turn, reason.start, reason.end) for reason in reasons),
    )
    return Finding(alarm, reasons)
