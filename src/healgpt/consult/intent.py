"""What a turn wants of the graph: its intent, the entities it is about, and the facts for both.

Rules over the conversation alone (data: intent.toml), so that the same conversation is given the same facts for
ever. `interview.plan` decides whether a turn asks back; this decides what an answer may cite.
"""

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from healgpt.consult.interview import Plan, plan
from healgpt.knowledge.linking import Linker, Mention
from healgpt.knowledge.linking_words import fold
from healgpt.knowledge.retrieval import Retriever, Wanted, fitting
from healgpt.schema import Fact, Message

# says what a turn had to do; with a graph, the Doctor's own
Planner = Callable[[Sequence[Message]], Plan]

FACT_TOKENS = 120
# facts considered before they are cut to FACT_TOKENS
_CONSIDERED = 12
# user turns looked back at for what "它" or "那要吃什么药" is about
_LOOK_BACK = 4
_LONGEST_QUESTION = 24

_GREETING = re.compile(
    r"[,。!! ~～…]*(?:你好|您好|谢谢你?|多谢|感谢|再见|好的|好|嗯+|哦+|在吗|在不在|hi|hello|"
    r"ok|拜拜|明白了?|知道了?|"
    r"医生|大夫|请问|早上好|晚上好|辛苦了?|了|啊|呀|吧|[,。!?! ~～…])+",
    re.I,
)

# small talk that is more than a greeting; only where no health matter is named, in a short turn
_SMALL_TALK = re.compile(
    r"你(?:是|叫|还|真|好|挺|太|多大|几岁).{0,8}(?:谁|名字|机器人|真人|ai|人工智能|贴心|厉害|聪明|专业|温柔|耐心|可爱|多大|几岁)"
    r"|(?:新年|节日|生日|中秋|春节|周末)快乐|早点休息|晚安|谢谢|多谢|感谢|辛苦|再见|拜拜|祝你|哈哈"
)
_SMALL = 20

