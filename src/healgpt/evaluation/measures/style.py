"""How an answer is written: whose part it speaks, how much it repeats, how long and how hard to read it is."""

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from healgpt.evaluation.measures.ground import Ground
from healgpt.evaluation.measures.sentences import repeated, sentences
from healgpt.knowledge.linking_words import fold, lexicon

_GRAM = 8
# share of a sentence's character pairs that one sentence of the patient has
_COPIED = 0.8
_FIRST_PERSON = re.compile(
    r"我(?!们|会|可以|能|无法|了解|理解|建议|想(?:问|了解|请)|需要|将|为您|给您|明白您|希望|推荐)"
)
# kinds whose names a layman may not know
_TERMS = ("disease", "symptom", "check", "procedure", "ingredient", "product", "class", "pathogen", "formula", "herb")


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("healgpt.evaluation.measures").joinpath("style.toml").read_text("utf-8"))


@cache
def _patient_voice() -> re.Pattern[str]:
    return re.compile(_table()["patient_voice"], re.VERBOSE)


def speaks_as_patient(turn: str, said: Sequence[str] = ()) -> bool:
    """Return whether `turn` takes the patient's part: 医生您好，我…, 谢谢医生, a line 患者：.

    So does a sentence in the first person that the patient `said` almost to the letter.
    """
    if _patient_voice().search(_unquoted(turn)):
        return True
    heard = [sentence for text in said for sentence in sentences(text)]
    return any(_FIRST_PERSON.search(one) and repeated(one, heard) >= _COPIED for one in sentences(turn))


def echo(turns: Sequence[str], said: Sequence[Sequence[str]]) -> float | None:
    """Return the share of character 8-grams of `turns` that the patient had said; None where there are none.

    `said` holds, for each turn, the patient's messages until then. Letters and digits only.
    """
    copied = total = 0
    for turn, messages in zip(turns, said, strict=True):
        heard = {gram for message in messages for gram in _grams(message)}
        found = _grams(turn)
        copied += sum(gram in heard for gram in found)
        total += len(found)
    return copied / total if total else None


def _grams(text: str) -> list[str]:
    plain = re.sub(r"[\W_]+", "", text)
    return [plain[place : place + _GRAM] for place in range(len(plain) - _GRAM + 1)]


def _unquoted(turn: str) -> str:
    return re.sub(r"“[^”\n]{1,80}”|\"[^\"\n]{1,80}\"|「[^」\n]{1,80}」", "〇", turn)


def repetition(turns: Sequence[str]) -> float | None:
    """Return the share of character 8-grams that occurred before, in the same turn or an earlier one.

    Letters and digits only; None where no turn has eight of them.
    """
    grams = Counter(gram for turn in turns for gram in _grams(turn))
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
