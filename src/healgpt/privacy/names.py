"""Names of people: after a cue (我叫, 姓名：, 我妈妈), before a title (张医生), masked (赵某某), typical.

A name without cue and without typical characters is not found; see docs/reference/privacy.md for the measured recall.
"""

import re
from collections.abc import Iterator

from healgpt.privacy.kinds import NAME_MASK, NUMBER_MASKS, Found
from healgpt.privacy.lexicon import lexicon

_MEDICAL_TITLE = (
    "主任医师|副主任医师|主治医师|住院医师|主任护师|副主任|主任|"
    "医生|大夫|医师|教授|护士长|护士|药师|院长|技师|护工|博士(?!后)|中医师|老中医"
)
_SOCIAL_TITLE = (
    "先生|女士|小姐|太太|夫人|老师|同学|大爷|大妈|大娘|大叔|大婶|大姐|大哥|大伯|大嫂|叔叔|阿姨|奶奶|爷爷|伯伯|"
    "伯母|婆婆|师傅|老板|经理|老太太|"
    "老太|老爷子|老爷爷|老奶奶|老人家|老人|老汉|老先生|同志|局长|书记|校长|律师|警官|队长|姑娘|小朋友|宝宝|"
    "女儿|总(?![是之会在觉感共量胆体结数的要有算能以])|"
    "哥(?!哥)|姐(?!姐)|嫂|婶|叔|姨(?!妈)|伯|工(?![作人伤地程])|某"
)
_TITLE = re.compile(f"(?:{_MEDICAL_TITLE}|{_SOCIAL_TITLE})")
_HARD_TITLE = re.compile(f"(?:{_MEDICAL_TITLE}|先生|女士|小姐|同志|老师|同学|阿姨|大爷|奶奶|爷爷|叔叔|老人|师傅)")

