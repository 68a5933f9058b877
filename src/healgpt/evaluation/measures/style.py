"""How an answer is written: whose part it speaks, how much it repeats, how long and how hard to read it is."""

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from healgpt.evaluation.measures.ground import Ground
from healgpt.evaluation.measures.sentences import sentences
from healgpt.knowledge.linking_words import fold, lexicon

_GRAM = 8
# kinds whose names a layman may not know
_TERMS = ("disease", "symptom", "check", "procedure", "ingredient", "product", "class", "pathogen", "formula", "herb")


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("healgpt.evaluation.measures").joinpath("style.toml").read_text("utf-8"))


@cache
def _patient_voice() -> re.Pattern[str]:
    return re.compile(_table()["patient_voice"], re.VERBOSE)


def speaks_as_patient(turn: str) -> bool:
    """Return whether `turn` takes the patient's part: 医生您好，我…, 谢谢医生, a line 患者：."""
    return any(_patient_voice().search(part) for part in _unquoted(turn))


def _unquoted(turn: str) -> list[str]:
    return [re.sub(r"“[^”\n]{1,80}”|\"[^\"\n]{1,80}\"|「[^」\n]{1,80}」", "〇", turn)]


def repetition(turns: Sequence[str]) -> float | None:
    """Return the share of character 8-grams that occurred before, in the same turn or an earlier one.

    Letters and digits only; None where no turn has eight of them.
    """
    grams: Counter[str] = Counter()
    for turn in turns:
        plain = re.sub(r"[\W_]+", "", turn)
        grams.update(plain[place : place + _GRAM] for place in range(len(plain) - _GRAM + 1))
    total = grams.total()
    return (total - len(grams)) / total if total else None


def length(turns: Sequence[str]) -> float | None:
    """Return the characters of a turn on average, white space left out."""
    return sum(len(re.sub(r"\s+", "", turn)) for turn in turns) / len(turns) if turns else None


def sentence_length(turns: Sequence[str]) -> float | None:
    """Return the letters and digits of a sentence on average; a line ends a sentence, too."""
    sizes = [size for turn in turns for one in sentences(turn) if (size := len(re.sub(r"[\W_]+", "", one)))]
    return sum(sizes) / len(sizes) if sizes else None


def term_share(turns: Sequence[str], ground: Ground) -> float | None:
    """Return the share of characters that belong to medical names which are no everyday expressions."""
    plain = sum(len(re.sub(r"\s+", "", turn)) for turn in turns)
    if not plain:
        return None
    everyday = lexicon()
    hard = sum(
        one.end - one.start
        for turn in turns
        for one in ground.link(turn)
        if one.kind in _TERMS and fold(one.text).text not in everyday
    )
    return hard / plain
