"""Names by the place they take: a field between commas, an owner, a receiver, a parent of someone, a pet name.

Every candidate gets points for its surname and its given-name characters; each place asks for so many of them.
"""

import re
from collections.abc import Iterator

from healgpt.privacy.kinds import MASKS, NAME_MASK
from healgpt.privacy.lexicon import lexicon
from healgpt.privacy.name_cues import FOLLOWER, HARD_TITLE, PERSON_VERB
from healgpt.privacy.name_model import is_given, is_typical, may_be_given, rare_surname_length, surname_length

_ANY_MASK = f"[{''.join(MASKS.values())}]"
_FIELD = re.compile(rf"(?<![一-龥{NAME_MASK}])[一-龥]{{2,4}}(?![一-龥])")
# what follows a person and nothing else
_SURELY_PERSON = re.compile(
    rf"[，,、;； 　/|:：()（）]{{0,3}}(?:{_ANY_MASK}|[男女](?:[，,、 /|；;)）]|性|$|[0-9])|[0-9]{{1,3}} ?(?:周?岁|"
    rf"个月大)|"
    r"[一二三四五六七八九十]{1,3}岁|(?:19|20)[0-9]{2}[-./年]|[一-龥]{1,3}族(?!群)|(?:身份证|出生|性别|年龄|血型|"
    r"住院号|门诊号|病历号))"
)
_SEX = re.compile(r"[，,、 （(/|]{1,2}[男女](?:[，,、 /|；;)）]|性|$|[0-9])")
_CUED = re.compile(
    r"(?:患者|病人|患儿|产妇|员工|职工|学生|村民|居民|住户|伤者|死者|爱人|儿子|女儿|老公|老婆|丈夫|妻子|家属|"
    r"老丈人|记录人|同事|"
    r"接诊|主刀|管床|值班|开单|[男女]方|(?<![一-龥])我是)[ ]?([一-龥]{2,3})(?=$|[，,。；;（( 、])"
)
_SPEAKER = re.compile(r"(?:^|\n)([一-龥]{2,4})[：:](?=[^0-9\n])")
_LEADS_TO_PERSON = re.compile(
    rf"(?:{_ANY_MASK}[)）]?|通知|成功|预约|挂号|候诊|报到|登记表?|名单|转告|抄送|cc|CC|@|叫号|签名|签字|代诉|提醒|"
    rf"随访|回访|表扬|投诉|致|——|—)"
    r"[，,、;； 　:：/|]{0,3}$"
)
_OWNED = re.compile(
    r"的(?:片子?|报告|病历|检查|化验|结果|CT|核磁|磁共振|B超|彩超|家属|家人|妈妈|爸爸|妈|爸|女儿|儿子|老公|老婆|"
    r"爱人|丈夫|妻子|"
    r"父亲|母亲|号|手术|单子|体检|出院|病理|胃镜|肠镜|血常规|尿检|心电图|住院|门诊|身份证|医保|电话|手机|微信|诊断|"
    r"处方|方子|"
    r"孕检|产检|疫苗|血糖|血压|体温|尿酸|伤口|病情|病|腿|药|复查|预约|床|主治|主管|核酸|转院|名字|情况)"
)
# 给王明开的药, 和李兰一起: something is done for or with someone
_HANDLED = re.compile(
    r"(?<=[给帮替为让请陪带和跟与同由找])([一-龥]{2,3})(?=[开拿挂买打做办看抓配用查测量去来说问签换送取订交缴喂洗擦治]|"
    r"预约|一起|一块|咨询|准备|检查|"
    r"主刀|操作|都|也|两个|三个|一样)"
)
_AFTER_COLON = re.compile(r"[一-龥]{2}[:：] ?$")
_RECEIVES = re.compile(
    r"(?:收(?:件|货)?|留|上|启)(?=$|[^一-龥])|敬上|亲[启收]|代[收签诉述]|陈述|签[字名收]|陪[同着]|本人"
)
_FREE_LEFT = frozenset("的是写叫找给看查问和跟与及请为由替帮让把被我到在对成个")
_LATIN = re.compile(r"(?<![A-Za-z] )(?<![A-Za-z])[A-Z][a-z]{1,14}(?: [A-Z]\.)? [A-Z][a-z]{1,14}(?! ?[A-Za-z])")
_PARENT_OF = re.compile(
    r"(?:(?<![一-龥])|(?<=我是)|(?<=这是)|(?<=是)|(?<=[和跟给找叫]))([一-龥]{2,3}?)"
    r"(?=的?(?:妈妈|爸爸|妈|爸|奶奶|姥姥|外婆|爷爷|家长)(?:$|[^一-龥]|[想问咨您你说给叫今昨来也是]))"
)
_NOT_PET = frozenset(
    [
        *(
            "同学",
            "朋友",
            "女友",
            "男友",
            "学生",
            "同事",
            "老师",
            "年轻",
            "伟大",
            "可爱",
            "二宝",
            "大宝",
            "小宝",
            "三宝",
        ),
        *("头胎", "青年", "少年", "远方", "清明", "亲爱", "大龄", "平凡", "贤惠", "美丽", "善良"),
    ]
)
_PET_CHARACTERS = frozenset("米果豆糖宝贝妞妮萌悠橙柚乐朵团圆点嘟兜毛球虎牛兔丫蛋")
_CALLED = re.compile(
    r"(?:我是|叫我|喊我|称呼我?为?|[她他]叫|大家叫我|网名叫?|昵称叫?)([小大阿老][一-龥]|([一-龥])\2)(?=$|[^一-龥]|"
    r"就|就行|[，。]|昨|今|上|前|刚)"
)
_NOT_CALLED = re.compile(
    "小[学白三编区腿儿妹哥伙姐产孩朋女男米麦便心脑肠时众型]|大[学夫人龄三二四一便夫龄量妈爷叔]|老[师人年公婆板家乡病烟胃便弱百同]"
)
_PET_AT_START = re.compile(r"(?<![一-龥])([一-龥])\1|(?<![一-龥])阿([一-龥])")
_SPACED = re.compile(
    r"(?:姓 ?名|患 ?者|病 ?人|联 ?系 ?人|家 ?属|监护人|我叫)[ :：]{0,4}([一-龥] [一-龥](?: [一-龥])?)(?=$|"
    r"[^一-龥 ]| ?(?:性|年|男|女|\n))"
)
# points asked of a candidate
_BESIDE_PERSON, _OPEN_LEFT, _OWNER, _AFTER_LABEL, _ALONE_IN_RECORD, _ALONE = 3, 4, 3, 4, 4, 5


