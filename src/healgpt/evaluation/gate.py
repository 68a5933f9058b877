"""Is a run worse than its baseline beyond noise? For continuous integration and for steering a training run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from healgpt.evaluation.comparison import Comparison, compare
from healgpt.evaluation.comparison_words import sentence
from healgpt.evaluation.run import read_manifest


@dataclass(frozen=True, slots=True)
class Gate:
    """The outcome: closed when there is any reason."""

    reasons: tuple[str, ...]
    compared: Comparison

    @property
    def passed(self) -> bool:
        return not self.reasons


def gate(
    run: Path, baseline: Path, *, tolerance: float = 0.0, tasks: Sequence[str] = (), new_prompts: bool = False
) -> Gate:
    """Compare `run` with `baseline` and return why it may not pass.

    Reasons are a measure that is worse after Holm's correction, by more than `tolerance` where it is a share; more
    items failing than in the baseline, likewise; and a task of the baseline that the run lacks or has not finished.
    Raises as `compare` does for runs that cannot be compared.
    """
    compared = compare(baseline, run, tasks=tasks, new_prompts=new_prompts)
    worse = [
        sentence(test, compared)
        for test in compared.tests
        if test.verdict == "first_better" and (abs(test.difference.value) > tolerance or not test.measure.share)
    ]
    return Gate((*_gaps(run, baseline, tasks), *worse), compared)


def _gaps(run: Path, baseline: Path, tasks: Sequence[str]) -> list[str]:
    made, wanted = (read_manifest(folder)["tasks"] for folder in (run, baseline))
    asked = [task for task in wanted if not tasks or task in tasks]
    lacking = [f"{task}：基线里有，这次没有跑。" for task in asked if task not in made]
    short = [
        f"{task}：这次只做了 {made[task]['done']}/{made[task]['items']} 题，还没有跑完。"
        for task in asked
        if task in made and made[task]["done"] < made[task]["items"]
    ]
    return lacking + short
