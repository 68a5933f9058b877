"""What an answer may not say, found and mended as it is written.

The prompt asks for these limits and a small model forgets them: no dose or frequency of a medicine, no diagnosis as
a certainty, no advice to stop a medicine, no made-up guideline or book, no claim to be a physician, no leaked prompt,
no endless repetition. Each clause is checked before it is shown; the offending words are replaced, the rest stays.
A dose that stands in a fact given to the model (label text of the graph) may be repeated.
"""

import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from healgpt.schema import Fact

_NUMBER = r"(?:[0-9０-９]+(?:[.．][0-9]+)?|[一二两三四五六七八九十半百]+)"
_RANGE = rf"{_NUMBER}\s*(?:[-~～—–至到]\s*{_NUMBER}\s*)?"
# 升 and 克 also measure food and blood values, which _NOT_A_DOSE and _PER tell apart
_UNIT = r"(?:毫克|微克|毫升|克|mg|μg|ug|mcg|ml|mL|ML|g|片|粒|袋|支|丸|滴|喷|揿|枚|包|万?单位|IU|iu|U)"
_PER = r"(?!\s*[/／每]\s*(?:d?[lL]|升|分升|毫升|天的?(?:水|盐|糖)))"
_AMOUNT = rf"{_RANGE}{_UNIT}(?![a-zA-Z]){_PER}(?:\s*[/／]\s*(?:kg|公斤|千克|次|日|天|d))*"
_EVERY = (
    rf"(?:每|一|1)\s*(?:日|天|晚|早|周|隔日)|每{_NUMBER}\s*个?(?:小时|天|日)|日服|早晚各?|睡前|饭[前后]"
    r"|(?:qd|bid|tid|qid|q\d+h)\b"
)
_FREQUENCY = rf"(?:{_EVERY})\s*[^，。；,;\n]{{0,4}}?{_RANGE}次"
_DOSE_PHRASE = re.compile(
    rf"(?:(?:{_EVERY})\s*)?(?:(?:每次|一次|1次|单次|首次|次)\s*[^，。；,;\n]{{0,3}}?)?{_AMOUNT}(?:\s*(?:[，,、]\s*)?(?:{_FREQUENCY}))?"
    rf"|(?:{_FREQUENCY})",
    re.I,
)
_MEDICINE_CUE = re.compile(
    r"毫克|微克|mg|服|口服|吃药|用药|药|片|粒|胶囊|丸|袋|冲剂|颗粒|注射|静滴|静脉|肌注|剂量|用量|滴|喷|涂|外用|胰岛素|激素|抗生素|[林素定酮唑平星汀沙普钠胍芬韦丁啶胺酯酸]"
    r"(?=[^，。；]{0,6}(?:每|一日|一天|[0-9]))"
)
_NOT_A_DOSE = re.compile(
    r"水|盐|食用油|蔬菜|水果|牛奶|酸奶|肉|鱼|蛋|豆|米|面|糖(?!皮质)|酒|蛋白|热量|纤维|步行|运动|锻炼|散步|睡眠|刷牙|洗|坐浴|泡脚|热敷|冷敷|测|量体温|"
    r"监测|复查|检查|体检|参考值|正常值|高于|低于|超过|以上|以下|尿量|大便|排便|小便|呕吐|腹泻|血压|血糖|体重|发作"
)
_STRONG_CUE = re.compile(r"口服|服用|服药|注射|静滴|肌注|剂量|用量|片|粒|胶囊|滴眼|mg|毫克", re.I)

_DOSE_INSTEAD = "（用量请遵医嘱或看说明书）"

