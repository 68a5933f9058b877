"""Exams as tasks of lm-evaluation-harness: the same turns, shots and letters as `healgpt eval choice --scorer letters`.

Format: EleutherAI's task guide, `output_type: multiple_choice` over a local JSON data set. With `--apply_chat_template`
and shots as turns, the harness builds the prompt that `prompt.py` builds, for any model with a chat template.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.errors import DataError
from healgpt.evaluation.exams.prompt import turn
from healgpt.evaluation.exams.question import Question


@dataclass(frozen=True, slots=True)
class Export:
    """What was written: the task's name, how many questions, and the ids of those that the harness cannot ask."""

    task: str
    config: Path
    questions: int
    left_out: tuple[str, ...]


def export_task(name: str, questions: Sequence[Question], shots: Sequence[Question], folder: Path) -> Export:
    """Write `<task>.yaml`, `<task>.jsonl` and, with shots, `<task>_shots.jsonl` into `folder`.

    Questions with several right letters are left out and named: the harness knows one right choice. The paths inside
    are absolute, so a folder that was moved is exported again. Raises `DataError` where no question is left or the
    folder cannot be written.
    """
    single = [question for question in questions if not question.multiple]
    if not single:
        raise DataError(f"{name} 里没有单选题，不能导出为 lm-eval 任务。请换一份考题。")
    task = "healgpt_" + (re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower() or "exam")
    data = {"test": folder / f"{task}.jsonl"} | ({"shots": folder / f"{task}_shots.jsonl"} if shots else {})
    for split, asked in (("test", single), ("shots", shots)):
        if asked:
            jsonl.write(data[split], map(_document, asked))
    config = folder / f"{task}.yaml"
    lines = (
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in _config(task, data, len(shots)).items()
    )
    try:
        config.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise DataError(f"写不进 {config}：{error.strerror}。请检查磁盘空间和权限。") from error
    left_out = tuple(question.question_id for question in questions if question.multiple)
    return Export(task, config, len(single), left_out)


def _config(task: str, data: dict[str, Path], shots: int) -> dict[str, Any]:
    files = {split: str(path.resolve()) for split, path in data.items()}
    few = {"fewshot_split": "shots", "fewshot_config": {"sampler": "first_n"}} if shots else {}
    return {
        "task": task,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": files},
        "test_split": "test",
        **few,
        "num_fewshot": shots,
        "output_type": "multiple_choice",
        "doc_to_text": "text",
        "doc_to_choice": "letters",
        "doc_to_target": "answer",
        "target_delimiter": "",
        "fewshot_delimiter": "\n",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "metadata": {"version": 1.0},
    }


def _document(question: Question) -> dict[str, Any]:
    return {
        "id": question.question_id,
        "text": turn(question),
        "letters": list(question.letters),
        "answer": question.answer[0],
        "subject": question.subject,
        "kind": question.kind,
    }
