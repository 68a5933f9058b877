"""Telephone numbers: Chinese mobiles in every grouping, landlines, numbers abroad, and numbers spelt in characters.

Number ranges: MIIT numbering plan (mobile prefixes, two- and three-digit area codes); ITU E.164 for country codes.
"""

import re
from collections.abc import Iterator

from healgpt.privacy.kinds import Found

_S = r"[-—–─_·•.,，、*/ ]{1,2}"
_HEAD = r"1(?:3[0-9]|4[014-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])"
_MOBILE = re.compile(
    r"(?<![0-9A-Za-z.])(?:[(（]?(?:\+|00) ?86[)）]?[- ]?|86[- ])?"
    rf"(?:{_HEAD}(?:[0-9]{{8}}|{_S}[0-9]{{4}}{_S}[0-9]{{4}}|{_S}[0-9]{{8}}|[0-9]{{4}}{_S}[0-9]{{4}}|"
    rf"[0-9]{_S}[0-9]{{3}}{_S}[0-9]{{4}}|[0-9]{_S}[0-9]{{4}}{_S}[0-9]{{3}}|{_S}[0-9]{{3}}{_S}[0-9]{{5}}|"
    rf"{_S}[0-9]{{5}}{_S}[0-9]{{3}}|[0-9]{{2}}{_S}[0-9]{{6}}|[0-9]{{3}}{_S}[0-9]{{5}}|"
    rf"{_S}[0-9]{{2}}{_S}[0-9]{{2}}{_S}[0-9]{{2}}{_S}[0-9]{{2}}|[0-9]?[*xX×＊]{{4,5}}[0-9]{{3,4}})|"
    rf"[(（]{_HEAD}[)）] ?[0-9]{{4}}[- ]?[0-9]{{4}})(?![0-9A-Za-z%])(?!\.[0-9])"
)
_SPACED = re.compile(r"(?<![0-9] )(?<![0-9])1(?:[ -][3-9])(?:[ -][0-9]){9}(?!(?:[ -])?[0-9])")
_TOLD = r"(?:手机|电话|联系方式|[Tt]el|TEL|[Pp]hone|[Mm]obile|wx|vx|VX|WX|[Vv])(?:号码|号)?"
# eleven digits that start like a mobile, cut up anyhow, right after a word for telephone
_CUT_UP = re.compile(rf"{_TOLD}(?:是|为|:|：)?[ :：.]{{0,2}}(1[ -]?[3-9](?:[ -]?[0-9]){{9}})(?![0-9A-Za-z])")
_DIGIT = "零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两洞拐"
_IN_CHARACTERS = re.compile(
    rf"(?<![{_DIGIT}])[一幺壹][ ]?[三四五六七八九叁肆伍陆柒捌玖][{_DIGIT}]"
    rf"(?:[{_DIGIT}]{{8}}|[ ，,、-][{_DIGIT}]{{4}}[ ，,、-][{_DIGIT}]{{4}}|(?:[ ，,、-][{_DIGIT}]){{8}})(?![{_DIGIT}])"
)

_AREA = r"0(?:10|2[0-57-9]|[3-9][0-9]{2})"
_D = r"[-—–─ ]"
_LANDLINE = re.compile(
    rf"(?<![0-9A-Za-z.])(?:(?:\+|00)?86[- ]?(?:\(0\))?(?:10|2[0-57-9]|[3-9][0-9]{{2}}){_D}|"
    rf"[(（]?{_AREA}[)）]?{_D}{{0,2}}|[(（]{_AREA}[)）] ?)"
    rf"(?:[2-8][0-9]{{6,7}}|[2-8][0-9]{{2,3}}{_D}[0-9]{{4}})"
    r"(?:(?: ?转 ?|-|,| ?分机 ?)[0-9]{1,6})?(?![0-9A-Za-z%])(?!\.[0-9])"
)
_LOCAL = re.compile(
    r"(?:座机|固定电话|固话|家庭电话|家里电话|住宅电话|宅电|家电|办公电话|单位电话|办公室(?:电话)?|宿舍(?:电话)?|"
    r"护士站(?:电话)?|"
    r"联系电话|电话|传真|小灵通)(?:号码|号)?"
    r" ?(?:是|为|:|：|打|改成)?[ :：]{0,2}([2-8][0-9]{6,7}|[2-8][0-9]{2,3}[- ][0-9]{4})(?:转[0-9]{1,5})?"
    r"(?![0-9A-Za-z%.年月日元块个人次-])"
)
# at least eight digits in all, so that +1 周 or 00852 alone is none; China has its own patterns
_ABROAD = re.compile(
    r"(?<![0-9A-Za-z.+])(?:\+|00)(?!86)(?:852|853|886|[1-9][0-9]{0,2})[- ]?"
    r"(?=(?:[- ]?[0-9]){7,12}(?![0-9]))(?:[(（][0-9]{1,4}[)）][- ]?)?[0-9]{1,5}(?:[- ]?[0-9]{2,5}){1,4}"
    r"(?![0-9A-Za-z%])(?!\.[0-9])"
)


def find(text: str) -> Iterator[tuple[Found, bool]]:
    """Yield telephone numbers; the flag says that the number stands on its shape alone and a cue may overrule it."""
    for match in _MOBILE.finditer(text):
        yield Found(match.start(), match.end(), "PHONE"), True
    for pattern in (_SPACED, _IN_CHARACTERS):
        for match in pattern.finditer(text):
            yield Found(match.start(), match.end(), "PHONE"), False
    for match in _CUT_UP.finditer(text):
        yield Found(match.start(1), match.end(1), "PHONE"), False
    for pattern in (_LANDLINE, _ABROAD):
        for match in pattern.finditer(text):
            yield Found(match.start(), match.end(), "LANDLINE"), True
    for match in _LOCAL.finditer(text):
        yield Found(match.start(1), match.end(), "LANDLINE"), False