# (kind, what is found, what stands there instead)
_PHRASES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "certain_diagnosis",
        re.compile(
            r"(?<![不没未])(?:可以|能够|能|已经|基本)?(?:确诊|诊断|断定)(?:您|你|患者|孩子)?(?:为|是|患有|患了|得了)"
        ),
        "可能是",
    ),
    (
        "certain_diagnosis",
        re.compile(
            r"(您|你|孩子|宝宝)(?:这|这个|这种情况|的情况)?(?:肯定|一定|绝对|无疑|百分之百|100%)?(?:就是|一定是|肯定是|绝对是|必然是)(?=[^，。；]{0,12}(?:病|炎|癌|瘤|症|梗|中风|感染|结石|溃疡|骨折))"
        ),
        r"\1可能是",
    ),
    (
        "certain_diagnosis",
        re.compile(
            r"(您|你|孩子|宝宝)(?:肯定|一定|绝对|确实|已经)?(?:患有|患了|得了|患上了)(?=[^，。；]{0,12}(?:病|炎|癌|瘤|症|梗|中风|感染|结石|溃疡|骨折))"
        ),
        r"\1可能有",
    ),
    (
        "certain_diagnosis",
        re.compile(r"(?:肯定|绝对|一定|百分之百|100%)(?:不是|没有)(?=[^，。；]{0,10}(?:病|炎|癌|瘤|症|梗|问题|大碍))"),
        "不一定有",
    ),
    (
        "stop_medicine",
        re.compile(
            r"(?<![不别勿擅自行意])(?<!能自)(?<!不要)(?<!不能)(?<!不可)(?<!切勿)(?<!不得)(?<!随意)(?<!自行)(?<!擅自)(?<!突然)(?:(?:可以|应该|建议|应|请|需要|最好)(?:您|你)?(?:立即|马上|先|暂时|自行|直接)?)(?:停药|停用|停掉|停止服用|停止使用|停吃|减量|换药|把药停)(?![^，。；]{0,6}(?:请|要|需)?(?:问|咨询|由|听)[^，。；]{0,4}医)"
        ),
        "是否调整用药请问开药的医生，不要自己停药",
    ),
    (
        "made_up_source",
        re.compile(
            r"(?:根据|依据|按照|参考|参见|参考资料[:：]?)?\s*《[^》\n]{2,40}》(?:[（(][^）)\n]{0,20}[）)])?(?:中|里)?(?:也)?(?:提到|指出|规定|建议|认为|的(?:建议|规定))?[，,：:]?"
        ),
        "",
    ),
    (
        "role_confusion",
        re.compile(
            r"(?:我是(?:一名|一位|您的|你的)?(?:执业|专业|主治|主任|值班|[^，。；]{0,6}科)?(?:医生|医师|大夫)|作为(?:一名|一位|您的|你的)?(?:[^，。；]{0,6})?(?:医生|医师|大夫)(?!的))"
        ),
        "我是健康咨询助手，不是医生",
    ),
    (
        "prompt_leak",
        re.compile(
            r"[^。！？\n]*(?:<\|[a-z_]+\|>|系统提示|示例[一二三]|【参考资料】|（(?:只写一句话|用一段大白话|先直接回答)"
            r"|规则[：:]?\s*1|你是 ?HealGPT，一个)[^。！？\n]*[。！？]?"
        ),
        "",
    ),
)
_BREAKS = "，。！？!?\n；;"
_SENTENCE_ENDS = "。！？!?\n"
_LONGEST_CLAUSE = 160
_REPEATS = 3
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


class Gate:
    """Lets an answer through clause by clause, mended, while it is being written.

    A clause is judged with what its sentence said before it, so that a frequency after the medicine's name is
    known for one. The punctuation before a clause goes with it, so that a dropped clause leaves no stray comma.
    """

    def __init__(self, facts: Sequence[Fact] = ()) -> None:
        self.violations: list[Violation] = []
        self._facts = facts
        self._held = ""
        self._sentence = ""
        self._remarked = False
        self._seen: dict[str, int] = {}

    def feed(self, text: str) -> str:
        """Take in the next words and return what may be shown by now."""
        self._held += text
        shown = ""
        while (end := _first_end(self._held)) is not None:
            clause, self._held = self._held[:end], self._held[end:]
            shown += self._pass(clause)
        return shown

    def finish(self) -> str:
        """Return what was held back."""
        rest, self._held = self._held, ""
        return self._pass(rest) if rest else ""

    def _pass(self, clause: str) -> str:
        if clause[0] in _SENTENCE_ENDS:
            self._sentence, self._remarked = "", False
        if self._repeats(clause):
            self.violations.append(Violation("repetition", clause))
            return ""
        mended = self._without_doses(self._without_phrases(clause))
        self._sentence += clause
        return mended

    def _without_phrases(self, clause: str) -> str:
        for kind, pattern, instead in _PHRASES:
            hits = [match[0] for match in pattern.finditer(clause)]
            if kind == "made_up_source":
                hits = [hit for hit in hits if not self._cited(hit)]
            if hits:
                self.violations += [Violation(kind, hit) for hit in hits]
                clause = pattern.sub(instead, clause)
        return clause

    def _without_doses(self, clause: str) -> str:
        if not _DOSE_PHRASE.search(clause) or not _talks_of_doses(self._sentence + clause):
            return clause
        doses = [match[0] for match in _DOSE_PHRASE.finditer(clause) if not self._labelled(match[0])]
        self.violations += [Violation("dose", dose) for dose in doses]
        for dose in doses:
            clause = clause.replace(dose, "" if self._remarked else _DOSE_INSTEAD, 1)
            self._remarked = True
        # what is left of a clause that was all dose says nothing any more
        return "" if doses and not re.search(r"\w{2}", clause) else clause

    def _labelled(self, dose: str) -> bool:
        return any(dose in fact.object for fact in self._facts)

    def _cited(self, hit: str) -> bool:
        return any(_titles(hit) & _titles(fact.object + fact.source) for fact in self._facts)

    def _repeats(self, clause: str) -> bool:
        words = re.sub(r"[\W\d]+", "", clause)
        if len(words) < _SHORTEST_REPEATED:
            return False
        self._seen[words] = self._seen.get(words, 0) + 1
        return self._seen[words] >= _REPEATS


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
    if not _DOSE_PHRASE.search(sentence) or not _MEDICINE_CUE.search(sentence):
        return False
    return not _NOT_A_DOSE.search(sentence) or bool(_STRONG_CUE.search(sentence))


def _titles(text: str) -> set[str]:
    return set(re.findall(r"《([^》]+)》", text))