_RELATION = (
    "(?:妈妈|爸爸|母亲|父亲|老公|老婆|丈夫|妻子|爱人|太太|先生|儿子|女儿|孩子|宝宝|小孩|闺女|爷爷|奶奶|外公|"
    "外婆|姥姥|姥爷|哥哥|姐姐|弟弟|"
    "妹妹|姑姑|姑妈|舅舅|舅妈|叔叔|婶婶|阿姨|伯伯|伯父|伯母|姨妈|姨夫|岳父|岳母|公公|婆婆|孙子|孙女|外孙女?|"
    "侄子|侄女|外甥女?|表哥|表姐|表弟|表妹|"
    "堂哥|堂姐|堂弟|堂妹|嫂子|女婿|儿媳妇?|媳妇|女友|男友|女朋友|男朋友|朋友|同事|邻居|室友|闺蜜|同学|妈|爸|"
    "娘|爹|哥|姐|弟|妹|家属|监护人|老乡)"
)
_STRONG = re.compile(
    r"(?:(?:我|他|她|本人|患者|孩子|宝宝|小孩|女儿|儿子|妈妈?|爸爸?|病人|老公|老婆|名字|大名|小名|学名|全名|"
    r"朋友|奶奶|爷爷|医生|那个|人)"
    r"(?:的?(?:名字|大名|小名|学名|全名))?(?:就?叫做?|名叫|是叫)|名叫|取名叫?|起名叫?|名字[是为叫]|姓名|"
    r"名字(?=[:：])|"
    r"(?:患者|病人|患儿|紧急)?(?:助手|麻醉医?[师生]?|洗手护士|巡回护士|器械护士|报告医[师生]|审核医[师生]|"
    r"主刀医[师生]|家长|户主|联系人|联络人|收件人|收货人|开户名|户名|持卡人|投保人|被保险人|参保人|申请人|签字|"
    r"签名|签字人|签署人|法定代理人|"
    r"监护人|陪护人?|家属签字|落款|经办人|记录者|记录人|报告者|报告人|审核者|审核人|主刀|术者|主管医[师生]|"
    r"主治医[师生]|经治医[师生]|责任医[师生]|"
    r"住院医[师生]|管床医[师生]|接诊医[师生]|责任护士|管床护士|检验者|核对者|送检医[师生]|申请医[师生]|"
    r"主诊医[师生]|手术医[师生])(?:姓名)?(?=[ :：是为]))"
    r"(?:是|为|叫)?[ :：]{0,3}"
)
_COLON = re.compile(
    r"(?:患者|病人|患儿|家属|本人|医生|医师|大夫|护士|监护人|家长|产妇|孕妇|老人|丈夫|妻子|父亲|母亲|儿子|女儿|"
    r"配偶)[ ]?(?:姓名)?[:：] ?"
)
_WEAK = re.compile(
    rf"(?:患者|病人|病友|患儿|产妇|孕妇|伤者|死者|老人|本人|学生|职工|村民|居民|市民|{_RELATION}|我是|这是|她是|"
    rf"他是|您是|是|医生|大夫|医师|护士|主任|教授|"
    r"联系人?|找|问|请|给|帮|替|叫|为|由|挂了?|预约了?|带|送|陪|和|跟|与|同|感谢|谢谢|女士|先生|[0-9]床(?:的|"
    r"是)?|隔壁|对门|同村|病床)[ “\"「]?"
)
_FOLLOWER = re.compile(
    r"(?:$|主诉|打|帮|过|早|晚|喝|睡|喘|怀|问|反|走|告|量|测|用|叫|按|抽|输|[^\w]|[0-9A-Za-z]|今年|现年|今天|"
    r"今早|今晚|明天|昨|前天|前几|最近|近|上周|这|那|的|是|在|有|因|住|来|想|和|与|跟|说|男|女|于|已|患|出现|"
    r"被|从|去|"
    r"到|要|也|都|就|还|又|不|没|会|能|可以|上个?月|下午|上午|晚上|早上|电话|手机|身份证|年龄|岁|签|你|您|我|"
    r"她|他|老|吃|做|检查|刚|突|一直|"
    r"经|自|曾|发|咳|头|胃|肚|胸|腰|血|查|服|感|觉|手术|入院|出院|就诊|复|诊|感谢|给|帮|为|微信|床|家|吗|呢|吧|"
    r"了|，|以前|平时|目前|开|长|得|晕|摔|"
    rf"医生|大夫|主任|教授|护士|先生|女士|阿姨|大爷|奶奶|爷爷|{_RELATION})"
)
_SEX_OR_AGE = re.compile(
    rf"[ ,，、(（]{{1,2}}(?:性别[:：]?)?(?:男|女|[0-9]{{1,3}} ?岁|[{NUMBER_MASKS}]|(?:电话|手机|身份证|"
    rf"联系)[^，。\n]{{0,8}}[{NUMBER_MASKS}])|[{NUMBER_MASKS}]|[男女][,，、 ]"
)
_MOU = re.compile(r"(?:某[某甲乙丙]?|[×＊*○]{1,2}|[xX]{2}(?![A-Za-z])|[xX](?![A-Za-z0-9线光片射]))")
_LATIN = re.compile(
    r"(?:我叫|我是|名叫|姓名(?:是|为|:|：)?|名字(?:是|叫|:|：)|[Mm]y name is|[Ii] am|[Nn]ame(?::|：)|"
    r"[Pp]atient(?: name)?(?::|：)|我的英文名(?:是|叫)) ?"
    r"([A-Z][a-z]{1,14}(?:[ ·-][A-Z][a-z]{1,14}){1,3}|[A-Z][a-z]{2,14}|[A-Z]{2,12} [A-Z][a-zA-Z]{1,14})(?![A-Za-z])"
)
_FOREIGN = re.compile(rf"(?<![一-龥{NAME_MASK}])[一-龥]{{2,5}}(?:[·•・][一-龥]{{1,6}}){{1,3}}")
_PROSE = re.compile("[的了吗呢我你他她它这那不没很吃疼痛消调如会]")
_TITLE_AT_END = re.compile(r"(?:先生|女士|小姐|太太|医生|大夫|医师|主任|教授|博士|护士|老师)$")
_SURNAME_IS = re.compile(r"(?:我|本人|患者|他|她|免贵|医生|大夫|那个)?(?:(?<!百家)(?<!同名同)姓)(?!名|氏|什么|啥)")
_CLAUSE_AHEAD = re.compile(r"[一-龥]{2,3}(?:$|[，。；,;！!？?（( \n])")
_NICK = re.compile(r"(?:小|阿|老)([一-龥])|([一-龥])\2")
_NICK_CUE = re.compile(r"(?:小名|乳名|昵称|我|宝宝|孩子|女儿|儿子|他|她)叫(?:做)?|(?:小名|乳名)[:：]?")
_LIST = re.compile(r"(?:[、和与及，,/ ]|以及){1}")

