"""Birth dates: a date counts only beside a cue of birth, or as a field of its own right after a name or a sex.

Dates of symptoms, visits and tests are medicine and stay.
"""

import re
from collections.abc import Iterator

from healgpt.privacy.kinds import MASKS, NAME_MASK, Found

_CN = "〇零○一二三四五六七八九十"
_YEAR = rf"(?:(?:18|19|20)[0-9]{{2}}|[0-9]{{2}}(?=年)|[{_CN}]{{4}}(?=年)|[{_CN}]{{2}}(?=年))"
_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]|[正腊冬一二三四五六七八九十])"
_DAY = (
    r"(?:3[01]|[12][0-9]|0?[1-9]|初[一二三四五六七八九十]|"
    r"[二三]?十[一二三四五六七八九]?|廿[一二三四五六七八九]?|[一二三四五六七八九])"
)
_LUNAR = r"(?:[(（]?(?:农历|阴历|阳历|公历|旧历|新历)[)）]?)?"
_ENGLISH_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_ENGLISH = (
    rf"(?:{_ENGLISH_MONTH} ?[0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)[0-9]{{2}}|"
    rf"[0-9]{{1,2}}(?:st|nd|rd|th)? ?{_ENGLISH_MONTH},? (?:19|20)[0-9]{{2}})"
)
# year, month and day all there
_DAY_OF_YEAR = (
    rf"(?:{_YEAR} ?年? ?{_LUNAR}(?:[-/.年 ] ?)?{_MONTH} ?(?:[-/.月 ] ?){_DAY}[日号]?|"
    rf"(?:19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|{_ENGLISH})"
)
_FULL = rf"(?:{_DAY_OF_YEAR}|{_YEAR} ?(?:年|[-/.]) ?{_LUNAR}{_MONTH}月?(?:份)?)"
# a day alone or with its parts turned round is a birthday only after the word
_PART = rf"(?:{_LUNAR}{_MONTH}月{_DAY}[日号]?|(?:0?[1-9]|[12][0-9]|3[01])[-/](?:0?[1-9]|1[0-2])[-/](?:19|20)[0-9]{{2}})"
_SHORT = r"(?:0?[1-9]|1[0-2])[-/.](?:[12][0-9]|3[01]|0?[1-9])(?![0-9.元岁个天年%])"
_DATE = rf"(?:{_FULL}|{_PART})"
_TIME = r"(?: ?(?:[01]?[0-9]|2[0-3])(?:[:：][0-5][0-9]|[时点][0-5]?[0-9]?分?))?"

