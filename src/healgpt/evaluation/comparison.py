"""Two runs on the same items: is the difference real?

Each measure that both runs have is tested on the items that neither failed: McNemar's exact test where all scores are
0 or 1, else the paired bootstrap. The bootstrap of few items is too sure (8 % false alarms at 24 items, see
benchmarks/comparison.py), so its p-value is never taken below that of the sign-flip test. All tests of one comparison
are corrected together (Holm), but for those where no item differs: given that, their p-value can only be 1, so they
need no correction (Tarone 1990).

What must agree: the items, the files they came from, the settings (the patient, the shots, the rounds), and every
prompt that is not the subject's own. The Doctor's own prompts (`SUBJECT_PROMPTS`) are part of what is compared: they
may differ between a bare model and a Doctor, and between two Doctors when the caller says that they are meant to
(`new_prompts`). Recorded dialogues had a patient of their own, so they are compared with simulated ones only when the
caller accepts that (`other_patient`), and the remarks say so.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from healgpt.errors import ConfigError
from healgpt.evaluation.figures import is_binary, measures
from healgpt.evaluation.permutation import sign_flip
from healgpt.evaluation.run import Item, Measure, differences, read_items, read_manifest
from healgpt.evaluation.stats import Interval, holm, mcnemar, paired_bootstrap, smallest_visible_difference

LEVEL = 0.05
# the spec of a run of rules alone
RULES = "rules"
# what the Doctor says to its own model
SUBJECT_PROMPTS = frozenset(
    {
        "system",
        "facts",
        "likely",
        "no_evidence",
        "alarm_reminder",
        "disclaimer",
        "task_advise",
        "task_ask",
        "task_inform",
        "task_no_evidence",
    }
)
# what only says who is asked, or how fast
SUBJECT_SETTINGS = frozenset({"system", "slots", "workers"})
# what only says who played the patient, and how long the talk was
PATIENT_SETTINGS = frozenset({"patient", "rounds", "max_tokens", "temperature", "left_out", "without_dialogue"})
PATIENT_PROMPTS = frozenset({"patient", "patient_opening", "patient_rules"})
_SYSTEMS = {"bare": "裸模型", "doctor": "Doctor", "recorded": "原有对话"}
Verdict = Literal["second_better", "first_better", "differs", "same", "unclear"]


@dataclass(frozen=True, slots=True)
class Test:
    """One measure of one task on the items both runs did; `difference` is second minus first.

    `corrected` is the p-value after Holm. `visible` is the mean difference that so many items show with 80 % power at
    the 5 % level before correction; None where all items differ alike.
    """

    task: str
    key: str
    measure: Measure
    method: Literal["mcnemar", "bootstrap"]
    first: float
    second: float
    difference: Interval
    p: float
    corrected: float
    visible: float | None

    @property
    def equal(self) -> bool:
        """Whether no item differs."""
        return (self.difference.low, self.difference.high) == (0, 0) and self.visible is None

    @property
    def verdict(self) -> Verdict:
        if self.corrected >= LEVEL:
            return "same" if self.equal else "unclear"
        if self.measure.better == "neither":
            return "differs"
        rises = self.difference.value > 0
        return "second_better" if rises == (self.measure.better == "higher") else "first_better"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs. `left_out` counts per task the items that failed or were not done in either."""

    first: str
    second: str
    tests: tuple[Test, ...]
    left_out: Mapping[str, int]
    remarks: tuple[str, ...]


def subject_label(manifest: Mapping[str, Any]) -> str:
    """Return how a reader tells this run's subject from others: its name and how it was asked."""
    subject = manifest["subject"]
    if subject["spec"] == RULES:
        return str(subject["name"])
    return f"{subject['name']}（{_SYSTEMS.get(subject['system'], subject['system'])}）"


