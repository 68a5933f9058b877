"""Which departments a doctor sends the patient to, and whether they fit the case.

A department fits when it is the case's own, one that the case's broad department holds (内科 holds 心血管科), 儿科
for a child, or one that the graph gives for an illness that the case or its reference answer names or that fits its
symptoms.
"""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from healgpt.evaluation.measures.case import Case
from healgpt.evaluation.measures.ground import Ground
from healgpt.evaluation.measures.sentences import sentences
from healgpt.knowledge.differential import Finding
from healgpt.knowledge.linking import about

_NOT_SENT = re.compile(r"(?:不需要|不用|不必|无需|没必要|不建议)(?:再)?(?:去|到|看|挂|做)?[^，。]{0,6}$")
# support from which a department of the graph is believed
_LEAST_SUPPORT = 0.5
# illnesses that fit the symptoms: how many, and how well they must fit
_CANDIDATES, _LEAST_SHARE = 3, 0.1
_GROWN_YEARS = 14


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("healgpt.evaluation.measures").joinpath("departments.toml").read_text("utf-8"))


@cache
def _name() -> re.Pattern[str]:
    listed = sorted(_table()["words"].split("|"), key=len, reverse=True)
    # 急诊 and 五官 stand without 科, too
    return re.compile(
        rf"(?P<name>{'|'.join(listed)})(?:专|门诊部?)?科(?![学技普目])(?=(?P<after>.{{0,3}}))|(?P<bare>急诊)"
    )


@cache
def _same() -> dict[str, str]:
    return {word: name for name, listed in _table()["same"].items() for word in listed.split()}


@cache
def _holds(broad: str) -> frozenset[str]:
    return frozenset(str(_table()["holds"].get(broad, "")).split())


def canonical(name: str) -> str:
    """Return the one spelling of a department: 心内科 is 心血管科. 妇科 and 产科 are both 妇产科."""
    return _same().get(name, name)


def same_department(one: str, other: str) -> bool:
    """Say whether two names mean one department, or one holds the other."""
    first, second = canonical(one), canonical(other)
    family = {first, one} & (_holds(second) | _holds(other)) or {second, other} & (_holds(first) | _holds(one))
    return first == second or bool(family)


def named(answer: str) -> list[str]:
    """Return the departments that `answer` sends the patient to, in the writer's words, each once."""
    found: dict[str, None] = {}
    for sentence in sentences(answer):
        if not re.search(_table()["recommends"], sentence):
            continue
        for match in _name().finditer(sentence):
            word = "急诊科" if match["bare"] else f"{match['name']}科"
            denied = _NOT_SENT.search(sentence[: match.start()])
            if not denied and not re.match(_table()["no_department"], match["after"] or ""):
                found[word] = None
    return list(found)


def fitting(case: Case, ground: Ground) -> frozenset[str]:
    """Return the departments of the case and, with a graph, those of the illnesses it names; may be empty."""
    found = {case.department} if case.department else set()
    person = about(case.question)
    if found and (person.who == "孩子" or (person.age_years is not None and person.age_years < _GROWN_YEARS)):
        found.add("儿科")
    if ground.facts is None or ground.differential is None:
        return frozenset(found)
    texts = (case.question, *case.facts, case.reference)
    mentions = [one for text in texts for one in ground.link(text) if one.status != "absent"]
    illnesses = {one.name for one in mentions if one.kind == "disease"}
    felt = {name for one in mentions if one.kind == "symptom" for name in ground.differential.symptoms(one.name)}
    ranked = ground.differential.rank([Finding(name, True) for name in sorted(felt)])
    illnesses |= {candidate.name for candidate in ranked[:_CANDIDATES] if candidate.share >= _LEAST_SHARE}
    for name in illnesses:
        found |= {fact.object for fact in ground.facts(name, "就诊科室") if fact.support >= _LEAST_SUPPORT}
    return frozenset(found)


def departments(
    answers: Sequence[str], case: Case, ground: Ground, *, urgent: bool
) -> tuple[float | None, float | None]:
    """Return whether any department is named, and which share of those named fit; None where none is to be had.

    急诊科 fits a case that demands urgent care and is left out elsewhere, where urging is measured by itself.
    """
    right = fitting(case, ground)
    if not right:
        return None, None
    sent = list(dict.fromkeys(name for answer in answers for name in named(answer)))
    sent = [name for name in sent if urgent or name != "急诊科"]
    if not sent:
        return 0.0, None
    fits = [name == "急诊科" or any(same_department(name, one) for one in right) for name in sent]
    return 1.0, sum(fits) / len(fits)
