"""Names believed beside words of people and offices, though their characters say little: 投诉人沙金华, "
"由其子金成浩代述.

Here recall is bought with precision: a wrong guess hides one word, a missed one shows a person. Words that start
like a name, titles, regions and people of books are refused, and so is what does not end where a name would.
"""

import re
from collections.abc import Iterator

from healgpt.privacy import name_cues as cues
from healgpt.privacy.kinds import MASKS, NAME_MASK
from healgpt.privacy.lexicon import lexicon
from healgpt.privacy.name_guesses import DEED
from healgpt.privacy.name_likeness import WORDY
from healgpt.privacy.name_model import is_given, is_typical, may_be_given, rare_surname_length, surname_length

_ANY_MASK = f"[{''.join(MASKS.values())}]"
_HERE = rf"(?<![一-龥A-Za-z{NAME_MASK}])"
_PERSON = (
    r"(?:患者|病人|患儿|产妇|孕妇|伤者|死者|逝者|老人|家属|用户|客户|市民|网友|病友|群友|会员|业主|住户|村民|居民|租户|"
    r"旅客|学生|员工|职工|同事|同学|邻居|室友|联系人|经办人|投诉人|举报人|报案人|报警人|来电人|陪同人员?|陪护|护工|"
    r"监护人|代理人|委托人|受托人|投保人|被保险人|受益人|申请人|参保人|登记人|预约人|就诊人|体检人|献血者|捐献者|"
    r"志愿者|负责人|当事人|收件人|寄件人|取件人|取药人|代取人|签字人|签收人|见证人|术者|主刀|[一二]助|助手|作者|"
    r"[医药护技][生师士]|大夫|护士长?|主任|院长|教授|专家|医护|技师|司机|保姆|月嫂|社工|客服|坐席|店员|老师|"
    r"其[子女夫妻父母弟妹兄姐哥孙媳婿]|[长次]子|[长次]女|养[子女]|儿媳妇?|女婿|本人|名字|姓名|大名|署名|签名|签字|落款|"
    r"[陪咨检验化放超影心营麻][一-龥]?师|[一-龥]{2}员|[一-龥]{2}人|[一-龥](?<!或)者|证明|兹有|接诊|带教|规培生?|"
    r"实习生?|进修生?|值班|跟台|会诊)"
)
_VERB = (
    r"(?:联系|通知|转告|感谢|表扬|投诉|点名|提醒|委托|授权|陪同|护送|登记|预约|挂号|代取|转给|交给|发给|寄给|"
    r"留给|帮我找)"
)
_END = (
    rf"(?=$|[^\w]|{_ANY_MASK}|今[年天早晚]|[男女](?:[，,、 。0-9]|性|$)|[0-9]|来电|致电|反映|反馈|投诉|表示|要求|"
    rf"称[，,：:]|说|"
    r"讲|问|复诊|复查|签[字名收]|陪[同护着伴]|联系|预约|代[取诉述办签领理]|取药|取报告|住院|出院|入院|转院|就诊|来诊|"
    r"因|于|诉|自述|主诉|的(?!确)|已|昨|前天|明天|本周|上周|下周|夫妇|一家|俩|两[位人])"
)
_AFTER_ROLE = re.compile(rf"(?:{_PERSON}|{_VERB})(?:是|叫|为|给)?[：: “\"「]{{0,2}}([一-龥]{{2,3}}?){_END}")
_ROLE_SURNAME = re.compile(
    r"(?:[医药护技][生师士]|大夫|护士|(?:审核|核对|检验|检查|报告|复核|签名|签字|记录|主刀|一助)者?[：:]) ?[：:]? "
    r"?([一-龥])(?=$|[，,。；; 、/）)])"
)
_STRONG_DEED = re.compile(
    rf"{_HERE}([一-龥]{{2,3}}?)(?=来电|致电|反映|反馈|投诉|复诊|签[字收]|陪同|陪护|代[取诉述办签领]|打来电话|"
    rf"说[她他自已家]|的(?:家属|妈妈|爸爸|儿子|女儿|老公|老婆|病历|报告|检查单|化验单|片子|床位|号)|[，,] ?(?:男|"
    rf"女)[，,。 ])"
)
_TITLED = re.compile(
    r"([一-龥])(?=(?:医生|大夫|医师|主任|教授|护士长?|院长|老师|先生|女士|小姐|阿姨|大爷|大妈|师傅|奶奶|爷爷|叔叔)"
    rf"(?:$|[^\w]|{_ANY_MASK}|[，,。！!？?]|您|你|说|今|昨|的|在|让|看|给|开|吗|投诉|反映|来电|咨询|预约|号|那|好|已|"
    rf"不|[A-Za-z0-9]))"
)
_FREE = re.compile(rf"(?:^|[^一-龥]|{_ANY_MASK}|{_PERSON}|{_VERB}|[找跟让叫问给挂被听和与由请加到见谢是位名])$")
_OLD = re.compile(
    rf"(?:{_HERE}|(?<=[和跟给帮替找问让是我友家人事居叫哥上理手带有到的])|(?<=我家)|"
    rf"(?<=邻居))([老小])([一-龥])(?={cues.FOLLOWER.pattern})"
)
_NOT_OLD = frozenset("叶麦谷艾苗芦兰林桂葛毛白黄汤姜龙虎年是有家人时区单于米全向花蓝祖官路成车古公同方师段水海红包")
_SHORT_KIN = re.compile(
    r"(?:(?<=[找加问叫喊跟给帮让])|(?<=联系)|(?<=感谢)|(?<=谢谢)|"
    r"(?<![一-龥A-Za-z]))([阿小]?[^\W0-9A-Za-z_阿小大老哥姐婶嫂姨表堂二三四五])"
    rf"(?=(?:姐(?!姐)|哥(?!哥)|姨(?!妈)|婶|嫂)(?:[，,。！!？? ：:]|$|{_ANY_MASK}|说|家|的|你|您|在|那))"
)
_NICK = re.compile(
    rf"(?:{_HERE}|(?<=[找叫跟给帮让吃问是和])|(?<=联系)|(?<=通知))(阿[一-龥])(?=$|[，,。！!？?：: ]|[姨姐哥叔婶嫂婆]|"
    rf"{_ANY_MASK}|说|的|来|今|昨|做|你|在|家)"
)
_NICK_SEX = re.compile(rf"{_HERE}((?:小[一-龥])|[一-龥]{{2}})(?=[，,、 ][男女][，,、 ])")
_CALLED_FIRST = re.compile(
    r"(?:^|(?<=[。！!？?\n]))([一-龥]{2,3})(?=[，,！!：:] ?(?:你|请|我|咱|妈|爸|爷|奶|姥|快|记得|麻烦|帮|明天|"
    r"今天|晚上|下班|在吗|别))"
)
_HAILED = re.compile(
    r"(?:^|(?<=[。！!？?\n]))([一-龥]{2})(?=啊[，,！!]|呀[，,！!]|[，,！!](?:药|吃|在|血|体温|快|晚|明|下|回|来|"
    r"检查|报告|今|昨))"
)
_ONE_CALLED = re.compile(r"一个叫([一-龥]{2})(?=一个|[，,。、；;和]|$)")
_HIS_KIN = re.compile(
    rf"(?:{_HERE}|(?<=[和跟给帮替找问让是]))([一-龥]{{2,3}})(?=[他她](?:爸|妈|爹|娘|奶|爷|哥|姐|弟|妹|媳|老婆|老公|"
    rf"姨|舅|叔))"
)
# 请费凡到收费处, 由沙金华代办: something is asked of someone or done for someone
_HANDLED = re.compile(
    rf"(?:[由请叫让跟和与给替帮陪找问带送接催等]|[感谢]谢|通知|急诊科|[内外骨妇儿]科)([一-龥]{{2,3}}?)(?={DEED}|医生|"
    rf"大夫|护士|主任|教授|"
    r"[到去来](?:[一-龥]{0,5}[处室科院台门窗诊]|取|拿|看|做|抽|挂|办|拍)|[代挂取拿开约]|看[看病下一]|一[起块]|做|"
    r"办理|送|补|的|签|出院|住院|转[院科])"
)
_DOER = re.compile(
    rf"{_HERE}([一-龥]{{2,3}}?)(?={DEED}|来电|反映|复诊|签字|陪同|陪着|家属|[他她](?:爸|妈)|本人|同意|拒绝|要求|"
    rf"[，,：: ] ?请[到来您你往去])"
)
# 今日出院：李勤、杨过河、单洪
_LIST = re.compile(
    r"(?:[：:]|名单|包括|有|通知|病人|患者) ?((?:[一-龥]{2,3}[、，, /]){1,30}[一-龥]{2,3})(?=$|[^一-龥]|[等共])"
)
_ITEM = re.compile(r"[一-龥]{2,3}")
# 随访对象：季风，; 今天门诊：周敏 感冒；吴江 复查
_LABELLED = re.compile(r"(?:[一-龥]{2,8}[：:] ?|[；;] ?|[(（])([一-龥]{2,3})(?=$|[，,。；;、\n)） ])")
_OWNS = re.compile(rf"[，,、 ]{{1,2}}(?:现?家?住(?:址|在|于)?|电话|手机|联系电话|地址)?[：: ]?{_ANY_MASK}")
_PEOPLE_LABEL = re.compile(
    r"(?:对象|代表|登记|通知单?|门诊|今日|今天|[人者员师医士名签班床诉访号到送验检核录方主])[：:] ?$|[(（]$"
)
# 李想的妈妈, 我弟弟（应伟）
_OF_KIN = re.compile(
    rf"(?:{_HERE}|(?<=[是和跟给找问]))([一-龥]{{2,3}}?)(?=(?:的|是[我她他])?(?:妈妈|爸爸|奶奶|爷爷|外婆|姥姥|家长|家属|老公|老婆|"
    rf"爱人|儿子|女儿|"
    r"母亲|父亲|妻子|丈夫)(?:$|[^一-龥]|[想问咨您你说给叫今昨来也是电反要同拒已正]))"
)
_GIVEN_DEED = re.compile(
    rf"(?:{_HERE}|(?<=[我你他她]家)|(?<=[我咱]们)|(?<=[和跟给帮替找问让是叫请的]))([一-龥]{{2}}?)(?={DEED}|[他她]|"
    rf"来电|去[缴取拿做看抽办]|今[天早]|昨[天晚]|的(?:妈|爸|奶奶|爷爷|报告|疫苗本|作业|学校))"
)
_NO_ROLE = re.compile(
    r"[的了吗呢是在有和就也都及或等已未请可如何应该须需]|[主单者员方科室部院区]$|^[本该某各每全多几这那其此]|时间|"
    r"情况|方式|"
    r"电话|手机|成功|医生|大夫|护士|主任|家属|先生|女士|证明|信息|[后前时中内外上下]$|[事件]$|[病症炎癌药针片膏汤]"
)


