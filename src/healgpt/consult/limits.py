"""What an answer may not say, found and mended as it is written.

The prompt asks for these limits and a small model forgets them: no dose or frequency of a medicine, no diagnosis as
a certainty, no advice to stop a medicine, no made-up guideline or book, no claim to be a physician, no leaked prompt,
no endless repetition. Each clause is checked before it is shown; the offending words are replaced, the rest stays.
A dose that stands in a fact given to the model (label text of the graph) may be repeated.
"""

import re
import tomllib
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from healgpt.schema import Fact

_NUMBER = (
    r"(?:[0-9０-９]+(?:[.．/／][0-9]+)?|[一二两三四五六七八九十]分之[一二三四]|[一二两三四五六七八九十半百]+几?|"
    r"几(?=[片粒颗滴]))"
)
_RANGE = rf"{_NUMBER}\s*(?:[-~～—–至到]\s*{_NUMBER}\s*)?"
# 升 and 克 also measure food and blood values, which _NOT_A_DOSE and _PER tell apart
_UNIT = (
    r"(?:毫克|微克|毫升|克|mg|μg|ug|mcg|ml|mL|ML|g|片(?![好心红黑白阴空皮斑区])|粒|颗|吸|袋|支|丸|滴|喷|揿|枚|包|"
    r"勺|管|(?<=喷[一两二三四])下|"
    r"个?万?单位|IU|iu|U)"
)
_PER = r"(?!\s*[/／每]\s*(?:d?[lL]|升|分升|毫升|天的?(?:水|盐|糖)))"
_AMOUNT = rf"{_RANGE}{_UNIT}(?![a-zA-Z]){_PER}(?:\s*[/／]\s*(?:kg|公斤|千克|次|日|天|d))*"
_EVERY = (
    rf"(?:每|一|1)\s*(?:日|天|晚|早|周|隔日)|每{_NUMBER}\s*个?(?:小时|天|日)|日服|早晚各?|睡前|饭[前后]"
    r"|(?:qd|bid|tid|qid|q\d+h)\b"
)
_FREQUENCY = rf"(?:{_EVERY})\s*[^，。；,;\n]{{0,4}}?{_RANGE}[次回顿遍]"
# units that little but medicine is counted in
_COUNTED = re.compile(rf"{_RANGE}(?:毫克|微克|毫升|mg|ml|片|粒|颗|袋|支|丸|滴|喷|吸)(?![a-zA-Z])", re.I)
_EATEN = re.compile(r"盐|油|糖|肉|蔬菜|水果|蛋|奶|喝水|饮水|豆|米饭|面|坚果|蛋白|热量|主食")
# a frequency alone may be that of measuring or washing
_NOT_TAKEN = re.compile(
    r"测|查|量血|记录|监测|随访|复诊|清洗|漱口|换药|洗|敷|刷|擦|翻身|运动|按摩|锻炼|放疗|化疗|透析|熏洗|理疗|针灸|艾灸|坐浴|开窗|通风|消毒"
)
_DOSE_PHRASE = re.compile(
    rf"(?:(?:{_EVERY})\s*)?(?:(?:每次|一次|1次|单次|首次|"
    rf"次)\s*[^，。；,;\n]{{0,3}}?)?{_AMOUNT}(?:\s*(?:[，,、]\s*)?(?:{_FREQUENCY}))?"
    rf"|(?:{_FREQUENCY})",
    re.I,
)
_MEDICINE_CUE = re.compile(
    r"毫克|微克|mg|颗|吸|膏|星|服|口服|吃药|用药|药|片|粒|胶囊|丸|袋|冲剂|颗粒|注射|静滴|静脉|肌注|剂量|用量|滴|喷|"
    r"涂|外用|胰岛素|激素|抗生素|[林素定酮唑平星汀沙普钠胍芬韦丁啶胺酯酸]"
    r"(?=[^，。；]{0,6}(?:每|一日|一天|[0-9]))"
)
_NOT_A_DOSE = re.compile(
    r"水|盐|食用油|蔬菜|水果|牛奶|酸奶|肉|鱼|蛋|豆|米|面|糖(?!皮质)|酒|蛋白|热量|纤维|步行|运动|锻炼|散步|睡眠|"
    r"刷牙|洗|坐浴|泡脚|热敷|冷敷|测|量体温|"
    r"监测|复查|检查|体检|参考值|正常值|高于|低于|超过|以上|以下|尿量|大便|排便|小便|呕吐|腹泻|血压|血糖|体重|发作|"
    r"规格|卫生巾|尿片|喂奶"
)
_STRONG_CUE = re.compile(r"口服|服用|服药|注射|静滴|肌注|剂量|用量|[0-9一两二半][片粒]|胶囊|滴眼|mg|毫克", re.I)

