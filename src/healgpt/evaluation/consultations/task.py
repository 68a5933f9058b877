"""Consultations as a task of a run: what decides its results, and the function that holds and scores one dialogue."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from healgpt import prompts
from healgpt.consult.grounding import open_knowledge
from healgpt.errors import ConfigError
from healgpt.evaluation.comparison import SUBJECT_PROMPTS
from healgpt.evaluation.consultations import dialogue, scoring
from healgpt.evaluation.consultations.case import Case, to_item
from healgpt.evaluation.consultations.patient import Patient, open_patient, rules_digest
from healgpt.evaluation.consultations.readers import read_cases
from healgpt.evaluation.run import Item, Plan, file_digest
from healgpt.knowledge.linking import Linker, open_linker
from healgpt.schema import ChatModel

RULES = "rules"


@dataclass(frozen=True, slots=True)
class Player:
    """A patient, and what a manifest says of it; `settings` name it, `inputs` and `prompts` are digests."""

    patient: Patient
    settings: Mapping[str, Any]
    inputs: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)


def choose_cases(path: Path, form: str, limit: int | None) -> list[Case]:
    """Read the cases; with `limit`, that many at even distances, so that every department of a sorted file is there."""
    cases = read_cases(path, form)
    if limit is None or limit >= len(cases):
        return cases
    if limit < 1:
        raise ConfigError(f"--limit 应是正整数，现在是 {limit}。")
    return [cases[place * len(cases) // limit] for place in range(limit)]


def rule_player() -> Player:
    """Return the patient that needs no model, over the user's graph, or over the lexicon alone where there is none."""
    knowledge = open_knowledge()
    linker = knowledge[0] if knowledge else open_linker(None)
    return Player(open_patient(linker), {"patient": RULES}, {"names": _names_digest(linker)}, {RULES: rules_digest()})


def plan(form: str, cases_path: Path, player: Player, *, rounds: int, max_tokens: int, doctor: bool) -> Plan:
    """Return what decides the results; the Doctor's own prompts are told, too, and may differ between two runs."""
    own = {name: prompts.digest(name) for name in sorted(SUBJECT_PROMPTS)} if doctor else {}
    return Plan(
        f"consult-{form}",
        "consult",
        scoring.measures(),
        {**player.settings, "rounds": rounds, "max_tokens": max_tokens, "temperature": 0},
        {"cases": file_digest(cases_path), **player.inputs},
        {**player.prompts, **own},
    )


def holding(
    cases: Sequence[Case], doctor: ChatModel, patient: Patient, *, rounds: int, max_tokens: int
) -> Callable[[str], Item]:
    """Return the function that holds and scores the dialogue of one case by its id; safe to call from threads."""
    known = {case.case_id: case for case in cases}
    sampling = dialogue.greedy(max_tokens)

    def score(case_id: str) -> Item:
        case = known[case_id]
        kept = dialogue.hold(case, doctor, patient, rounds=rounds, sampling=sampling)
        item = dialogue.to_item(case, kept, to_item(case))
        return item if kept.failure else {**item, "scores": scoring.scores(case, kept.messages, kept.turns)}

    return score


def _names_digest(linker: Linker) -> str:
    return hashlib.sha256("\n".join(sorted(linker.known)).encode()).hexdigest()