def find(text: str) -> Iterator[tuple[int, int]]:
    """Yield where names stand beside words of people, asking little of their characters."""
    for match in _AFTER_ROLE.finditer(text):
        if _plausible(text, *match.span(1)):
            yield match.span(1)
    for match in _STRONG_DEED.finditer(text):
        name = match[1]
        if _plausible(text, *match.span(1)) and (is_typical(name[-1]) or (len(name) > 2 and is_given(name[1]))):
            yield match.span(1)
    for match in (*_HANDLED.finditer(text), *_DOER.finditer(text)):
        if _plausible(text, *match.span(1)) and _likely(match[1]):
            yield match.span(1)
    for match in _LABELLED.finditer(text):
        labelled = bool(_PEOPLE_LABEL.search(match[0][: -len(match[1])]))
        plausible = _plausible(text, *match.span(1)) and (labelled or _likely(match[1]))
        if plausible or (labelled and _word_name(match[1]) and _OWNS.match(text, match.end())):
            yield match.span(1)
    for match in _OF_KIN.finditer(text):
        if _plausible(text, *match.span(1)) or _word_name(match[1]) or _given_like(match[1]):
            yield match.span(1)
    yield from _listed(text)
    yield from _surnames(text)
    yield from _nicknames(text)
    yield from _given_names(text)


