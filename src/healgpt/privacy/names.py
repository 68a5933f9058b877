"""Names of people: after a cue (我叫, 姓名：, 我妈妈), before a title (张医生), masked (赵某某), typical.

A name without cue and without typical characters is not found; see docs/reference/privacy.md for the measured recall.
"""

import re
from collections.abc import Iterator

from healgpt.privacy import name_bold, name_shapes
from healgpt.privacy import name_cues as cues
from healgpt.privacy.kinds import Found
from healgpt.privacy.lexicon import lexicon
from healgpt.privacy.name_model import (
    Trust,
    is_given,
    is_typical,
    may_be_given,
    name_end,
    surname_length,
)

_NO_NAME = re.compile(
    "不详|已|未知|正常|通过|完成|保密|匿名|同上|无名|未填|待查|见上|如下|如上|已填|略|.*[医药病床室科号码]"
)


def find(text: str, known: set[str]) -> list[Found]:
    """Return the names in `text`; full names are added to `known` and found wherever else they stand."""
    spans: dict[int, int] = {}
    for start, end in (*_by_cue(text), *name_shapes.find(text), *name_bold.find(text)):
        if end > spans.get(start, 0):
            spans[start] = end
    for start, end in list(spans.items()):
        for follower, follower_end in name_shapes.listed(text, end):
            if follower in spans:
                # the rest of the list is followed from there, or this would be quadratic
                break
            spans[follower] = follower_end
        if end - start >= 2 and "某" not in text[start:end] and text[start:end].isalpha():
            known.add(text[start:end])
    spans.update(_repeated(text, known))
    return [Found(start, end, "NAME") for start, end in sorted(spans.items())]


def _by_cue(text: str) -> Iterator[tuple[int, int]]:
    tables = (
        (cues.STRONG, Trust.TOLD),
        (cues.FORM, Trust.TOLD),
        (cues.COLON, Trust.KIN),
        (cues.KIN, Trust.KIN),
        (cues.WEAK, Trust.WEAK),
        (cues.WRITTEN, Trust.WEAK),
        (cues.AFTER_NUMBER, Trust.KIN),
    )
    for pattern, trust in tables:
        for match in pattern.finditer(text):
            end = _cued_end(text, match, trust)
            if end > 0 and (trust >= Trust.TOLD or not name_shapes.is_famous(text[match.end() : end])):
                yield match.end(), end
    for match in cues.SURNAME_IS.finditer(text):
        place = match.end()
        stops = bool(re.match("[一-龥](?:$|[，,。；; ！!]|叫)", text[place : place + 2]))
        length = surname_length(text, place) or int(stops)
        if length and re.match(r"$|[^\w]|的|叫|是|医|大夫|今|男|女", text[match.end() + length :][:2]):
            yield match.end(), match.end() + length
    for match in cues.NICK_CUE.finditer(text):
        nick = cues.NICK.match(text, match.end())
        if nick and cues.FOLLOWER.match(text, nick.end()) and may_be_given(nick[1] or nick[2]):
            yield nick.start(), nick.end()
    for match in cues.PET_NAME.finditer(text):
        if all(map(may_be_given, match[1])):
            yield match.span(1)


def _cued_end(text: str, match: re.Match[str], trust: Trust) -> int:
    start = match.end()
    first = text[start : start + 1]
    if trust <= Trust.KIN and not match[0].endswith("的是") and text[start - 1] in lexicon().bad_left.get(first, ""):
        return -1
    colon = match[0].rstrip()[-1:] in ":："
    label = trust >= Trust.TOLD and (colon or bool(cues.CLAUSE_AHEAD.match(text, start)))
    opened = match[0][-1:] in "(（" and bool(cues.CLAUSE_AHEAD.match(text, start))
    end = name_end(text, start, Trust.FORM if label or (opened and text[start - 1] in "(（") else trust)
    if end < 0 and trust >= Trust.TOLD:
        return _unusual_end(text, start, form=colon)
    if end < 0:
        return _transcribed_end(text, start) if trust == Trust.KIN else -1
    weakest = trust == Trust.WEAK and len(match[0]) == 1 and first in lexicon().loose and end - start == 2
    typical = is_typical(text[start + 1]) and bool(cues.PERSON_VERB.match(text, end))
    return -1 if weakest and text[end : end + 1].isalpha() and not typical else end


def _unusual_end(text: str, start: int, *, form: bool) -> int:
    """Return where a name without a known surname ends after a sure cue: 我叫其其格, 姓名：逄春华, 名叫安德烈."""
    elements = name_shapes.elements_end(text, start, 1)
    if elements > 0:
        return elements
    whole = cues.WHOLE.match(text, start)
    if not whole or lexicon().has_word_at(text, start) or cues.TITLE.match(text, start):
        return -1
    if all(character in lexicon().transcribed or is_typical(character) for character in whole[0]):
        return whole.end()
    if len(whole[0]) == 3 and all(map(is_given, whole[0][1:])) and any(map(is_typical, whole[0][1:])):
        return whole.end()
    believed = form and not _NO_NAME.match(whole[0]) and not cues.PROSE.search(whole[0])
    return whole.end() if believed and len(whole[0]) <= 4 else -1


def _transcribed_end(text: str, start: int) -> int:
    """Return where a name of elements, or a transcribed one before a sex or an age, ends: 患者古力娜扎，女."""
    elements = name_shapes.elements_end(text, start, 1)
    whole = cues.WHOLE.match(text, start)
    if elements > 0 or not whole or not cues.PERSON_AFTER.match(text, whole.end()):
        return elements
    known = all(character in lexicon().transcribed or is_given(character) for character in whole[0])
    return whole.end() if known and not lexicon().has_word_at(text, start) else -1


def _repeated(text: str, known: set[str]) -> Iterator[tuple[int, int]]:
    if not known:
        return
    heads = {name[0] for name in known}
    lengths = sorted({len(name) for name in known}, reverse=True)
    for start, character in enumerate(text):
        if character in heads:
            for length in lengths:
                name = text[start : start + length]
                # near the end of the text the slice is shorter than asked for
                if name in known:
                    yield start, start + len(name)
                    break
