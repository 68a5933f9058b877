"""The exam task: ask every question, score the answer, keep what was picked beside it.

Two scorers. "letters" reads the probability that the answer starts with each letter, normalised over the letters of
the question, and picks the most likely; averaged over cyclic orders of the options it loses the model's liking for a
letter. "generate" has the model write and reads its answer (extraction.py); no answer found is an abstention, wrong in
the accuracy and counted apart. A question with several right letters is scored by "letters" only where the paper says
how many to choose: a threshold on probabilities would be a guess. Otherwise its scores are null.

The system "doctor" gives the model the Doctor's system prompt and the facts that the Doctor would find for the pasted
question. Triage and the interview are not applied: an exam question is no patient, and neither may answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol, runtime_checkable

from healgpt import prompts
from healgpt.errors import ConfigError
from healgpt.evaluation.exams.extraction import extract
from healgpt.evaluation.exams.prompt import PROMPTS, Find, no_facts, opening, origin, rotated, turn
from healgpt.evaluation.exams.question import Question
from healgpt.evaluation.run import Item, Measure, Plan
from healgpt.schema import ChatModel, Fact, Message, Sampling

Scorer = Literal["letters", "generate"]

MEASURES: Mapping[Scorer, Mapping[str, Measure]] = {
    "letters": {"right": Measure("正确率"), "p_right": Measure("给正确选项的概率")},
    "generate": {"right": Measure("正确率"), "abstained": Measure("没有作答", "lower")},
}


@runtime_checkable
class LetterModel(Protocol):
    """A model that tells how likely its answer starts with each letter."""

    def letter_probabilities(self, messages: Sequence[Message], letters: Sequence[str]) -> dict[str, float]: ...


@dataclass(frozen=True, slots=True)
class Setting:
    """How questions are put: the worked examples, the system prompt, the facts, the scorer and its options.

    `orders` counts the cyclic orders of the options that "letters" averages over, at most as many as there are options.
    """

    scorer: Scorer = "letters"
    shots: tuple[Question, ...] = ()
    system: str = ""
    find: Find = no_facts
    orders: int = 1
    max_tokens: int = 256


def plan(name: str, setting: Setting, inputs: Mapping[str, str], settings: Mapping[str, Any]) -> Plan:
    """Return the plan of an exam; bare model and Doctor share it, so that their runs can be compared."""
    told = {
        "scorer": setting.scorer,
        "shots": [shot.question_id for shot in setting.shots],
        **({"orders": setting.orders} if setting.scorer == "letters" else {"max_tokens": setting.max_tokens}),
        **settings,
    }
    digests = {prompt: prompts.digest(prompt) for prompt in PROMPTS}
    return Plan(name, "choice", MEASURES[setting.scorer], told, dict(inputs), digests)


def scoring(model: ChatModel, questions: Sequence[Question], setting: Setting) -> Callable[[str], Item]:
    """Return the function that asks and scores one question by its id; safe to call from several threads.

    Raises `ConfigError` for a model whose letter probabilities cannot be read.
    """
    known = {question.question_id: question for question in questions}
    before = opening(setting.shots, system=setting.system, find=setting.find)
    _warm(model, before)
    if setting.scorer == "generate":
        scorer = partial(by_answer, model, before, setting.max_tokens)
    elif isinstance(model, LetterModel):
        scorer = partial(by_letters, model, before, setting.orders)
    else:
        raise ConfigError(f"读不到 {model.name} 的首词元概率，不能用 letters 方式判分。请改用 --scorer generate。")

    def score(question_id: str) -> Item:
        question = known[question_id]
        facts = setting.find(question)
        return scorer(question, facts) | _about(question, facts)

    return score


def _warm(model: ChatModel, before: Sequence[Message]) -> None:
    """Have an engine that caches compute what all questions share before the first of them.

    Its sums depend a little on what was cached. So a resumed run meets the state that an uninterrupted one met, and
    gives the same probabilities, as long as one question is computed at a time.
    """
    if hasattr(model, "prepare") and isinstance(model, LetterModel):
        blank = Question("", "0", (("A", "0"), ("B", "0")), ("A",))
        model.letter_probabilities([*before, {"role": "user", "content": turn(blank)}], blank.letters)


def by_letters(
    model: LetterModel, before: Sequence[Message], orders: int, question: Question, facts: tuple[Fact, ...]
) -> Item:
    """Return the scores of one question by the probabilities of its letters, averaged over `orders`.

    `on_letters` is how much of the probability lay on the letters before it was normalised: where it is small, the
    model meant to say something else.
    """
    wanted = question.choose or (None if question.multiple else 1)
    if wanted is None:
        reason = "多选题没有说明选几项，letters 方式不能判分"
        return {"scores": {"right": None, "p_right": None}, "picked": None, "not_scorable": reason}
    shares = dict.fromkeys(question.letters, 0.0)
    count, told = min(orders, len(question.letters)), 0.0
    for by in range(count):
        asked = turn(rotated(question, by), facts)
        found = model.letter_probabilities([*before, {"role": "user", "content": asked}], question.letters)
        mass = sum(found.values())
        told += mass / count
        for letter, probability in found.items():
            share = probability / mass if mass else 1 / len(found)
            shares[origin(question, letter, by)] += share / count
    likely = sorted(question.letters, key=lambda letter: -shares[letter])[:wanted]
    picked = tuple(letter for letter in question.letters if letter in likely)
    p_right = round(shares[question.answer[0]], 6) if wanted == 1 else None
    return {
        "scores": {"right": int(picked == question.answer), "p_right": p_right},
        "picked": "".join(picked),
        "probabilities": {letter: round(share, 6) for letter, share in shares.items()},
        "on_letters": round(told, 6),
    }


def by_answer(
    model: ChatModel, before: Sequence[Message], max_tokens: int, question: Question, facts: tuple[Fact, ...]
) -> Item:
    """Return the scores of one question by the answer that the model writes, greedily, in at most `max_tokens`."""
    sampling = Sampling(temperature=0.0, max_tokens=max_tokens, repeat_penalty=1.0, seed=0)
    reply = model.complete([*before, {"role": "user", "content": turn(question, facts)}], sampling)
    picked = extract(reply.text, question)
    return {
        "scores": {"right": int(picked == question.answer), "abstained": int(picked is None)},
        "picked": None if picked is None else "".join(picked),
        "reply": reply.text,
    }


def _about(question: Question, facts: tuple[Fact, ...]) -> Item:
    about: Item = {
        "answer": "".join(question.answer),
        "options": len(question.options),
        "groups": {"科目": question.subject, "题型": question.kind},
    }
    if question.multiple:
        about |= {"multiple": True, "choose": question.choose}
    if facts:
        about["facts"] = [f"{fact.subject}·{fact.predicate}：{fact.object}" for fact in facts]
    return about
