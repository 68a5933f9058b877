"""Score the asking-back detectors against labelled doctor turns: is a turn that asks found, and one that does not left?

The labels name turns of public dialogues by model, case and place; the texts are read from the folder of public data
(`disc_cmd/`, `disc_med_sft_examples.jsonl`) and checked against the digest that each label carries.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from healgpt import jsonl
from healgpt.errors import DataError
from healgpt.evaluation.measures.asking import asked_items, asks_back
from healgpt.evaluation.measures.ground import Ground, open_ground
from healgpt.evaluation.stats import RESAMPLES, Interval, wilson

# lowest F1 accepted on the held part
BOUND = 0.9
Split = Literal["dev", "held"]
_FILES = ("turn_labels", "turn_labels_sft")
_SFT = "disc-med-sft"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One doctor turn with what came before it; `known` is the case with its reference answer, where there is one."""

    label: dict[str, Any]
    text: str
    said: tuple[str, ...]
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a detector agrees with the labels; `f1.n` and `recall.n` count the positives."""

    precision: Interval
    recall: Interval
    f1: Interval


def load(data: Path, split: Split) -> list[Labelled]:
    """Return the labelled turns of `split`. Raises `DataError` where a text is missing or has changed."""
    texts = _texts(data)
    found = []
    for name in _FILES:
        path = Path(str(resources.files("healgpt.evaluation") / "suites" / f"{name}.jsonl"))
        for label in jsonl.read(path):
            if label["split"] == split:
                key = label["model"], label["case"], label["turn"]
                if key not in texts:
                    raise DataError(f"{data} 里没有标注 {label['id']} 所指的轮次 {key}。请检查公开数据是否完整。")
                found.append(_labelled(label, *texts[key]))
    return found


def score(turns: Sequence[Labelled], ground: Ground | None = None) -> dict[str, Agreement]:
    """Return the agreement for `asks_back` and `relevant`; a turn that does not ask is not relevant."""
    ground = ground or open_ground()
    asks = [(bool(one.label["asks_back"]), asks_back(one.text, one.said)) for one in turns]
    relevant = [
        (
            bool(one.label["relevant"]),
            any(item.to_the_point for item in asked_items(one.text, one.known, one.said, ground)),
        )
        for one in turns
    ]
    return {"asks_back": agreement(asks), "relevant": agreement(relevant)}


def agreement(pairs: Sequence[tuple[bool, bool]]) -> Agreement:
    """Return precision and recall with Wilson intervals and F1 with a bootstrap interval, of `(label, found)`."""
    hits = sum(label and found for label, found in pairs)
    positives, flagged = sum(label for label, _ in pairs), sum(found for _, found in pairs)
    return Agreement(wilson(hits, flagged), wilson(hits, positives), _f1(pairs, positives))


def summary(scores: dict[str, Agreement]) -> str:
    """Return the figures as Chinese lines."""
    names = {"asks_back": "追问", "relevant": "追问到点"}
    return "\n".join(
        f"{names[name]}：{'达标' if one.f1.value >= BOUND else '未达标'}（F1 ≥ {BOUND}）\n"
        f"  F1 {one.f1}\n  精确率 {one.precision}\n  召回率 {one.recall}"
        for name, one in scores.items()
    )


def _f1(pairs: Sequence[tuple[bool, bool]], positives: int) -> Interval:
    """Return F1 with the percentile bootstrap over turns; resamples without any positive are left out."""
    import numpy

    labels, found = (numpy.array([pair[place] for pair in pairs], dtype=bool) for place in (0, 1))
    rows = numpy.random.default_rng(0).integers(0, len(pairs), (RESAMPLES, len(pairs)))
    hits = (labels & found)[rows].sum(axis=1)
    both = labels[rows].sum(axis=1) + found[rows].sum(axis=1)
    resampled = numpy.sort(2 * hits[both > 0] / both[both > 0])
    value = 2 * int((labels & found).sum()) / max(1, int(labels.sum() + found.sum()))
    return Interval(value, float(numpy.quantile(resampled, 0.025)), float(numpy.quantile(resampled, 0.975)), positives)


def _labelled(label: dict[str, Any], text: str, said: tuple[str, ...], known: tuple[str, ...]) -> Labelled:
    if not hashlib.sha256(text.encode()).hexdigest().startswith(label["sha256"]):
        raise DataError(f"标注 {label['id']} 所指的轮次与标注时的正文不同。请换回原来的公开数据。")
    return Labelled(label, text, said, known)


Text = tuple[str, tuple[str, ...], tuple[str, ...]]


def _texts(data: Path) -> dict[tuple[str, str, int], Text]:
    """Return text, patient's messages before it and the case of every doctor turn, by model, case and place."""
    cases = {row["id"]: (row["question"], row["raw_anwser"]) for row in _read(data / "disc_cmd" / "cmd_samples.json")}
    found: dict[tuple[str, str, int], Text] = {}
    for path in sorted((data / "disc_cmd" / "dialogues").glob("*.json")):
        for row in _read(path):
            speeches = [(turn["role"] == "doctor", turn["content"]) for turn in row["conversation"]]
            for place, text, said in _doctor_turns(speeches):
                found[row["model"], row["id"], place] = text, said, cases.get(row["id"], ())
    for row in jsonl.read(data / "disc_med_sft_examples.jsonl"):
        speeches = [(turn["role"] == "assistant", turn["content"]) for turn in row["conversation"]]
        for place, text, said in _doctor_turns(speeches):
            found[_SFT, str(row["_id"]), place] = text, said, ()
    return found


def _doctor_turns(speeches: Sequence[tuple[bool, str]]) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    said: list[str] = []
    place = 0
    for by_doctor, text in speeches:
        if by_doctor:
            yield place, text, tuple(said)
            place += 1
        else:
            said.append(text)


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise DataError(f"读不了公开数据 {path}：{error}。请把公开数据放在仓库旁的 shared/data 文件夹里。") from error
    return rows
