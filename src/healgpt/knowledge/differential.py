"""From what a patient has and does not have to the diseases that fit, and to what is best asked next.

A naive Bayes model over the facts that may reach a patient. A symptom that the patient brought up speaks for a disease
that lists it, the more so the fewer diseases list it (inverse document frequency) and the fewer symptoms the disease
lists; an answer to a question speaks for or against. The graph knows no prevalence, so how common a disease is comes
from how many drugs are made for it (log frequency) and from whether people have an everyday word for it. The shares
are a ranking, not probabilities of illness: causes that the graph does not list have none.
Data: differential.toml. Formulas and figures: docs/reference/differential.md.
"""

import math
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

from healgpt.knowledge.disease_profile import Patient, Profile, plausibility
from healgpt.knowledge.linking_words import wider as wider_name

# how often a listed symptom is there, and an unlisted one, when it is asked for
LISTED, UNLISTED = 0.6, 0.05
# a listed risk is there that often; an unlisted one as often as among everybody
_RISK_LISTED = 0.6
# symptoms brought up unasked; what a short list is thought to lack; how often a symptom is beside the point
_VOLUNTEERED, _VAGUE, _ASIDE = 2.5, 4.0, 0.02
# a symptom that the name of the disease speaks of is nearly always brought up
_DEFINING = 0.8
# candidates and items that the joint gain looks at
_WEIGHED, _TRIED = 250, 14

# who said nothing of age or sex
NOBODY = Patient()


@dataclass(frozen=True, slots=True)
class Finding:
    """One symptom or piece of history, there or not. `asked`: it answers a question, nobody brought it up."""

    name: str
    present: bool
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A disease that fits: `share` is its part of all that fit, `fits` the present findings that it lists.

    `shown` is False for what a program must not suggest to a patient (cancers, dreaded infections) and for rare
    diseases that nobody has a word or a drug for.
    """

    name: str
    share: float
    fits: tuple[str, ...]
    department: str = ""
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Item:
    """Something to ask: a symptom in the patient's words (`history` False) or a whole question about history."""

    name: str
    words: str
    gain_bits: float
    history: bool = False


@cache
def rules() -> dict[str, Any]:
    """Return differential.toml as it stands."""
    return tomllib.loads(files("healgpt.knowledge").joinpath("differential.toml").read_text("utf-8"))


@cache
def joined() -> Mapping[str, str]:
    """Return each variant name and what it is joined to."""
    return {variant: name for name, listed in rules()["same"].items() for variant in listed.split()}


@cache
def _narrow() -> frozenset[str]:
    return frozenset(rules()["narrow"]["names"].split())


def _parts(name: str) -> tuple[str, ...]:
    """Return the askable symptoms that `name` is strung together from (尿频尿急尿痛), none if it is anything else."""
    parts: list[str] = []
    while name:
        part = max((known for known in rules()["ask"] if name.startswith(known)), key=len, default="")
        if not part:
            return ()
        parts.append(part)
        name = name.removeprefix(part)
    return tuple(parts) if len(parts) > 1 else ()


