"""How far an answer keeps to the facts it was given: does each cited sentence say what its fact says?

A sentence agrees with a fact when it names the fact's object, by entity or by half of its character pairs, and when
what the sentence denies is not what the fact affirms. Brackets between two sentences may belong to either. This
finds citations stuck on unrelated or contrary sentences; it does not prove that a sentence is true.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from healgpt.consult.citations import cited_sentences
from healgpt.evaluation.stats import Interval, wilson
from healgpt.knowledge.linking import Mention
from healgpt.knowledge.linking_words import fold
from healgpt.schema import Fact

Verdict = Literal["agrees", "contradicts", "unrelated", "not_given"]

# share of the character pairs of an object that a sentence must repeat where no entity decides
_OVERLAP = 0.5
_NEGATIVE = re.compile(r"无|不|禁|忌|没有|勿|慎")
_ALWAYS_NEGATIVE = frozenset({"禁忌", "注意事项"})
_NOT_NEEDED = re.compile(
    r"(?:不需要?|无需|不用|不必|没必要|不能|不可以?|不宜|不会|不是|没有|并非|避免|禁止|不应)(?:再|去)?[做查吃用服有]?$"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One citation: the sentence, the number it cites, and whether both say the same."""

    sentence: str
    number: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Grounding:
    """What a set of answers says about a Doctor: how many use their facts, and how many citations agree."""

    answers: int
    with_facts: int
    citing: Interval
    agreement: Interval
    judged: tuple[Judged, ...]


def judge(answer: str, facts: Sequence[Fact], link: Callable[[str], Sequence[Mention]]) -> list[Judged]:
    """Return a verdict for every citation of `answer`; `facts` are those given, in order."""
    found = []
    for sentence in cited_sentences(answer):
        for number in sentence.numbers:
            fact = facts[number - 1] if number <= len(facts) else None
            verdict: Verdict = "not_given" if fact is None else compare(sentence.text, fact, link)
            if fact is not None and verdict == "unrelated" and sentence.following:
                verdict = compare(sentence.following, fact, link)
            found.append(Judged(sentence.text, number, verdict))
    return found


def compare(sentence: str, fact: Fact, link: Callable[[str], Sequence[Mention]]) -> Verdict:
    """Return whether `sentence` says what `fact` says."""
    mentions = link(sentence)
    wanted = {fact.object} | {mention.name for mention in link(fact.object)}
    named = [mention for mention in mentions if mention.name in wanted]
    said = fact.object in sentence or bool(named) or _repeats(sentence, fact.object)
    if not said:
        return "unrelated"
    if fact.predicate not in _ALWAYS_NEGATIVE and not _NEGATIVE.search(fact.object):
        denied = named and all(mention.status == "absent" for mention in named)
        place = sentence.find(fact.object)
        if denied or (place > 0 and _NOT_NEEDED.search(sentence[:place])):
            return "contradicts"
    return "agrees"


def grounding(answers: Iterable[tuple[str, Sequence[Fact]]], link: Callable[[str], Sequence[Mention]]) -> Grounding:
    """Judge the citations of many `(answer, facts given)` and count."""
    rows = [(judge(answer, facts, link), bool(facts)) for answer, facts in answers]
    judged = tuple(one for row, _ in rows for one in row)
    given = sum(has for _, has in rows)
    citing = sum(has and any(one.verdict != "not_given" for one in row) for row, has in rows)
    agreed = sum(one.verdict == "agrees" for one in judged)
    return Grounding(len(rows), given, wilson(citing, given), wilson(agreed, len(judged)), judged)


def _repeats(sentence: str, text: str) -> bool:
    sentence, text = fold(sentence).text, fold(text).text
    pairs = {text[place : place + 2] for place in range(len(text) - 1)}
    return bool(pairs) and sum(pair in sentence for pair in pairs) / len(pairs) >= _OVERLAP