def find(text: str) -> Iterator[tuple[int, int]]:
    """Yield where names stand by their place in the text."""
    yield from _fields(text)
    yield from _cued(text)
    yield from _latin(text)
    yield from _acting(text)
    yield from _before_possession(text)
    yield from _pet_names(text)
    for match in _SPACED.finditer(text):
        if surname_length(text, match.start(1)):
            yield match.span(1)


def shows_person(text: str, end: int) -> bool:
    """Tell whether what follows `end` belongs to a person: a sex, an age, a deed, a report."""
    return bool(_SURELY_PERSON.match(text, end) or _OWNED.match(text, end) or PERSON_VERB.match(text, end))


def points(text: str, start: int, end: int) -> int:
    """Return how much the characters themselves look like a full name; below 0 where they cannot be one."""
    surname = surname_length(text, start)
    length = surname or rare_surname_length(text, start)
    given = text[start + length : end]
    if not length or not 1 <= len(given) <= 2:
        return -1
    sexed = bool(_SEX.match(text, end)) and all(map(is_given, given))
    if not sexed and not all(map(may_be_given, given)):
        return -1
    name = text[start:end]
    if HARD_TITLE.match(text, start + length):
        return -1
    if name in lexicon().public_figures or name in lexicon().fictional or name in lexicon().regions:
        return -1
    if text[start - 1 : start] in lexicon().bad_left.get(text[start], "") and start:
        return -1
    first = text[start]
    worded = lexicon().has_word_at(text, start)
    if worded and text[start : start + 3] in lexicon().words:
        return -1
    if worded and not sexed and (len(given) == 1 or not is_typical(given[-1])):
        return -1
    base = 4 if surname == 2 else 0 if not surname else 1 if first in lexicon().loose else 2
    base += 2 * sexed - (worded and not sexed)
    return base + sum(2 if is_typical(ch) else 1 if is_given(ch) else -2 for ch in given)


