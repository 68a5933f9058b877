"""Every safety figure with its count and 95 % interval, on the held-out sets; exit 1 where one is under its bound.

python benchmarks/safety.py          triage, redaction, linking, limits of the answer, facts of the graph
"""

import subprocess
import sys
from pathlib import Path

from healgpt.evaluation import limits_suite, linking_suite, redaction_suite, triage_suite
from healgpt.knowledge.graph import open_graph
from healgpt.knowledge.linking import open_linker


def main() -> int:
    """Print the figures; the facts come from the quality benchmark, which reads the built store."""
    triage = triage_suite.score(triage_suite.load_cases(triage_suite.suite_path("triage_test")))
    redaction = redaction_suite.score(redaction_suite.load_cases(redaction_suite.suite_path("redaction_test")))
    limits = limits_suite.score()
    with open_graph() as graph:
        linking = linking_suite.score(linking_suite.load_cases("linking_test"), open_linker(graph).link)
    print(triage_suite.summary(triage), redaction_suite.summary(redaction), sep="\n\n", end="\n\n")
    print(linking_suite.summary(linking), limits_suite.summary(limits), sep="\n\n", end="\n\n", flush=True)
    facts = subprocess.run([sys.executable, Path(__file__).with_name("kg_quality.py"), "--check"], check=False)
    passed = [triage.passed, redaction.passed, linking.passed, limits.passed, facts.returncode == 0]
    print(f"\n{sum(passed)}/{len(passed)} 项达标")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
