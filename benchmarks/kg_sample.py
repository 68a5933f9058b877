"""Draw a stratified sample of the patient-facing facts for labelling, without showing their support.

    python benchmarks/kg_sample.py > sample.jsonl
    python benchmarks/kg_sample.py --labels labels.jsonl > facts_final.jsonl     join labels (id, label, note) to it
    python benchmarks/kg_sample.py --met      count the facts that real questions are given, by relation

The frame is every fact that may reach a patient: over the threshold and not held back. Half of a relation's share
follows the square root of how many such facts it has, half how often it was met: the distinct facts that 1,529 real
questions (every fifth of the department CSV) are given as evidence. At least 3 of every relation. Facts of earlier
samples are left out; within a relation every other fact is equally likely.
"""

import argparse
import csv
import json
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from healgpt import jsonl
from healgpt.consult.intent import evidence_finder
from healgpt.knowledge.graph import open_graph
from healgpt.knowledge.linking import open_linker
from healgpt.knowledge.relations import schema
from healgpt.knowledge.retrieval import Retriever

SIZE, SEED, LEAST, ROUND = 300, 20268, 3, 10
LABELLER = "written by a language model against medical knowledge, not clinician-reviewed"
ROOT = Path(__file__).resolve().parents[1]
SUITES = ROOT / "src/healgpt/evaluation/suites"
# earlier samples; the final one is not among them, so that drawing it again gives the same
EARLIER = ("facts_labelled.jsonl", "facts_confirmed.jsonl", "facts_dev.jsonl")
QUESTIONS = ROOT.parent / "shared/data/toyhom_internal_medicine.gb18030.csv"
Key = tuple[str, str, str]
# distinct facts by relation, as the questions met them
MET = {
    "症状": 172,
    "就诊科室": 154,
    "检查": 122,
    "不良反应": 57,
    "适应症": 31,
    "高危因素": 24,
    "病因": 15,
    "禁忌": 13,
    "注意事项": 13,
    "预防": 10,
    "鉴别诊断": 9,
    "传染性": 7,
    "治疗方式": 6,
    "多发人群": 6,
    "并发症": 3,
    "药物相互作用": 3,
    "传播途径": 2,
    "主治": 1,
    "功效": 1,
}


def shares(counts: Mapping[str, int], size: int = SIZE, least: int = LEAST) -> dict[str, int]:
    """Return how many facts of each relation to draw; the largest remainders make the sum `size`."""
    roots = {relation: math.sqrt(count) for relation, count in counts.items()}
    met = {relation: MET.get(relation, 0) for relation in counts}
    exact = {
        relation: size / 2 * (root / sum(roots.values()) + met[relation] / sum(met.values()))
        for relation, root in roots.items()
    }
    drawn = {relation: max(least, math.floor(share)) for relation, share in exact.items()}
    order = sorted(exact, key=lambda relation: drawn[relation] - exact[relation])
    for place in range(size - sum(drawn.values())):
        drawn[order[place % len(order)]] += 1
    for relation in sorted(drawn, key=drawn.__getitem__, reverse=True)[: max(0, sum(drawn.values()) - size)]:
        drawn[relation] -= 1
    return drawn


def draw(
    keys: Sequence[Key], known: Collection[Key], *, seed: int = SEED, size: int = SIZE
) -> Iterator[dict[str, object]]:
    """Yield a sample of `keys` without those `known`; `weight` is how many facts of its relation a row stands for."""
    pools: dict[str, list[Key]] = defaultdict(list)
    for key in sorted(keys):
        pools[key[1]].append(key)
    drawn, chance = shares({relation: len(pools[relation]) for relation in sorted(pools)}, size), random.Random(seed)
    number = 0
    for relation in sorted(drawn):
        fresh = [key for key in pools[relation] if key not in known]
        count = min(drawn[relation], len(fresh))
        for subject, _, value in chance.sample(fresh, count):
            number += 1
            row: dict[str, object] = {"id": number, "subject": subject, "relation": relation, "object": value}
            yield {**row, "weight": round(len(pools[relation]) / count, 2)}


def met() -> Counter[str]:
    """Return how many distinct facts of each relation every fifth question of the department CSV is given."""
    with QUESTIONS.open(encoding="gb18030", newline="") as lines:
        rows = list(csv.DictReader(lines))[::5]
    found: set[Key] = set()
    with open_graph() as graph:
        find = evidence_finder(open_linker(graph), Retriever(graph), len)
        for row in rows:
            told = find([{"role": "user", "content": f"{row['title']} {row['ask']}"}])
            found |= {(fact.subject, fact.predicate, fact.object) for fact in told}
    forward = schema().inverses
    return Counter(forward[relation].name if relation in forward else relation for _, relation, _ in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--met", action="store_true")
    parser.add_argument("--labels", type=Path)
    options = parser.parse_args()
    if options.met:
        print(json.dumps(dict(met().most_common()), ensure_ascii=False))
        return
    known = {(row["subject"], row["relation"], row["object"]) for name in EARLIER for row in jsonl.read(SUITES / name)}
    with open_graph(report=lambda stage: print(stage, file=sys.stderr)) as graph:
        keys = [(fact.subject, fact.predicate, fact.object) for fact in graph.facts()]
    labels = {row["id"]: row for row in jsonl.read(options.labels)} if options.labels else {}
    for row in draw(keys, known):
        if labels:
            said = labels[row["id"]]
            row |= {"round": ROUND, "split": "final", "label": said["label"], "note": said.get("note", "")}
            row["labeller"] = LABELLER
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
