"""Facts told by rule: plain sentences with their numbers, after what the model wrote.

A small model that is given facts copies them, whether they fit or not: read blind, its answers with facts were worse
than without in 24 of 33 decided pairs (docs/lab-book.md). So it answers alone, and the Doctor adds what the graph says.
"""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from healgpt import prompts
from healgpt.schema import Fact


def answers_first(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Return `facts` with departments last: what was asked comes before where to go."""
    return tuple(sorted(facts, key=lambda fact: fact.predicate == "就诊科室"))


def told(facts: Sequence[Fact]) -> str:
    """Return one paragraph that tells `facts`, numbered from 1 in their order; empty where there are none."""
    if not facts:
        return ""
    groups: dict[tuple[str, str], list[str]] = {}
    for number, fact in enumerate(facts, start=1):
        value = fact.object.strip().rstrip("。；;，,")
        groups.setdefault((fact.subject, fact.predicate), []).append(f"{value}[{number}]")
    sentences = [_sentence(subject, relation, values) for (subject, relation), values in groups.items()]
    return prompts.render("told", facts="；".join(sentences))


def _sentence(subject: str, relation: str, values: Sequence[str]) -> str:
    pattern = _patterns().get(relation, f"{{s}}的{relation}：{{o}}")
    return pattern.replace("{s}", subject).replace("{o}", "、".join(values))


@cache
def _patterns() -> dict[str, str]:
    data = tomllib.loads((files("healgpt.consult") / "telling.toml").read_text(encoding="utf-8"))
    return dict(data["sentences"])
