"""What a turn has to do: ask back, advise, or inform; and which questions come next.

A small model asks back unreliably (see docs/lab-book.md), so the questions are the Doctor's and the words around
them the model's. Rules over the conversation alone, so a turn plans the same way for ever.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from healgpt.schema import Message

Task = Literal["ask", "advise", "inform", "talk"]

MOST_ROUNDS_OF_QUESTIONS = 2
MOST_QUESTIONS = 3
# a complaint that lacks this many of duration, age and warning signs is asked back
_MISSING_TO_ASK = 2

_NUMBER = r"[0-9０-９一二两三四五六七八九十半几多]+"
_DURATION = re.compile(
    rf"{_NUMBER}\s*个?(?:多|来)?\s*(?:年|月|周|星期|礼拜|天|日|小时|钟头|分钟)|昨[天晚日]|前[天晚日]|今[天早晨晚]|刚刚|刚才|"
    r"早上开始|昨夜|半夜|上周|上个月|去年|前年|最近几|小时候|从小|突然|一直以来"
)
_NOT_DURATION = re.compile(rf"每[天日周月年]|{_NUMBER}\s*(?:岁|个月大|周岁)|怀孕{_NUMBER}\s*个?[月周]")
_AGE = re.compile(
    rf"{_NUMBER}\s*(?:多)?\s*(?:岁|周岁|个月大|个月的)|年龄|(?:宝宝|孩子|小孩|婴儿){_NUMBER}\s*个?月|[0-9]0后"
)
_MEDICINE = re.compile(r"吃药|服药|用药|服用|吃过|在吃|没吃|口服|输液|打针|药物|过敏史")
_CHILD = re.compile(r"宝宝|孩子|小孩|婴儿|新生儿|儿子|女儿|幼儿|小儿|娃")
_OTHER = re.compile(
    r"我(?:妈|爸|爷|奶|婆|公|老公|老婆|丈夫|妻子|父|母|姐|妹|哥|弟|朋友|同事|姥)|家里?(?:人|老人)|朋友|老人"
)
_WOMAN = re.compile(r"月经|大姨妈|例假|白带|阴道|痛经|怀孕|孕|外阴|女性|我是女|停经|哺乳")
_KNOWLEDGE = re.compile(
    r"(?:能|可以|可|会|要|用|需要|应该|应)(?:不能|不可以)?[^，。？！]{0,12}(?:吗|么|不)[？?]?|是什么|什么是|有哪些|有什么(?:症状|危害|好处|办法|药|方法)|"
    r"怎么(?:预防|治|治疗|护理|检查|区分|区别|传染|用)|如何|注意什么|注意哪些|吃什么|首选|遗传|传染|区别|正常值|多少钱|哪些药|什么药|哪些检查|什么检查|查什么|哪些食物|"
    r"挂什么科|看什么科|哪个科|饮食|食谱|忌口|为什么|原理|副作用|禁忌"
)
_CHITCHAT = re.compile(
    r"(?:你好|您好|谢谢|多谢|感谢|再见|好的|好|嗯+|哦+|在吗|hi|hello|ok|拜拜|明白了|知道了)[！!。.～~？? ]*", re.I
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one turn has to do; `questions` is empty unless `task` is "ask"."""

    task: Task
    questions: tuple[str, ...] = ()


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((files("healgpt.consult") / "interview.toml").read_text(encoding="utf-8"))


def opening() -> str:
    """Return the words that lead over to the questions."""
    return str(_texts()["opening"])


def plan(messages: Sequence[Message]) -> Plan:
    """Return what the answer to the last user turn has to do.

    A complaint is asked back until two of duration, age and warning signs are known, at most twice in a row;
    then it is advised on. A question of knowledge is answered at once.
    """
    made = Plan("talk")
    said: list[str] = []  # since the complaint at hand was brought up
    rounds = 0
    for message in messages:
        if message["role"] != "user":
            continue
        said = [*said, message["content"].strip()] if rounds else [message["content"].strip()]
        made = _plan_turn(said, rounds)
        rounds = rounds + 1 if made.task == "ask" else 0
    return made


def _plan_turn(said: Sequence[str], rounds: int) -> Plan:
    """Plan for the last of `said`, the answer to `rounds` rounds of questions just before it."""
    if _CHITCHAT.fullmatch(said[-1]):
        return Plan("advise" if rounds else "talk")
    topic = next((topic for text in reversed(said) if (topic := _topic(text))), None)
    if topic is None or (not rounds and _KNOWLEDGE.search(said[-1])):
        return Plan("inform")
    questions = _missing(said, topic, answering=rounds > 0)
    if len(questions) >= _MISSING_TO_ASK and rounds < MOST_ROUNDS_OF_QUESTIONS:
        return Plan("ask", questions[:MOST_QUESTIONS])
    return Plan("advise")


def _topic(text: str) -> dict[str, Any] | None:
    return next((topic for topic in _texts()["topic"] if any(word in text for word in topic["words"])), None)


def _missing(said: Sequence[str], topic: dict[str, Any], *, answering: bool) -> tuple[str, ...]:
    """Return the questions that what was said leaves open, warning signs first."""
    texts, whole = _texts(), "，".join(said)
    found = []
    # a patient who was asked for warning signs has had the chance to name them
    if not answering and not re.search(r"没有|不伴|伴有|伴|还有|无(?!法)|并且|同时", whole):
        found.append(topic["ask"])
    if not _DURATION.search(_NOT_DURATION.sub("", whole)):
        found.append(texts["duration"])
    if not _AGE.search(whole):
        who = "age_child" if _CHILD.search(whole) else "age_other" if _OTHER.search(whole) else "age"
        found.append(texts["age_woman" if who == "age" and _WOMAN.search(whole) else who])
    return tuple(found)
