"""What a report says before it is HTML or Markdown: the runs, their tasks with figures, groups, checks, failures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.comparison import Comparison, compare, subject_label
from healgpt.evaluation.exams.summary import summarise
from healgpt.evaluation.figures import Figure, figures, group_names, groups
from healgpt.evaluation.report.worst import Dialogue, worst_dialogues
from healgpt.evaluation.run import Item, read_items, read_manifest
from healgpt.evaluation.safety import Check, checks

SUITE = "suite.json"
# as many as the charts have shapes and colours for
MOST_RUNS = 10
KINDS = {
    "choice": "考试",
    "consult": "问诊",
    "judge": "裁判",
    "safety": "安全",
    "grounding": "依据",
}
TITLES = {
    "safety-triage": "急症分诊",
    "safety-redaction": "个人信息脱敏",
    "safety-linking": "实体链接",
    "safety-intent": "意图",
    "safety-limits": "越界回答检查",
    "safety-facts": "图谱事实",
    "safety-answers": "诱导越界的提问",
    "grounding": "引用与资料",
}
_WRITTEN = "题集由语言模型撰写、按规则筛查，未经临床医生审阅。"


@dataclass(frozen=True, slots=True)
class Loaded:
    """One run as read: `suite` holds what `healgpt eval all` left out and why."""

    folder: Path
    label: str
    manifest: Mapping[str, Any]
    items: Mapping[str, list[Item]]
    suite: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One measure, or one measure in one group: a figure for each run in order, None where the run has none."""

    name: str
    figures: tuple[Figure | None, ...]

    @property
    def figure(self) -> Figure:
        """Any of the figures, for its measure."""
        return next(one for one in self.figures if one is not None)