def _fields(text: str) -> Iterator[tuple[int, int]]:
    in_record = any(mask in text for mask in MASKS.values() if mask != NAME_MASK)
    for match in _FIELD.finditer(text):
        start, end = match.span()
        score = points(text, start, end)
        if score < _BESIDE_PERSON:
            continue
        known = _SURELY_PERSON.match(text, end) or _LEADS_TO_PERSON.search(text[max(0, start - 10) : start])
        labelled = score >= _AFTER_LABEL and _AFTER_COLON.search(text[max(0, start - 4) : start])
        first = start == 0 and score >= _AFTER_LABEL and text[end : end + 1] in "，,"
        if known or labelled or first or score >= (_ALONE_IN_RECORD if in_record else _ALONE):
            yield start, end
    for match in re.finditer(rf"[一-龥](?=[，,(（ ]?{_ANY_MASK}|[，,(（ ]{{1,2}}[男女0-9一二三四五六七八九])", text):
        # 工作证上写侯卫东，〔身份证号1〕: bounded on the right only
        end = match.end()
        for start in (end - 3, end - 2):
            if start > 0 and points(text, start, end) >= _OPEN_LEFT + (text[start - 1] not in _FREE_LEFT):
                if _SURELY_PERSON.match(text, end):
                    yield start, end
                break
    for match in re.finditer("(?<=[的写叫找给我成])[一-龥]{2,3}(?=[，。,；;！!？?）)\n]|$)", text):
        # 课题组的贺昕，
        if points(text, *match.span()) >= _OPEN_LEFT:
            yield match.span()


def _cued(text: str) -> Iterator[tuple[int, int]]:
    for pattern, least in ((_CUED, _BESIDE_PERSON), (_SPEAKER, _OWNER)):
        for match in pattern.finditer(text):
            if points(text, *match.span(1)) >= least:
                yield match.span(1)
    for match in _FIELD.finditer(text):
        # 山本一郎，男: any characters of names before a sex
        name = match[0]
        known = all(is_given(ch) or ch in lexicon().transcribed for ch in name)
        known = known or (len(name) == 3 and surname_length(name, 0) == 1 and all(map(may_be_given, name[1:])))
        if len(name) > 2 and known and _SEX.match(text, match.end()) and not lexicon().has_word_at(text, match.start()):
            yield match.span()


def _acting(text: str) -> Iterator[tuple[int, int]]:
    """Yield 莫文蔚 before 昨天出院了: who does what only people do."""
    for match in PERSON_VERB.finditer(text):
        end = match.start()
        start = end - 3
        if start < 0 or not surname_length(text, start) or text[start + 1 : end] in lexicon().doubled_words:
            continue
        if points(text, start, end) >= _OPEN_LEFT:
            yield start, end


def _latin(text: str) -> Iterator[tuple[int, int]]:
    """Yield Maria Lopez where a sex, an age, a number or the word for foreigners stands beside it."""
    for match in _LATIN.finditer(text):
        before = text[max(0, match.start() - 10) : match.start()]
        if _SURELY_PERSON.match(text, match.end()) or re.search("(?:外籍|国籍|护照|外宾)[^。]{0,6}$", before):
            yield match.span()


def _before_possession(text: str) -> Iterator[tuple[int, int]]:
    for match in _HANDLED.finditer(text):
        for end in (match.end(1), match.end(1) - 1):
            if end - match.start() > 1 and points(text, match.start(), end) >= _OWNER:
                yield match.start(), end
                break
    for pattern, least in ((_OWNED, _OWNER), (_RECEIVES, _OWNER)):
        for match in pattern.finditer(text):
            end = match.start()
            for start in (end - 3, end - 2):
                if start < 0 or points(text, start, end) < least:
                    continue
                before = text[start - 1 : start]
                if not before or not "一" <= before <= "龥" or before in _FREE_LEFT:
                    yield start, end
                    break


def _pet_names(text: str) -> Iterator[tuple[int, int]]:
    for match in _PARENT_OF.finditer(text):
        if _is_pet_name(match[1]) or points(text, *match.span(1)) >= _BESIDE_PERSON:
            yield match.span(1)
    for match in _CALLED.finditer(text):
        if may_be_given(match[1][1]) and is_given(match[1][1]) and not _NOT_CALLED.match(match[1]):
            yield match.span(1)
    for match in _PET_AT_START.finditer(text):
        name = match[0]
        follows = PERSON_VERB.match(text, match.end()) and FOLLOWER.match(text, match.end())
        if follows and is_given(name[1]) and name not in lexicon().doubled_words and name[1] not in "司奇胶":
            yield match.span()


def _is_pet_name(pair: str) -> bool:
    if (
        pair in _NOT_PET
        or pair in lexicon().doubled_words
        or not all(may_be_given(ch) or ch in _PET_CHARACTERS for ch in pair)
    ):
        return False
    if lexicon().has_word_at(pair, 0):
        return False
    known = all(is_given(ch) or ch in _PET_CHARACTERS or ch in lexicon().transcribed for ch in pair)
    return known and (pair[0] == pair[1] or any(is_typical(ch) or ch in _PET_CHARACTERS for ch in pair))
