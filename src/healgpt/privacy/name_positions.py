"""Names that are words (高兴, 简单) or foreign, where their position leaves little else: a signature, an owner, a pair.

The surer the position, the less is asked of the characters; `name_likeness` says how much they look like a name.
"""

import re
from collections.abc import Iterator

from healgpt.privacy import name_cues as cues
from healgpt.privacy.kinds import MASKS, NAME_MASK
from healgpt.privacy.lexicon import lexicon
from healgpt.privacy.name_likeness import likeness
from healgpt.privacy.name_model import is_given, may_be_given

_ANY_MASK = f"[{''.join(MASKS.values())}]"
_HERE = rf"(?<![一-龥A-Za-z{NAME_MASK}])"
# 报告医师 乌有为 审核：卓越
_SIGNED = re.compile(
    r"(?:[医药护技][师士生]|审核|复核|核对|检验|报告者?|记录|[主副值夜白当]班|签名|签字|落款|署名|负责人|经手人?|"
    r"受理|处理|接单|"
    r"客服|操作)[：: ]{1,2}([一-龥]{2,3})(?=[ ，,；;。/、]|$)"
)
_NOT_SIGNED = re.compile(r"[已未待请可无不同]|正常|通过|完成|成功|时间|日期|方法|单位|名单|安排")
# 简单的手机号是〔手机号1〕
_OWNER = re.compile(
    rf"{_HERE}([一-龥]{{2,3}}?)(?:(?:的|家)?(?:手机号?码?|联系电话|住址|身份证号?码?|病历号?|住院号|微信)(?:寄到|"
    rf"寄给|是|为|：|:)?|"
    rf"现?家?住(?:在|于)?|的病历寄到) ?{_ANY_MASK}"
)
_NOT_OWNER = re.compile(
    r"单位|公司|[车商店厂户房]主|商家|店家|门店|厂家|家[庭属里]|官方|宿舍|农行|房东|万一|现在|平时|常年|老家|后来"
)
# 客户常青来电, 用户万里反馈
_CALLER = re.compile(
    r"(?:客户|用户|业主|会员|住户|家属|来电人|顾客|网友|病友)([一-龥]{2,3}?)(?=来电|致电|反馈|反映|投诉|留言|"
    r"称[，,本]|表示)"
)
# 宋词与宋诗姐弟, 龙在天、包不同两位
_PAIR = re.compile(
    rf"(?:{_HERE}|(?<=[我的请给]))([一-龥]{{2,3}})[、和与跟及]([一-龥]{{2,3}}?)(?=两[位人个]|俩|[姐兄][弟妹]|姐妹|"
    rf"夫[妻妇]|父[子女]|母[子女]|"
    r"二人|三人|都[是有在得]|同时|一起|均|也都)"
)
_WORD_AFTER_KIN = re.compile(
    rf"(?:{cues.RELATIVE.pattern}|{cues.CHILD.pattern})([一-龥]{{2}})(?=今年[0-9一二三四五六七八九]|"
    rf"[，,]?[0-9]{{1,3}}岁|[（(](?:大名|小名|学名|全名|[男女0-9]))"
)
_NOT_AFTER_KIN = re.compile(
    r"[高大超]龄|成年|今年|明年|去年|周岁|虚岁|平时|单身|时年|年[龄满近]|[刚已将快满近约]|[的了是在有]"
)
_CALL_ME = re.compile(r"(?:叫我|喊我|大名|本名|真名)([一-龥]{2,3})(?=[，,。！!]|$)")
_CALLED_CHILD = re.compile(
    rf"{_HERE}([小大阿][一-龥])(?=妈妈?[，,：:。 的说问]|爸爸?[，,：:。 的说问]|奶奶|姥姥|爷爷|外婆)"
)
_FOREIGN_TITLED = re.compile(rf"{_HERE}([一-龥]{{4,6}}|[一-龥]{{3}})(?=女士|先生|小姐|[，,][一-龥]{{1,4}}籍)")
_MARRIED = re.compile(r"([一-龥])([一-龥])氏(?=$|[，,。；;、（( ]|今|的|[0-9一二三四五六七八九]|因|诉|老)")
_INDEXED = re.compile(r"(?<![0-9])[0-9]{1,2}[、.)）] ?([一-龥]{2,3})(?=[：:])")
_TABLED = re.compile(r"(?:^|(?<=[\n|;；])|(?<=[| ]))([一-龥]{2,3})(?=[，,|][0-9]{1,3}[，,|]|[，,| ][男女][，,| ][0-9])")
_FREE_SURNAME = re.compile(r"免贵([一-龥])(?=$|[，,。！! ])")
_OLD = re.compile(rf"(?:{_HERE}|(?<=[和跟给帮替找问让是]))老([一-龥])(?={cues.FOLLOWER.pattern})")
_NOT_OLD = frozenset("叶麦谷艾苗芦兰林桂葛毛白黄汤姜龙虎年是有家人时")
_LATIN = r"[A-Z][a-z]{1,12}(?: [A-Z][a-z]{1,14})?"
_LETTERED = (
    re.compile(
        r"(?<![A-Za-z])(?:[Tt]his is|[Hh]ere is|[Dd]ear|[Hh]i|[Hh]ello|[Rr]egards,?|[Ss]igned,?|[Pp]t\.?|[Bb]aby|"
        rf"[Mm]y (?:son|daughter|wife|husband|mother|father|friend|baby|mom|dad),?(?: is)?) ({_LATIN})(?![A-Za-z])"
    ),
    re.compile(
        rf"(?<![A-Za-z])({_LATIN})(?='s (?:father|mother|mom|dad|wife|husband|son|daughter|report|results|chart|"
        rf"family|parents?))"
    ),
    re.compile(
        rf"(?:^|(?<=[.!?。！？\n] )|(?<=[。！？\n]))({_LATIN})(?= (?:called|says|said|complains|reports|denies|"
        rf"presented|was admitted))"
    ),
    re.compile(
        r"(?<![A-Za-z])([A-Z][a-z]{1,12}, [A-Z][a-z]{1,14})(?=, ?(?:[0-9]{1,3} ?[MFmfy]|[MF](?:emale|ale)?\b|"
        r"(?:fe)?male))"
    ),
    re.compile(
        r"(?<![A-Za-z一-龥])([A-Z][a-z]{2,9})(?=(?:今天|昨天|昨晚|刚刚?|已)?(?:复诊|复查|发烧|发热|住院|出院|打电话|"
        r"摔|感冒|咳嗽|又))"
    ),
)
_NOT_PERSON = frozenset(
    [
        "sir",
        "madam",
        "doctor",
        "there",
        "all",
        "team",
        "friends",
        "everyone",
        "my",
        "the",
        "it",
        "he",
        "she",
        "patient",
        "a",
        "an",
        "dr",
        "mr",
        "mrs",
        "ms",
        "prof",
        "doc",
    ]
)


