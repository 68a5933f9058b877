"""Names of people: after a cue (我叫, 姓名：, 我妈妈), before a title (张医生), masked (赵某某), typical.

A name without cue and without typical characters is not found; see docs/reference/privacy.md for the measured recall.
"""

import re
from collections.abc import Iterator
from functools import cache

from healgpt.privacy import name_cues as cues
from healgpt.privacy.kinds import NAME_MASK, Found
from healgpt.privacy.lexicon import lexicon
from healgpt.privacy.name_model import (
    Trust,
    is_given,
    is_typical,
    may_be_given,
    name_end,
    surname_length,
)

_PREFIXED_SURNAMES = frozenset("王李张刘陈杨赵吴周徐孙朱郭罗郑谢宋邓许冯曹彭曾蔡潘董袁余杜蒋魏吕丁沈姜崔谭陆范汪廖")
_NO_NAME = re.compile("不详|未知|保密|匿名|同上|无名|未填|待查|见上|如下|如上|已填|略|.*[医药病床室科号码]")


def find(text: str, known: set[str]) -> list[Found]:
    """Return the names in `text`; full names are added to `known` and found wherever else they stand."""
    spans: dict[int, int] = {}
    for start, end in (*_by_cue(text), *_by_title(text), *_by_shape(text), *_by_letters(text), *_by_child(text)):
        if end > spans.get(start, 0):
            spans[start] = end
    for start, end in list(spans.items()):
        for follower, follower_end in _listed(text, end):
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
        (cues.AFTER_NUMBER, Trust.KIN),
    )
    for pattern, trust in tables:
        for match in pattern.finditer(text):
            end = _cued_end(text, match, trust)
            if end > 0 and (trust >= Trust.TOLD or not _is_famous(text[match.end() : end])):
                yield match.end(), end
    for match in cues.SURNAME_IS.finditer(text):
        length = surname_length(text, match.end())
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
    if trust <= Trust.KIN and text[start - 1] in lexicon().bad_left.get(first, ""):
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
    elements = _elements_end(text, start, 1)
    if elements > 0:
        return elements
    whole = cues.WHOLE.match(text, start)
    if not whole or lexicon().has_word_at(text, start) or cues.TITLE.match(text, start):
        return -1
    if all(character in lexicon().transcribed or is_typical(character) for character in whole[0]):
        return whole.end()
    believed = form and not _NO_NAME.match(whole[0]) and not cues.PROSE.search(whole[0])
    return whole.end() if believed and len(whole[0]) <= 4 else -1


def _transcribed_end(text: str, start: int) -> int:
    """Return where a name of elements, or a transcribed one before a sex or an age, ends: 患者古力娜扎，女."""
    elements = _elements_end(text, start, 1)
    whole = cues.WHOLE.match(text, start)
    if elements > 0 or not whole or not cues.PERSON_AFTER.match(text, whole.end()):
        return elements
    known = all(character in lexicon().transcribed or is_given(character) for character in whole[0])
    return whole.end() if known and not lexicon().has_word_at(text, start) else -1


@cache
def _elements_pattern() -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(sorted(lexicon().elements, key=lambda word: (-len(word), word)))})")


def _elements_end(text: str, start: int, least: int) -> int:
    """Return where a run of at least `least` Tibetan, Mongolian, Uyghur or Yi name elements ends, or -1."""
    end, count = start, 0
    while count < 4 and (match := _elements_pattern().match(text, end)):
        end, count = match.end(), count + 1
    bounded = count > 1 or cues.FOLLOWER.match(text, end) or cues.HARD_TITLE.match(text, end)
    return end if count >= least and bounded and not lexicon().has_word_at(text, start) else -1


def _by_title(text: str) -> Iterator[tuple[int, int]]:
    for match in cues.TITLE.finditer(text):
        end = match.start()
        for length in (4, 3, 2, 1):
            start = end - length
            if start >= 0 and _is_titled(text, start, end, match.end()):
                yield start, end
                break


def _is_titled(text: str, start: int, end: int, title_end: int) -> bool:
    if end - start >= 2 and text[start:end] in lexicon().elements:
        return _clause_start(text, start) and bool(cues.HARD_TITLE.match(text, end))
    surname = surname_length(text, start)
    if not surname or surname > end - start:
        return False
    given = text[start + surname : end]
    if len(given) > 2 or (given and lexicon().has_word_at(text, start)) or _is_famous(text[start:end]):
        return False
    if _bad_left(text, start, loose=text[start] in lexicon().loose and surname == 1):
        return False
    if any(not is_given(character) for character in given):
        if given in ("某", "某某"):
            return True
        sure = _clause_start(text, start) and text[start] in lexicon().plain and bool(cues.HARD_TITLE.match(text, end))
        return (sure or surname == 2) and all(map(may_be_given, given))
    if given or surname == 2:
        return bool(cues.HARD_TITLE.match(text, end)) or text[start] in lexicon().plain or surname == 2
    if text[start] in "祝向代":
        # 祝老人健康, 向医生咨询: these surnames are verbs before most titles
        return text[end:title_end] in ("先生", "女士", "主任", "教授")
    single = title_end - end == 1
    return not (single and text[start] in lexicon().loose)


