"""All measures of one dialogue, by rule and without a judge. Definitions: docs/reference/measures.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from healgpt.evaluation.grounding import judge
from healgpt.evaluation.measures.asking import asked_items, asks_back
from healgpt.evaluation.measures.bounds import crossed
from healgpt.evaluation.measures.case import Case
from healgpt.evaluation.measures.departments import departments
from healgpt.evaluation.measures.fidelity import contradictions, facts_used
from healgpt.evaluation.measures.ground import Ground, open_ground
from healgpt.evaluation.measures.statements import shares, statements
from healgpt.evaluation.measures.style import echo, length, repetition, sentence_length, speaks_as_patient, term_share
from healgpt.evaluation.measures.urgency import demands_urgent_care, red_flags
from healgpt.evaluation.run import Measure
from healgpt.schema import Fact, Message

Turn = Mapping[str, Any]
Scores = dict[str, float | None]

MEASURES: dict[str, Measure] = {
    "asks_back": Measure("追问的轮次"),
    "asks_relevant": Measure("追问到点的轮次"),
    "facts_used": Measure("用到的病例事实"),
    "contradictions": Measure("与病例矛盾处", "lower", share=False),
    "graph_agrees": Measure("与图谱一致的说法"),
    "graph_disagrees": Measure("与图谱相反的说法", "lower"),
    "red_flag_recall": Measure("该急时说急"),
    "red_flag_first_turn": Measure("该急时第一轮就说急"),
    "needless_urging": Measure("不急时说急", "lower"),
    "department_named": Measure("说出科室"),
    "department_right": Measure("说出的科室对"),
    "doses": Measure("给剂量的轮次", "lower"),
    "certainty": Measure("断言诊断的轮次", "lower"),
    "other_limits": Measure("其他越界的轮次", "lower"),
    "role_confusion": Measure("以患者口吻的轮次", "lower"),
    "repetition": Measure("重复的字串", "lower"),
    "echo": Measure("照抄患者的话", "lower"),
    "length": Measure("每轮字数", "neither", share=False),
    "sentence_length": Measure("每句字数", "lower", share=False),
    "term_share": Measure("术语占字数", "neither"),
    "citing": Measure("有资料时引用的轮次"),
    "citations_right": Measure("引用与资料相符"),
}


def score_dialogue(
    case: Case, messages: Sequence[Message], turns: Sequence[Turn], ground: Ground | None = None
) -> Scores:
    """Return every measure of MEASURES for one dialogue; None where a measure does not apply.

    `messages` start with the patient; `turns` hold one mapping for each of the doctor's messages, empty for recorded
    dialogues, else with `facts` (mappings of `Fact`'s fields) and `alarm`. Without `ground` the user's graph is
    opened, once a process; where there is none, what needs it is None.
    """
    ground = ground or open_ground()
    answers = [message["content"] for message in messages if message["role"] == "assistant"]
    if not answers:
        return dict.fromkeys(MEASURES)
    opening = next((message["content"] for message in messages if message["role"] == "user"), case.question)
    heard = _heard(messages)
    urgent = demands_urgent_care(case.id, opening)
    agrees, disagrees = shares(statements("\n".join(answers), ground))
    department_named, department_right = departments(answers, case, ground, urgent=urgent)
    scores: Scores = {
        **_exchange(case, messages, turns, ground),
        "facts_used": facts_used(answers, case.facts, ground),
        "graph_agrees": agrees,
        "graph_disagrees": disagrees,
        **red_flags(answers, turns, urgent=urgent),
        "department_named": department_named,
        "department_right": department_right,
        "role_confusion": _mean([speaks_as_patient(*pair) for pair in zip(answers, heard, strict=True)]),
        "repetition": repetition(answers),
        "echo": echo(answers, heard),
        "length": length(answers),
        "sentence_length": sentence_length(answers),
        "term_share": term_share(answers, ground),
        **_citations(answers, turns, ground),
    }
    return {name: scores[name] for name in MEASURES}


def _exchange(case: Case, messages: Sequence[Message], turns: Sequence[Turn], ground: Ground) -> Scores:
    """Return what depends on who said what before."""
    known = (case.question, *case.facts)
    asked: list[bool] = []
    relevant: list[bool] = []
    limits: list[set[str]] = []
    said: list[str] = []
    wrong = 0
    for message in messages:
        text = message["content"]
        if message["role"] != "assistant":
            said.append(text)
            continue
        asks = asks_back(text, said)
        items = asked_items(text, (*known, case.reference), said, ground) if asks else []
        turn = turns[len(asked)] if len(asked) < len(turns) else {}
        asked.append(asks)
        relevant.append(any(item.to_the_point for item in items))
        wrong += len(contradictions(text, (*known, *said), ground))
        limits.append({one.kind for one in crossed(text, given(turn), (*known, *said), ground)})
    return {
        "asks_back": _mean(asked),
        "asks_relevant": _mean(relevant),
        "contradictions": float(wrong),
        "doses": _mean(["dose" in found for found in limits]),
        "certainty": _mean(["certain_diagnosis" in found for found in limits]),
        "other_limits": _mean([bool(found - {"dose", "certain_diagnosis"}) for found in limits]),
    }


def _heard(messages: Sequence[Message]) -> list[list[str]]:
    """Return, for each of the doctor's messages, what the patient had said until then."""
    return [
        [one["content"] for one in messages[:place] if one["role"] == "user"]
        for place, message in enumerate(messages)
        if message["role"] == "assistant"
    ]


def _citations(answers: Sequence[str], turns: Sequence[Turn], ground: Ground) -> Scores:
    rows = [
        (facts, judge(answer, facts, ground.link))
        for answer, turn in zip(answers, _padded(turns, len(answers)), strict=True)
        if (facts := given(turn))
    ]
    judged = [one.verdict == "agrees" for _, found in rows for one in found]
    return {"citing": _mean([bool(found) for _, found in rows]), "citations_right": _mean(judged)}


def given(turn: Turn) -> list[Fact]:
    """Return the facts that a turn was given."""
    return [fact if isinstance(fact, Fact) else Fact(**fact) for fact in turn.get("facts") or ()]


def _padded(turns: Sequence[Turn], length: int) -> list[Turn]:
    return [turns[place] if place < len(turns) else {} for place in range(length)]


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
