"""What a judge is worth: it scores dialogues whose GPT-4 scores are known, and is compared with them.

The reference is no truth: GPT-4 gave five points in 75 to 93 % of its scores. A judge that does not follow even that
is of no use; one that does still needs the measures without a judge beside it.
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from healgpt import prompts
from healgpt.errors import ConfigError, DataError, JudgeError, ModelError
from healgpt.evaluation.judges.agreement import over_cases, own_preference, paired, spearman, weighted_kappa
from healgpt.evaluation.judges.judge import Judge
from healgpt.evaluation.judges.modes import KEYS, Scoring, Task, criteria_prompt, score_criteria, slug
from healgpt.evaluation.judges.published import read_scores
from healgpt.evaluation.judges.source import Dialogue, Dialogues, read_recorded
from healgpt.evaluation.run import Item, Measure, Plan, Subject, file_digest
from healgpt.evaluation.stats import Interval

LABELS: Mapping[str, str] = {**{key: name for name, key in KEYS.items()}, "mean": "四项平均"}
FULL_MARK = 5.0


@dataclass(frozen=True, slots=True)
class Known:
    """Recorded dialogues with their reference scores, by `model/case`; `unscored` dialogues have none."""

    dialogues: Mapping[str, Dialogue]
    reference: Mapping[str, Mapping[str, float]]
    models: tuple[str, ...]
    unscored: int
    digest: str


@dataclass(frozen=True, slots=True)
class Row:
    """One criterion, or the mean of the four: judge against reference.

    `full` and `full_reference` are the shares of full marks (of a mean: all four full), `length` and
    `length_reference` the Spearman of score and characters the doctor wrote.
    """

    key: str
    spearman: Interval
    kappa: Interval
    full: Interval
    full_reference: Interval
    length: Interval
    length_reference: Interval
    mean: float
    mean_reference: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The comparison over the dialogues that got a readable verdict.

    `failures` counts the others by kind of error. `own` is how much higher the judge scores its own dialogues at
    equal reference, None where it is not among the models.
    """

    judge: str
    asked: int
    failures: Mapping[str, int]
    rows: tuple[Row, ...]
    own: Interval | None


def read_known(dialogues: Path, scores: Path) -> Known:
    """Read recorded dialogues (`*.json`) and their scores (`*.jsonl`), matched by file stem and case id.

    Raises `DataError` where a file is malformed, no stem is in both, or a score has no dialogue.
    """
    files = {path.stem: path for path in sorted(dialogues.glob("*.json*"))}
    marks = {path.stem: path for path in sorted(scores.glob("*.jsonl"))}
    shared = [stem for stem in files if stem in marks]
    if not shared:
        raise DataError(f"{dialogues} 和 {scores} 里没有同名的文件（如 gpt-4.json 对 gpt-4.jsonl）。请检查两个路径。")
    found: dict[str, Dialogue] = {}
    reference: dict[str, Mapping[str, float]] = {}
    unscored, total = 0, hashlib.sha256()
    for stem in shared:
        total.update(f"{stem} {file_digest(files[stem])} {file_digest(marks[stem])}\n".encode())
        given = read_scores(marks[stem])
        for dialogue in read_recorded(files[stem])[1]:
            row = given.pop(dialogue.case_id, None)
            if row is None:
                unscored += 1
                continue
            found[f"{stem}/{dialogue.case_id}"] = dialogue
            reference[f"{stem}/{dialogue.case_id}"] = {**row, "mean": sum(row.values()) / len(row)}
        if given:
            raise DataError(f"{marks[stem]} 里 {len(given)} 个评分没有对话，例如 {next(iter(given))}。请补上对话。")
    return Known(found, reference, tuple(shared), unscored, total.hexdigest())


