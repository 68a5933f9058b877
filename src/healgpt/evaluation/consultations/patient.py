"""A patient without a language model: answers from the sentences of a case, admits what the case does not say.

A pure function of the case and the dialogue so far, so two runs are identical. Every word it says stands in the case
or in patient.toml. It never denies what the case is silent about: an unanswered question is met with 不太清楚, which
tells a doctor nothing, rather than with 没有, which would.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

from healgpt.evaluation.consultations.asks import questions
from healgpt.evaluation.consultations.case import Case
from healgpt.evaluation.consultations.narrative import Clause, clauses, rules
from healgpt.knowledge import differential
from healgpt.knowledge.linking import Mention
from healgpt.knowledge.linking_words import wider
from healgpt.schema import Message

Patient = Callable[[Case, Sequence[Message]], str]

# what a doctor may ask after by name; departments, people and germs are not
_KINDS = frozenset({"symptom", "disease", "product", "drug", "class", "herb", "formula", "check", "procedure", "food"})
# names that mean nothing when asked for alone
_VAGUE = frozenset({"疾病", "症状", "疼痛", "不适", "检查", "治疗", "药物", "发作", "炎症", "感染", "过敏"})


@dataclass(frozen=True, slots=True)
class Known:
    """One clause of a case as it is searched. `ill`: it names an illness; `opening`: the first message says it."""

    clause: Clause
    names: frozenset[str]
    slots: frozenset[str]
    complaint: bool
    ill: bool
    opening: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the patient says to a turn that asks; `found` is False where the case says nothing of it."""

    text: str
    found: bool


def open_patient(find: Callable[[str], Sequence[Mention]]) -> Patient:
    """Return the patient; `find` links the names of symptoms, diseases and drugs, whatever words they come in."""
    link = lru_cache(maxsize=4096)(_names_finder(find))

    @lru_cache(maxsize=512)
    def memory(case: Case) -> tuple[Known, ...]:
        return tuple(_known(clause, case, link) for clause in clauses(case.facts))

    def reply(case: Case, messages: Sequence[Message]) -> str:
        said = tuple(message["content"] for message in messages if message["role"] == "user")
        texts = questions(messages[-1]["content"], said)
        asked = [wanted for text in texts if (wanted := _wanted(text, link))]
        known = memory(case)
        if asked:
            answer = _answer(known, asked, said, case)
            return answer.text if answer.found else answer.text + _follow(case, known, messages, said)
        hurry = _pick("hurry", case, said)
        if re.search(rules()["emergency"], messages[-1]["content"]) and not any(_hurried(text) for text in said):
            return hurry
        follow = _follow(case, known, messages, said)
        if not follow:
            return _pick("thanks", case, said)
        return follow if texts else _pick("agree", case, said) + follow

    return reply


def rules_digest() -> str:
    """Return the sha256 of the data that decides what the patient says, as manifests record it."""
    return hashlib.sha256(repr(rules()).encode()).hexdigest()


Link = Callable[[str], tuple[tuple[str, str], ...]]


def _names_finder(find: Callable[[str], Sequence[Mention]]) -> Link:
    def link(text: str) -> tuple[tuple[str, str], ...]:
        return tuple((mention.name, mention.kind) for mention in find(text) if mention.kind in _KINDS)

    return link


@cache
def _slots() -> tuple[tuple[dict[str, Any], re.Pattern[str], re.Pattern[str]], ...]:
    return tuple((row, re.compile(row["ask"]), re.compile(row["tell"])) for row in rules()["slot"])


def _known(clause: Clause, case: Case, link: Link) -> Known:
    mentions = link(clause.text)
    complaint = any(kind == "symptom" for _, kind in mentions)
    field = rules()["labels"].get(clause.label, {}).get("slot")
    slots = {row["name"] for row, _, tell in _slots() if (complaint or "kind" not in row) and tell.search(clause.text)}
    return Known(
        clause,
        frozenset(name for name, _ in mentions),
        frozenset({field} if field else slots),
        complaint,
        any(kind == "disease" for _, kind in mentions),
        clause.text in case.question,
    )


def _wanted(question: str, link: Link) -> tuple[str, ...]:
    """Return what a question asks for: names, and slots with # before them."""
    names = [name for name, _ in link(question.replace("有没有", "，")) if name not in _VAGUE]
    slots = [f"#{row['name']}" for row, ask, _ in _slots() if ask.search(question)]
    return tuple(dict.fromkeys(names + slots))


def _fits(wanted: str, known: Known) -> bool:
    if wanted.startswith("#"):
        return wanted[1:] in known.slots
    return any(_same(wanted, name) for name in known.names)


@cache
def _same(first: str, second: str) -> bool:
    """Tell whether two names are of one thing, one perhaps wider: 低热 answers whether there is 发热."""
    return first in _wider(second) or second in _wider(first)


