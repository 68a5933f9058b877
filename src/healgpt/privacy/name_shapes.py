"""Names that show by themselves: before a title (张医生), as a field of their own, masked (赵某某), in letters.

The look of a name counts together with what stands left and right of it; see `name_cues` for those patterns.
"""

import re
from collections.abc import Iterator
from functools import cache

from healgpt.privacy import name_cues as cues
from healgpt.privacy import name_fields, name_guesses, name_positions
from healgpt.privacy.kinds import NAME_MASK
from healgpt.privacy.lexicon import lexicon
from healgpt.privacy.name_model import (
    Trust,
    is_given,
    is_typical,
    may_be_given,
    name_end,
    rare_surname_length,
    surname_length,
)

_PREFIXED_SURNAMES = frozenset(
    "王李张刘陈杨赵吴周徐孙朱郭罗郑谢宋邓许冯曹彭曾蔡潘董袁余杜蒋魏吕丁沈姜崔谭陆范汪廖马胡林高梁何"
    "葛邹熊孟秦邱侯邵段贺龚唐韩卢程钟任姚夏方贾江"
)

# points asked of a loose surname in a list of names
_LISTED = 3


def find(text: str) -> Iterator[tuple[int, int]]:
    """Yield where names stand that need no cue before them."""
    yield from _by_title(text)
    yield from _by_shape(text)
    yield from _by_elements(text)
    yield from name_fields.find(text)
    yield from name_guesses.find(text)
    yield from name_positions.find(text)
    yield from _by_letters(text)
    yield from _by_child(text)


@cache
def _elements_pattern() -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(sorted(lexicon().elements, key=lambda word: (-len(word), word)))})")


def elements_end(text: str, start: int, least: int) -> int:
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
    if any(is_famous(text[place : place + 3]) for place in (start - 1, start) if place >= 0):
        # 王叔和, 祥林嫂
        return False
    if end - start >= 2 and text[start:end] in lexicon().elements:
        return _clause_start(text, start) and bool(cues.HARD_TITLE.match(text, end))
    surname = surname_length(text, start)
    if not surname:
        return _is_titled_rare(text, start, end, title_end)
    if surname > end - start:
        return False
    given = text[start + surname : end]
    if len(given) > 2 or (given and lexicon().has_word_at(text, start)) or is_famous(text[start:end]):
        return False
    full = bool(given) and all(is_given(ch) and may_be_given(ch) for ch in given) and any(map(is_typical, given))
    # a full name before a medical title needs no safe neighbour: 发给黄渤医生
    sure_name = full and bool(cues.MEDICAL_TITLE.match(text, end))
    if _bad_left(text, start, loose=text[start] in lexicon().loose and surname == 1 and not sure_name):
        return False
    if any(not is_given(character) for character in given):
        if given in ("某", "某某"):
            return True
        sure = _clause_start(text, start) and text[start] in lexicon().plain and bool(cues.HARD_TITLE.match(text, end))
        return (sure or surname == 2) and all(map(may_be_given, given))
    if given or surname == 2:
        return bool(cues.HARD_TITLE.match(text, end)) or text[start] in lexicon().plain or surname == 2
    medical = cues.MEDICAL_TITLE.match(text, end)
    if text[start] in "祝向代应占于管" and medical and not cues.AFTER_TITLE.match(text, title_end):
        # 祝老人健康, 向医生咨询, 应主任要求: these surnames are verbs before most titles
        return False
    if text[start] in "祝向代占":
        return text[end:title_end] in ("先生", "女士", "主任", "教授")
    if title_end - end > 1 or text[start] not in lexicon().loose:
        return True
    # 何嫂, 高姐: a loose surname before one character of a title
    known = text[start] in _PREFIXED_SURNAMES and text[end] in "哥姐嫂婶叔姨伯"
    return known and _clause_start(text, start) and bool(cues.FOLLOWER.match(text, title_end))


def _is_titled_rare(text: str, start: int, end: int, title_end: int) -> bool:
    """Tell whether a surname that is a word first of all (门, 初) is one here: 门医生您好, 初建国教授."""
    given = text[start + 1 : end]
    social = bool(re.match("先生|女士|小姐|太太", text[end:title_end]))
    medical = bool(cues.MEDICAL_TITLE.match(text, end))
    if not rare_surname_length(text, start) or len(given) > 2 or not (medical or social):
        return False
    if given:
        typical = all(map(is_given, given)) and any(map(is_typical, given))
        return typical and not lexicon().has_word_at(text, start) and not is_famous(text[start:end])
    if (
        lexicon().has_word_at(text, start)
        or text[start] in cues.WORDS_BEFORE_TITLES
        or text[max(0, start - 1) : start] in tuple(lexicon().bad_left.get(text[start], ""))
        or not (social or cues.AFTER_TITLE.match(text, title_end))
    ):
        return False
    return (
        _clause_start(text, start)
        or text[start - 1] in "找跟让叫科系谢请号给挂被听按苦天午次院室生问的主人务户转由约是和"
    )


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