def obstacles(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    task: str,
    *,
    new_prompts: bool = False,
    other_patient: bool = False,
) -> list[str]:
    """Name, in Chinese, what keeps one task of two manifests from being compared; an empty list means nothing does."""
    notes = [manifest["tasks"][task] for manifest in (first, second)]
    apart = first["subject"]["system"] != second["subject"]["system"]
    prompts = SUBJECT_PROMPTS if apart or new_prompts else frozenset()
    settings = SUBJECT_SETTINGS
    if other_patient:
        prompts, settings = prompts | PATIENT_PROMPTS, settings | PATIENT_SETTINGS
    bare = [
        {**note, "prompts": _without(note["prompts"], prompts), "settings": _without(note["settings"], settings)}
        for note in notes
    ]
    return [f"{label}{_which(bare, label)}" for label in differences(*bare)]


def compare(
    first: Path,
    second: Path,
    *,
    tasks: Sequence[str] = (),
    new_prompts: bool = False,
    other_patient: bool = False,
    skip: bool = False,
) -> Comparison:
    """Compare two run folders on `tasks` (default: all that both have).

    Raises `ConfigError` where a task cannot be compared, with the reason; `skip` leaves such tasks out and says so in
    the remarks instead. Raises `DataError` for folders that hold no run.
    """
    manifests = [read_manifest(first), read_manifest(second)]
    asked = _shared(manifests, tasks, (first, second))
    reasons = {
        task: obstacles(manifests[0], manifests[1], task, new_prompts=new_prompts, other_patient=other_patient)
        for task in asked
    }
    hindered = {task: found for task, found in reasons.items() if found}
    if hindered and not skip:
        raise ConfigError(_refusal(hindered, asked))
    tests: list[Test] = []
    left_out: dict[str, int] = {}
    for task in (task for task in asked if task not in hindered):
        made, missing = _paired(manifests[0]["tasks"][task], task, read_items(first, task), read_items(second, task))
        tests += made
        left_out[task] = missing
    corrected = _corrected(tests)
    first_name, second_name = _labels(manifests, (first, second))
    return Comparison(
        first_name,
        second_name,
        tuple(replace(test, corrected=p) for test, p in zip(tests, corrected, strict=True)),
        left_out,
        (*_remarks(manifests, [task for task in asked if task not in hindered]), *map(_hindrance, hindered.items())),
    )


def _corrected(tests: Sequence[Test]) -> list[float]:
    counted = iter(holm([test.p for test in tests if not test.equal]))
    return [1.0 if test.equal else next(counted) for test in tests]


def _paired(
    note: Mapping[str, Any], task: str, first: Sequence[Item], second: Sequence[Item]
) -> tuple[list[Test], int]:
    """Return the tests of one task, p-values not yet corrected, and how many items were left out."""
    others = {item["id"]: item for item in second}
    both = [(item, others[item["id"]]) for item in first if item["id"] in others]
    whole = [pair for pair in both if not any(item.get("failure") for item in pair)]
    tests = []
    for key, measure in measures(note).items():
        scored = [(a["scores"].get(key), b["scores"].get(key)) for a, b in whole]
        values = [(float(a), float(b)) for a, b in scored if a is not None and b is not None]
        if values:
            tests.append(paired_test(task, key, measure, values))
    if len(whole) < len(both):
        failed = [(float(bool(a.get("failure"))), float(bool(b.get("failure")))) for a, b in both]
        tests.append(paired_test(task, "failure", Measure("没有做成的", "lower"), failed))
    return tests, note["items"] - len(whole)


def paired_test(task: str, key: str, measure: Measure, values: Sequence[tuple[float, float]]) -> Test:
    """Test one measure on pairs of scores, first and second; the p-value is not yet corrected for other tests."""
    first, second = [a for a, _ in values], [b for _, b in values]
    gaps = [b - a for a, b in values]
    difference, p = paired_bootstrap(first, second)
    method: Literal["mcnemar", "bootstrap"] = "bootstrap"
    if is_binary([*first, *second]):
        method, p = "mcnemar", mcnemar([value == 1 for value in first], [value == 1 for value in second])
    else:
        p = max(p, sign_flip(gaps))
    deviation = statistics.stdev(gaps) if len(gaps) > 1 else 0.0
    visible = smallest_visible_difference(deviation, len(gaps)) if any(gaps) and deviation else None
    means = statistics.fmean(first), statistics.fmean(second)
    return Test(task, key, measure, method, *means, difference, p, p, visible)


