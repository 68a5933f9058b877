"""Where a Chinese personal name that starts at a given place ends: surname, given-name characters, what follows.

The less a cue before the place is trusted, the more the characters themselves and the text after must agree.
"""

from enum import IntEnum

from healgpt.privacy import name_cues as cues
from healgpt.privacy.lexicon import lexicon


class Trust(IntEnum):
    """How surely a name starts here: after 给 (WEAK), after 我妈 (KIN), after 我叫 (TOLD), after 姓名： (FORM)."""

    WEAK = 0
    KIN = 1
    TOLD = 2
    FORM = 3


def name_end(text: str, start: int, trust: Trust) -> int:
    """Return where a name that starts at `start` ends, or -1.

    FORM believes names that are words (姓名：安静); TOLD believes typical names that begin like a word (白云飞); KIN
    and WEAK ask for given-name characters and a plausible continuation.
    """
    surname = surname_length(text, start) or rare_surname_length(text, start)
    if not surname:
        return -1
    if trust < Trust.TOLD and text[start] in lexicon().rare:
        return start + 3 if is_typical_pair(text, start + 1) and not lexicon().has_word_at(text, start) else -1
    worded = trust < Trust.FORM and lexicon().has_word_at(text, start)
    worded = worded and not (surname == 2 and is_typical(text[start + 2 : start + 3]))
    if worded and (trust < Trust.TOLD or not is_typical_pair(text, start + surname)):
        return -1
    given = start + surname
    masked = cues.MOU.match(text, given)
    if masked:
        return -1 if masked[0].startswith(("x", "X")) and text[start] in lexicon().loose else masked.end()
    whole = trust == Trust.FORM and cues.CLAUSE_AHEAD.match(text, start)
    if whole and not cues.PROSE.search(whole[0]) and not cues.HARD_TITLE.match(text, given):
        # 我叫李想，: a whole clause after a sure cue needs no typical characters
        return start + len(whole[0].rstrip("，。；,;！!？?（( \n"))
    if not may_be_given(text[given : given + 1]) or cues.HARD_TITLE.match(text, given):
        return -1
    loose = text[start] in lexicon().loose and surname == 1
    end = given + 2 if _is_long(text, given, trust, loose=loose) else given + 1
    if trust <= Trust.KIN and not _is_believable(text, given, end, trust, loose=loose):
        return -1
    return end


def surname_length(text: str, start: int) -> int:
    """Return 2 for a compound surname, 1 for a simple one, 0 for none."""
    if text[start : start + 2] in lexicon().compound:
        return 2
    first = text[start : start + 1]
    return 1 if first in lexicon().plain or first in lexicon().loose else 0


def rare_surname_length(text: str, start: int) -> int:
    """Return 1 for a surname that is a word first of all (门, 初), else 0."""
    return int(text[start : start + 1] in lexicon().rare)


def may_be_given(character: str) -> bool:
    """Tell whether a character can stand in a given name at all."""
    return bool(character) and "一" <= character <= "龥" and character not in lexicon().not_given


def is_given(character: str) -> bool:
    """Tell whether a character is one that given names are made of."""
    return character in lexicon().given


def is_typical(character: str) -> bool:
    """Tell whether a character is common in given names and seldom elsewhere (萱, but not 大)."""
    return character in lexicon().given and character not in lexicon().frequent


def is_typical_pair(text: str, start: int) -> bool:
    """Tell whether two given-name characters, at least one of them typical, stand there before a boundary."""
    pair = text[start : start + 2]
    if len(pair) < 2 or not all(map(is_given, pair)):
        return False
    return any(map(is_typical, pair)) and bool(cues.FOLLOWER.match(text, start + 2))


def _is_long(text: str, given: int, trust: Trust, *, loose: bool) -> bool:
    """Tell whether the given name has two characters rather than one."""
    second = text[given + 1 : given + 2]
    if not may_be_given(second) or _ends_before(text, given + 1):
        return False
    if trust >= Trust.TOLD or is_given(second):
        return True
    return trust == Trust.KIN and not loose and is_given(text[given]) and bool(cues.FOLLOWER.match(text, given + 2))


def _is_believable(text: str, given: int, end: int, trust: Trust, *, loose: bool) -> bool:
    unusual = sum(not is_given(character) for character in text[given:end])
    ends = bool(cues.FOLLOWER.match(text, end))
    if unusual:
        # 我老公郑凯罡: one rare character is fine where everything else says a name
        return trust == Trust.KIN and not loose and unusual == 1 and end - given == 2 and ends
    if end - given == 1:
        return ends
    return ends or not loose or (trust == Trust.KIN and any(map(is_typical, text[given:end])))


def _ends_before(text: str, place: int) -> bool:
    """Tell whether the text at `place` continues with a word that follows names rather than a given-name character."""
    if not cues.FOLLOWER.match(text, place):
        return False
    if text[place : place + 1] == "刚" and cues.FOLLOWER.match(text, place + 1):
        # 侯永刚昨天 is a name, 侯永刚才 is not
        return text[place + 1 : place + 2] == "才"
    if is_given(text[place : place + 1]):
        # 李有才 against 李强有点: the word ends the name unless it is itself the last character before a boundary
        after = text[place + 1 : place + 2]
        return bool(after) and after.isalpha() and after not in "男女今"
    return True