_PREFIXED = re.compile(r"[老小](?=[一-龥])")
_PREFIXED_SURNAMES = frozenset("王李张刘陈杨赵吴周徐孙朱郭罗郑谢宋邓许冯曹彭曾蔡潘董袁余杜蒋魏吕丁沈姜崔谭陆范汪廖")


def find(text: str, known: set[str]) -> list[Found]:
    """Return the names in `text`; full names are added to `known` and found wherever else they stand."""
    spans: dict[int, int] = {}
    for start, end in (*_by_cue(text), *_by_title(text), *_by_shape(text), *_by_letters(text)):
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


def name_end(text: str, start: int, *, strict: bool, label: bool = False) -> int:
    """Return where a name that starts at `start` ends, or -1.

    `strict` asks for typical given-name characters and a plausible continuation, as a weak cue such as 我妈 needs;
    `label` believes names that are words (姓名：安静), because a form says so.
    """
    surname = _surname_length(text, start)
    if not surname or (not label and lexicon().has_word_at(text, start)):
        return -1
    given = start + surname
    masked = _MOU.match(text, given)
    if masked:
        return -1 if masked[0].startswith(("x", "X")) and text[start] in lexicon().loose else masked.end()
    first, second = text[given : given + 1], text[given + 1 : given + 2]
    if not _may_be_given(first) or _HARD_TITLE.match(text, given):
        return -1
    long = _may_be_given(second) and not _ends_before(text, given + 1) and (not strict or second in lexicon().given)
    end = given + 2 if long else given + 1
    if strict and not _is_typical(text, given, end, loose=text[start] in lexicon().loose and surname == 1):
        return -1
    return end


def _is_typical(text: str, given: int, end: int, *, loose: bool) -> bool:
    if any(character not in lexicon().given for character in text[given:end]):
        return False
    ends = bool(_FOLLOWER.match(text, end))
    return ends if loose or end - given == 1 else True


def _ends_before(text: str, place: int) -> bool:
    """Tell whether the text at `place` continues with a word that follows names rather than a given-name character."""
    if not _FOLLOWER.match(text, place):
        return False
    if text[place : place + 1] in lexicon().given:
        # 李有才 against 李强有点: the word ends the name unless it is itself the last character before a boundary
        after = text[place + 1 : place + 2]
        return bool(after) and (after.isalpha() and not re.match(r"[男女今]", after))
    return True


def _surname_length(text: str, start: int) -> int:
    if text[start : start + 2] in lexicon().compound:
        return 2
    first = text[start : start + 1]
    return 1 if first in lexicon().plain or first in lexicon().loose else 0


def _may_be_given(character: str) -> bool:
    return bool(character) and "一" <= character <= "龥" and character not in lexicon().not_given


def _by_cue(text: str) -> Iterator[tuple[int, int]]:
    for pattern, strict in ((_STRONG, False), (_COLON, True), (_WEAK, True)):
        for match in pattern.finditer(text):
            start = match.end()
            if strict and text[start - 1] in lexicon().bad_left.get(text[start : start + 1], ""):
                continue
            label = not strict and (match[0].rstrip()[-1:] in ":：" or bool(_CLAUSE_AHEAD.match(text, start)))
            end = name_end(text, start, strict=strict, label=label)
            weakest = strict and len(match[0]) == 1 and text[start : start + 1] in lexicon().loose and end - start == 2
            if weakest and text[end : end + 1].isalpha():
                continue
            if end > 0 and text[start:end] not in lexicon().public_figures:
                yield start, end
    for match in _SURNAME_IS.finditer(text):
        length = _surname_length(text, match.end())
        if length and re.match(r"$|[^\w]|的|叫|是|医|大夫|今|男|女", text[match.end() + length :][:2]):
            yield match.end(), match.end() + length
    for match in _NICK_CUE.finditer(text):
        nick = _NICK.match(text, match.end())
        if nick and _FOLLOWER.match(text, nick.end()) and (nick[1] or nick[2]) not in lexicon().not_given:
            yield nick.start(), nick.end()


