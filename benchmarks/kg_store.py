"""The store of the knowledge graph against two other forms of the same facts: opening, memory, look-up.

    python benchmarks/kg_store.py [--store FILE]

Each form is opened in a process of its own and asked the same 2,000 seeded look-ups: all patient-facing facts of a
subject, and all subjects of an object under one relation. "dictionary" is a pickled dict of lists, the form in which
the source ships; "arrays" are sorted numpy columns, memory-mapped, with names in one block of text.
"""

import argparse
import json
import pickle
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from healgpt.knowledge.graph import KnowledgeGraph, open_graph

LOOKUPS = 2000


def prepare(graph: KnowledgeGraph, folder: Path) -> list[tuple[str, str, str]]:
    """Write the other two forms to `folder` and return the seeded facts to ask about."""
    import numpy as np

    facts = [(fact.subject, fact.predicate, fact.object, fact.support) for fact in graph.facts(every=True)]
    forward: dict[str, list[tuple[str, str, float]]] = {}
    backward: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for subject, relation, value, support in facts:
        forward.setdefault(subject, []).append((relation, value, support))
        backward.setdefault((value, relation), []).append((subject, support))
    (folder / "dictionary.pkl").write_bytes(pickle.dumps((forward, backward), protocol=5))
    names = sorted({name for fact in facts for name in (fact[0], fact[2])}, key=lambda name: name.encode())
    relations = sorted({fact[1] for fact in facts})
    number = {name: place for place, name in enumerate(names)}
    rows = np.array([(number[s], relations.index(r), number[o], p) for s, r, o, p in facts], dtype="f8")
    for name, order in (("by_subject", (2, 1, 0)), ("by_object", (0, 1, 2))):
        table = rows[np.lexsort(tuple(rows[:, column] for column in order))]
        np.save(folder / f"{name}.npy", table[:, :3].astype("i4"))
        np.save(folder / f"{name}_support.npy", table[:, 3].astype("f4"))
    blob = [name.encode() for name in names]
    np.save(folder / "offsets.npy", np.cumsum([0, *map(len, blob)]))
    (folder / "names.bin").write_bytes(b"".join(blob))
    (folder / "relations.json").write_text(json.dumps(relations))
    told = [(fact.subject, fact.predicate, fact.object) for fact in graph.facts()]
    return random.Random(7).sample(told, min(LOOKUPS, len(told)))


def asker(form: str, place: Path):  # a pair of closures, private to this script
    """Open one form; return the two questions as functions that give the number of facts found."""
    if form == "sqlite":
        graph = KnowledgeGraph(place)
        return lambda s: len(graph.facts_about(s)), lambda r, o: len(graph.subjects_of(r, o))
    if form == "dictionary":
        forward, backward = pickle.loads((place / "dictionary.pkl").read_bytes())
        return (
            lambda s: sum(fact[2] >= 0.86 for fact in forward.get(s, ())),
            lambda r, o: sum(fact[1] >= 0.86 for fact in backward.get((o, r), ())),
        )
    import mmap

    import numpy as np

    tables = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in ("by_subject", "by_object")}
    support = {name: np.load(place / f"{name}_support.npy", mmap_mode="r") for name in tables}
    offsets = np.load(place / "offsets.npy", mmap_mode="r")
    with (place / "names.bin").open("rb") as stream:
        blob = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    relations = json.loads((place / "relations.json").read_text())

    def find(name: str) -> int:
        wanted, low, high = name.encode(), 0, len(offsets) - 2
        while low < high:
            middle = (low + high) // 2
            if blob[offsets[middle] : offsets[middle + 1]] < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def about(s: str) -> int:
        column = tables["by_subject"][:, 0]
        low, high = np.searchsorted(column, [find(s), find(s) + 1])
        rows = tables["by_subject"][low:high]
        good = support["by_subject"][low:high] >= 0.86
        return len([(relations[r], bytes(blob[offsets[o] : offsets[o + 1]]).decode()) for _, r, o in rows[good]])

    def subjects(r: str, o: str) -> int:
        column = tables["by_object"][:, 2]
        low, high = np.searchsorted(column, [find(o), find(o) + 1])
        rows = tables["by_object"][low:high]
        good = (rows[:, 1] == relations.index(r)) & (support["by_object"][low:high] >= 0.86)
        return len([bytes(blob[offsets[s] : offsets[s + 1]]).decode() for s, _, _ in rows[good]])

    return about, subjects


def measure(form: str, place: Path, questions: list[tuple[str, str, str]]) -> dict[str, object]:
    """Return the figures of one form, measured in this process."""
    begun = time.perf_counter()
    about, subjects = asker(form, place)
    opened = time.perf_counter() - begun
    times = []
    for subject, relation, value in questions:
        begun = time.perf_counter()
        about(subject)
        middle = time.perf_counter()
        subjects(relation, value)
        times.append((middle - begun, time.perf_counter() - middle))
    ordered = [sorted(column) for column in zip(*times, strict=True)]
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return {
        "form": form,
        "open_ms": round(1000 * opened, 1),
        "peak_mib": round(int(peak.split()[1]) / 1024),
        "facts_about_ms_p50_p99": [round(1000 * ordered[0][int(len(times) * q)], 3) for q in (0.5, 0.99)],
        "subjects_of_ms_p50_p99": [round(1000 * ordered[1][int(len(times) * q)], 3) for q in (0.5, 0.99)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--form", nargs=3)
    options = parser.parse_args()
    if options.form:
        form, place, questions = options.form
        print(json.dumps(measure(form, Path(place), [tuple(item) for item in json.loads(Path(questions).read_text())])))
        return
    with tempfile.TemporaryDirectory() as name, open_graph(options.store) as graph:
        folder = Path(name)
        questions = folder / "questions.json"
        questions.write_text(json.dumps(prepare(graph, folder)))
        for form in ("sqlite", "arrays", "dictionary"):
            place = graph.path if form == "sqlite" else folder
            subprocess.run([sys.executable, __file__, "--form", form, str(place), str(questions)], check=True)


if __name__ == "__main__":
    main()
