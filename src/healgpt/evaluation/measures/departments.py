"""Which departments a doctor sends the patient to, and whether they fit the case.

A department fits when it is the case's own, one that the case's broad department holds (内科 holds 心血管科), or one
that the graph gives for an illness named in the case or its reference answer.
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

_NOT_SENT = re.compile(r"(?:不需要|不用|不必|无需|没必要|不建议)(?:再)?(?:去|到|看|挂|做)?[^，。]{0,6}$")
# support from which a department of the graph is believed
_LEAST_SUPPORT = 0.5


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("healgpt.evaluation.measures").joinpath("departments.toml").read_text("utf-8"))


@cache
def _name() -> re.Pattern[str]:
    listed = sorted(_table()["words"].split("|"), key=len, reverse=True)
    # 急诊 and 五官 stand without 科, too
    return re.compile(rf"(?P<name>{'|'.join(listed)})(?:专|门诊部?)?科(?P<after>(?![学技普目]).{{0,3}})|(?P<bare>急诊)")


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
    if ground.facts is not None:
        for text in (case.question, *case.facts, case.reference):
            for one in ground.link(text):
                if one.kind == "disease" and one.status != "absent":
                    found |= {
                        fact.object for fact in ground.facts(one.name, "就诊科室") if fact.support >= _LEAST_SUPPORT
                    }
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