def find(text: str) -> Iterator[tuple[int, int]]:
    """Yield where names stand by their position alone."""
    yield from _owners(text)
    for match in _PAIR.finditer(text):
        scores = [likeness(text, *match.span(group)) for group in (1, 2)]
        if min(scores) >= 1 and sum(scores) >= 3:
            yield from (match.span(1), match.span(2))
    for pattern, least in ((_CALL_ME, 2), (_INDEXED, 2), (_TABLED, 1)):
        for match in pattern.finditer(text):
            if likeness(text, *match.span(1)) >= least:
                yield match.span(1)
    for match in _FOREIGN_TITLED.finditer(text):
        if not lexicon().has_word_at(text, match.start()) and all(
            is_given(ch) or ch in lexicon().transcribed for ch in match[1]
        ):
            yield match.span(1)
    for match in _MARRIED.finditer(text):
        if match[1] in lexicon().plain and match[2] in lexicon().plain | lexicon().loose:
            yield match.start(), match.end()
    for pattern in _LETTERED:
        for match in pattern.finditer(text):
            if match[1].split()[0].lower().strip(",") not in cues.NOT_LATIN | _NOT_PERSON:
                yield match.span(1)
    yield from _surnames_and_nicks(text)


def _owners(text: str) -> Iterator[tuple[int, int]]:
    places = ((_SIGNED, _NOT_SIGNED), (_OWNER, _NOT_OWNER), (_CALLER, _NOT_OWNER), (_WORD_AFTER_KIN, _NOT_AFTER_KIN))
    for pattern, refused in places:
        for match in pattern.finditer(text):
            common = lexicon().plain | lexicon().loose
            known = match[1][0] in common or likeness(text, *match.span(1)) >= 1
            if known and not refused.search(match[1]) and _is_name_made(match[1]):
                yield match.span(1)


def _is_name_made(name: str) -> bool:
    titled = cues.HARD_TITLE.match(name, 1) or cues.TITLE.fullmatch(name)
    return not titled and all(map(may_be_given, name[1:])) and name not in lexicon().regions


def _surnames_and_nicks(text: str) -> Iterator[tuple[int, int]]:
    for match in _FREE_SURNAME.finditer(text):
        yield match.span(1)
    for match in _OLD.finditer(text):
        if match[1] in lexicon().plain and match[1] not in _NOT_OLD:
            yield match.start(), match.end()
    for match in _CALLED_CHILD.finditer(text):
        if is_given(match[1][1]) and match[1] not in ("大宝", "小宝", "大家", "小学", "大学"):
            yield match.span(1)