def _plausible(text: str, start: int, end: int) -> bool:
    """Tell whether the characters could be a full name at all: a surname, then one or two that are no grammar."""
    name = text[start:end]
    length = surname_length(text, start) or rare_surname_length(text, start)
    given = name[length:]
    # 乔大年: 年 ends names as well
    aged = len(given) == 2 and given[-1] == "年"
    if not length or not 1 <= len(given) <= 2 or not all(map(may_be_given, given[:1] if aged else given)):
        return False
    if _NO_ROLE.search(name) or WORDY.search(name) or cues.HARD_TITLE.match(text, start + length):
        return False
    if name in lexicon().regions or name in lexicon().public_figures or name in lexicon().fictional:
        return False
    if text[start : start + 3] in lexicon().words:
        return False
    if lexicon().has_word_at(text, start) and not (len(given) == 2 and is_typical(given[-1])):
        return False
    return any(map(is_given, given))


def _likely(name: str) -> bool:
    """Tell whether a name without a word of people beside it has enough of one."""
    given = name[2:] if name[:2] in lexicon().compound else name[1:]
    if name[0] in lexicon().rare:
        return False
    sure = name[0] in lexicon().plain or len(given) == 2
    return all(map(is_given, given)) and (sure or all(map(is_typical, given)))


def _word_name(name: str) -> bool:
    """Tell whether a word is at least spelt like a name: 李想, 高兴."""
    first = name[0] in lexicon().plain | lexicon().loose
    return first and len(name) == 2 and is_given(name[1]) and not _NO_ROLE.search(name)