_BEFORE = re.compile(
    r"(?:出生年月日?|出生日期|出生时间|出生于|生日期?|生于|出生在|出生年月|生辰八?字?|诞生于|诞辰|DOB|D\.O\.B\.?|"
    r"[Bb]irth ?(?:day|date)|[Bb]orn(?: on| in)?|[Dd]ate of [Bb]irth|出生|生年月日)(?:[(（][^()（）\n]{0,8}[)）])?"
    rf"(?:就|都|是在|在|是|为|:|：|登记的?是?|写的?是?|填的?是?|我?记得是?|应该是)?[ :：]{{0,3}}"
    rf"({_LUNAR}(?:{_DATE}|(?<=生日)(?:是|为|:|：)?{_SHORT}){_TIME})(?![0-9])"
)
_SHORT_BIRTHDAY = re.compile(rf"生日(?:是|为|:|：|在)?[ :：]{{0,2}}({_SHORT})")
_AFTER = re.compile(
    rf"(?<![0-9])({_DATE})(?:的|那天|当天|凌晨|早上|上午|中午|下午|晚上|夜里)?[(（]?"
    r"(?:刚|才|剖腹产|剖宫产|顺产|足月|早产)?(?:出生|(?:是(?:我|他|她|孩子|宝宝)?)?的?过?(?:生日|生辰)|降生|"
    r"诞生|生人|生的|出世|(?<=[年月日号0-9])生(?=[，。,.；;、）)\s]|$|于|在))(?!体重|缺陷|率|证)"
)
# 小满，2020年3月4日，湿疹: a field of its own; 小满，2020年3月4日入院 is not
_PERSON = (
    rf"(?:[{NAME_MASK}{MASKS['ID_CARD']}](?:小朋友|先生|女士|同学|阿姨|大爷|奶奶|爷爷|大妈|老人)?|"
    r"(?<=[，,、 　/|(（])[男女]|[男女](?:性|孩|宝)|(?:儿|孙|闺)[子女儿])"
)
_FIELD = re.compile(
    rf"{_PERSON}[)）]?(?:[，,、 　/|;；(（]{{1,2}}|"
    rf"(?=[(（]))(?:[男女]性?[，,、 　/|]{{1,2}})?(?:[一-龥]{{1,4}}族[，,、 　/|]{{1,2}})?"
    rf"[(（]?({_DAY_OF_YEAR})(?=的?(?:$|[，,。；;、/|)）\n]|[ 　](?![0-9一-龥]{{0,2}}[入出住就复手发转检查开做拍抽])))"
)
_NO_FIELD_AFTER = re.compile(
    r"的?[)） 　/|]{0,2}(?:至今|入院|住院|就诊|初诊|复诊|复查|手术|术|出院|发病|起病|首诊|开始|因|突发|"
    r"检查|检验|查|采样|报告|体检|门诊|急诊|"
    r"做|拍|抽|来|去|到|行|予|转|接种|打|服|确诊|诊断|死亡|去世|签|预约|挂)"
)
# after a comma only what a record says of a visit
_VISIT_AFTER = re.compile(r"[，,。；;、]{1,2}(?:因|入院|住院|就诊|初诊|复诊|复查|出院|手术|急诊|门诊|突发)")


# nobody writes a visit of the last century between name and complaint
_LONG_AGO = re.compile(r"19[0-9]{2}")
# 体检编号略，1988/04/17，尿酸512: a date between commas in a record that names a person or a sex
_BARE_FIELD = re.compile(
    r"(?:(?<=[，,、；;|：:])|(?<=[，,、；;|：:] )|^)(?P<date>(?:19[2-9][0-9]|20[01][0-9])(?<=[0-9]{4})[-/.年]"
    r"(?:1[0-2]|0?[1-9])[-/.月](?:3[01]|[12][0-9]|0?[1-9])[日号]?)(?=[，,、；;|](?P<sex> ?[男女](?:[，,、；;|。性]|"
    r"$))?)"
)
_DATED = re.compile(
    r"(?:日期|时间|有效期|签发|生产|首诊|入院|出院|手术|就诊|检查|采样|报告日|诊断|确诊|发病|于|批号?|"
    r"至)[^，,。；;]{0,3}$"
)
_SOMEONE = re.compile(rf"[{NAME_MASK}{MASKS['ID_CARD']}]|[，,、 |][男女][，,、 |]")


def find(text: str) -> Iterator[Found]:
    """Yield birth dates: after a cue (生日：1985-03-12), before one (85年3月12日出生), as a field after a name."""
    for pattern in (_BEFORE, _SHORT_BIRTHDAY, _AFTER):
        for match in pattern.finditer(text):
            yield Found(match.start(1), match.end(1), "BIRTH_DATE")
    for match in _FIELD.finditer(text):
        # 王芳 2024年3月5日 at the end is how one signs
        signed = match.end(1) == len(text) and text[match.start(1) - 1] in " 　"
        visit = _NO_FIELD_AFTER.match(text, match.end(1)) or (
            not _LONG_AGO.match(match[1]) and _VISIT_AFTER.match(text, match.end(1))
        )
        if not signed and not visit:
            yield Found(match.start(1), match.end(1), "BIRTH_DATE")
    for match in _BARE_FIELD.finditer(text):
        before = text[: match.start()]
        dated = _DATED.search(before[-10:]) or _NO_FIELD_AFTER.match(text, match.end())
        dated = dated or _VISIT_AFTER.match(text, match.end())
        known = match["sex"] or (_LONG_AGO.match(match["date"]) and _SOMEONE.search(before))
        if known and not dated:
            yield Found(*match.span("date"), "BIRTH_DATE")
