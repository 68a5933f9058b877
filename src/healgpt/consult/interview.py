"""What a turn has to do: ask back, advise, or inform; and which questions come next.

A small model asks back unreliably (see docs/lab-book.md), so the questions are the Doctor's and the words around
them the model's. Rules over the conversation alone, so a turn plans the same way for ever. With a graph at hand the
differential adds the symptoms that separate best what fits; the topic's warning signs are always asked before them.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from healgpt.consult.findings import Guide, Turns, View
from healgpt.consult.likely import Likely
from healgpt.knowledge.differential import Item
from healgpt.schema import Fact, Message

Task = Literal["ask", "advise", "inform", "talk"]

MOST_ROUNDS_OF_QUESTIONS = 2
MOST_QUESTIONS = 3
# a complaint that lacks this many of duration, age and warning signs is asked back
_MISSING_TO_ASK = 2
# bits that the best symptoms to ask must promise to be worth a round
_WORTH_BITS = 0.3

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
    """What one turn has to do; `questions` is empty unless `task` is "ask".

    With a guide, a turn that advises is given `likely` and `facts` about them, and one that asks back ends with
    `lead`, a sentence that cites `facts` by their numbers; each may be empty.
    """

    task: Task
    questions: tuple[str, ...] = ()
    likely: tuple[Likely, ...] = ()
    lead: str = ""
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Where the interview stands after the last user turn: what the web panel shows.

    `rounds` of questions were answered before; `questions` are those that this turn asks.
    """

    task: Task
    rounds: int
    stated: tuple[str, ...]
    denied: tuple[str, ...]
    likely: tuple[Likely, ...]
    questions: tuple[str, ...]


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((files("healgpt.consult") / "interview.toml").read_text(encoding="utf-8"))


def acknowledgement() -> str:
    """Return what stands for the model's sentence where it said nothing that may stand before the questions."""
    return str(_texts()["acknowledgement"])


def opening() -> str:
    """Return the words that lead over to the questions."""
    return str(_texts()["opening"])


def plan(messages: Sequence[Message], guide: Guide | None = None) -> Plan:
    """Return what the answer to the last user turn has to do.

    A complaint is asked back until two of duration, age and warning signs are known, at most twice in a row;
    then it is advised on. A question of knowledge is answered at once. A `guide` also asks back while symptoms are
    left that would tell much, within the same two rounds.
    """
    return _walk(messages, guide)[0]


def state(messages: Sequence[Message], guide: Guide | None) -> State | None:
    """Return where the interview stands; None without a guide or a complaint."""
    made, turns, rounds = _walk(messages, guide)
    if guide is None or made.task not in ("ask", "advise"):
        return None
    view = guide.view(turns)
    return State(made.task, rounds, view.stated, view.denied, view.likely, made.questions)


def _walk(messages: Sequence[Message], guide: Guide | None) -> tuple[Plan, Turns, int]:
    """Return the plan of the last user turn, the turns of its complaint, and the rounds of questions before it."""
    made = Plan("talk")
    turns: Turns = ()  # since the complaint at hand was brought up
    before = rounds = 0
    for message in messages:
        said = (message["role"], message["content"].strip())
        if message["role"] != "user":
            turns = (*turns, said)
            continue
        turns, before = (*turns, said) if rounds else (said,), rounds
        made = _plan_turn(turns, rounds, guide)
        rounds = rounds + 1 if made.task == "ask" else 0
    return made, turns, before


def _plan_turn(turns: Turns, rounds: int, guide: Guide | None) -> Plan:
    """Plan for the last of `turns`, the answer to `rounds` rounds of questions just before it."""
    said = [content for role, content in turns if role == "user"]
    if _CHITCHAT.fullmatch(said[-1]):
        return _advice(turns, guide) if rounds else Plan("talk")
    if not rounds and _KNOWLEDGE.search(said[-1]):
        return Plan("inform")
    topic = next((topic for text in reversed(said) if (topic := _topic(text))), None)
    if topic is None and guide is not None and _new_complaint(guide.view(turns)):
        topic = _texts()["topic"][-1]
    if topic is None:
        return Plan("inform")
    missing = _missing(said, topic, answering=rounds > 0)
    if rounds == MOST_ROUNDS_OF_QUESTIONS:
        return _advice(turns, guide)
    if guide is None:
        return Plan("ask", missing[:MOST_QUESTIONS]) if len(missing) >= _MISSING_TO_ASK else Plan("advise")
    warned = missing[:1] if topic["ask"] in missing else ()
    items = guide.items(turns, guide.named(topic["ask"]) if warned else frozenset())
    view = guide.view(turns)
    worth = _new_complaint(view) and sum(item.gain_bits for item in items) >= _WORTH_BITS
    if len(missing) < _MISSING_TO_ASK and not worth:
        return _advice(turns, guide)
    questions = (*warned, *_separating(items), *missing[len(warned) :])[:MOST_QUESTIONS]
    lead = _lead(view)
    return Plan("ask", questions, (), lead, view.facts if lead else ())


def _new_complaint(view: View) -> bool:
    """Say whether symptoms were told and no illness that they may belong to: then it is worth looking for one."""
    return bool(view.stated) and not view.known_illness


def _advice(turns: Turns, guide: Guide | None) -> Plan:
    if guide is None:
        return Plan("advise")
    view = guide.view(turns)
    return Plan("advise", likely=view.likely, facts=view.advice)


def _separating(items: Sequence[Item]) -> tuple[str, ...]:
    """Return the one question that asks for all of `items`, none where there are none."""
    words = [item.words for item in items if not item.history]
    listed = "或".join(["、".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
    texts = [_texts()["separating"].format(symptoms=listed)] if listed else []
    texts += [item.words for item in items if item.history]
    return ("".join(texts),) if texts else ()


def _lead(view: View) -> str:
    """Return the sentence that names what may fit and the department, citing `view.facts`; empty on thin grounds.

    Two present findings are the least: one symptom fits hundreds of diseases.
    """
    if len(view.stated) < 2 or view.known_illness:
        return ""
    numbers = {fact: f"[{number}]" for number, fact in enumerate(view.facts, 1)}
    cited = {fact.subject: numbers[fact] for fact in view.facts if fact.predicate == "症状"}
    departments = "或".join(fact.object + numbers[fact] for fact in view.facts if fact.predicate == "就诊科室")
    if not departments:
        return ""
    named = "、".join(one.name + cited.get(one.name, "") for one in view.likely[:2] if one.firm)
    return str(_texts()["lead" if named else "lead_department"]).format(likely=named, departments=departments)


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