def _by_elements(text: str) -> Iterator[tuple[int, int]]:
    """Yield Tibetan, Mongolian, Uyghur and Yi names: two elements, or one before a person's sex, deed or belonging."""
    for match in _elements_pattern().finditer(text):
        end = elements_end(text, match.start(), 1)
        known = end > match.end() or (
            len(match[0]) > 1 and _clause_start(text, match.start()) and name_fields.shows_person(text, end)
        )
        if end > 0 and known:
            yield match.start(), end


def _by_shape(text: str) -> Iterator[tuple[int, int]]:
    """Yield names that need no cue: 王秀兰, 张某某, 李娜（女，30岁）, 老张, 卓玛央金."""
    surnames = lexicon().plain | lexicon().loose
    for start, character in enumerate(text):
        if character in surnames:
            end = _shape_end(text, start)
            if end > 0:
                yield start, end
    for match in cues.PEOPLE_AFTER.finditer(text):
        for length in (4, 3, 2):
            start = match.start() - length
            if start >= 0 and _clause_start(text, start) and all(map(may_be_given, text[start : match.start()])):
                yield start, match.start()
    for match in cues.PREFIXED.finditer(text):
        place = match.end()
        before = text[place - 2 : place - 1]
        if before == NAME_MASK or (
            "一" <= before <= "龥"
            and before not in lexicon().safe_left
            and before not in "壁事居友士护里的员工师台手理处组班科"
        ):
            continue
        words = lexicon().has_word_at(text, place - 1) or lexicon().has_word_at(text, place)
        if text[place] in _PREFIXED_SURNAMES and cues.FOLLOWER.match(text, place + 1) and not words:
            yield place, place + 1


def _shape_end(text: str, start: int) -> int:
    surname = surname_length(text, start)
    loose = text[start] in lexicon().loose and surname == 1
    given = start + surname
    if lexicon().has_word_at(text, start) or _bad_left(text, start, loose=loose):
        return -1
    if cues.MOU.match(text, given):
        # a bare X is too often an X-ray or an unknown, so letters need a cue
        lettered = text[given] in "xX" and text[given : given + 2].lower() != "xx"
        lettered = lettered and not re.match("[,，、 (（][男女]", text[given + 1 :][:2])
        return -1 if lettered else name_end(text, start, Trust.WEAK)
    end = name_end(text, start, Trust.TOLD)
    if end < 0 or is_famous(text[start:end]):
        return -1
    full = end - given == 2 and not loose and all(map(is_given, text[given:end]))
    if not _clause_start(text, start):
        return end if full else -1
    if end - given == 1 and not loose and is_given(text[given]) and next(listed(text, end), None):
        return end
    for stop in (end, given + 1):
        if cues.PERSON_AFTER.match(text, stop) and (stop == end or not loose) and _fits(text, given, stop, loose=loose):
            return stop
    single = (is_given(text[given]) and not loose) or is_typical(text[given])
    if single and cues.PERSON_VERB.match(text, given + 1):
        return given + 1
    sure = cues.PERSON_VERB.match(text, given + 2) and end - given == 2
    if loose and sure and any(map(is_typical, text[given:end])) and all(map(is_given, text[given:end])):
        return end
    return end if full else -1


def _fits(text: str, given: int, end: int, *, loose: bool) -> bool:
    """Tell whether the given name is plausible before an age, a sex or a number; 银联卡〔银行卡号1〕 is not."""
    return all(map(is_given, text[given:end])) if loose else is_given(text[given])


def is_famous(name: str) -> bool:
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
    """Yield given names alone after a word for a child or a relative: 老大一诺, 我家沐沐, 表姐丽娜."""
    for match in cues.CHILD.finditer(text):
        start, end = match.end(), match.end() + 2
        pair = text[start:end]
        twice = len(pair) == 2 and pair[0] == pair[1] and may_be_given(pair[0])
        if len(pair) < 2 or not (twice or all(map(is_given, pair))) or pair in lexicon().doubled_words:
            continue
        if not twice and lexicon().has_word_at(text, start):
            continue
        bounded = bool(cues.FOLLOWER.match(text, end))
        if all(map(is_typical, pair)) or (bounded and (twice or is_typical(pair[1]))):
            yield start, end
    for match in cues.RELATIVE.finditer(text):
        start, end = match.end(), match.end() + 2
        pair = text[start:end]
        named = (
            len(pair) == 2
            and pair not in lexicon().doubled_words
            and all(map(is_given, pair))
            and not lexicon().has_word_at(text, start)
        )
        after = cues.FOLLOWER if all(map(is_typical, pair)) else cues.AFTER_FIRST_NAME
        if named and any(map(is_typical, pair)) and (pair[0] not in cues.NO_FIRST_NAME or after.match(text, end)):
            yield start, end


def listed(text: str, end: int) -> Iterator[tuple[int, int]]:
    """Yield names that follow another name in a list: 张伟、李娜和王芳."""
    while separator := cues.LIST.match(text, end):
        start = separator.end()
        end = name_end(text, start, Trust.WEAK)
        if end < 0 or not cues.FOLLOWER.match(text, end):
            return
        if text[start] in lexicon().loose and name_fields.points(text, start, end) < _LISTED:
            return
        yield start, end