def _shared(manifests: Sequence[Mapping[str, Any]], asked: Sequence[str], folders: Sequence[Path]) -> list[str]:
    shared = [task for task in manifests[0]["tasks"] if task in manifests[1]["tasks"]]
    for task in asked:
        if task not in shared:
            raise ConfigError(f"{task} 不是两次都有的任务。两次都有的是：{'、'.join(shared) or '无'}。")
    if not shared:
        raise ConfigError(f"{folders[0]} 与 {folders[1]} 没有共同的任务，不能比较。")
    return [task for task in shared if not asked or task in asked]


def _refusal(hindered: Mapping[str, Sequence[str]], asked: Sequence[str]) -> str:
    reasons = "；".join(f"{task} 的{'、'.join(found)}" for task, found in hindered.items())
    fine = [task for task in asked if task not in hindered]
    advice = f"可以只比较其余的：--task {' --task '.join(fine)}。" if fine else "请用同样的设置重新评测其中一次。"
    own = {name for found in hindered.values() for name in SUBJECT_PROMPTS if any(name in reason for reason in found)}
    if own and all(found[0].startswith("提示词") and len(found) == 1 for found in hindered.values()):
        advice += "如果要看的正是 Doctor 自己的提示词改动有没有用，请加 --new-prompts。"
    if any("measures" in reason for found in hindered.values() for reason in found):
        advice += "问诊的得分规则改过时，先用 healgpt eval score 给旧的那次重新打分，不必重跑模型。"
    if any("patient" in reason for found in hindered.values() for reason in found):
        advice += "如果知道两次的患者不同仍要比（例如与公开的对话比），请加 --other-patient。"
    return f"不能比较：两次不一样的有 {reasons}。{advice}"


def _hindrance(hindered: tuple[str, Sequence[str]]) -> str:
    return f"{hindered[0]} 没有比较：两次的{'、'.join(hindered[1])}不一样。"


def _which(notes: Sequence[Mapping[str, Any]], label: str) -> str:
    key = {"设置": "settings", "题目文件": "inputs", "提示词": "prompts"}.get(label)
    if key is None:
        return ""
    first, second = (note[key] for note in notes)
    names = [name for name in dict.fromkeys([*first, *second]) if first.get(name) != second.get(name)]
    return f"（{'、'.join(names)}）" if names else ""


def _without(values: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _labels(manifests: Sequence[Mapping[str, Any]], folders: Sequence[Path]) -> tuple[str, str]:
    first, second = map(subject_label, manifests)
    if first != second:
        return first, second
    return f"{first} {folders[0].name}", f"{second} {folders[1].name}"


def _remarks(manifests: Sequence[Mapping[str, Any]], tasks: Sequence[str]) -> list[str]:
    pairs = [[manifest["tasks"][task] for manifest in manifests] for task in tasks]
    prompts = _changed(pairs, "prompts", SUBJECT_PROMPTS)
    patient = _changed(pairs, "settings", PATIENT_SETTINGS) | _changed(pairs, "prompts", PATIENT_PROMPTS)
    remarks = []
    if prompts:
        remarks.append(f"被测者自己的提示词不同（{'、'.join(sorted(prompts))}），差别里包含它们的作用。")
    if patient:
        remarks.append(f"两次对话里的患者不同（{'、'.join(sorted(patient))}），差别里包含患者的作用，不全是医生的。")
    return remarks


def _changed(pairs: Sequence[Sequence[Mapping[str, Any]]], key: str, names: frozenset[str]) -> set[str]:
    return {name for first, second in pairs for name in names if first[key].get(name) != second[key].get(name)}
