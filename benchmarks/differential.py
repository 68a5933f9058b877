"""How often a simulated patient's disease is among the first five, after 0 to 3 questions, by what is asked.

    python benchmarks/differential.py [--patients 600] [--seed 0]

A disease is drawn from the graph (by how common it seems, or each as likely as any other), the patient brings up two
of its symptoms, and answers what is asked by what the graph lists for it; with noise, each answer is turned round with
that probability. A question names three items, as the Doctor's do. Compared on the same patients: the differential's
own choice, the most frequent symptoms of the graph, and nothing.

Patient and differential share one graph and one prior, so the shares say how well the questions separate what the graph
knows, not how often a real patient's disease is found.
"""

import argparse
import math
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from healgpt.evaluation.stats import mcnemar, wilson
from healgpt.knowledge.differential import Differential, Finding, histories, rules
from healgpt.knowledge.disease_matrix import open_differential
from healgpt.knowledge.graph import open_graph

TOP, ROUNDS, ITEMS = 5, 3, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with open_graph() as graph:
        start = time.perf_counter()
        differential = open_differential(graph)
        opened = time.perf_counter() - start
    usable = [
        place
        for place, listed in enumerate(differential.listed)
        if len(listed & rules()["ask"].keys()) >= 3 and differential.names[place] not in listed
    ]
    print(f"{len(differential.names)} diseases, {len(usable)} with three symptoms to ask for; read in {opened:.2f} s")
    spent: list[float] = []
    for drawn in ("by prior", "uniform"):
        for noise in (0.0, 0.15):
            compare(differential, usable, Setting(drawn, noise, options.patients, options.seed, spent))
    print(f"one turn (rank and choose): median {1e3 * statistics.median(spent):.1f} ms, ", end="")
    print(f"p99 {1e3 * sorted(spent)[int(0.99 * len(spent))]:.1f} ms, longest {1e3 * max(spent):.1f} ms")


@dataclass(frozen=True, slots=True)
class Setting:
    """How patients are drawn and answer; `spent` collects the seconds of each turn."""

    drawn: str
    noise: float
    patients: int
    seed: int
    spent: list[float]


def compare(differential: Differential, usable: Sequence[int], setting: Setting) -> None:
    drawn, noise, patients, seed = setting.drawn, setting.noise, setting.patients, setting.seed
    random_ = random.Random(f"{seed} {drawn}")
    weights = [math.exp(differential.prior[place]) if drawn == "by prior" else 1.0 for place in usable]
    chosen = random_.choices(usable, weights, k=patients)
    found: dict[str, list[list[bool]]] = {"nothing": [], "most frequent": [], "information gain": []}
    for number, place in enumerate(chosen):
        told = random_.sample(sorted(differential.listed[place] & rules()["ask"].keys()), 2)
        for asking, rows in found.items():
            answers = random.Random(f"{seed} {number} {noise}")
            rows.append(consult(differential, place, told, asking, (setting, answers)))
    print(f"\ndrawn {drawn}, noise {noise:.2f}: {patients} patients, {len(set(chosen))} diseases; in the first {TOP}")
    for asking, rows in found.items():
        shares = [wilson(sum(row[asked] for row in rows), patients) for asked in range(ROUNDS + 1)]
        print(f"  {asking:17}" + "  ".join(f"{one.value:.3f} ({one.low:.3f}-{one.high:.3f})" for one in shares))
    last = {asking: [row[ROUNDS] for row in rows] for asking, rows in found.items()}
    for other in ("most frequent", "nothing"):
        print(f"  after {ROUNDS}, against {other}: McNemar p = {mcnemar(last['information gain'], last[other]):.2g}")


def consult(
    differential: Differential, place: int, told: Sequence[str], asking: str, answering: tuple[Setting, random.Random]
) -> list[bool]:
    """Return whether the disease is among the first five after 0, 1, 2 and 3 questions."""
    setting, answers = answering
    findings = [Finding(name, True) for name in told]
    rows = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        first = [one.name for one in differential.rank(findings)[:TOP]]
        items = next_names(differential, findings, asking)
        if asking == "information gain":
            setting.spent.append(time.perf_counter() - start)
        rows.append(differential.names[place] in first)
        for name in items:
            there = name in differential.listed[place]
            if name in histories() and not there:
                there = answers.random() < histories()[name]["share"]
            findings.append(Finding(name, there != (answers.random() < setting.noise), asked=True))
    return rows


def next_names(differential: Differential, findings: Sequence[Finding], asking: str) -> list[str]:
    if asking == "nothing":
        return []
    if asking == "information gain":
        return [item.name for item in differential.next_items(findings, most=ITEMS)]
    known = {finding.name for finding in findings}
    spread = sorted(rules()["ask"], key=lambda name: (-len(differential.carriers[name]), name))
    return [name for name in spread if name not in known][:ITEMS]


if __name__ == "__main__":
    main()
