"""From a conversation to an alarm: find concepts, judge their context, try the rules, keep the gravest."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from healgpt.consult.triage.composition import compose
from healgpt.consult.triage.context import Mention, judge
from healgpt.consult.triage.expressions import satisfy
from healgpt.consult.triage.folding import fold
from healgpt.consult.triage.rules import Rule, Rulebook, rulebook
from healgpt.schema import Alarm, Message

_SHORT = 120
# a patient who says that it was an examination question or a pet takes back what was told before
_TAKEN_BACK = "撤回"
_YES_TO_ALL = re.compile(r"\s*(?:这?[些几两三]?[个样种]?|[我他她])?(?:全都|都|全|均)(?:有|是)(?!没有|不)")
_YES = re.compile(r"\s*(?:嗯+|对|是|有|会|都有|没错)(?:的|啊|呀|点|一点|一些|吧|了)*(?=[，,。！!.\s]|$)")


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

    Pure rules: the same conversation always gives the same answer. Only `user` messages speak of the patient, and
    a question of the doctor that is answered with a plain yes.
    """
    finding = explain(messages)
    return finding.alarm if finding else None


def explain(messages: Sequence[Message]) -> Finding | None:
    """Return the alarm of `triage` together with the words that raised it."""
    book = rulebook()
    places = [place for turn in range(len(messages)) for place in _places(book, turn, messages)]
    taken_back = max((place.reason.turn for place in places if place.reason.concept == _TAKEN_BACK), default=0)
    places = [place for place in places if place.reason.turn >= taken_back]
    spoken_of = _spoken_of(places)
    short = sum(len(message["content"]) for message in messages if message["role"] == "user") <= _SHORT
    views: dict[tuple[str, frozenset[str]], list[Mapping[str, _Place]]] = {}
    best: tuple[Rule, list[_Place]] | None = None
    for rule in book.rules:
        if best is not None and (best[0].level == "emergency" or rule.level == "urgent"):
            continue
        view = rule.scope, rule.even
        if view not in views:
            views[view] = list(_scopes(rule, places, short=short))
        if (proof := _prove(rule, views[view], spoken_of)) is not None:
            best = rule, proof
    return _finding(*best) if best else None


def _spoken_of(places: Sequence[_Place]) -> frozenset[str]:
    """Return the concepts that stand at the end of the talk: the last word on each decides."""
    last = {place.reason.concept: place for place in places}
    return frozenset(name for name, place in last.items() if "negated" not in place.mention.statuses)


def _places(book: Rulebook, turn: int, messages: Sequence[Message]) -> Iterable[_Place]:
    """Yield what one message says of the patient; the doctor's message counts where the patient says yes to it."""
    message = messages[turn]
    folded = fold(message["content"])
    mentions = judge(folded.text, book.lexicon.find(folded.text)) if message["role"] != "system" else []
    mentions = compose(mentions, book.compositions)
    if message["role"] == "assistant":
        reply = messages[turn + 1] if turn + 1 < len(messages) else None
        mentions = _affirmed(mentions, reply["content"]) if reply and reply["role"] == "user" else []
    for mention in mentions:
        start, end = folded.span(mention.hit.start, mention.hit.end)
        reason = Reason(mention.hit.concept, turn, start, end, message["content"][start:end])
        yield _Place(turn, mention, reason)


def _affirmed(mentions: Sequence[Mention], answer: str) -> list[Mention]:
    """A yes to all takes up every question of the doctor; a plain yes the last one, everything in its sentence."""
    if _YES_TO_ALL.match(answer):
        return [replace(mention, statuses=frozenset()) for mention in mentions]
    if not _YES.match(answer):
        return []
    last = max((mention.sentence for mention in mentions), default=0)
    return [replace(mention, statuses=frozenset()) for mention in mentions if mention.sentence == last]


def _prove(rule: Rule, scopes: Iterable[Mapping[str, _Place]], spoken_of: Collection[str]) -> list[_Place] | None:
    """Return the mentions that satisfy `rule` in one of `scopes`, or None."""
    for present in scopes:
        if (proof := satisfy(rule.when, present, spoken_of)) is not None:
            return [present[name] for name in dict.fromkeys(proof)]
    return None


def _scopes(rule: Rule, places: Sequence[_Place], *, short: bool) -> Iterable[Mapping[str, _Place]]:
    """Yield, for each clause, sentence, message or the whole talk, the first usable mention of each concept in it.

    A `short` talk is about one thing, told bit by bit: all of it counts as one message.
    """
    scopes: dict[tuple[int, ...], dict[str, _Place]] = defaultdict(dict)
    for place in places:
        if not place.mention.statuses <= rule.even:
            continue
        match rule.scope:
            case "talk":
                key: tuple[int, ...] = ()
            case "message":
                key = () if short else (place.turn,)
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
