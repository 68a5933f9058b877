"""What a patient has said so far of one complaint, as the differential reads it, and what the Doctor asked.

Pure functions of the messages: the questions are found again in the Doctor's own turns, and a short answer (没有,
都有, 其他没有) is read as speaking of them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from healgpt.consult.likely import Likely, likely, summing_up, supporting
from healgpt.knowledge.differential import Differential, Finding, Item, histories, rules
from healgpt.knowledge.disease_matrix import open_differential
from healgpt.knowledge.disease_profile import Patient
from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.knowledge.linking import Linker, Mention, about
from healgpt.schema import Fact

# role and content of each message since the complaint was brought up
Turns = tuple[tuple[str, str], ...]
Link = Callable[[str], list[Mention]]

# taken for a child whose age was not said
_CHILD_YEARS = 3.0
# children go to paediatrics in Chinese hospitals until then
_GROWN_YEARS, _CHILDREN = 14.0, "儿科"
_NONE = re.compile(
    r"(?:^|[，,。；;！!\s])(?:(?:以上|这些|这几个|上面的?)?(?:都|全|统统|一[个样]都)*(?:没有|没|无|木有|不是|否))"
    r"(?:的|了|呢|啊|过|这些(?:症状|情况)?|以上(?:症状|情况)?|任何(?:症状|情况)?)?(?=[，,。；;！!\s]|$)"
)
_REST = re.compile(r"(?:其他|其它|别的|其余|剩下)的?(?:症状|情况|问题)?(?:都|也|就|倒)?(?:没|无|不)")
_ALL = re.compile(r"(?:^|[，,。；;\s])(?:都有|全有|全都有|以上都有)(?:[，,。；;！!\s]|$)")
_DENIED_BEFORE = re.compile(r"(?:没|无|不|未)[^，。；,;]{0,4}$")


@dataclass(frozen=True, slots=True)
class View:
    """What is known of one complaint: findings, what was asked, who asks, which diseases may be shown for it.

    `facts` support the sentence that ends a turn of questions, `advice` are those that advice may cite.
    `stated` and `denied` are the findings under the names that the linker gave them; with `known_illness` a disease
    was named beside them.
    """

    findings: tuple[Finding, ...]
    asked: frozenset[str]
    patient: Patient
    likely: tuple[Likely, ...]
    facts: tuple[Fact, ...]
    advice: tuple[Fact, ...]
    stated: tuple[str, ...]
    denied: tuple[str, ...]
    known_illness: bool


@dataclass(frozen=True, slots=True)
class Guide:
    """What the interview needs of a graph, remembered for the last few hundred turns; share it between threads.

    `view` reads the turns of a complaint; `items` chooses what to ask next, besides the names in its second argument.
    """

    view: Callable[[Turns], View]
    items: Callable[[Turns, frozenset[str]], tuple[Item, ...]]
    named: Callable[[str], frozenset[str]]


def open_guide(linker: Linker, graph: KnowledgeGraph, opening: str) -> Guide:
    """Return a guide over `graph`; half a second. `opening` leads over to the Doctor's questions in its turns."""
    differential = open_differential(graph)
    link = lru_cache(maxsize=512)(linker.link)

    def named(text: str) -> frozenset[str]:
        return _asked(text, link, differential)

    @lru_cache(maxsize=512)
    def view(turns: Turns) -> View:
        findings, asked, names = _heard(turns, opening, link, differential)
        patient = _patient([content for role, content in turns if role == "user"])
        ranked = differential.rank(findings, patient)
        found = likely(ranked, sum(one.present for one in findings))
        facts = supporting(graph, ranked, found)
        grown = patient.age_years is None or patient.age_years >= _GROWN_YEARS
        if not grown:
            # the graph's departments are those of adults
            found, facts = tuple(replace(one, department=_CHILDREN) for one in found), ()
        advice = summing_up(graph, found, departments=grown)
        stated = tuple(names[one.name] for one in findings if one.present)
        denied = tuple(names[one.name] for one in findings if not one.present)
        illness = _names_illness(turns, link)
        return View(findings, asked, patient, found, facts, advice, stated, denied, illness)

    @lru_cache(maxsize=512)
    def items(turns: Turns, besides: frozenset[str]) -> tuple[Item, ...]:
        known = view(turns)
        return tuple(differential.next_items(known.findings, known.patient, asked=known.asked | besides))

    return Guide(view, items, named)


