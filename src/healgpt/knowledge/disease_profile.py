"""Whom a disease can befall: sex, age and exposure, from its name and from 多发人群."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Sex = Literal["male", "female"]

_RANGE = re.compile(r"(\d+)\s*[～~\-—至到]\s*(\d+)\s*岁")
_ABOVE = re.compile(r"(\d+)\s*岁以[上后]|(?:大于|超过)\s*(\d+)\s*岁")
_BELOW = re.compile(r"(\d+)\s*岁以[下内前]|(?:小于|不满)\s*(\d+)\s*岁")
_ADULT = (14.0, 120.0)
# words of 多发人群 -> years of age
_AGES: tuple[tuple[str, float, float], ...] = (
    ("新生儿|胎儿", 0, 0.1),
    ("婴幼儿", 0, 3),
    ("婴儿", 0, 1),
    ("幼儿", 1, 6),
    ("儿童|小儿|学龄|男孩|女孩", 0, 14),
    ("青少年|少年|青春期", 10, 20),
    ("青壮年|青年|年轻|育龄|生育", 18, 45),
    ("老年|老人|年老|绝经|高龄", 55, 120),
    ("中年", 40, 65),
    ("成年|成人", 18, 120),
)


@dataclass(frozen=True, slots=True)
class Patient:
    """Who asks, as far as said. `exposed`: the message names an accident, poison, bite, operation or journey."""

    age_years: float | None = None
    sex: Sex | None = None
    pregnant: bool = False
    exposed: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """Whom a disease befalls. `only_*` come from its name and are strict, the others from 多发人群 and are leanings."""

    only_sex: Sex | None = None
    only_ages: tuple[float, float] | None = None
    sex: Sex | None = None
    ages: tuple[tuple[float, float], ...] = ()
    exposure: bool = False
    pregnancy: bool = False


def profile(name: str, groups: Sequence[str], patterns: Mapping[str, Any]) -> Profile:
    """Return the profile of the disease `name` with its 多发人群 `groups`; `patterns` as in differential.toml."""
    only_sex: Sex | None = None
    if re.search(patterns["women"], name):
        only_sex = "female"
    elif re.search(patterns["men"], name):
        only_sex = "male"
    only_ages = None
    if re.search(patterns["newborn"], name):
        only_ages = (0.0, 0.5)
    elif re.search(patterns["child"], name):
        only_ages = (0.0, 16.0)
    elif re.search(patterns["old"], name):
        only_ages = (50.0, 120.0)
    elif re.search(patterns["adult"], name):
        only_ages = _ADULT
    sexes = {sex for group in groups if (sex := _sex(group))}
    leaning = next(iter(sexes)) if len(sexes) == 1 else None
    ages = tuple(span for group in groups for span in _spans(group))
    exposure = bool(re.search(patterns["exposure"], name))
    return Profile(only_sex, only_ages, leaning, ages, exposure, bool(re.search("妊娠|产后|产褥|分娩|流产|羊水", name)))


def _sex(group: str) -> Sex | None:
    if "多于" in group:
        group = group.partition("多于")[0]
    women = bool(re.search("女|妇|孕|产", group))
    men = "男" in group
    return None if women == men else "female" if women else "male"


def _spans(group: str) -> list[tuple[float, float]]:
    if match := _RANGE.search(group):
        return [(float(match[1]), float(match[2]))]
    if match := _ABOVE.search(group):
        return [(float(match[1] or match[2]), 120.0)]
    if match := _BELOW.search(group):
        return [(0.0, float(match[1] or match[2]))]
    return [(low, high) for words, low, high in _AGES if re.search(words, group)]


def plausibility(profile: Profile, patient: Patient) -> float:
    """Return the log-odds that `profile` gains or loses by who the patient is; what was not said changes little."""
    weight = 0.0
    if profile.exposure and not patient.exposed:
        weight -= math.log(100)
    if profile.pregnancy and not patient.pregnant:
        weight -= 4.0
    if profile.only_sex is not None:
        weight += math.log(0.5) if patient.sex is None else 0.0 if patient.sex == profile.only_sex else -9.0
    elif profile.sex is not None and patient.sex is not None:
        weight += 0.3 if patient.sex == profile.sex else -0.7
    if profile.only_ages is not None:
        low, high = profile.only_ages
        if patient.age_years is None:
            # who does not say an age is rarely a child, and seldom old
            weight -= 0.0 if profile.only_ages == _ADULT else 1.5
        elif not low <= patient.age_years <= high:
            weight -= 6.0
        elif profile.only_ages != _ADULT:
            weight += 0.5
    elif profile.ages and patient.age_years is not None:
        inside = any(low - 2 <= patient.age_years <= high + 5 for low, high in profile.ages)
        weight += 0.4 if inside else -1.0
    return weight
