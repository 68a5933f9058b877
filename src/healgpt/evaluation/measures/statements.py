"""What an answer states that the graph can speak of: agreed with, disagreed with, or not known to it.

A statement is two things of a sentence with words between or around them that name a relation of the graph
(胃溃疡的症状有黑便). It counts only where the graph has facts of that relation for its subject; there it agrees when
the graph holds the pair, and disagrees when it is denied although the graph holds it with support, when a named
department is none that treats the illness, or when contagion is said against the graph. A graph is never complete:
what it does not hold is not wrong, so the two shares leave a third between them.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Literal

from healgpt.evaluation.measures.departments import same_department
from healgpt.evaluation.measures.ground import Ground, names
from healgpt.evaluation.measures.sentences import sentences
from healgpt.knowledge.linking import Mention

Verdict = Literal["agrees", "disagrees", "unknown"]

# facts that are asked instead of, or beside, those of the relation: a graph files 脱水 under either
_BESIDE = {
    "病因": ("并发症", "相关疾病"),
    "症状": ("并发症",),
    "并发症": ("症状", "相关疾病"),
    "适应症": ("主治",),
    "检查": (),
    "不良反应": ("禁忌",),
}
# support below which a stored pair does not count as agreement
_LEAST_SUPPORT = 0.5
_SUBJECTS = ("disease", "symptom", "ingredient", "product", "class", "herb", "formula")
_CONTAGIOUS = re.compile(r"(?<![无没不])(?:有|具有)(?:一定的|较强的|很强的)?传染性|会传染|可以传染|容易传染")
_HARMLESS = re.compile(r"(?:没有|无|不具有|不具备)传染性|不会传染|不传染")


@dataclass(frozen=True, slots=True)
class Statement:
    """One checkable statement and what the graph says to it."""

    sentence: str
    subject: str
    relation: str
    object: str
    verdict: Verdict


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("healgpt.evaluation.measures").joinpath("statements.toml").read_text("utf-8"))


def statements(answer: str, ground: Ground) -> list[Statement]:
    """Return the statements of `answer` that the graph can speak of, each once; none without a graph."""
    if ground.facts is None:
        return []
    found: dict[tuple[str, str, str], Statement] = {}
    for sentence in sentences(answer):
        if re.search(_table()["no_statement"], sentence):
            continue
        mentions = ground.link(sentence)
        for one in (*_pairs(sentence, mentions, ground), *_contagion(sentence, mentions, ground)):
            found.setdefault((one.subject, one.relation, one.object), one)
    return list(found.values())


def shares(found: Sequence[Statement]) -> tuple[float | None, float | None]:
    """Return which share of the statements the graph agrees with and which it disagrees with; None without any."""
    if not found:
        return None, None
    verdicts = [one.verdict for one in found]
    return verdicts.count("agrees") / len(found), verdicts.count("disagrees") / len(found)


def _pairs(sentence: str, mentions: Sequence[Mention], ground: Ground) -> Iterator[Statement]:
    """Yield a statement for each thing with the nearest subject before it that is not listed beside it."""
    for place, thing in enumerate(mentions):
        for index in range(place - 1, -1, -1):
            subject = mentions[index]
            if subject.kind not in _SUBJECTS or _beside(sentence, mentions[index : place + 1]):
                continue
            if subject.name != thing.name and (row := _row(sentence, subject, thing)):
                first, second = (thing, subject) if row.get("flipped") else (subject, thing)
                verdict = _verdict(first, row["relation"], second, ground)
                if verdict is not None:
                    yield Statement(sentence, first.name, row["relation"], second.name, verdict)
            elif subject.kind == "symptom":
                continue
            break


def _beside(sentence: str, mentions: Sequence[Mention]) -> bool:
    """Say whether `mentions`, neighbours in the sentence, stand in one list (感染、发热)."""
    gaps = [sentence[one.end : after.start] for one, after in pairwise(mentions)]
    return all(re.fullmatch(r"[、,/\s和及或与者以]*", gap) for gap in gaps)


def _row(sentence: str, subject: Mention, thing: Mention) -> dict[str, Any] | None:
    between = sentence[subject.end : thing.start]
    if re.search(_table()["apart"], between):
        return None
    if subject.kind == "disease" and thing.kind != "department" and re.search(_table()["by_medicine"], sentence):
        return None
    around = between + sentence[thing.end : thing.end + 8]
    for row in _table()["row"]:
        said = between if row.get("between") else around
        if subject.kind in row["subjects"] and thing.kind in row["objects"] and re.search(row["cue"], said):
            return dict(row)
    return None


def _verdict(subject: Mention, relation: str, thing: Mention, ground: Ground) -> Verdict | None:
    if ground.facts is None:
        return None
    facts = ground.facts(subject.name, relation)
    if not facts:
        return None
    beside = [fact for other in _BESIDE.get(relation, ()) for fact in ground.facts(subject.name, other)]
    if relation == "就诊科室":
        if any(same_department(thing.name, fact.object) for fact in facts):
            return "agrees"
        return "unknown" if thing.name in _table()["any_patient"].split() else "disagrees"
    wanted = names(thing)
    holding = [
        fact
        for fact in (*facts, *beside)
        if fact.support >= _LEAST_SUPPORT and (fact.object in wanted or _holds(fact.object, thing.name))
    ]
    if thing.status == "absent":
        denied = any(fact.support >= ground.threshold and fact.object in wanted for fact in holding)
        return "disagrees" if denied else "unknown"
    return "agrees" if holding else "unknown"


def _holds(longer: str, name: str) -> bool:
    """Say whether a stored value is a narrower wording of `name`: 上腹部疼痛 for 腹部疼痛."""
    return len(name) > 2 and name in longer


def _contagion(sentence: str, mentions: Sequence[Mention], ground: Ground) -> Iterator[Statement]:
    said = "无传染性" if _HARMLESS.search(sentence) else "有传染性" if _CONTAGIOUS.search(sentence) else ""
    illness = next((one for one in mentions if one.kind == "disease"), None)
    if not said or illness is None or ground.facts is None:
        return
    values = {fact.object for fact in ground.facts(illness.name, "传染性") if fact.support >= ground.threshold}
    if values:
        yield Statement(sentence, illness.name, "传染性", said, "agrees" if said in values else "disagrees")