def _heard(
    turns: Turns, opening: str, link: Link, differential: Differential
) -> tuple[tuple[Finding, ...], frozenset[str], dict[str, str]]:
    """Return the findings in the order they came up, the last word on each counting; all names asked for; their names.

    The names are the linker's: 胃胀 where the differential reads 腹胀.
    """
    found: dict[str, Finding] = {}
    names: dict[str, str] = {}
    ever: set[str] = set()
    asked: frozenset[str] = frozenset()
    for role, content in turns:
        if role != "user":
            asked = _asked(_questions(content, opening), link, differential)
            ever |= asked
            continue
        for name, (present, told) in _answers(content, asked, link, differential).items():
            found[name] = Finding(name, present, name in asked)
            names.setdefault(name, told)
    return tuple(found.values()), frozenset(ever), names


def _questions(answer: str, opening: str) -> str:
    """Return the questions of a Doctor's turn; what it says after them, past an empty line, asks nothing."""
    return answer.partition(opening)[2].partition("\n\n")[0]


def _asked(text: str, link: Link, differential: Differential) -> frozenset[str]:
    """Return the names that the questions in `text` ask for."""
    names = {name for name, words in rules()["ask"].items() if words in text}
    names |= {name for name, row in histories().items() if row["ask"] in text}
    for mention in link(text.replace("有没有", "，")):
        names.update(differential.symptoms(mention.name))
    return frozenset(names)


def _answers(text: str, asked: frozenset[str], link: Link, differential: Differential) -> dict[str, tuple[bool, str]]:
    """Return what one message of the patient says is there or not, and what the linker calls it."""
    found: dict[str, tuple[bool, str]] = {}
    # 没有尿 is a name by itself
    for mention in link(re.sub(r"没有(?=尿[频急痛血失])", "无", text)):
        # an illness that is named is known already; what it explains is not looked for again
        complaint = mention.kind == "symptom" or mention.name in rules()["ask"]
        if complaint and mention.status in ("present", "absent"):
            parts = differential.symptoms(mention.name, present=mention.status == "present")
            for name in parts:
                found[name] = (mention.status == "present", mention.name if len(parts) == 1 else name)
    for name in sorted(asked - found.keys()):
        words = histories()[name]["name"] if name in histories() else rules()["ask"].get(name, name)
        place = max(text.find(words), text.find(name))
        if place >= 0:
            found[name] = (not _DENIED_BEFORE.search(text[:place]), name)
    for key, row in histories().items():
        match = re.search(row["said"], text)
        if match and key not in found:
            found[key] = (not _DENIED_BEFORE.search(text[: match.start()]), key)
    rest = sorted(asked - found.keys())
    if _ALL.search(text):
        found |= {name: (True, name) for name in rest}
    elif _NONE.search(text) or _REST.search(text):
        found |= {name: (False, name) for name in rest}
    return found


def _names_illness(turns: Turns, link: Link) -> bool:
    return any(
        mention.kind == "disease" and mention.status != "absent" and mention.name not in rules()["ask"]
        for role, content in turns
        if role == "user"
        for mention in link(content)
    )


def _patient(said: Sequence[str]) -> Patient:
    """Return who asks: the last age and sex that were said."""
    people = [about(text) for text in said]
    age = next((one.age_years for one in reversed(people) if one.age_years is not None), None)
    if age is None and any(one.who == "孩子" for one in people):
        age = _CHILD_YEARS
    return Patient(
        age,
        next((one.sex for one in reversed(people) if one.sex is not None), None),
        any(one.pregnant for one in people),
        any(re.search(rules()["candidates"]["exposed"], text) for text in said),
    )