def _wider(name: str) -> list[str]:
    names = [name]
    while (above := _above(names[-1])) is not None and above not in names:
        names.append(above)
    return names


def _above(name: str) -> str | None:
    """Return the next wider name, as the linker or the differential has it."""
    return differential.joined().get(name) or differential.rules()["wider"].get(name) or wider(name)


def _answer(known: Sequence[Known], asked: Sequence[tuple[str, ...]], said: Sequence[str], case: Case) -> Answer:
    """Answer the questions `asked` from the clauses not yet told, in the order of the case."""
    chosen: list[Known] = []
    missing: list[tuple[str, ...]] = []
    told_again = False
    for wanted in asked:
        fitting = _best(known, wanted)
        fresh = [one for one in fitting if not any(one.clause.text in text for text in said[1:])]
        told_again |= bool(fitting) and not fresh
        chosen += [one for one in fresh if one not in chosen][: rules()["most_for_one"]]
        unfound = tuple(item for item in wanted if not any(_fits(item, one) for one in known))
        if not fitting or any(not item.startswith("#") for item in unfound):
            missing.append(unfound)
    chosen = sorted(chosen[: rules()["most"]], key=known.index)
    if not chosen:
        phrase = "nothing_new" if told_again else "unknown" if len(said) == 1 else "unknown_again"
        own = "" if told_again else _own_phrase(missing, said)
        return Answer(own or _pick(phrase, case, said), False)
    before = _pick("told_before", case, said) if all(one.opening for one in chosen) else ""
    rest = (_own_phrase(missing, said) or _pick("rest_unknown", case, said)) if missing else ""
    return Answer(before + _joined(chosen) + rest, True)


def _best(known: Sequence[Known], wanted: Sequence[str]) -> list[Known]:
    """Return the clauses that say something of `wanted`, those that meet most of it first."""
    scored = [(sum(_fits(item, one) for item in wanted), place, one) for place, one in enumerate(known)]
    return [one for score, _, one in sorted(scored, key=lambda row: (-row[0], row[1])) if score]


def _own_phrase(missing: Sequence[tuple[str, ...]], said: Sequence[str]) -> str:
    """Return what to say where the one missing thing has words of its own, or an age is; empty once it was said."""
    phrase = ""
    if len(missing) == 1 and len(missing[0]) == 1:
        phrase = next((row.get("unknown", "") for row, _, _ in _slots() if f"#{row['name']}" == missing[0][0]), "")
    elif any("#age" in items for items in missing):
        phrase = rules()["phrases"]["no_age"]
    return "" if any(phrase in text for text in said) else str(phrase)


def _joined(chosen: Sequence[Known]) -> str:
    """Join clauses: those of one sentence by commas."""
    text = chosen[0].clause.text
    for before, one in pairwise(chosen):
        text += ("，" if before.clause.sentence == one.clause.sentence else "。") + one.clause.text
    return text + "。"


def _follow(case: Case, known: Sequence[Known], messages: Sequence[Message], said: Sequence[str]) -> str:
    """Return a question of the patient's own: not asked yet, not in the opening, best not answered by the doctor."""
    rows = rules()["follow"]
    start = _number(case) % len(rows)
    doctor = "\n".join(message["content"] for message in messages if message["role"] == "assistant")
    ill = any(one.complaint or one.ill for one in known)
    texts = [
        (row, row["say"].format(who=_who(case)))
        for row in (*rows[start:], *rows[:start])
        if not re.search(row["known"], case.question) and (ill or not row.get("complaint", False))
    ]
    left = [(row, text) for row, text in texts if not any(text in one for one in said)]
    open_ones = [text for row, text in left if not re.search(row["answered"], doctor)]
    return open_ones[0] if open_ones else left[0][1] if left else ""


@cache
def _who(case: Case) -> str:
    """Return whom the case is about, in its own words: 我, 我妈妈, 宝宝; empty where it does not say."""
    found = re.search(rules()["people"], case.question)
    if found is None:
        return ""
    child = re.fullmatch(rules()["children"], found[0])
    return "孩子" if child else found[0]


def _hurried(text: str) -> bool:
    return any(phrase in text for phrase in rules()["phrases"]["hurry"])


def _number(case: Case) -> int:
    return int(hashlib.sha256(case.id.encode()).hexdigest()[:8], 16)


def _pick(kind: str, case: Case, said: Sequence[str]) -> str:
    """Return one of the fixed phrases: another for each case, and another each turn; none twice while some are left."""
    phrases: list[str] = rules()["phrases"][kind]
    start = _number(case) + len(said)
    turned = [phrases[(start + place) % len(phrases)] for place in range(len(phrases))]
    return next((phrase for phrase in turned if not any(phrase and phrase in text for text in said)), turned[0])
