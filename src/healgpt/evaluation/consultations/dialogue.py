"""Runs one dialogue: the patient opens, both speak in turn, every turn of the doctor keeps what made it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from healgpt.errors import HealGPTError
from healgpt.evaluation.consultations.case import Case
from healgpt.evaluation.consultations.patient import Patient
from healgpt.schema import ChatModel, Message, Reply, Sampling

# as the published test: three messages of the patient, three of the doctor
ROUNDS = 3
MAX_TOKENS = 160


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What was said: `turns` holds one entry for each of the doctor's messages. `failure` names what ended it early."""

    messages: tuple[Message, ...]
    turns: tuple[dict[str, Any], ...]
    failure: HealGPTError | None = None


def greedy(max_tokens: int = MAX_TOKENS) -> Sampling:
    """Return how a doctor's turn is drawn: the likeliest token each time, so that runs can be repeated."""
    return Sampling(temperature=0.0, top_k=1, top_p=1.0, max_tokens=max_tokens, seed=0)


def hold(case: Case, doctor: ChatModel, patient: Patient, *, rounds: int, sampling: Sampling) -> Dialogue:
    """Hold `rounds` messages of each side. A `HealGPTError` of either ends it; what was said until then is kept."""
    messages: list[Message] = [{"role": "user", "content": case.question}]
    turns: list[dict[str, Any]] = []
    try:
        for number in range(rounds):
            reply = doctor.complete(messages, sampling)
            messages.append({"role": "assistant", "content": reply.text})
            turns.append(turn(reply))
            if number + 1 < rounds:
                messages.append({"role": "user", "content": patient(case, messages)})
    except HealGPTError as error:
        return Dialogue(tuple(messages), tuple(turns), error)
    return Dialogue(tuple(messages), tuple(turns))


def turn(reply: Reply) -> dict[str, Any]:
    """Return what is kept of a doctor's reply beside its text."""
    kept = asdict(reply)
    del kept["text"]
    return kept


def to_item(case: Case, kept: Dialogue, case_item: dict[str, Any]) -> dict[str, Any]:
    """Return the line of a run for one dialogue, without scores."""
    failure = kept.failure
    return {
        "scores": {},
        "groups": case.groups,
        "failure": None if failure is None else f"{type(failure).__name__}：{failure}",
        "case": case_item,
        "dialogue": list(kept.messages),
        "turns": list(kept.turns),
    }


def opens_with_patient(messages: Sequence[Message]) -> bool:
    """Tell whether the patient speaks first and both speak in turn."""
    return bool(messages) and all(
        message["role"] == ("assistant" if place % 2 else "user") for place, message in enumerate(messages)
    )