# what is asked decides, not what is told before it: "去医院检查说是癫痫，能治好吗？" asks about treatment
_SENTENCE = re.compile(r"[^。!?\n]+[。!?\n]?")
_QUESTION = re.compile(
    r"\?|吗|么|呢|怎么|怎样|如何|什么|啥|哪|几|多少|多久|能不能|可不可以|是不是|会不会|要不要|咋|为何"
    r"|[不没](?=[,;。!]|$)"
)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is wanted: `name` is a key of intent.toml, or "chitchat" or "out_of_scope", which fetch nothing."""

    name: str
    label: str
    wanted: Wanted


_BACKGROUND = frozenset({"病因", "高危因素", "多发人群"})
_ASKED_BACKGROUND = {
    **dict.fromkeys(("disease", "prevention", "contagion"), _BACKGROUND),
    "diet_care": frozenset({"高危因素"}),
}
CHITCHAT = Intent("chitchat", "寒暄", {})
OUT_OF_SCOPE = Intent("out_of_scope", "没有认出健康话题", {})


@dataclass(frozen=True, slots=True)
class _Row:
    intent: Intent
    kinds: frozenset[str]
    match: re.Pattern[str] | None
    alone: re.Pattern[str] | None


@cache
def _rows() -> tuple[_Row, ...]:
    data = tomllib.loads((files("healgpt.consult") / "intent.toml").read_text(encoding="utf-8"))
    return tuple(_row(row) for row in data["intent"])


def intents() -> tuple[Intent, ...]:
    """Return what intent.toml knows, in its order; CHITCHAT and OUT_OF_SCOPE are apart."""
    return tuple(row.intent for row in _rows())


def _row(row: dict[str, Any]) -> _Row:
    wanted = {kind: tuple(_most(entry) for entry in listed.split()) for kind, listed in row["wanted"].items()}
    match, alone = (re.compile(row[key]) if row.get(key) else None for key in ("match", "alone"))
    return _Row(Intent(row["name"], row["label"], wanted), frozenset(row["kinds"]), match, alone)


def _most(entry: str) -> tuple[str, int]:
    relation, _, most = entry.partition("*")
    return relation, int(most or 1)


def intent(text: str, mentions: Sequence[Mention]) -> Intent:
    """Return what `text`, which names `mentions`, wants; the first row of intent.toml that agrees."""
    folded = fold(text).text
    questions = [sentence for sentence in _SENTENCE.findall(folded) if _QUESTION.search(sentence)]
    asked = "\n".join(_tail(sentence) for sentence in questions) or folded
    kinds = {mention.kind for mention in mentions}
    if not kinds:
        if _GREETING.fullmatch(folded) or (len(folded) <= _SMALL and _SMALL_TALK.search(folded)):
            return CHITCHAT
        named = (row.intent for row in _rows() if row.alone and row.alone.search(asked))
        return next(named, OUT_OF_SCOPE)
    found = _first(asked, kinds)
    if found is None or found.match:
        return found.intent if found else OUT_OF_SCOPE
    wider = _first("\n".join(_tail(sentence, before=1) for sentence in questions) or folded, kinds)
    return wider.intent if wider and wider.match else found.intent


def _first(asked: str, kinds: set[str]) -> _Row | None:
    rows = (row for row in _rows() if not row.kinds or kinds & row.kinds)
    return next((row for row in rows if row.match is None or row.match.search(asked)), None)


def _tail(sentence: str, *, before: int = 0) -> str:
    """Return what of a long sentence can hold its question: stories run on, with commas or without, and end in it.

    The clauses that ask, and `before` clauses before each of them.
    """
    clauses = re.split(r"[,;]", sentence)
    asking = [place for place, clause in enumerate(clauses) if _QUESTION.search(clause)]
    kept = {place - back for place in asking for back in range(before + 1) if place >= back}
    return ",".join(clauses[place][-_LONGEST_QUESTION:] for place in sorted(kept)) or ",".join(
        clause[-_LONGEST_QUESTION:] for clause in clauses[-2:]
    )


def topic(messages: Sequence[Message], link: Callable[[str], list[Mention]], planned: Planner = plan) -> list[Mention]:
    """Return what the last user turn of `messages` is about.

    An answer to the Doctor's questions goes on with the complaint; a turn that names nothing is about what was
    named last. A name of the last turn comes before those of earlier ones, and its status holds.
    """
    turns = [index for index, message in enumerate(messages) if message["role"] == "user"]
    found = link(messages[turns[-1]]["content"]) if turns else []
    for place in reversed(turns[max(0, len(turns) - _LOOK_BACK) : -1]):
        asked = planned(messages[: place + 1]).task == "ask"
        if found and not asked:
            break
        known = {mention.name for mention in found}
        found = found + [mention for mention in link(messages[place]["content"]) if mention.name not in known]
        if found and not asked:
            break
    return found


def evidence_finder(
    linker: Linker,
    retriever: Retriever,
    count: Callable[[str], int],
    *,
    budget: int = FACT_TOKENS,
    planned: Planner = plan,
) -> Callable[[Sequence[Message]], tuple[Fact, ...]]:
    """Return the function that a Doctor calls for its facts: at most `budget` tokens of them, none for small talk."""

    def find(messages: Sequence[Message]) -> tuple[Fact, ...]:
        mentions, wanted = understand(messages, linker.link, planned)
        if not wanted.wanted:
            return ()
        facts = retriever.find(mentions, wanted=wanted.wanted, limit=_CONSIDERED)
        return fitting(relevant(facts, mentions, wanted), count, budget=budget)

    return find


def relevant(facts: Sequence[Fact], mentions: Sequence[Mention], wanted: Intent) -> list[Fact]:
    """Keep only facts that answer: of the food, where a certain food was asked about, and no background beside it.

    The graph says little of food, and a small model cites what it has: 糖尿病患者不能吃火龙果[1], the department.
    Causes and risks are background unless the illness itself, its prevention or its contagion was asked about; risks
    help with a question on diet, too.
    """
    foods = {mention.name for mention in mentions if mention.kind == "food"}
    if wanted.name == "diet_care" and foods:
        return [fact for fact in facts if any(food in fact.subject + fact.object for food in foods)]
    dropped = _BACKGROUND - _ASKED_BACKGROUND.get(wanted.name, frozenset())
    return [fact for fact in facts if fact.predicate not in dropped]


def understand(
    messages: Sequence[Message], link: Callable[[str], list[Mention]], planned: Planner = plan
) -> tuple[list[Mention], Intent]:
    """Return what the last user turn is about and what it wants."""
    mentions = topic(messages, link, planned)
    last = next((message["content"] for message in reversed(messages) if message["role"] == "user"), "")
    return mentions, intent(last, mentions)
