"""Does a case demand urgent care, and does the doctor say so?

The demand comes from triage over the words that open the dialogue, which are the same for every doctor; for the
published CMD sample a list read by hand stands above it. 尽快就医 counts when it holds outright: 如果加重，请及时就医
does not, whatever follows the condition.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from healgpt.consult.triage import triage
from healgpt.evaluation.measures.sentences import CONDITION, sentences


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("healgpt.evaluation.measures").joinpath("urgency.toml").read_text("utf-8"))


@cache
def _urges() -> re.Pattern[str]:
    return re.compile(_table()["urges"], re.VERBOSE)


def demands_urgent_care(case_id: str, opening: str) -> bool:
    """Return whether the case demands a doctor today or sooner; `opening` is the patient's first message."""
    curated: Mapping[str, str] = _table()["curated"]
    return bool(curated[case_id]) if case_id in curated else _alarming(opening)


@lru_cache(maxsize=4096)
def _alarming(opening: str) -> bool:
    return triage([{"role": "user", "content": opening}]) is not None


def urges(turn: str, extra: Mapping[str, Any] | None = None) -> bool:
    """Return whether a turn sends the patient to urgent care; so does an alarm shown beside it (`extra["alarm"]`)."""
    if extra and extra.get("alarm"):
        return True
    return any(_urging(sentence) for sentence in sentences(turn))


def _urging(sentence: str) -> bool:
    for match in _urges().finditer(sentence):
        lead = sentence[: match.start()]
        if not CONDITION.search(lead) and not re.search(_table()["denied"], lead):
            return True
    return False


def red_flags(answers: Sequence[str], turns: Sequence[Mapping[str, Any]], *, urgent: bool) -> dict[str, float | None]:
    """Return recall over all turns and in the first, and the alarm raised where nothing demands it."""
    said = [urges(text, extra) for text, extra in zip(answers, _padded(turns, len(answers)), strict=True)]
    if not said:
        return {"red_flag_recall": None, "red_flag_first_turn": None, "needless_urging": None}
    return {
        "red_flag_recall": float(any(said)) if urgent else None,
        "red_flag_first_turn": float(said[0]) if urgent else None,
        "needless_urging": None if urgent else float(any(said)),
    }


def _padded(turns: Sequence[Mapping[str, Any]], length: int) -> list[Mapping[str, Any]]:
    return [turns[place] if place < len(turns) else {} for place in range(length)]