# the same words three times in a row without a break: a model that has got stuck
_STAMMER = re.compile(r"([^\W\d_]{2,12}?)\1{2,}")
_BREAKS = "，。！？!?\n；;"
_SENTENCE_ENDS = "。！？!?\n"
_LONGEST_CLAUSE = 160
# how far back a sentence without end is remembered, or the time would grow with its square
_LONGEST_SENTENCE = 400
_REPEATS = 3
_LONGEST_CYCLE = 4
# 1.感冒 2.感冒 3.感冒, 查血、查血、查血: list items within one clause
_SAME_ITEMS = re.compile(
    r"(?:[0-9]{0,2}\s*[.．、)）:：]\s*)?([^\W\d_]{2,12})(?:[\s、；/]*(?:[0-9]{1,2}\s*)?[.．、)）:：\s]\s*\1(?![^\W\d_])){2,}"
)
_SHORTEST_REPEATED = 8


@dataclass(frozen=True, slots=True)
class Violation:
    """One limit that `text` crossed."""

    kind: str
    text: str


def check(text: str, facts: Sequence[Fact] = ()) -> list[Violation]:
    """Return the limits that `text` crosses, in order."""
    gate = Gate(facts)
    gate.feed(text)
    gate.finish()
    return gate.violations


def repair(text: str, facts: Sequence[Fact] = ()) -> str:
    """Return `text` within the limits; what crosses none stays to the letter."""
    gate = Gate(facts)
    return gate.feed(text) + gate.finish()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A wording that crosses a limit, and what stands there instead.

    It counts where the sentence so far holds `context` and does not hold `unless`.
    """

    kind: str
    pattern: re.Pattern[str]
    instead: str
    context: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None

    def applies(self, sentence: str) -> bool:
        """Say whether the sentence so far lets this wording count."""
        meant = self.context is None or bool(self.context.search(sentence))
        return meant and not (self.unless and self.unless.search(sentence))


@cache
def _phrases() -> tuple[Phrase, ...]:
    def compiled(item: dict[str, str], key: str) -> re.Pattern[str] | None:
        return re.compile(_filled(item[key]), re.VERBOSE) if key in item else None

    return tuple(
        Phrase(
            item["kind"],
            re.compile(_filled(item["pattern"]), re.VERBOSE),
            item["instead"],
            compiled(item, "context"),
            compiled(item, "unless"),
        )
        for item in _table()["phrase"]
    )


def _filled(pattern: str) -> str:
    """Return `pattern` with the word lists it names."""
    return re.sub(r"%(\w+)%", lambda match: f"(?:{_table()['words'][match[1]]})", pattern)


@cache
def _medicine() -> re.Pattern[str]:
    return re.compile(_table()["words"]["medicine"])


@cache
def _beyond_acknowledging() -> re.Pattern[str]:
    return re.compile(_table()["beyond_acknowledging"], re.VERBOSE)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files("healgpt.consult") / "limits.toml").read_text(encoding="utf-8"))


class Gate:
    """Lets an answer through clause by clause, mended, while it is being written.

    A clause is judged with what its sentence said before it, so that a frequency after the medicine's name is
    known for one. The punctuation before a clause goes with it, so that a dropped clause leaves no stray comma.
    With `acknowledging`, where the patient has yet to be asked, clauses that explain, advise or reassure are dropped.
    """

    def __init__(self, facts: Sequence[Fact] = (), *, acknowledging: bool = False) -> None:
        self.violations: list[Violation] = []
        self._facts = facts
        self._acknowledging = acknowledging
        self._held = ""
        self._any = False
        self._sentence = ""
        self._remarked = False
        self._seen: dict[str, int] = {}
        self._said: list[str] = []
        self._last = ""
        self._row = 0

    def feed(self, text: str) -> str:
        """Take in the next words and return what may be shown by now."""
        self._held += text
        shown = ""
        while (end := _first_end(self._held)) is not None:
            clause, self._held = self._held[:end], self._held[end:]
            shown += self._begun(self._pass(clause))
        return shown

    def finish(self) -> str:
        """Return what was held back."""
        rest, self._held = self._held, ""
        return self._begun(self._pass(rest)) if rest else ""

    def _begun(self, passed: str) -> str:
        """Return `passed` without the comma of a dropped clause where nothing stands before it."""
        text = passed if self._any else passed.lstrip("，、；,; ")
        self._any = self._any or bool(text)
        return text

    def _pass(self, clause: str) -> str:
        if self._acknowledging and _beyond_acknowledging().search(clause):
            self.violations.append(Violation("early_advice", clause))
            return ""
        if clause[0] in _SENTENCE_ENDS:
            self._sentence, self._remarked = "", False
        if self._repeats(clause):
            self.violations.append(Violation("repetition", clause))
            return ""
        mended = self._without_doses(self._without_phrases(self._without_stammer(clause)))
        self._sentence = (self._sentence + clause)[-_LONGEST_SENTENCE:]
        # what is left of a clause that was all offence says nothing any more
        return mended if mended == clause or re.search(r"\w{2}", mended) else ""

    def _without_phrases(self, clause: str) -> str:
        sentence = self._sentence + clause
        for phrase in _phrases():
            if not phrase.applies(sentence):
                continue
            hits = [match[0] for match in phrase.pattern.finditer(clause)]
            if phrase.kind == "made_up_source":
                hits = [hit for hit in hits if not self._cited(hit)]
            if hits:
                self.violations += [Violation(phrase.kind, hit) for hit in hits]
                clause = phrase.pattern.sub(phrase.instead, clause)
        return clause

    def _without_doses(self, clause: str) -> str:
        if not _DOSE_PHRASE.search(clause) or not _talks_of_doses(self._sentence + clause):
            return clause
        if _EATEN.search(clause) and not _medicine().search(clause) and not _STRONG_CUE.search(clause):
            return clause
        found = [match[0] for match in _DOSE_PHRASE.finditer(clause) if not self._labelled(match[0])]
        measured = bool(_NOT_TAKEN.search(clause))
        doses = [dose for dose in found if not (measured and re.fullmatch(_FREQUENCY, dose, re.I))]
        self.violations += [Violation("dose", dose) for dose in doses]
        for dose in doses:
            clause = clause.replace(dose, "" if self._remarked else _table()["dose_remark"], 1)
            self._remarked = True
        return clause

    def _labelled(self, dose: str) -> bool:
        return any(dose in fact.object for fact in self._facts)

    def _cited(self, hit: str) -> bool:
        return any(_titles(hit) & _titles(fact.object + fact.source) for fact in self._facts)

    def _repeats(self, clause: str) -> bool:
        """Say whether a clause was said too often: three times in a row, in a group, or four times if long."""
        words = re.sub(r"[\W\d]+", "", clause)
        self._row = self._row + 1 if words and words == self._last else 1
        self._last = words or self._last
        if words:
            self._said.append(words)
        if self._cycles():
            return True
        if self._row >= _REPEATS and len(words) > 1:
            return True
        if len(words) < _SHORTEST_REPEATED:
            return False
        self._seen[words] = self._seen.get(words, 0) + 1
        return self._seen[words] > _REPEATS

    def _cycles(self) -> bool:
        """Say whether the last clauses were one group of up to four said three times in a row."""
        said = self._said
        for length in range(2, _LONGEST_CYCLE + 1):
            group = said[-length:]
            again = len(said) >= length * _REPEATS and said[-length * _REPEATS :] == group * _REPEATS
            if again and len(set(group)) > 1:
                return True
        return False

    def _without_stammer(self, clause: str) -> str:
        for pattern in (_STAMMER, _SAME_ITEMS):
            self.violations += [Violation("repetition", match[0]) for match in pattern.finditer(clause)]
            clause = pattern.sub(r"\1", clause)
        return clause


def guarded(pieces: Iterable[str], gate: Gate) -> Generator[str, None, None]:
    """Yield `pieces` as `gate` lets them through; empty pieces are left out."""
    for piece in pieces:
        if shown := gate.feed(piece):
            yield shown
    if shown := gate.finish():
        yield shown


def _first_end(text: str) -> int | None:
    """Return where the first finished clause of `text` ends, before the punctuation that follows, or None."""
    started = False
    for place, sign in enumerate(text):
        if started and (sign in _BREAKS or place == _LONGEST_CLAUSE):
            return place
        started = started or sign not in _BREAKS
    return None


def _talks_of_doses(sentence: str) -> bool:
    words = _table()["words"]
    if not _DOSE_PHRASE.search(sentence) or re.search(words["not_dosing"], sentence):
        return False
    named = bool(_medicine().search(sentence)) and not re.search(words["not_medicine"], sentence)
    regular = _COUNTED.search(sentence) and re.search(_EVERY, sentence)
    if not named and not regular and not _MEDICINE_CUE.search(sentence):
        return False
    food = re.search(words["not_medicine"], sentence)
    if named or (_STRONG_CUE.search(sentence) and not food):
        return True
    return not food and not _NOT_A_DOSE.search(sentence)


def _titles(text: str) -> set[str]:
    return set(re.findall(r"《([^》]+)》", text))
