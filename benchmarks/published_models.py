"""The six published models' dialogues on the CMD cases under the measures without a judge: a table with intervals.

    python benchmarks/published_models.py [--data ../shared/data]

Reads `disc_cmd/` of the public data; runs no model. Every mean is over the cases to which the measure applies, with its
95 % interval: the bootstrap over dialogues, or Wilson's where every score is 0 or 1, because no resample of 120 zeros
holds anything else. 120 dialogues take a few seconds. A dialogue whose id no case of the sample has is named and
left out: without its case nothing can be scored.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from healgpt.evaluation.consultations.readers import read_cases
from healgpt.evaluation.figures import interval
from healgpt.evaluation.judges.source import read_recorded
from healgpt.evaluation.measures import MEASURES, score_dialogue
from healgpt.evaluation.measures.ground import open_ground
from healgpt.evaluation.run import Measure

Scores = dict[str, float | None]


def main() -> None:
    """Score every file of dialogues and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    folder = parser.parse_args().data / "disc_cmd"
    cases = {case.id: case for case in read_cases(folder / "cmd_samples.json", "cmd")}
    ground = open_ground()
    table: dict[str, list[Scores]] = {}
    for path in sorted((folder / "dialogues").glob("*.json")):
        start = time.monotonic()
        model, dialogues = read_recorded(path)
        left_out = [one.case_id for one in dialogues if one.case_id not in cases]
        kept = [one for one in dialogues if one.case_id in cases]
        table[model] = [score_dialogue(cases[one.case_id], one.messages, (), ground) for one in kept]
        print(
            f"{model}: {len(kept)} dialogues in {time.monotonic() - start:.1f} s; "
            f"without a case, left out: {', '.join(left_out) or 'none'}"
        )
    print("\n".join(rows(table)))


def rows(table: dict[str, list[Scores]]) -> Iterator[str]:
    """Yield the lines of a Markdown table, one measure a row."""
    yield "| measure | " + " | ".join(table) + " |"
    yield "|---" * (len(table) + 1) + "|"
    for key, measure in MEASURES.items():
        cells = [cell(scored, key, measure) for scored in table.values()]
        if any(cell != "-" for cell in cells):
            yield f"| {key} | " + " | ".join(cells) + " |"


def cell(scored: list[Scores], key: str, measure: Measure) -> str:
    """Return a mean with its interval, and the number of cases where the measure does not apply to all."""
    found = interval([{"scores": scores} for scores in scored], key, measure)
    if found is None:
        return "-"
    digits = 1 if found.value >= 10 else 3
    text = f"{found.value:.{digits}f} ({found.low:.{digits}f}-{found.high:.{digits}f})"
    return text if found.n == len(scored) else f"{text}, n {found.n}"


if __name__ == "__main__":
    main()
