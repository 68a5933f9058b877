"""Consultations as a task of a run: what decides its results, and the function that holds and scores one dialogue."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from healgpt import prompts
from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.comparison import SUBJECT_PROMPTS
from healgpt.evaluation.consultations import dialogue, scoring
from healgpt.evaluation.consultations.case import Case, from_item, to_item
from healgpt.evaluation.consultations.patient import Patient, open_patient, rules_digest
from healgpt.evaluation.consultations.patient_model import play
from healgpt.evaluation.consultations.readers import read_cases
from healgpt.evaluation.judges.source import Dialogue as Recorded
from healgpt.evaluation.judges.source import read_recorded
from healgpt.evaluation.measures.ground import open_ground
from healgpt.evaluation.run import Item, Plan, Subject, file_digest
from healgpt.schema import ChatModel, Message

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
    return Player(open_patient(open_ground().link), {"patient": RULES}, {}, {"patient_rules": rules_digest()})


def model_player(model: ChatModel) -> Player:
    """Return a patient whose words `model` writes."""
    digests = {name: prompts.digest(name) for name in ("patient", "patient_opening")}
    return Player(play(model), {"patient": model.name}, {}, digests)


def recorded_player() -> Player:
    """Return nobody: the patient of recorded dialogues has spoken already."""

    def silent(case: Case, messages: Sequence[Message]) -> str:
        raise DataError(f"病例 {case.id} 的对话是录下来的，病人不再说话。")

    return Player(silent, {"patient": "recorded"})


def plan(form: str, cases_path: Path, player: Player, settings: Mapping[str, Any], *, doctor: bool = False) -> Plan:
    """Return what decides the results; the Doctor's own prompts are told, too, and may differ between two runs."""
    own = {name: prompts.digest(name) for name in sorted(SUBJECT_PROMPTS)} if doctor else {}
    return Plan(
        f"consult-{form}",
        "consult",
        scoring.measures(),
        {**player.settings, **settings},
        {"cases": file_digest(cases_path), **player.inputs, **scoring.digests()},
        {**player.prompts, **own},
    )


def holding(
    cases: Sequence[Case], doctor: ChatModel, patient: Patient, *, rounds: int, max_tokens: int, slots: int = 1
) -> Callable[[str], Item]:
    """Return the function that holds and scores the dialogue of one case by its id; safe to call from threads.

    `slots` is kept beside each dialogue: an engine that computes several at once words them otherwise each time.
    """
    known = {case.id: case for case in cases}
    sampling = dialogue.greedy(max_tokens)

    def score(case_id: str) -> Item:
        case = known[case_id]
        kept = dialogue.hold(case, doctor, patient, rounds=rounds, sampling=sampling)
        item = {**dialogue.to_item(case, kept, to_item(case)), "slots": slots}
        return item if kept.failure else {**item, "scores": scoring.scores(case, kept.messages, kept.turns)}

    return score


def recorded(path: Path, cases: Sequence[Case]) -> tuple[Subject, list[Case], list[str], Callable[[str], Item]]:
    """Read dialogues that were held elsewhere: who held them, the cases they are about, ids without a case, the scorer.

    A dialogue without a case cannot be scored and is left out, by name; a case without a dialogue is left out likewise.
    Raises `DataError` for a file that is malformed, holds a dialogue that the doctor opens, or an id twice.
    """
    model, dialogues = read_recorded(path)
    held = {one.case_id: one for one in dialogues}
    known = [case for case in cases if case.id in held]
    if not known:
        raise DataError(f"{path} 里的对话和病例一个也对不上。请检查两个文件的编号。")
    surplus = [one.case_id for one in dialogues if one.case_id not in {case.id for case in known}]
    by_id = {case.id: case for case in known}
    subject = Subject(spec=path.name, name=model, system="recorded", sha256=file_digest(path))
    return subject, known, surplus, lambda case_id: _recorded_item(by_id[case_id], held[case_id])


def changed_answers(items: Sequence[Item], patient: Patient) -> list[str]:
    """Return the ids of kept dialogues in which `patient` would not say today what the patient said then.

    The patient is a pure function of case, dialogue, rules and graph: where it changed, one of the last two did.
    """
    changed = []
    for item in items:
        case, said = from_item(item, f"对话 {item['id']}"), item["dialogue"]
        if any(patient(case, said[:place]) != said[place]["content"] for place in range(2, len(said), 2)):
            changed.append(str(item["id"]))
    return changed


def _recorded_item(case: Case, held: Recorded) -> Item:
    kept = dialogue.Dialogue(held.messages, ())
    return {**dialogue.to_item(case, kept, to_item(case)), "scores": scoring.scores(case, kept.messages, ())}
