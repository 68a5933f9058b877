"""Search edited copies of exam questions among consultations: recall of the near-duplicate search, speed against peers.

    python benchmarks/contamination.py QUESTIONS.json TRAINING.jsonl [--items 500]

QUESTIONS is a JSON list with `question`; TRAINING any file that `healgpt eval contamination` reads. Every question is
hidden once, with a share of its characters replaced, among the training texts. Exact Jaccard of every question with
every text is the answer that the search must find; the same exact search is the peer for speed.
"""

import argparse
import itertools
import json
import random
import time
from pathlib import Path

from healgpt.evaluation.contamination import Rule, search
from healgpt.evaluation.contamination_files import TestItem, TrainingRecord, normalise, stream_training
from healgpt.evaluation.contamination_index import NearIndex, jaccard, shingles

SHARES = (0.0, 0.02, 0.05, 0.08, 0.12, 0.2)
BOUNDS = (0.6, 0.7, 0.8, 0.9)


def main() -> None:
    """Print recall at each bound, what either search and both together find, and the speed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("training", type=Path)
    parser.add_argument("--items", type=int, default=500)
    asked = parser.parse_args()
    draw = random.Random(0)
    stems = [normalise(row["question"]) for row in json.loads(asked.questions.read_text(encoding="utf-8"))]
    chosen = draw.sample(sorted({stem for stem in stems if len(stem) >= 20}), asked.items)
    items = [TestItem(str(number), (stem,), stem) for number, stem in enumerate(chosen)]
    records = list(itertools.islice(stream_training(asked.training), 2000))
    signs = "".join(text for record in records[:200] for _, text in record.texts)
    shares = [SHARES[number % len(SHARES)] for number in range(len(items))]
    hidden = [edited(stem, share, signs, draw) for stem, share in zip(chosen, shares, strict=True)]
    records += [TrainingRecord(f"hidden {number}", (("text", text),)) for number, text in enumerate(hidden)]
    draw.shuffle(records)
    texts = [text for record in records for _, text in record.texts]
    chars = sum(map(len, texts))
    print(f"{len(items)} questions, {len(texts)} texts, {chars} characters")
    exact, seconds = brute_force(items, texts)
    measure_recall(items, texts, exact, seconds)
    measure_search(items, records, shares, chars)


def edited(text: str, share: float, signs: str, draw: random.Random) -> str:
    """Return `text` with about `share` of its characters replaced by others of the same corpus."""
    return "".join(draw.choice(signs) if draw.random() < share else sign for sign in text)


def brute_force(items: list[TestItem], texts: list[str]) -> tuple[dict[tuple[int, int], float], float]:
    """Return the Jaccard similarity of every pair at or above the lowest bound, and the seconds it took."""
    start = time.perf_counter()
    sets = [frozenset(shingles(item.text)) for item in items]
    found = {}
    for place, text in enumerate(texts):
        own = shingles(text)
        for number, held in enumerate(sets):
            if (similarity := jaccard(held, own)) >= BOUNDS[0]:
                found[number, place] = similarity
    return found, time.perf_counter() - start


def measure_recall(
    items: list[TestItem], texts: list[str], exact: dict[tuple[int, int], float], peer_seconds: float
) -> None:
    """Print how many of the exact pairs the index finds at each bound, and its speed against the exact search."""
    print("| Jaccard >= | exact pairs | found | recall | wrong |\n|---|---|---|---|---|")
    for bound in BOUNDS:
        index = NearIndex(items, bound)
        start = time.perf_counter()
        got = {(number, place) for place, text in enumerate(texts) for number, _ in index.like(text)}
        seconds = time.perf_counter() - start
        wanted = {pair for pair, similarity in exact.items() if similarity >= bound}
        share = len(got & wanted) / len(wanted)
        print(f"| {bound} | {len(wanted)} | {len(got & wanted)} | {share:.3f} | {len(got - wanted)} |")
        if bound == BOUNDS[0]:
            speed = f"{seconds:.2f} s against {peer_seconds:.2f} s exact: {peer_seconds / seconds:.0f} times as fast"
    print(f"at {BOUNDS[0]}: {speed}")


def measure_search(items: list[TestItem], records: list[TrainingRecord], shares: list[float], chars: int) -> None:
    """Print which edited copies each search and both flag, by share of characters replaced."""
    start = time.perf_counter()
    found = search(items, records, Rule())
    seconds = time.perf_counter() - start
    print(f"\nboth searches: {chars / seconds / 1e6:.2f} million characters a second")
    print("| replaced | items | by n-grams | by similarity | flagged |\n|---|---|---|---|---|")
    for share in SHARES:
        own = [one for one, told in zip(found.overlaps, shares, strict=True) if told == share]
        copied = sum(one.copied is not None and one.copied.value >= Rule().share for one in own)
        similar = sum(one.similar is not None for one in own)
        flagged = sum(one.flagged for one in own)
        print(f"| {share:.0%} | {len(own)} | {copied} | {similar} | {flagged} |")


if __name__ == "__main__":
    main()