@dataclass(frozen=True, slots=True)
class Differential:
    """The diseases and symptoms of one graph in memory. Immutable; share it between threads.

    `listed[d]` are the symptoms and histories of disease `d`, `carriers[s]` the diseases that list `s`;
    `defining` the pairs in which the name of the disease says the symptom.
    """

    names: tuple[str, ...]
    listed: tuple[frozenset[str], ...]
    carriers: Mapping[str, tuple[int, ...]]
    prior: tuple[float, ...]
    profiles: tuple[Profile, ...]
    departments: Mapping[str, str]
    shown: frozenset[str]
    defining: frozenset[tuple[int, str]] = frozenset()

    def symptoms(self, name: str, *, present: bool = True) -> tuple[str, ...]:
        """Return the names under which diseases list `name`: itself, a wider one, or its parts; often none.

        Who has a narrow thing has the wider one; who does not have it (`present` False) may still have that.
        """
        whole = name
        narrow = name in _narrow() or (name not in self.carriers and name not in joined())
        for _ in range(3 if present or not narrow else 0):
            name = joined().get(name, name)
            if name in self.carriers:
                return (name,)
            above = rules()["wider"].get(name) or wider_name(name)
            if above is None:
                break
            name = above
        return _parts(whole)

    def rank(self, findings: Sequence[Finding], patient: Patient = NOBODY) -> list[Candidate]:
        """Return all diseases that list a present finding, the best fitting first; empty without such a finding."""
        shares = self._shares(findings, patient)
        present = [finding.name for finding in findings if finding.present]
        ranked = sorted(shares.items(), key=lambda pair: (-pair[1], self.names[pair[0]]))
        return [
            Candidate(
                self.names[place],
                share,
                tuple(name for name in present if name in self.listed[place]),
                self.departments.get(self.names[place], ""),
                self.names[place] in self.shown,
            )
            for place, share in ranked
        ]

    def next_items(
        self,
        findings: Sequence[Finding],
        patient: Patient = NOBODY,
        *,
        asked: Collection[str] = (),
        most: int = 3,
    ) -> list[Item]:
        """Return up to `most` items to ask whose answers together tell most about the disease, best first.

        `gain_bits` is what an item adds to those before it. Nothing known yet, or nothing to be gained: empty.
        """
        shares = self._shares(findings, patient)
        known = {finding.name for finding in findings} | set(asked)
        masses = self._masses(shares, patient)
        single = [(_gain([(mass, (True,)), (1 - mass, (False,))], [name]), name) for name, mass in masses.items()]
        single = sorted(((gain, name) for gain, name in single if name not in known), key=lambda row: (-row[0], row[1]))
        tried = [name for _, name in single[:_TRIED]]
        heaviest = sorted(shares.items(), key=lambda pair: -pair[1])[:_WEIGHED]
        chosen: list[Item] = []
        reached = 0.0
        while len(chosen) < most and tried:
            names = [item.name for item in chosen]
            scored = [(_gain(self._patterns(heaviest, [*names, name]), [*names, name]), name) for name in tried]
            best, name = max(scored, key=lambda row: (row[0], row[1]))
            chosen.append(_item(name, best - reached))
            reached = best
            tried.remove(name)
        return [item for item in chosen if item.gain_bits > 1e-6]

    def _shares(self, findings: Sequence[Finding], patient: Patient) -> dict[int, float]:
        """Return the posterior over the diseases that list a present symptom, by place."""
        present = {finding.name for finding in findings if finding.present and finding.name not in histories()}
        fitting = {place for name in present for place in self.carriers.get(name, ()) if self.names[place] != name}
        weights = {place: self.prior[place] + plausibility(self.profiles[place], patient) for place in fitting}
        for finding in findings:
            for place in self.carriers.get(finding.name, ()):
                if place in weights:
                    weights[place] += self._evidence(finding, place)
        top = max(weights.values(), default=0.0)
        odds = {place: math.exp(weight - top) for place, weight in weights.items()}
        total = sum(odds.values())
        return {place: value / total for place, value in odds.items()}

    def _evidence(self, finding: Finding, place: int) -> float:
        """Return the log-likelihood ratio of `finding` for a disease that lists it against one that does not."""
        if finding.asked or not finding.present:
            there, elsewhere = _rates(finding.name)
            return math.log(there / elsewhere if finding.present else (1 - there) / (1 - elsewhere))
        told = _VOLUNTEERED / (len(self.listed[place]) + _VAGUE)
        if (place, finding.name) in self.defining:
            told = _DEFINING
        return math.log(told / (_ASIDE + 0.5 * len(self.carriers[finding.name]) / len(self.names)))

    def _masses(self, shares: Mapping[int, float], patient: Patient) -> dict[str, float]:
        """Return for every item that may be asked the share of the candidates that list it."""
        masses: dict[str, float] = {}
        for place, share in shares.items():
            for name in self.listed[place]:
                masses[name] = masses.get(name, 0.0) + share
        return {name: mass for name, mass in masses.items() if _askable(name, patient)}

    def _patterns(
        self, heaviest: Sequence[tuple[int, float]], names: Sequence[str]
    ) -> list[tuple[float, tuple[bool, ...]]]:
        """Return the shares of the candidates that list the same of `names`."""
        found: dict[tuple[bool, ...], float] = {}
        for place, share in heaviest:
            listed = self.listed[place]
            pattern = tuple([name in listed for name in names])
            found[pattern] = found.get(pattern, 0.0) + share
        total = sum(found.values())
        return [(share / total, pattern) for pattern, share in found.items()]


def _gain(patterns: Sequence[tuple[float, tuple[bool, ...]]], names: Sequence[str]) -> float:
    """Return the mutual information in bits between the disease and the answers about `names`.

    H(answers) - H(answers | disease); the answers are independent given the disease, so diseases that list the same
    of `names` can be weighed together.
    """
    rates = [_rates(name) for name in names]
    whole = 0.0
    for answers in product((True, False), repeat=len(names)):
        likely = 0.0
        for share, pattern in patterns:
            for answer, listed, (there, elsewhere) in zip(answers, pattern, rates, strict=True):
                rate = there if listed else elsewhere
                share *= rate if answer else 1 - rate  # noqa: PLW2901  the running product is the point
            likely += share
        whole -= likely * math.log2(likely) if likely > 0 else 0.0
    given = sum(
        share
        * sum(
            _entropy(there if listed else elsewhere) for listed, (there, elsewhere) in zip(pattern, rates, strict=True)
        )
        for share, pattern in patterns
    )
    return max(0.0, whole - given)


@cache
def _entropy(share: float) -> float:
    return -share * math.log2(share) - (1 - share) * math.log2(1 - share)


@cache
def histories() -> Mapping[str, Mapping[str, Any]]:
    """Return the history rows under the names that the matrix gives them, which no symptom has."""
    return {history_name(row["name"]): row for row in rules()["history"]}


def history_name(name: str) -> str:
    """Return how the history `name` is called among findings: 糖尿病 as a risk is not 糖尿病 as a complaint."""
    return f"病史：{name}"


def _rates(name: str) -> tuple[float, float]:
    row = histories().get(name)
    return (LISTED, UNLISTED) if row is None else (_RISK_LISTED, float(row["share"]))


def _askable(name: str, patient: Patient) -> bool:
    if patient.age_years is not None and patient.age_years < 4 and name in _told_by_words():
        return False
    if name in histories():
        return patient.age_years is None or patient.age_years >= 14
    return name in rules()["ask"] and not (
        (patient.sex == "male" and name in ("白带增多", "阴道出血", "闭经", "月经紊乱"))
        or (patient.sex == "female" and name in ("阳痿", "早泄"))
        or (patient.age_years is not None and patient.age_years < 12 and name in ("性交痛", "阳痿", "早泄", "闭经"))
    )


@cache
def _told_by_words() -> frozenset[str]:
    return frozenset(rules()["speech"]["needed"].split())


def _item(name: str, gain: float) -> Item:
    row = histories().get(name)
    return Item(name, rules()["ask"][name] if row is None else row["ask"], gain, row is not None)
