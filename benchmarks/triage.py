"""What triage costs: `python benchmarks/triage.py [--questions CSV]`; exit 1 over a bound.

Milliseconds a message over real questions (the department CSV beside the repository; the labelled development
conversations where it is missing), median and 99th percentile; seconds for 10,000 lines through
`healgpt triage --json`; seconds for 100,000 characters in one message, of questions run together and of one
complaint repeated without a stop, which is the worst case known.
"""

import argparse
import csv
import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from healgpt.consult.triage import triage
from healgpt.evaluation.triage_suite import load_cases, suite_path
from healgpt.schema import Message

QUESTIONS = Path(__file__).resolve().parents[2] / "shared" / "data" / "toyhom_internal_medicine.gb18030.csv"
MESSAGE_BOUND_MS, LINES, LINES_BOUND_S, LONG = 5.0, 10_000, 30.0, 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    texts = read(parser.parse_args().questions)
    seconds(texts[0])
    each_ms = sorted(1000 * seconds(text) for text in texts)
    median, high = statistics.median(each_ms), each_ms[int(0.99 * len(each_ms))]
    print(f"{len(texts)} questions of {statistics.mean(map(len, texts)):.0f} characters on average")
    print(f"a message: median {median:.2f} ms, 99th percentile {high:.2f} ms, most {each_ms[-1]:.2f} ms")
    lines_s = batch(texts)
    print(f"{LINES} lines through `healgpt triage --json`: {lines_s:.1f} s")
    together = "".join(texts)[:LONG]
    for name, text in {"questions run together": together, "one complaint repeated": "头痛" * (LONG // 2)}.items():
        print(f"{len(text)} characters, {name}: {seconds(text):.2f} s")
    sys.exit(int(high > MESSAGE_BOUND_MS or lines_s > LINES_BOUND_S))


def read(path: Path) -> list[str]:
    """Return title and question of each row of the CSV, or the development conversations."""
    if not path.exists():
        cases = load_cases(suite_path("triage_dev"))
        return ["\n".join(message["content"] for message in case.messages) for case in cases]
    rows = csv.DictReader(io.StringIO(path.read_bytes().decode("gb18030")))
    return [f"{row['title']}\n{row['ask']}" for row in rows]


def seconds(text: str) -> float:
    """Return how long triage takes over one message."""
    message: Message = {"role": "user", "content": text}
    started = time.perf_counter()
    triage([message])
    return time.perf_counter() - started


def batch(texts: Sequence[str]) -> float:
    """Return the wall time of the command over LINES lines, start included."""
    chosen = [texts[place % len(texts)] for place in range(LINES)]
    lines = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in chosen)
    started = time.perf_counter()
    command = [sys.executable, "-m", "healgpt.cli.main", "triage", "--json"]
    found = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    spent = time.perf_counter() - started
    assert found.stdout.count("\n") == LINES
    return spent


if __name__ == "__main__":
    main()
