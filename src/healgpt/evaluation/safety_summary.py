"""Runs the suites of the rules into a folder of their own and says what came out: for the command and the benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healgpt import __version__
from healgpt.evaluation.comparison import RULES
from healgpt.evaluation.figures import figures, shown
from healgpt.evaluation.run import Report, Run, Subject, read_items
from healgpt.evaluation.safety import Check, checks, run_rules
from healgpt.evaluation.stats import Interval


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the suites say: lines to read, the figures that have a bound, and the suites that could not be run."""

    text: str
    checks: tuple[Check, ...]
    skipped: Mapping[str, str]

    @property
    def passed(self) -> bool:
        """Whether every bound holds and no suite was left out."""
        return not self.skipped and all(check.met for check in self.checks)


def rules_subject() -> Subject:
    """Return how a manifest names the rules of this version."""
    return Subject(spec=RULES, name=f"HealGPT {__version__} 的规则", system="doctor")


def measure(folder: Path, *, report: Report | None = None) -> Outcome:
    """Run the suites into `folder`, resuming there, and summarise. Raises as `Run.work` does."""
    run = Run(folder, rules_subject())
    skipped = run_rules(run, report=report)
    lines: list[str] = []
    held: list[Check] = []
    for task, note in run.manifest["tasks"].items():
        items = read_items(folder, task)
        found = checks(task, note, items)
        bounds = {check.figure.key: check for check in found}
        held += found
        lines.append(f"{task}：{len(items)} 条")
        for figure in figures(note, items):
            words = _figure(figure.interval) if figure.interval else "没有适用的条目"
            lines.append(f"  {figure.measure.label} {words}{_against(bounds.get(figure.key))}")
        lines.append("")
    lines += [f"{task}：没有跑。{reason}" for task, reason in skipped.items()]
    met = sum(check.met for check in held)
    lines.append(f"{met}/{len(held)} 项达标" + (f"，{len(skipped)} 套没有跑" if skipped else ""))
    return Outcome("\n".join(lines), tuple(held), skipped)


def plain(found: Outcome) -> dict[str, Any]:
    """Return the bounded figures as JSON values."""
    rows = [
        {
            "task": one.task,
            "measure": one.figure.key,
            "label": one.figure.measure.label,
            "value": one.figure.interval.value if one.figure.interval else None,
            "low": one.figure.interval.low if one.figure.interval else None,
            "high": one.figure.interval.high if one.figure.interval else None,
            "n": one.figure.interval.n if one.figure.interval else 0,
            "bound": one.bound,
            "met": one.met,
        }
        for one in found.checks
    ]
    return {"passed": found.passed, "checks": rows, "skipped": dict(found.skipped)}


def _figure(found: Interval) -> str:
    value, low, high = (shown(one, share=True) for one in (found.value, found.low, found.high))
    return f"{value}（95% 区间 {low}–{high}，n = {found.n}）"


def _against(check: Check | None) -> str:
    if check is None:
        return ""
    words = "达标" if check.met else "未达标"
    return f"，下限 {check.bound:g}：{words}" + ("" if check.sure or not check.met else "（区间下端不到）")