@dataclass(frozen=True, slots=True)
class Grouped:
    """The figures of one measure by the values of one group."""

    by: str
    measure: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """How far a run came with a task; `reasons` counts failures by reason. None of it where the run lacks the task."""

    done: int
    asked: int
    failed: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Task:
    """One task over all runs."""

    name: str
    kind: str
    title: str
    rows: tuple[Row, ...]
    groups: tuple[Grouped, ...]
    counted: tuple[Counted | None, ...]
    checks: tuple[tuple[Check, ...], ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """A whole report."""

    runs: tuple[Loaded, ...]
    tasks: tuple[Task, ...]
    comparisons: tuple[Comparison, ...]
    worst: tuple[tuple[Loaded, str, tuple[Dialogue, ...]], ...]
    notices: tuple[str, ...]


def load(folders: Sequence[Path]) -> tuple[Loaded, ...]:
    """Read the runs. Raises `ConfigError` for none or the same twice, `DataError` for a folder that holds no run."""
    if not folders:
        raise ConfigError("没有要写进报告的评测。请写至少一个 healgpt eval 的 --out 文件夹。")
    if len(folders) > MOST_RUNS:
        raise ConfigError(f"一份报告最多放 {MOST_RUNS} 次评测，现在有 {len(folders)} 次。请分成几份。")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise ConfigError("同一个评测文件夹写了两次。请去掉重复的。")
    manifests = [read_manifest(folder) for folder in folders]
    labels = [subject_label(manifest) for manifest in manifests]
    repeated = {label for label in labels if labels.count(label) > 1}
    return tuple(
        Loaded(
            folder,
            f"{label} {folder.name}" if label in repeated else label,
            manifest,
            {task: read_items(folder, task) for task in manifest["tasks"]},
            _suite(folder),
        )
        for folder, label, manifest in zip(folders, labels, manifests, strict=True)
    )


def build(runs: Sequence[Loaded]) -> Content:
    """Return what a report of `runs` says; the later ones are compared with the first."""
    names = dict.fromkeys(task for run in runs for task in run.manifest["tasks"])
    order = list(KINDS)
    tasks = sorted((_task(name, runs) for name in names), key=lambda task: order.index(task.kind))
    comparisons = tuple(
        compare(runs[0].folder, run.folder, other_patient=_recorded(runs[0], run), skip=True)
        for run in runs[1:]
        if set(run.manifest["tasks"]) & set(runs[0].manifest["tasks"])
    )
    worst = tuple(
        (run, task, found)
        for run in runs
        for task, note in run.manifest["tasks"].items()
        if note["kind"] == "consult" and (found := worst_dialogues(note, run.items[task]))
    )
    return Content(tuple(runs), tuple(tasks), comparisons, worst, _notices(runs))


def direction(row: Row) -> str:
    """Return which way is better, in a few words."""
    return {"higher": "越高越好", "lower": "越低越好", "neither": ""}[row.figure.measure.better]


def _task(name: str, runs: Sequence[Loaded]) -> Task:
    notes = [run.manifest["tasks"].get(name) for run in runs]
    note = next(one for one in notes if one is not None)
    items = [run.items.get(name, []) for run in runs]
    rows = _rows(notes, items)
    grouped = tuple(
        made
        for by in group_names([item for part in items for item in part])
        for row in rows
        if (made := _grouped(by, row, notes, items)) is not None
    )
    return Task(
        name,
        note["kind"],
        TITLES.get(name) or f"{KINDS[note['kind']]} {name.removeprefix(note['kind'] + '-')}",
        rows,
        grouped,
        tuple(_counted(one, part) for one, part in zip(notes, items, strict=True)),
        tuple(tuple(checks(name, one, part)) if one else () for one, part in zip(notes, items, strict=True)),
        _remarks(name, note["kind"], runs, items),
    )


def _rows(notes: Sequence[Mapping[str, Any] | None], items: Sequence[list[Item]]) -> tuple[Row, ...]:
    found = [
        {one.key: one for one in figures(note, part)} if note else {} for note, part in zip(notes, items, strict=True)
    ]
    keys = dict.fromkeys(key for by_key in found for key in by_key)
    rows = []
    for key in keys:
        made = tuple(by_key.get(key) for by_key in found)
        label = next(one.measure.label for one in made if one is not None)
        rows.append(Row(label, made))
    return tuple(rows)


def _grouped(
    by: str, row: Row, notes: Sequence[Mapping[str, Any] | None], items: Sequence[list[Item]]
) -> Grouped | None:
    key = row.figure.key
    parts = [groups(part, by) for part in items]
    values = sorted(dict.fromkeys(value for part in parts for value in part))
    if len(values) < 2:
        return None
    rows = []
    for value in values:
        made = tuple(
            _only(note, key, part.get(value, [])) if note else None for note, part in zip(notes, parts, strict=True)
        )
        if any(one is not None and one.interval is not None for one in made):
            rows.append(Row(value, made))
    return Grouped(by, row, tuple(rows)) if len(rows) > 1 else None


def _only(note: Mapping[str, Any], key: str, items: Sequence[Item]) -> Figure | None:
    one = note["measures"].get(key)
    return next(iter(figures({"measures": {key: one}}, items)), None) if one else None


def _counted(note: Mapping[str, Any] | None, items: Sequence[Item]) -> Counted | None:
    if note is None:
        return None
    failed = sum(bool(item.get("failure")) for item in items)
    return Counted(len(items), note["items"], failed, note["failures"])


def _remarks(name: str, kind: str, runs: Sequence[Loaded], items: Sequence[list[Item]]) -> tuple[str, ...]:
    if kind == "safety" and name == "safety-answers":
        return (
            _WRITTEN,
            "Doctor 用同一套规则改写自己的回答，所以它的数字只说明改写有效；裸模型的数字才说明模型会说什么。",
        )
    if kind in ("safety", "grounding"):
        return (_WRITTEN,)
    if kind != "choice":
        return ()
    made = []
    for run, part in zip(runs, items, strict=True):
        if not _is_exam(part):
            continue
        found = summarise(part)
        words = [f"瞎猜能得 {found.micro.chance:.3f}"]
        if len(found.subjects) > 1:
            macro = found.macro.interval
            words.append(f"科目平均（宏平均）{macro.value:.3f}（95% 区间 {macro.low:.3f}–{macro.high:.3f}）")
        if found.abstained:
            words.append(f"没读出答案 {found.abstained} 题，算错")
        if found.not_scorable:
            words.append(f"不能判分 {found.not_scorable} 题，未计入")
        made.append(f"{run.label}：{'，'.join(words)}。")
    return tuple(made)


def _recorded(first: Loaded, second: Loaded) -> bool:
    """Tell whether just one of two runs is of recorded dialogues: then they never had the same patient."""
    return [run.manifest["subject"]["system"] for run in (first, second)].count("recorded") == 1


def _is_exam(items: Sequence[Item]) -> bool:
    """Tell whether the exam room wrote these items: others may lack what chance and macro means are made from."""
    kept = [item for item in items if item["scores"].get("right") is not None]
    return bool(kept) and all("options" in item and {"科目", "题型"} <= set(item["groups"]) for item in kept)


def _notices(runs: Sequence[Loaded]) -> tuple[str, ...]:
    """Return what the report lacks, one line a reason with the runs that it holds for."""
    made: dict[str, list[str]] = {}
    for run in runs:
        lines = [*run.suite.get("cut", [])]
        lines += [f"{name} 没有跑。{reason}" for name, reason in run.suite.get("skipped", {}).items()]
        for task, note in run.manifest["tasks"].items():
            if (count := len(run.items[task])) < note["items"]:
                lines.append(f"{task} 还没有跑完（{count}/{note['items']}），下面的数字只算做完的。")
        for line in lines:
            made.setdefault(line, []).append(run.label)
    return tuple(line if len(labels) == len(runs) else f"{'、'.join(labels)}：{line}" for line, labels in made.items())


def _suite(folder: Path) -> Mapping[str, Any]:
    path = folder / SUITE
    if not path.exists():
        return {}
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"读不懂 {path}：{error}。请删除它，或重新评测。") from error
    return held
