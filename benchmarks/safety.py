"""Every safety figure with its count and 95 % interval, on the held-out sets; exit 1 where one is under its bound.

python benchmarks/safety.py          triage, redaction, linking, intent, limits of the answer, facts of the graph

The same as `healgpt eval safety --check`, in a folder that is thrown away.
"""

import sys
import tempfile
from pathlib import Path

from healgpt.evaluation.safety_summary import measure


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
    print(found.text)
    return 0 if found.passed else 1


if __name__ == "__main__":
    sys.exit(main())
