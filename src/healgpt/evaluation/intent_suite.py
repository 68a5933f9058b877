"""Scores the intent of a turn on a labelled suite: accuracy with a Wilson interval, macro F1, and each intent.

A suite is JSONL, one conversation a line that ends with the user: `{"id", "messages", "intent"}`. Intents that differ
only in how they are recognised count as one (`LIKE`). Both suites shipped with the package were written by a language
model without sight of the rules, screened by rule, and not reviewed by clinicians; the guide for the labels is
suites/README.md. No bound is set.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from healgpt import jsonl
from healgpt.consult.intent import CHITCHAT, OUT_OF_SCOPE, intents, understand
from healgpt.errors import DataError
from healgpt.evaluation.stats import Share
from healgpt.knowledge.linking import Mention
from healgpt.schema import Message

LIKE = {"test_named": "test", "food_named": "diet_care"}


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation of a suite and what its last turn wants."""

    case_id: str
    messages: tuple[Message, ...]
    intent: str


@dataclass(frozen=True, slots=True)
class Row:
    """One intent: of the turns that want it those found, and of the turns taken for it those that want it."""

    recall: Share
    precision: Share

    @property
    def f1(self) -> float:
        """The harmonic mean of both, 0 where nothing was found."""
        return 2 * self.recall.hits / max(1, self.recall.total + self.precision.total)


@dataclass(frozen=True, slots=True)
class Score:
    """What a suite says; `macro_f1` is the plain mean over the intents that the suite labels.

    `errors` gives the case and what was found instead.
    """

    cases: int
    accuracy: Share
    macro_f1: float
    rows: dict[str, Row]
    errors: tuple[tuple[Case, str], ...]


def load_cases(path: Path) -> list[Case]:
    """Read a suite. Raises `DataError` naming file, item and mend for a case that cannot be scored."""
    known = {LIKE.get(one.name, one.name) for one in (*intents(), CHITCHAT, OUT_OF_SCOPE)}
    cases = []
    for number, item in enumerate(jsonl.read(path), start=1):
        messages, wanted = item.get("messages"), item.get("intent")
        if not messages or messages[-1].get("role") != "user" or wanted not in known:
            raise DataError(f"{path} 第 {number} 条要以用户的话结尾，intent 要是 {'、'.join(sorted(known))} 之一。")
        cases.append(Case(str(item.get("id", number)), tuple(messages), wanted))
    return cases


def found_intent(messages: Sequence[Message], link: Callable[[str], list[Mention]]) -> str:
    """Return the name of what the last turn of `messages` is taken to want, as suites name it."""
    name = understand(messages, link)[1].name
    return LIKE.get(name, name)


def score(cases: Iterable[Case], link: Callable[[str], list[Mention]]) -> Score:
    """Run the rules over `cases` with the mentions that `link` finds, and count."""
    answers = [(case, found_intent(case.messages, link)) for case in cases]
    wanted = Counter(case.intent for case, _ in answers)
    found = Counter(name for _, name in answers)
    hits = Counter(name for case, name in answers if case.intent == name)
    rows = {
        name: Row(Share(hits[name], total), Share(hits[name], found[name])) for name, total in sorted(wanted.items())
    }
    return Score(
        cases=len(answers),
        accuracy=Share(hits.total(), len(answers)),
        macro_f1=sum(row.f1 for row in rows.values()) / max(1, len(rows)),
        rows=rows,
        errors=tuple((case, name) for case, name in answers if case.intent != name),
    )


def summary(result: Score) -> str:
    """Return the figures as Chinese lines for a terminal or a report."""
    lines = [
        f"意图：{result.cases} 条",
        f"准确率 {result.accuracy}",
        f"宏平均 F1 {result.macro_f1:.3f}",
        *(
            f"  {name} F1 {row.f1:.3f}，召回 {row.recall.hits}/{row.recall.total}，"
            f"精确 {row.precision.hits}/{row.precision.total}"
            for name, row in result.rows.items()
        ),
    ]
    return "\n".join(lines)