def _bad_left(text: str, start: int, *, loose: bool) -> bool:
    """Tell whether the character before makes another word of the surname; unknown neighbours are bad if `loose`."""
    before = text[start - 1 : start]
    if not before or before == NAME_MASK:
        return before == NAME_MASK
    if not ("一" <= before <= "龥"):
        return before.isdigit() and text[start] == "周"
    if before in lexicon().bad_left.get(text[start], ""):
        return True
    return loose and before not in lexicon().safe_left and not cues.ROLE_BEFORE.search(text[max(0, start - 4) : start])


def _by_shape(text: str) -> Iterator[tuple[int, int]]:
    """Yield names that need no cue: 王秀兰, 张某某, 李娜（女，30岁）, 老张, 卓玛央金."""
    surnames = lexicon().plain | lexicon().loose
    for start, character in enumerate(text):
        if character in surnames:
            end = _shape_end(text, start)
            if end > 0:
                yield start, end
    for match in _elements_pattern().finditer(text):
        end = _elements_end(text, match.start(), 2)
        if end > 0:
            yield match.start(), end
    for match in cues.PEOPLE_AFTER.finditer(text):
        for length in (4, 3, 2):
            start = match.start() - length
            if start >= 0 and _clause_start(text, start) and all(map(may_be_given, text[start : match.start()])):
                yield start, match.start()
    for match in cues.PREFIXED.finditer(text):
        place = match.end()
        before = text[place - 2 : place - 1]
        if before == NAME_MASK or (
            "一" <= before <= "龥" and before not in lexicon().safe_left and before not in "壁事居友士护里的"
        ):
            continue
        words = lexicon().has_word_at(text, place - 1) or lexicon().has_word_at(text, place)
        if text[place] in _PREFIXED_SURNAMES and cues.FOLLOWER.match(text, place + 1) and not words:
            yield place, place + 1


def _shape_end(text: str, start: int) -> int:
    surname = surname_length(text, start)
    loose = text[start] in lexicon().loose and surname == 1
    if lexicon().has_word_at(text, start) or _bad_left(text, start, loose=loose):
        return -1
    given = start + surname
    if cues.MOU.match(text, given):
        # a bare X is too often an X-ray or an unknown, so letters need a cue
        lettered = text[given] in "xX" and text[given : given + 2].lower() != "xx"
        return -1 if lettered else name_end(text, start, Trust.WEAK)
    end = name_end(text, start, Trust.TOLD)
    if end < 0 or _is_famous(text[start:end]):
        return -1
    full = end - given == 2 and not loose and all(map(is_given, text[given:end]))
    if not _clause_start(text, start):
        return end if full else -1
    if end - given == 1 and not loose and is_given(text[given]) and next(_listed(text, end), None):
        return end
    for stop in (end, given + 1):
        if cues.PERSON_AFTER.match(text, stop) and (stop == end or not loose) and _fits(text, given, stop, loose=loose):
            return stop
    if is_typical(text[given]) and cues.PERSON_VERB.match(text, given + 1) and not loose:
        return given + 1
    sure = cues.PERSON_VERB.match(text, given + 2) and end - given == 2
    if loose and sure and any(map(is_typical, text[given:end])) and all(map(is_given, text[given:end])):
        return end
    return end if full else -1


def _fits(text: str, given: int, end: int, *, loose: bool) -> bool:
    """Tell whether the given name is plausible before an age, a sex or a number; 银联卡〔银行卡号1〕 is not."""
    return all(map(is_given, text[given:end])) if loose else is_given(text[given])


def _is_famous(name: str) -> bool:
    return name in lexicon().public_figures or name in lexicon().fictional


def _clause_start(text: str, start: int) -> bool:
    before = text[start - 1 : start]
    return not before or not ("一" <= before <= "龥" or before == NAME_MASK)


def _by_letters(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (cues.LATIN, cues.LATIN_TITLED):
        for match in pattern.finditer(text):
            if match[1].split()[0].lower() not in cues.NOT_LATIN:
                yield match.start(1), match.end(1)
    for match in cues.FOREIGN.finditer(text):
        if cues.PROSE.search(match[0]):
            continue
        title = cues.TITLE_AT_END.search(match[0])
        yield match.start(), match.end() - (len(title[0]) if title else 0)


def _by_child(text: str) -> Iterator[tuple[int, int]]:
    """Yield given names alone after a word for a child: 老大一诺, 我家沐沐."""
    for match in cues.CHILD.finditer(text):
        start, end = match.end(), match.end() + 2
        pair = text[start:end]
        twice = len(pair) == 2 and pair[0] == pair[1] and may_be_given(pair[0])
        if len(pair) < 2 or not (twice or all(map(is_given, pair))) or pair in lexicon().doubled_words:
            continue
        if not twice and lexicon().has_word_at(text, start):
            continue
        bounded = bool(cues.FOLLOWER.match(text, end))
        if all(map(is_typical, pair)) or (bounded and (pair[0] == pair[1] or is_typical(pair[1]))):
            yield start, end


def _listed(text: str, end: int) -> Iterator[tuple[int, int]]:
    """Yield names that follow another name in a list: 张伟、李娜和王芳."""
    while separator := cues.LIST.match(text, end):
        start = separator.end()
        end = name_end(text, start, Trust.WEAK)
        if end < 0 or text[start] in lexicon().loose or not cues.FOLLOWER.match(text, end):
            return
        yield start, end


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
