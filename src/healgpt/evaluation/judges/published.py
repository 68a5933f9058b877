"""The scores that GPT-4 gave the recorded CMD dialogues, as released: JSON Lines, one file a model.

A line is `{"id", "model", "source", "scores", "prompt"}` with `scores` as GPT-4 wrote them:
`Proactivity: 5\\nAccuracy: 4\\nHelpfulness: 4.5\\nLinguistic Quality: 5`; half points occur.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from healgpt import jsonl
from healgpt.errors import DataError

# the released names of the criteria, in our keys
NAMES: Mapping[str, str] = {
    "Proactivity": "proactivity",
    "Accuracy": "accuracy",
    "Helpfulness": "helpfulness",
    "Linguistic Quality": "language",
}
_LINE = re.compile(r"(Proactivity|Accuracy|Helpfulness|Linguistic Quality):\s*([1-5](?:\.5)?)\s*")


@dataclass(frozen=True, slots=True)
class Average:
    """One model's mean by criterion, and `mean` over all scores of all rows."""

    rows: int
    by_criterion: Mapping[str, float]
    mean: float


def read_scores(path: Path) -> dict[str, dict[str, float]]:
    """Return the four scores of each case of one file.

    Raises `DataError` naming file and line where a row repeats a case or does not hold exactly the four criteria.
    """
    found: dict[str, dict[str, float]] = {}
    for number, row in enumerate(jsonl.read(path), start=1):
        case, text = str(row.get("id", "")), row.get("scores")
        lines = [_LINE.fullmatch(line) for line in str(text).strip().splitlines()]
        scores = {NAMES[line[1]]: float(line[2]) for line in lines if line is not None}
        if not case or len(lines) != len(NAMES) or len(scores) != len(NAMES):
            raise DataError(f"{path} 第 {number} 条没有 id，或 scores 不是四项评分：{str(text)[:60]!r}。请修正。")
        if case in found:
            raise DataError(f"{path} 第 {number} 条的编号 {case} 前面已经有了。请去掉一条。")
        found[case] = scores
    if not found:
        raise DataError(f"{path} 里一条评分也没有。请换一个文件。")
    return found


def published_scores(folder: Path) -> dict[str, Average]:
    """Return the averages of every model (file stem) in `folder`, as the published table has them.

    The published figure is the mean over all rows and criteria of a file; GPT-4's own file has one row more than
    the others. Raises `DataError` where the folder holds no scores.
    """
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise DataError(f"{folder} 里没有评分文件（*.jsonl）。请检查 --scores 的路径。")
    return {path.stem: average(read_scores(path)) for path in files}


def average(scores: Mapping[str, Mapping[str, float]]) -> Average:
    """Return the means of the scores of one model. Raises `ZeroDivisionError` when empty."""
    rows = list(scores.values())
    means = {key: sum(row[key] for row in rows) / len(rows) for key in NAMES.values()}
    total = sum(sum(row.values()) for row in rows)
    return Average(len(rows), means, total / (len(rows) * len(NAMES)))