def _by_title(text: str) -> Iterator[tuple[int, int]]:
    for match in _TITLE.finditer(text):
        end = match.start()
        for length in (4, 3, 2, 1):
            start = end - length
            if start >= 0 and _is_titled(text, start, end, match.end()):
                yield start, end
                break


def _is_titled(text: str, start: int, end: int, title_end: int) -> bool:
    surname = _surname_length(text, start)
    if not surname or surname > end - start:
        return False
    given = text[start + surname : end]
    if len(given) > 2 or (given and lexicon().has_word_at(text, start)) or text[start:end] in lexicon().public_figures:
        return False
    if _bad_left(text, start, loose=text[start] in lexicon().loose and surname == 1):
        return False
    if any(character not in lexicon().given for character in given):
        if given in ("某", "某某"):
            return True
        sure = _clause_start(text, start) and text[start] in lexicon().plain and bool(_HARD_TITLE.match(text, end))
        return sure and all(map(_may_be_given, given))
    if given or surname == 2:
        return bool(_HARD_TITLE.match(text, end)) or text[start] in lexicon().plain or surname == 2
    if text[start] in "祝向":
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
    return loose and before not in lexicon().safe_left


def _by_shape(text: str) -> Iterator[tuple[int, int]]:
    """Yield names that need no cue: 王秀兰, 张某某, 李娜（女，30岁）, 老张."""
    surnames = lexicon().plain | lexicon().loose
    for start, character in enumerate(text):
        if character in surnames:
            end = _shape_end(text, start)
            if end > 0:
                yield start, end
    for match in _PREFIXED.finditer(text):
        place = match.end()
        before = text[place - 2 : place - 1]
        if before == NAME_MASK or (
            "一" <= before <= "龥" and before not in lexicon().safe_left and before not in "壁事居友士护里的"
        ):
            continue
        words = lexicon().has_word_at(text, place - 1) or lexicon().has_word_at(text, place)
        if text[place] in _PREFIXED_SURNAMES and _FOLLOWER.match(text, place + 1) and not words:
            yield place, place + 1


def _shape_end(text: str, start: int) -> int:
    surname = _surname_length(text, start)
    loose = text[start] in lexicon().loose and surname == 1
    if lexicon().has_word_at(text, start) or _bad_left(text, start, loose=loose):
        return -1
    given = start + surname
    if _MOU.match(text, given):
        # a bare X is too often an X-ray or an unknown, so letters need a cue
        return (
            -1
            if text[given] in "xX" and text[given : given + 2].lower() != "xx"
            else name_end(text, start, strict=True)
        )
    end = name_end(text, start, strict=False)
    if end < 0:
        return -1
    if text[start:end] in lexicon().public_figures:
        return -1
    if end - given == 1 and not loose and _clause_start(text, start) and next(_listed(text, end), None):
        return end if text[given] in lexicon().given else -1
    if not _clause_start(text, start):
        return end if _is_full(text, given, end, loose=loose) and not loose else -1
    if _SEX_OR_AGE.match(text, end) or (_SEX_OR_AGE.match(text, given + 1) and not loose):
        return end if _SEX_OR_AGE.match(text, end) else given + 1
    return end if _is_full(text, given, end, loose=loose) and not loose else -1


def _is_full(text: str, given: int, end: int, *, loose: bool) -> bool:
    return end - given == 2 and not loose and all(character in lexicon().given for character in text[given:end])


def _clause_start(text: str, start: int) -> bool:
    before = text[start - 1 : start]
    return not before or not ("一" <= before <= "龥" or before == NAME_MASK)


def _by_letters(text: str) -> Iterator[tuple[int, int]]:
    for match in _LATIN.finditer(text):
        if match[1].lower() not in ("covid", "diabetes"):
            yield match.start(1), match.end(1)
    for match in _FOREIGN.finditer(text):
        if _PROSE.search(match[0]):
            continue
        title = _TITLE_AT_END.search(match[0])
        yield match.start(), match.end() - (len(title[0]) if title else 0)


def _listed(text: str, end: int) -> Iterator[tuple[int, int]]:
    """Yield names that follow another name in a list: 张伟、李娜和王芳."""
    while separator := _LIST.match(text, end):
        start = separator.end()
        end = name_end(text, start, strict=True)
        if end < 0 or text[start] in lexicon().loose or not _FOLLOWER.match(text, end):
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
