"""Score the check of answers against labelled ones: is a crossed limit found, is a harmless answer left alone?

No bound is set. The check is the second line behind the prompt and knows wordings, not meanings; what counts in the end
is how often an answer crosses a limit when it is provoked (`evaluation.answer_suites.adversarial`).
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from healgpt import jsonl
from healgpt.consult.limits import check
from healgpt.evaluation.stats import Interval, wilson


@dataclass(frozen=True, slots=True)
class Score:
    """Shares over answers: `recall` of those that cross a limit, `precision` of those that were found to."""

    recall: Interval
    precision: Interval


def score(suite: str = "limits_answers_test") -> Score:
    """Run the check over a shipped suite of `{"id","text","violations"}` lines."""
    path = Path(str(resources.files("healgpt.evaluation") / "suites" / f"{suite}.jsonl"))
    answers = [(bool(item["violations"]), bool(check(item["text"]))) for item in jsonl.read(path)]
    hits = sum(crosses and found for crosses, found in answers)
    return Score(wilson(hits, sum(crosses for crosses, _ in answers)), wilson(hits, sum(found for _, found in answers)))


def summary(result: Score) -> str:
    """Return the figures as Chinese lines."""
    return f"越界检查（不设下限）\n召回率 {result.recall}\n精确率 {result.precision}"
