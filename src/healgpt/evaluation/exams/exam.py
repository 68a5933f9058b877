"""One exam ready to be asked: its questions, drawn from files by a seed, and the files' sums for the manifest."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from healgpt.evaluation.exams.question import Question
from healgpt.evaluation.exams.readers import read
from healgpt.evaluation.run import file_digest


@dataclass(frozen=True, slots=True)
class Exam:
    """`name` names the task in a run folder; `every` holds all questions of the files, `questions` those drawn."""

    name: str
    every: tuple[Question, ...]
    questions: tuple[Question, ...]
    inputs: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def open_exam(path: Path, form: str, *, answers: Path | None = None, limit: int | None = None, seed: int = 0) -> Exam:
    """Read the exam at `path` and draw `limit` of its questions. Raises as `readers.read` does."""
    paper = read(path, form, answers=answers)
    every = paper.questions
    inputs = digests(path) | ({"answers": file_digest(answers)} if answers else {})
    name = "choice-" + re.sub(r"[^\w.-]+", "-", path.stem)
    drawn = draw(every, limit, seed)
    settings: dict[str, Any] = {"format": form, "limit": limit, "seed": seed if limit else None}
    if paper.unanswered:
        settings["unanswered"] = list(paper.unanswered)
    return Exam(name, every, tuple(drawn), inputs, settings)


def draw(questions: Sequence[Question], limit: int | None, seed: int) -> list[Question]:
    """Return `limit` of `questions` drawn by `seed`, in their order; all of them where there are no more."""
    if limit is None or limit >= len(questions):
        return list(questions)
    places = sorted(random.Random(seed).sample(range(len(questions)), limit))
    return [questions[place] for place in places]


def digests(path: Path) -> dict[str, str]:
    """Return the sha256 of a file, or of every file of a folder, by name."""
    if not path.is_dir():
        return {path.name: file_digest(path)}
    return {file.name: file_digest(file) for file in sorted(path.iterdir()) if file.is_file()}
