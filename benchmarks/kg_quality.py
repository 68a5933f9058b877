"""Precision of the facts that patients are told, on the hand-labelled samples, and what is left of the graph.

    python benchmarks/kg_quality.py            figures and docs/images/kg_precision_coverage.png
    python benchmarks/kg_quality.py --check    exit 1 unless the final sample's precision is 0.95

"unclear" counts as not correct. Rows that the shipped graph no longer tells are left out: for the splits "dev" and
"held", which the rules were made on, the figure is what remains after the rules and no evidence of their worth.
"final" (`kg_sample.py`) was drawn once the rules were frozen and labelled blind; its figure is the headline.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from healgpt import jsonl
from healgpt.evaluation.stats import wilson
from healgpt.knowledge.graph import KnowledgeGraph, open_graph

ROOT = Path(__file__).resolve().parents[1]
LABELS = ROOT / "src/healgpt/evaluation/suites/facts_labelled.jsonl"
SAMPLES = [LABELS.with_name(f"facts_{name}.jsonl") for name in ("labelled", "confirmed", "dev", "final")]
PICTURE = ROOT / "docs/images/kg_precision_coverage.png"


def supports(graph: KnowledgeGraph) -> tuple[dict[tuple[str, str, str], float], list[float], dict[str, float]]:
    """Return the support of every fact by key, all supports sorted, and the best symptom support of each disease.

    A fact over the threshold that is held back has a support of 0 here: it is told at no threshold.
    """
    told = {(fact.subject, fact.predicate, fact.object) for fact in graph.facts()}
    by_key = {}
    for fact in graph.facts(every=True):
        key = (fact.subject, fact.predicate, fact.object)
        by_key[key] = fact.support if key in told or fact.support < graph.threshold else 0.0
    best: dict[str, float] = {}
    for (subject, relation, _), support in by_key.items():
        if relation == "症状":
            best[subject] = max(best.get(subject, 0.0), support)
    return by_key, sorted(by_key.values()), best


def at(rows: Sequence[dict[str, object]], threshold: float) -> dict[str, object]:
    """Return the figures of `rows` at `threshold`."""
    kept = [row for row in rows if float(str(row["support"])) >= threshold]
    good = sum(row["label"] == "correct" for row in kept)
    wrong = sum(row["label"] == "wrong" for row in kept)
    precision = wilson(good, len(kept))
    weight = sum(float(str(row["weight"])) for row in kept)
    weighted = sum(float(str(row["weight"])) for row in kept if row["label"] == "correct") / weight if weight else 0.0
    return {
        "n": len(kept),
        "correct": good,
        "unclear": len(kept) - good - wrong,
        "wrong": wrong,
        "precision": round(precision.value, 4),
        "low": round(precision.low, 4),
        "high": round(precision.high, 4),
        "not_wrong": round(1 - wrong / len(kept), 4) if kept else None,
        "weighted_precision": round(weighted, 4),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    with open_graph(options.store, report=lambda stage: print(stage, file=sys.stderr)) as graph:
        by_key, every, best = supports(graph)
        shipped = graph.threshold
    rows = [
        {**row, "support": by_key.get((row["subject"], row["relation"], row["object"]), 0.0)}
        for path in SAMPLES
        if path.is_file()
        for row in jsonl.read(path)
    ]
    splits = {name: [row for row in rows if row["split"] == name] for name in ("final", "held", "dev")}
    for name, part in splits.items():
        if not part:
            continue
        print(json.dumps({"split": name, "threshold": shipped, **at(part, shipped)}, ensure_ascii=False))
    facts, diseases = (sum(value >= shipped for value in pool) for pool in (every, best.values()))
    print(json.dumps({"facts_kept": facts, "facts": len(every), "share": round(facts / len(every), 4)}))
    print(
        json.dumps({"diseases_with_symptom": diseases, "diseases": len(best), "share": round(diseases / len(best), 4)})
    )
    if not options.check:
        draw(splits, every, list(best.values()), shipped)
        return 0
    if not splits["final"]:
        print("未达标：最终样本还没有标注")
        return 1
    precision = float(str(at(splits["final"], shipped)["precision"]))
    print("通过" if precision >= 0.95 else f"未达标：精确率 {precision:.3f} < 0.95")
    return 0 if precision >= 0.95 else 1


def draw(splits: dict[str, list[dict[str, object]]], every: list[float], best: list[float], shipped: float) -> None:
    """Draw precision with its interval against the share of facts and of diseases kept, over the threshold."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    steps = [0.3 + 0.01 * step for step in range(66)]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4))
    for name, colour in (("dev", "tab:gray"), ("held", "tab:blue"), ("final", "tab:green")):
        # the final sample holds only facts over the shipped threshold: below it the curve would say nothing
        least = shipped if name == "final" else 0.0
        points = [(step, at(splits[name], step)) for step in steps if step >= least - 1e-9]
        points = [(step, point) for step, point in points if int(str(point["n"])) >= 20]
        coverage = [sum(value >= step for value in every) / len(every) for step, _ in points]
        left.plot(coverage, [point["precision"] for _, point in points], color=colour, label=f"{name} split")
        low, high = ([float(str(point[end])) for _, point in points] for end in ("low", "high"))
        left.fill_between(coverage, low, high, color=colour, alpha=0.15)
    left.axhline(0.95, color="tab:red", linewidth=0.8, linestyle="--", label="0.95")
    left.axvline(sum(value >= shipped for value in every) / len(every), color="black", linewidth=0.8, linestyle=":")
    left.set_xlabel("share of all normalised facts kept")
    left.set_ylabel("precision (unclear = not correct), 95 % Wilson")
    left.legend(loc="lower left")
    right.plot(steps, [sum(value >= step for value in every) / len(every) for step in steps], label="facts")
    right.plot(
        steps, [sum(value >= step for value in best) / len(best) for step in steps], label="diseases with a symptom"
    )
    right.axvline(shipped, color="black", linewidth=0.8, linestyle=":", label=f"shipped threshold {shipped}")
    right.set_xlabel("threshold")
    right.set_ylabel("share kept")
    right.legend(loc="lower left")
    figure.suptitle("CMeKG facts: precision against coverage")
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