def draw(known: Known, limit: int | None, *, seed: int = 0) -> list[str]:
    """Return which dialogues to judge: as many different cases as possible, models in turn.

    Different cases are independent evidence; a few cases judged six times over are not. A larger `limit` with the
    same seed begins with the same dialogues.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"--limit 应是正整数，现在是 {limit}。")
    cases = sorted({dialogue.case_id for dialogue in known.dialogues.values()})
    random.Random(seed).shuffle(cases)
    names = []
    for turn in range(len(known.models)):
        for place, case in enumerate(cases):
            name = f"{known.models[(place + turn) % len(known.models)]}/{case}"
            if name in known.dialogues:
                names.append(name)
    return names[:limit]


def calibration_task(
    known: Known, ids: Sequence[str], judge: Judge, *, scoring: Scoring, seed: int, ahead: Scoring | None = None
) -> Task:
    """Return the task of judging the drawn dialogues by the four criteria, reference kept beside each score.

    `ahead` also asks for the other kind of scores while the judge still holds the dialogue, whose text both prompts
    share: the verdicts are remembered, and the task that wants them then costs next to nothing.
    """
    prompt = criteria_prompt(judge, scoring)
    plan = Plan(
        name=slug(f"calibrate{'-expected' if scoring == 'expected' else ''}-{judge.name}"),
        kind="judge",
        measures={key: Measure(label, better="neither", share=False) for key, label in LABELS.items()},
        settings={"judge": judge.identity, "scoring": scoring, "seed": seed},
        inputs={"dialogues and scores": known.digest},
        prompts={prompt: prompts.digest(prompt)},
    )

    def score(name: str) -> Item:
        dialogue = known.dialogues[name]
        given = score_criteria(judge, dialogue, scoring)
        if ahead is not None:
            # a failure is met again, and counted, by the task whose scores these are
            with suppress(ModelError, JudgeError):
                score_criteria(judge, dialogue, ahead)
        return {
            "scores": given,
            "groups": {"模型": name.partition("/")[0], **dialogue.groups},
            "reference": dict(known.reference[name]),
            "chars": dialogue.doctor_chars,
            "case": dialogue.case_id,
        }

    subject = recorded_subject(known)
    return Task(Dialogues(subject, "recorded", {}, tuple(known.dialogues.values())), plan, tuple(ids), score)


def recorded_subject(known: Known) -> Subject:
    """Return how a manifest names the recorded dialogues."""
    return Subject(spec="、".join(known.models), name="recorded dialogues", system="recorded", sha256=known.digest)


def calibrate(items: Sequence[Item], *, judge: str, own: str | None = None, seed: int = 0) -> Calibration:
    """Compare the scores of calibration `items` with their references; `own` names the model that is the judge."""
    failures = [str(item["failure"]).partition("：")[0] for item in items if item["failure"]]
    good = [item for item in items if not item["failure"]]
    preference = None
    if own is not None:
        mine = [item["groups"]["模型"] == own for item in good]
        given, known = _column(good, "scores", "mean"), _column(good, "reference", "mean")
        preference = over_cases(own_preference(given, known, mine), _cases(good), seed=seed)
    rows = tuple(_row(good, key, seed) for key in LABELS) if good else ()
    counted = {kind: failures.count(kind) for kind in sorted(set(failures))}
    return Calibration(judge, len(items), counted, rows, preference)


def _row(items: Sequence[Item], key: str, seed: int) -> Row:
    given, known = _column(items, "scores", key), _column(items, "reference", key)
    chars, cases = [float(item["chars"]) for item in items], _cases(items)

    def share_full(values: Sequence[float]) -> Interval:
        full = [float(value == FULL_MARK) for value in values]
        return over_cases(lambda places: sum(full[place] for place in places) / len(places), cases, seed=seed)

    return Row(
        key=key,
        spearman=over_cases(paired(spearman, given, known), cases, seed=seed),
        kappa=over_cases(paired(weighted_kappa, given, known), cases, seed=seed),
        full=share_full(given),
        full_reference=share_full(known),
        length=over_cases(paired(spearman, given, chars), cases, seed=seed),
        length_reference=over_cases(paired(spearman, known, chars), cases, seed=seed),
        mean=sum(given) / len(given),
        mean_reference=sum(known) / len(known),
    )


def _column(items: Sequence[Item], side: str, key: str) -> list[float]:
    return [float(item[side][key]) for item in items]


def _cases(items: Sequence[Item]) -> list[str]:
    return [str(item["case"]) for item in items]
