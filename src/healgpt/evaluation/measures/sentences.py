"""Cuts a doctor's turn into sentences; quotations are blanked, so that what is quoted is not taken for said."""

import re
from collections.abc import Sequence
from functools import lru_cache

_QUOTED = re.compile(r"“[^”\n]{1,80}”|「[^」\n]{1,80}」|『[^』\n]{1,80}』|\"[^\"\n]{1,80}\"")
_SENTENCE = re.compile(r"[^。！？!?；;\n]*[。！？!?；;\n]+|[^。！？!?；;\n]+$")
_MARK = re.compile(r"^\s*(?:[-*•·#>]+\s*|\*\*|[（(]?\d{1,2}[）).、．]\s*|[一二三四五六七八九十]、)")
# a sentence that only supposes: what it says of the patient, or tells them to do, holds under a condition
CONDITION = re.compile(
    r"如果|假如|倘若|要是|若(?!干)|一旦|如有|如出现|万一|的话|除非|当[^，。]{1,16}时|(?:症状|情况|不适|异常|发作)(?:出现|发生|加重|持续)?时|"
    r"出现(?:以上|上述|以下|这些|下列|任何)"
)
# models write half-width marks, too; one for one, so that places stay
_MARKS = str.maketrans(",:;?!()", "，：；？！（）")


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of `text` with their end marks, stripped; empty ones are left out."""
    return tuple(found for match in _SENTENCE.finditer(_blanked(text)) if (found := match[0].strip()))


def list_after(text: str, sentence: str) -> str:
    """Return the numbered or dotted lines that follow the line of `sentence` in `text`, joined; often empty."""
    place = _blanked(text).find(sentence)
    if place < 0:
        return ""
    found = []
    for line in text[place + len(sentence) :].split("\n"):
        if line.strip() and not _MARK.match(line):
            break
        found.append(_MARK.sub("", line.strip()))
    return "\n".join(line for line in found if line)


def _blanked(text: str) -> str:
    return _QUOTED.sub(lambda match: "〇" * len(match[0]), text).translate(_MARKS)


def pairs(text: str) -> frozenset[str]:
    """Return the character pairs of `text`, letters and digits only."""
    plain = re.sub(r"\W+", "", text)
    return frozenset(plain[place : place + 2] for place in range(len(plain) - 1))


def repeated(part: str, whole: Sequence[str]) -> float:
    """Return the share of the character pairs of `part` that the text among `whole` nearest to it has."""
    wanted = pairs(part)
    return max((len(wanted & pairs(text)) / len(wanted) for text in whole), default=0.0) if wanted else 0.0
