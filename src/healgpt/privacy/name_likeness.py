"""How much a stretch of characters looks like a full name, counted in points."""

import re

from healgpt.privacy import name_cues as cues
from healgpt.privacy.lexicon import lexicon
from healgpt.privacy.name_model import is_given, is_typical, may_be_given, rare_surname_length, surname_length

# no part of a name: grammar, wards, medicines, labels of forms
WORDY = re.compile(
    r"[的了吗呢是在有和就也都]|[主单]$|^[商社]?保|予以|[科室部楼层栋院药片丸针膏汤茶酒素剂]$|^(?:时间|时候|高度|温度|金额|成分|方案|项目)"
)


def likeness(text: str, start: int, end: int) -> int:
    """Return how much the characters look like a full name, whatever surname they start with; -1 where they cannot."""
    name = text[start:end]
    length = surname_length(text, start) or rare_surname_length(text, start)
    given = name[length:]
    if not length or not 1 <= len(given) <= 2 or WORDY.search(name) or cues.TITLE_AT_END.search(name):
        return -1
    if any(not may_be_given(ch) for ch in given[:-1]) or not (
        may_be_given(given[-1]) or (given[-1] == "年" and len(given) == 2)
    ):
        return -1
    if (
        name in lexicon().regions
        or name in lexicon().public_figures
        or name in lexicon().fictional
        or cues.HARD_TITLE.match(text, start + length)
    ):
        return -1
    if lexicon().has_word_at(text, start) and name[:2] in lexicon().words | {name}:
        return -1
    base = 2 if length == 2 or name[0] in lexicon().plain else 1 if name[0] in lexicon().loose else 0
    return base + sum(2 if is_typical(ch) else 1 if is_given(ch) else 0 for ch in given)
