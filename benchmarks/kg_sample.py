"""Draw a stratified sample of the patient-facing facts for labelling, without showing their support.

    python benchmarks/kg_sample.py > sample.jsonl

Half of a relation's share follows the square root of how many facts it has, half how often it was met: the distinct
facts that 1,529 real questions (every fifth of the department CSV) were given as evidence. At least 3 of every
relation. Facts of `facts_labelled.jsonl` are left out; within a relation every other fact is equally likely.
"""

import json
import math
import random
import sys
from collections import defaultdict
from pathlib import Path

from healgpt import jsonl
from healgpt.knowledge.graph import open_graph
from healgpt.schema import Fact

SIZE, SEED, LEAST = 300, 20264, 3
LABELLED = Path(__file__).resolve().parents[1] / "src/healgpt/evaluation/suites/facts_labelled.jsonl"
# distinct facts by relation, as the questions met them
MET = {
    "适应症": 239,
    "症状": 234,
    "就诊科室": 157,
    "检查": 142,
    "不良反应": 83,
    "高危因素": 39,
    "病因": 28,
    "治疗方式": 17,
    "预防": 11,
    "药物相互作用": 11,
    "注意事项": 11,
    "禁忌": 10,
    "主治": 9,
    "鉴别诊断": 8,
    "多发人群": 8,
    "传染性": 7,
    "功效": 6,
    "并发症": 3,
    "传播途径": 2,
}


def shares(pools: dict[str, list[Fact]]) -> dict[str, int]:
    """Return how many facts of each relation to draw; the largest remainders make the sum `SIZE`."""
    roots = {relation: math.sqrt(len(pool)) for relation, pool in pools.items()}
    exact = {
        relation: SIZE / 2 * (root / sum(roots.values()) + MET.get(relation, 0) / sum(MET.values()))
        for relation, root in roots.items()
    }
    drawn = {relation: max(LEAST, math.floor(share)) for relation, share in exact.items()}
    order = sorted(exact, key=lambda relation: drawn[relation] - exact[relation])
    for place in range(SIZE - sum(drawn.values())):
        drawn[order[place % len(order)]] += 1
    for relation in sorted(drawn, key=drawn.__getitem__, reverse=True)[: max(0, sum(drawn.values()) - SIZE)]:
        drawn[relation] -= 1
    return drawn


def main() -> None:
    known = {(row["subject"], row["relation"], row["object"]) for row in jsonl.read(LABELLED)}
    pools: dict[str, list[Fact]] = defaultdict(list)
    with open_graph(report=lambda stage: print(stage, file=sys.stderr)) as graph:
        for fact in graph.facts():
            pools[fact.predicate].append(fact)
    drawn, chance = shares(pools), random.Random(SEED)
    number = 0
    for relation, count in drawn.items():
        fresh = [fact for fact in pools[relation] if (fact.subject, relation, fact.object) not in known]
        fresh.sort(key=lambda fact: (fact.subject, fact.object))
        for fact in chance.sample(fresh, count):
            number += 1
            row = {"id": number, "subject": fact.subject, "relation": relation, "object": fact.object}
            row["weight"] = round(len(pools[relation]) / count, 2)
            print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
