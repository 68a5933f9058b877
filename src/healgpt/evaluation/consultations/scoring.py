"""Scores dialogues by the measures without a judge, while they are held or again from a finished run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.errors import DataError
from healgpt.evaluation import measures as judge_free
from healgpt.evaluation.consultations.case import Case, from_item
from healgpt.evaluation.run import Item, Measure, read_manifest
from healgpt.schema import Message

KIND = "consult"


def measures() -> Mapping[str, Measure]:
    """Return what the scores mean."""
    return dict(judge_free.MEASURES)


def digests() -> dict[str, str]:
    """Return what the scores rest on beside the dialogues."""
    return judge_free.digests()


def scores(case: Case, messages: Sequence[Message], turns: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the scores of one dialogue; None where a measure does not apply."""
    return judge_free.score_dialogue(case, messages, turns)


def rescore(folder: Path, tasks: Sequence[str] = ()) -> dict[str, int]:
    """Compute the scores of the kept dialogues anew, no model is run; return how many of each task were scored.

    A run that was interrupted goes on afterwards, under the new measures. Failed dialogues keep their failure and get
    no scores. File and manifest are replaced whole. Raises `DataError` for a folder without consultations or a task
    that it does not have.
    """
    manifest = read_manifest(folder)
    held = [name for name, note in manifest["tasks"].items() if note["kind"] == KIND]
    if not held:
        raise DataError(f"{folder} 里没有问诊结果。请写 healgpt eval consult 的 --out 文件夹。")
    if unknown := [name for name in tasks if name not in held]:
        raise DataError(f"{folder} 里没有问诊 {'、'.join(unknown)}。有的是：{'、'.join(held)}。")
    counts = {}
    for name in tasks or held:
        path = folder / manifest["tasks"][name]["file"]
        items = [_rescored(item, f"{folder} 的 {name} 中的 {item.get('id')}") for item in _kept(path)]
        jsonl.write(path, items)
        manifest["tasks"][name]["measures"] = {key: asdict(measure) for key, measure in measures().items()}
        manifest["tasks"][name]["inputs"] |= digests()
        counts[name] = sum(not item["failure"] for item in items)
    scratch = folder / "manifest.json.part"
    scratch.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    scratch.replace(folder / "manifest.json")
    return counts


def keep_up(folder: Path) -> int:
    """Score what an interrupted run has kept under the measures of today, where they have changed since.

    So a run may be resumed, and its scores are all of one kind. Return how many dialogues were scored again.
    """
    if not (folder / "manifest.json").exists():
        return 0
    tasks, now = read_manifest(folder)["tasks"], digests()
    outdated = [
        name
        for name, note in tasks.items()
        if note["kind"] == KIND and any(note["inputs"].get(key) != value for key, value in now.items())
    ]
    return sum(rescore(folder, outdated).values()) if outdated else 0


def kept(folder: Path, task: str) -> list[Item]:
    """Return the dialogues of an interrupted or finished task; none where it was not begun."""
    return _kept(folder / f"{task}.jsonl")


def _kept(path: Path) -> list[Item]:
    """Return the items of a run's file; a last line without its end is one that a crash cut off, and not yet done."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1].decode("utf-8")
    return list(jsonl.parse(whole.split("\n"), str(path)))


def _rescored(item: Item, place: str) -> Item:
    if item.get("failure"):
        return item
    case = from_item(item, place)
    return {**item, "scores": scores(case, item["dialogue"], item["turns"])}
