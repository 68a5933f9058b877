"""How a doctor's words relate to the case: which of its facts they take up, which they contradict.

A contradiction is a sentence that says of the patient (您有…, 根据您的描述…) what the patient denied, or denies what
the patient said. Sentences that suppose, ask, advise or speak in general are left out, so most wrong statements are not
contradictions in this sense; what is counted is meant to be certain.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from healgpt.evaluation.measures.ground import Ground, names
from healgpt.evaluation.measures.sentences import CONDITION, sentences
from healgpt.knowledge.linking import Mention, about

_KINDS = ("symptom", "disease")
_TOLD = (*_KINDS, "ingredient", "product", "class", "herb", "formula", "check", "procedure")
_OF_PATIENT = re.compile(
    r"(?:根据|按照|从|依据|结合)(?:您|你)?[^，。]{0,6}(?:描述|提供|所述|所说|情况|症状)|(?:您|你)(?:提到|说|描述|提及)(?:了|的|到)?|"
    r"(?:您|你|孩子|宝宝|患者|老人|他|她|您的?[^，。]{1,4})(?:目前|现在|已经|最近|一直|也|还|只是|只|这次|并|的情况)*"
    r"(?:有(?!可能|必要|助|利|权|任何|效|没有|所)|没有(?!必要|任何问题)|无(?!需|法|论)|出现了?|患有|患上了?|得了|存在|表现为|伴有|感到|感觉|正在)|了解到(?:您|你)"
)
_NOT_TOLD = re.compile(
    r"可能|也许|或许|大概|疑似|怀疑|考虑|建议|应该|应当|需要|避免|注意|预防|防止|例如|比如|是否|有没有|会(?:导致|引起|出现|有)|引起|导致|造成|"
    r"排除|检查|治疗|缓解|减轻|改善|[？?]|如有|若|出现(?:以下|任何|其他)|通常|一般|常见|症状包括|包括|风险|以免|容易"
)
_YEARS = re.compile(r"(?:您|你|孩子|宝宝|患者|老人)(?:今年|现在|目前|已经|的年龄(?:是|为)?)?(\d{1,3})岁")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A sentence of the doctor that denies what the patient said, or says what the patient denied."""

    sentence: str
    name: str


def facts_used(answers: Sequence[str], facts: Sequence[str], ground: Ground) -> float | None:
    """Return which share of the things that `facts` name `answers` name, too; None where `facts` name nothing.

    Symptoms, illnesses, medicines, checks and operations count, each once, whatever is said of them.
    """
    told = {one.name: names(one) for fact in facts for one in ground.link(fact) if one.kind in _TOLD}
    if not told:
        return None
    said = frozenset(name for answer in answers for one in ground.link(answer) for name in names(one))
    return sum(bool(wanted & said) for wanted in told.values()) / len(told)


def contradictions(answer: str, told: Sequence[str], ground: Ground) -> list[Contradiction]:
    """Return what `answer` says against `told`: the case and what the patient said until then."""
    known = [one for text in told for one in ground.link(text) if one.kind in _KINDS]
    present = frozenset(name for one in known if one.status in ("present", "uncertain", "past") for name in names(one))
    absent = frozenset(one.name for one in known if one.status == "absent") - present
    found = []
    for sentence in sentences(answer):
        cue = _OF_PATIENT.search(sentence)
        if cue is None or CONDITION.search(sentence):
            continue
        for one in ground.link(sentence):
            if (
                one.kind in _KINDS
                and one.start >= cue.start()
                and _against(one, sentence, cue.start(), present, absent)
            ):
                found.append(Contradiction(sentence, one.name))
    return found + _wrong_age(answer, told)


def _against(one: Mention, sentence: str, cue: int, present: frozenset[str], absent: frozenset[str]) -> bool:
    between = sentence[cue : one.end]
    clause = re.split(r"[，,：:]", sentence[one.start :])[0]
    if _NOT_TOLD.search(between) or _NOT_TOLD.search(clause):
        return False
    if one.status == "present":
        return one.name in absent
    # only the very thing: who has no 剧烈头痛 may well have 头痛
    return one.status == "absent" and one.name in present


def _wrong_age(answer: str, told: Sequence[str]) -> list[Contradiction]:
    """Return where the doctor speaks of an age that is not the patient's; a year's difference is no matter."""
    ages = [person.age_years for text in told if (person := about(text)).age_years is not None]
    found = []
    for match in _YEARS.finditer(answer):
        if ages and all(age is not None and abs(age - int(match[1])) > 1 for age in ages):
            found.append(Contradiction(match[0], "年龄"))
    return found
