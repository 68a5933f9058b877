"""Does a doctor's turn ask the patient back, for what, and is that to the point?

Rules over sentences (asking.toml): questions, requests without a question mark, and 我需要了解…；what only looks like
one is left out: offers of more help, consent, rhetoric, headings, the patient's own question repeated, what another
doctor will ask. To the point is what the case or its reference answer speaks of, what separates the illnesses that
fit, and what helps with any complaint (how long, since when, which findings, which medicines).
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from healgpt.evaluation.measures.ground import Ground, names
from healgpt.evaluation.measures.sentences import list_after, repeated, sentences
from healgpt.knowledge.differential import Finding, rules
from healgpt.knowledge.linking import Mention

# share of a question's character pairs that the patient just said: the doctor repeats the question
_ECHO = 0.7
# share of the fitting illnesses that must list an item, or not list it, for it to separate them
_SEPARATES = 0.02
_ASK_WORDS = re.compile(r"有没有|是否有?|有无|会不会|还有|例如|比如|包括|如")
_COMPLAINTS = ("symptom", "disease")
_RELATIONS = ("症状", "并发症", "检查", "病因", "高危因素", "鉴别诊断")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a turn asks for; `to_the_point` says whether the case gives a reason to ask it."""

    words: str
    to_the_point: bool


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("healgpt.evaluation.measures").joinpath("asking.toml").read_text("utf-8"))


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_table()[name], re.VERBOSE)


@cache
def _telling() -> re.Pattern[str]:
    return re.compile("|".join(str(_table()["items"]["telling"]).split()))


def requests(turn: str, said: Sequence[str] = ()) -> list[str]:
    """Return the passages of `turn` that ask the patient for information, with the lists that follow them.

    `said` are the patient's messages so far; a question that repeats one of their sentences asks nothing.
    """
    echoes = [sentence for text in said for sentence in sentences(text)]
    found = []
    for sentence in sentences(turn):
        if _asks(sentence, echoes):
            follows = list_after(turn, sentence) if sentence.rstrip("。\n").endswith(("：", ":")) else ""
            found.append(f"{sentence}\n{follows}" if follows else sentence)
    return found


def asks_back(turn: str, said: Sequence[str] = ()) -> bool:
    """Return whether `turn` asks the patient for anything about them."""
    return bool(requests(turn, said))


def _asks(sentence: str, echoes: Sequence[str]) -> bool:
    question = sentence.endswith(("？", "?")) or bool(re.search(r"[吗么呢][。！!]?$", sentence))
    if question:
        return _is_question(sentence, echoes)
    if _pattern("closing").search(sentence) or _pattern("vague").search(sentence):
        return False
    if _pattern("elsewhere").search(sentence):
        return False
    if _pattern("want_to_know").search(sentence) and _pattern("named").search(sentence):
        return True
    match = _pattern("request").search(sentence)
    return bool(match and (match[0].endswith(("我", "一下")) or _pattern("wanted").search(sentence, match.start())))


def _is_question(sentence: str, echoes: Sequence[str]) -> bool:
    if re.search(_table()["person"], sentence) and re.search(r"其他(?:不适|症状|异常)", sentence):
        return True
    if _pattern("closing").search(sentence) or _pattern("no_question").search(sentence):
        return False
    if _pattern("elsewhere").search(sentence) and not sentence.startswith("请问"):
        return False
    if re.search(r"我(?!们)", sentence) and not _pattern("i_ask").search(sentence):
        return False
    if repeated(sentence, echoes) >= _ECHO:
        return False
    return bool(re.search(_table()["person"], sentence) or _pattern("about_patient").search(sentence))


def asked_items(turn: str, case: Sequence[str], said: Sequence[str], ground: Ground) -> list[Item]:
    """Return what `turn` asks for; `case` is what is known of the case beside what the patient `said`.

    `case` may hold the reference answer. A plea for more description names nothing and gives no item.
    """
    context = "\n".join((*case, *said))
    found: dict[str, bool] = {}
    for passage in requests(turn, said):
        for match in _telling().finditer(passage):
            found[match[0]] = True
        if past := re.search(_table()["items"]["past"], passage):
            found.setdefault(past[0], _complains(said, ground))
        for row in _table()["items"]["conditional"]:
            if asked := re.search(row["asked"], passage):
                found.setdefault(asked[0], bool(re.search(row["needs"], context)))
        for mention in ground.link(_ASK_WORDS.sub("，", passage)):
            if mention.kind in _COMPLAINTS and mention.name != "疼痛":
                found.setdefault(mention.text, _bears(mention, (*case, *said), ground))
    return [Item(words, good) for words, good in found.items()]


def asks_relevant(turn: str, case: Sequence[str], said: Sequence[str], ground: Ground) -> bool:
    """Return whether `turn` asks for at least one thing that is to the point."""
    return any(item.to_the_point for item in asked_items(turn, case, said, ground))


def _bears(mention: Mention, told: Sequence[str], ground: Ground) -> bool:
    """Say whether the case names what is asked, whether an illness it names has to do with it, or whether it separates.

    Without a graph only the first.
    """
    known = [one for text in told for one in ground.link(text)]
    wanted = names(mention)
    if any(wanted & names(one) for one in known) or any(mention.text in text for text in told):
        return True
    if mention.name in _screening() and _complains(told, ground):
        return True
    if ground.facts is None or ground.differential is None:
        return False
    wanted |= set(ground.differential.symptoms(mention.name))
    for illness in {one.name for one in known if one.kind == "disease"}:
        for relation in _RELATIONS:
            if any(fact.object in wanted for fact in ground.facts(illness, relation)):
                return True
    return _separates(wanted, known, ground)


def _complains(told: Sequence[str], ground: Ground) -> bool:
    """Say whether the case names a symptom or an illness."""
    return any(one.kind in _COMPLAINTS and one.status != "absent" for text in told for one in ground.link(text))


@cache
def _screening() -> frozenset[str]:
    return frozenset(str(_table()["items"]["screening"]).split())


def _separates(wanted: frozenset[str], known: Sequence[Mention], ground: Ground) -> bool:
    """Say whether some of the illnesses that fit the symptoms `known` list one of `wanted` and some do not."""
    differential = ground.differential
    if differential is None:
        return False
    findings = [
        Finding(name, one.status != "absent")
        for one in known
        if one.kind == "symptom" or one.name in rules()["ask"]
        for name in differential.symptoms(one.name)
    ]
    ranked = differential.rank(list(dict.fromkeys(findings)))
    places = {name for one in wanted for name in _carrying(one, ground)}
    mass = sum(candidate.share for candidate in ranked if candidate.name in places)
    return _SEPARATES <= mass <= 1 - _SEPARATES


def _carrying(name: str, ground: Ground) -> frozenset[str]:
    if ground.differential is None:
        return frozenset()
    return frozenset(ground.differential.names[place] for place in ground.differential.carriers.get(name, ()))