def _listed(text: str) -> Iterator[tuple[int, int]]:
    """Yield the items of a list in which every one could be a name and most are likely."""
    for match in _LIST.finditer(text):
        items = [(match.start(1) + item.start(), match.start(1) + item.end()) for item in _ITEM.finditer(match[1])]
        fitting = [span for span in items if _plausible(text, *span)]
        likely = sum(_likely(text[start:end]) for start, end in fitting)
        if len(fitting) == len(items) and likely * 2 >= len(items):
            yield from fitting


def _surnames(text: str) -> Iterator[tuple[int, int]]:
    """Yield surnames alone: 检查医师：褚, 投诉柳医生, 我家老高."""
    known = lexicon().plain | lexicon().loose
    for match in _ROLE_SURNAME.finditer(text):
        if match[1] in known and match[1] not in "成方明有时都同":
            yield match.span(1)
    for match in _TITLED.finditer(text):
        start = match.start()
        sure = match[1] in known and match[1] not in cues.WORDS_BEFORE_TITLES | frozenset(
            "祝向代应占于管全单原别有时成"
        )
        left = text[max(0, start - 6) : start]
        if sure and _FREE.search(left) and left[-1:] not in tuple(lexicon().bad_left.get(match[1], "")):
            yield match.span(1)
    for match in _OLD.finditer(text):
        surname = match[2] in known and match[2] not in _NOT_OLD and (match[1] == "老" or match[2] in lexicon().plain)
        if surname and not lexicon().has_word_at(text, match.start(2)):
            yield match.span(2)


def _nicknames(text: str) -> Iterator[tuple[int, int]]:
    for match in _SHORT_KIN.finditer(text):
        if is_typical(match[1][-1]):
            yield match.span(1)
    for match in _NICK.finditer(text):
        if is_given(match[1][1]) and match[1][1] not in "司托普尔达加拉里维莫昔立比片胶姨婆公":
            yield match.span(1)


def _given_names(text: str) -> Iterator[tuple[int, int]]:
    """Yield given names alone where someone is spoken to or of: 美琪，你妈…, 晓峰他爸, 小玲，女."""
    for match in _NICK_SEX.finditer(text):
        if _given_like(match[1]) or (match[1][0] == "小" and is_typical(match[1][1])):
            yield match.span(1)
    for pattern in (_CALLED_FIRST, _ONE_CALLED, _HIS_KIN, _HAILED, _GIVEN_DEED):
        for match in pattern.finditer(text):
            full = len(match[1]) == 3 and _plausible(text, *match.span(1)) and is_typical(match[1][-1])
            if full or (len(match[1]) == 2 and _given_like(match[1])):
                yield match.span(1)


def _given_like(name: str) -> bool:
    words = lexicon().words | lexicon().no_given_names
    pet = name[0] == name[1] and is_typical(name[0])
    plain = pet or name in lexicon().common_given or (all(map(is_given, name)) and any(map(is_typical, name)))
    return plain and name not in words and name not in lexicon().doubled_words and all(map(may_be_given, name))
