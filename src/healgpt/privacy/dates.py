"""Birth dates: a date counts only beside a cue of birth, because dates of symptoms, visits and tests are medicine."""

import re
from collections.abc import Iterator

from healgpt.privacy.kinds import Found

_CN = "〇零○一二三四五六七八九十"
_YEAR = rf"(?:(?:18|19|20)[0-9]{{2}}|[0-9]{{2}}(?=年)|[{_CN}]{{4}}(?=年)|[{_CN}]{{2}}(?=年))"
_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]|[正腊一二三四五六七八九十])"
_DAY = (
    r"(?:3[01]|[12][0-9]|0?[1-9]|初[一二三四五六七八九十]|"
    r"[二三]?十[一二三四五六七八九]?|廿[一二三四五六七八九]?|[一二三四五六七八九])"
)
_LUNAR = r"(?:\(?(?:农历|阴历|阳历|公历|旧历|新历)\)?)?"
_FULL = (
    rf"(?:{_YEAR} ?年? ?{_LUNAR}(?:[-/.年 ] ?)?{_MONTH} ?(?:[-/.月] ?){_DAY}[日号]?|"
    rf"{_YEAR} ?(?:年|[-/.]) ?{_LUNAR}{_MONTH}月?(?:份)?|(?:19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|"
    rf"[12][0-9]|3[01])|"
    rf"{_YEAR}年)"
)
_DATE = rf"(?:{_FULL}|{_LUNAR}{_MONTH}月{_DAY}[日号]?)"

_BEFORE = re.compile(
    r"(?:出生年月日?|出生日期|出生时间|出生于|生日|生于|出生在|生辰八?字?|诞生于|DOB|D\.O\.B\.?|"
    r"[Bb]irth ?(?:day|date)|"
    r"[Dd]ate of [Bb]irth|出生|生年月日)(?:\([^()\n]{0,8}\))?"
    rf"(?:就|都|是在|在|是|为|:|：|填的?是?|我?记得是?)?[ :：]{{0,3}}({_LUNAR}{_DATE})(?![0-9])"
)
_AFTER = re.compile(
    rf"(?<![0-9])({_DATE})(?:的|那天|当天|凌晨|早上|上午|中午|下午|晚上|夜里)?"
    r"(?:刚|才|剖腹产|剖宫产|顺产|足月|早产)?(?:出生|(?:是(?:我|他|她|孩子|宝宝)?)?的?过?(?:生日|生辰)|降生|"
    r"诞生|生人|生的|出世|(?<=[年月日号])生(?=[，。,.；;、）)\s]|$|于|在))(?!体重|缺陷|率|证)"
)


def find(text: str) -> Iterator[Found]:
    """Yield birth dates: after a cue (生日：1985-03-12) or before one (85年3月12日出生)."""
    for pattern in (_BEFORE, _AFTER):
        for match in pattern.finditer(text):
            yield Found(match.start(1), match.end(1), "BIRTH_DATE")
