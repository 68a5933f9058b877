"""Answers with and without the graph, side by side and in random order, to be read and judged blind.

    python benchmarks/grounding_pairs.py ask QUESTIONS.csv --out FOLDER         # some 10 minutes on two cores
    python benchmarks/grounding_pairs.py count FOLDER/pairs.jsonl VERDICTS.jsonl FOLDER/key.jsonl

`ask` takes seeded rows of a department CSV (`department,title,ask,answer`, GB18030), asks the Doctor with the graph and
the Doctor without it, and writes `pairs.jsonl` ({"id", "question", "A", "B"}, citation marks removed so that they give
nothing away) and, apart from it, `key.jsonl` ({"id", "grounded": "A" or "B"}). A reader who has not seen the key
writes verdicts ({"id", "better": "A", "B" or "same", "wrong": ["A", "B"], "note"}); `count` opens the key.
"""

import argparse
import csv
import random
import re
from collections.abc import Sequence
from pathlib import Path

from healgpt import jsonl
from healgpt.backends import EngineOptions, load
from healgpt.consult.doctor import Doctor, open_doctor
from healgpt.evaluation.stats import wilson
from healgpt.parallel import map_ordered
from healgpt.prompts import render
from healgpt.schema import ChatModel, Message, Sampling

_MARK = re.compile(r"\s*\[\d+\]")


def main() -> None:
    """Ask, or count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    asking = steps.add_parser("ask", help="写出配对的回答")
    asking.add_argument("questions", type=Path)
    asking.add_argument("--out", type=Path, required=True)
    asking.add_argument("--model", default="healgpt-mini")
    asking.add_argument("--count", type=int, default=40)
    asking.add_argument("--slots", type=int, default=8)
    asking.add_argument("--seed", type=int, default=0)
    counting = steps.add_parser("count", help="揭晓后计数")
    counting.add_argument("pairs", type=Path)
    counting.add_argument("verdicts", type=Path)
    counting.add_argument("key", type=Path)
    chosen = parser.parse_args()
    if chosen.step == "count":
        count(chosen.pairs, chosen.verdicts, chosen.key)
        return
    drawn = random.Random(chosen.seed).sample(questions(chosen.questions)[:1000], chosen.count)
    options = EngineOptions(slots=chosen.slots, context=2048)
    grounded = open_doctor(chosen.model, options)
    with_facts = answers(grounded, drawn, chosen.slots)
    grounded.close()
    model = load(chosen.model, options)
    without = answers(Doctor(model), drawn, chosen.slots)
    write(chosen.out, drawn, list(zip(with_facts, without, strict=True)), chosen.seed)


def questions(path: Path) -> list[str]:
    """Return title and text of every row, as a patient would send them."""
    with path.open(encoding="gb18030", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [f"{row['title'].strip()} {row['ask'].strip()}".strip() for row in rows]


def answers(doctor: ChatModel, drawn: Sequence[str], slots: int) -> list[str]:
    """Answer every question once, greedily."""

    def answer(question: str) -> str:
        messages: list[Message] = [{"role": "user", "content": question}]
        return doctor.complete(messages, Sampling(temperature=0, max_tokens=256, seed=0)).text

    found = []
    for number, outcome in enumerate(map_ordered(answer, drawn, workers=slots), start=1):
        found.append(outcome.result or f"（没有回答：{outcome.error}）")
        print(f"{number}/{len(drawn)}", end="\r", flush=True)
    return found


def write(folder: Path, drawn: Sequence[str], pairs: Sequence[tuple[str, str]], seed: int) -> None:
    """Write the pairs in random order, and the key beside them."""
    order = random.Random(seed + 1)
    shown, key = [], []
    for number, (question, pair) in enumerate(zip(drawn, pairs, strict=True), start=1):
        first = order.random() < 0.5
        grounded, plain = map(_blinded, pair)
        both = (grounded, plain) if first else (plain, grounded)
        shown.append({"id": number, "question": question, "A": both[0], "B": both[1]})
        key.append({"id": number, "grounded": "A" if first else "B"})
    jsonl.write(folder / "pairs.jsonl", shown)
    jsonl.write(folder / "key.jsonl", key)


def _blinded(answer: str) -> str:
    return _MARK.sub("", answer).replace(render("no_evidence"), "").strip()


def count(pairs: Path, verdicts: Path, key: Path) -> None:
    """Print how often the grounded answer was judged better, and how often each was judged wrong."""
    grounded = {row["id"]: row["grounded"] for row in jsonl.read(key)}
    judged = list(jsonl.read(verdicts))
    same = sum(row["A"] == row["B"] for row in jsonl.read(pairs))
    wins = sum(row["better"] == grounded[row["id"]] for row in judged)
    ties = sum(row["better"] == "same" for row in judged)
    print(
        f"{len(judged)} 题（两份回答一字不差的 {same} 题）：有图谱的更好 {wins}，一样 {ties}，没有图谱的更好", end=" "
    )
    print(f"{len(judged) - wins - ties}；分出高下的题里有图谱的更好 {wilson(wins, len(judged) - ties)}")
    wrong = sum(grounded[row["id"]] in row["wrong"] for row in judged)
    others = sum(bool(set(row["wrong"]) - {grounded[row["id"]]}) for row in judged)
    print(f"有医学错误：有图谱 {wilson(wrong, len(judged))}；没有图谱 {wilson(others, len(judged))}")


if __name__ == "__main__":
    main()
