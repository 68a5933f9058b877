"""Names believed on thin evidence, in places where a wrong guess harms little: a table row, a chat line, a pet name.

A name that is a word (甘露), a surname that is a word first of all (凤, 时) or a given name alone is taken for a person
only beside something that persons alone have: a telephone, an address, a sex, a parent, a stay in hospital.
"""

import re
from collections.abc import Iterator

from healgpt.privacy import name_cues as cues
from healgpt.privacy.kinds import MASKS, NAME_MASK
from healgpt.privacy.lexicon import lexicon
from healgpt.privacy.name_likeness import WORDY, likeness
from healgpt.privacy.name_model import is_given, is_typical, may_be_given, surname_length

_ANY_MASK = f"[{''.join(MASKS.values())}]"
_HERE = rf"(?<![一-龥A-Za-z{NAME_MASK}])"
_END = r"(?=$|[^一-龥])"
DEED = (
    r"(?:又|也|都|刚|才|就|还|一直|总|老是|突然|半夜|夜里)?(?:今天|今早|今晚|昨天|昨晚|前天|上周|上个月|这两天|"
    r"这几天|最近|"
    r"去年|今年|刚才|刚刚|现在|打电话|[说讲](?:[她他自肚头胸腰腿嗓]|不舒服|没事|疼)|问|住院|出院|入院|转院|复诊|复查|"
    r"术后|查出|确诊|发烧|发热|高烧|低烧|咳嗽|感冒|拉肚子|腹泻|吐[了奶]|呕吐|摔|晕倒|骨折|怀孕|流产|生了|去世|走了|"
    r"没[来去吃]|被|打球|跑步|骑车|上学|放学|及其|明天|后天|精神|不[肯想愿]|来[过了电]|"
    r"[两三四五六七八九十0-9]{1,2}(?:周?岁|个月)|的(?:妈|爸|奶奶|爷爷|家长|家属|儿子|女儿|老公|老婆|"
    r"报告|片子|化验|检查|胃镜|肠镜|CT|B超|核磁|彩超|血|尿|药|病|烧|手术|住院|伤口|腿|腰|电话))"
)
_AT_HOME = re.compile(rf"[，,] ?{MASKS['ADDRESS']}")
_FIELD = re.compile(rf"{_HERE}[一-龥]{{2,4}}(?![一-龥])")
# a sex, an age, a number or an address after a field: 甘露，〔地址1〕
_PERSONAL = re.compile(
    rf"[，,、;； 　/|:：()（）]{{0,3}}(?:{_ANY_MASK}|[男女](?:[，,、 /|；;)）0-9。]|性|$)|[0-9]{{1,3}} ?(?:周?岁|"
    rf"个月大)|"
    r"[一-龥]{1,4}族(?!群)|[一-龥]{1,4}(?:国籍|籍)(?=$|[，,。；;)） ]))"
)
_SEX_AND_AGE = re.compile(r"[，,、 ]{1,2}[男女]性?[，,、 ]{1,2}[0-9]{1,3} ?(?:岁|个月|[，,。 ])")
# who is written before a name without a colon: 村医麻建设, 访客郎倩, 受托人车立军
_ROLE = re.compile(
    r"(?:村医|校医|厂医|队医|访客|来客|登记名|登记人|来访人|来访者|受托人|委托人|承办人|护理员|护士长|管理员|保健员|"
    r"联络员|联系人|家庭医生|网格员|社工|志愿者|责任人|责任护士|值班医[生师]|当班护士|主班|管床医?|主刀|麻醉医[生师]|"
    r"周[一二三四五六日]|一助|二助|助手|器械|巡回|麻醉|住院医[生师]?|接诊|供者|受者|捐献者|陪床|陪同|陪护|护送|"
    r"代办人|取药人|监护人|经办人|客服|调解员|快递员|外卖员|骑手|店长|导诊|"
    r"村民|居民|职工|员工|学员|学生|教师|新生|考生|战士|退役军人|低保户|租客|租户|业主|户主|住户|车主|房主|"
    r"病友|网友|群友|老同学|老同事|老邻居|老战友|老伴|爱人|姐姐|哥哥|弟弟|妹妹|母亲|父亲|妻子|丈夫|儿子|女儿)"
)
_SURGERY = re.compile("主刀|[一二]助|助手|器械|巡回|麻醉|住院医|接诊")
# labels with a colon after which a name stands: 值班：, 护士签名：, 慢病随访：
_LABEL = re.compile(
    r"(?:[值当交接主副]班|医[生师]?|护士?|技师|药师|人|者|员|签名|签字|署名|落款|主刀|一助|二助|助手|麻醉|"
    r"随访|回访|登记|来访|候诊|就诊|叫号|投诉|表扬|寄送?|收[货件]|通知|姓名|大名|名字|患者|联系|预约|挂号|陪同|探视|"
    r"门诊|住院|出院|转科|转出|转入|新收|[男女]方|父|母|夫|妻|子|女|队长|组长|组员|班长|老师)[：:] ?$|"
    r"[儿亲人字名属友子女夫妻母父章][)）][：: ]?$"
)
_AFTER_NAME = re.compile(r"$|[，,。；;、/|(（)） 　\n]")
# 柏青|呼吸科, 付云 高血压: a row of a table or a list of the day's patients
_ROW = re.compile(
    r"(?:(?<=[|｜；;：:\n、])|(?<=[0-9][.．、) ])|(?<=[0-9] )|^|(?<=[：:；;|] )|(?<=\ue00d )|(?<=\ue00d))"
    r"([一-龥]{2,3})[ 　]{0,2}[|｜ 　\t，,][ 　]{0,2}"
    r"(?=[一-龥]{0,7}(?:病|炎|癌|症|瘤|血压|痛风|骨折|结石|出血|术后|科(?:$|[ |｜，。])|梗死?|瘫|疹|哮喘|衰竭?|贫血|"
    r"出院|入院|转科|禁食|空腹|陪护|剖宫产|顺产|孕[0-9])|[男女](?:[ |｜，,0-9]|$)|待产)"
)
_CHAT = re.compile(r"(?:^|(?<=\n))([一-龥]{2,4})(?=[：:](?![0-9]))")
_STAMPED = re.compile(
    r"(?:(?:^|"
    r"(?<=\n))([一-龥]{2,4})(?=[ 　]{1,2}(?:(?:20)?[0-9]{2}[-/.])?(?:[0-9]{1,2}[-/.][0-9]{1,2} )?(?:[01]?[0-9]|"
    r"2[0-3])[:：][0-5][0-9])|"
    r"(?:(?<=[0-9][\]】])|(?<=[0-9][\]】] )|(?<=[:：][0-5][0-9] ))([一-龥]{2,4})(?=[：:]))"
)
# 关山月复诊, 费霖住院: a full name at the start of a clause that does what patients do
_PATIENT = re.compile(rf"{_HERE}([一-龥]{{3,4}}?)(?={DEED})")
_OLD_MASTER = re.compile(r"(?<![一-龥A-Za-z])([一-龥])老(?=[的您说今昨，,：:来]|$)")
_WORD_TITLED = re.compile(rf"{_HERE}([一-龥]{{2,3}})(?=女士|先生|小姐|小朋友)")
_NO_WORD_TITLED = re.compile(
    r"[高大超]龄|单身|[成老中青壮]年|年[轻长老]|时[尚髦]|[未已离]婚|白领|金领|尊敬|亲爱|[各这那有某多几两全]|康师|"
    r"万宝|都市|安利|全体"
)
# a name of four characters, both surnames of the parents first: 陈李雨桐
_DOUBLE = re.compile(rf"{_HERE}([一-龥]{{4}})(?=$|[，,。；;、（(： :的今昨]|{DEED}|女士|先生|同学|小朋友)")
# 俞快住在〔地址1〕, 顾盼的电话是〔手机号1〕
_HOLDER = re.compile(
    rf"{_HERE}([一-龥]{{2,4}}?)(?:现?家?住(?:址|在|于)?|户籍|(?:家)?的?(?:联系)?(?:电话|手机|号码|微信|邮箱|QQ|"
    rf"身份证|地址|"
    rf"住址|住院号|病历号|医保卡?|车牌|账号|卡号|生日)号?码?)"
    rf"(?:就?是|为|在|[:：])?[ ]?{_ANY_MASK}"
)
_GIVEN_TO = re.compile(
    rf"(?:[寄发转交打拿留送递]给|收[件货]人?[:：]?|快递给)([一-龥]{{2,3}})(?=[，,、 ；;(（]{{0,2}}(?:{_ANY_MASK}|"
    rf"电话|手机|地址))"
)
_NICK = re.compile(
    rf"(?:(?<![一-龥{NAME_MASK}])|(?<=[刚和跟给帮替带让陪问找叫是我她他，才家村楼屋里的]))([小大老阿][一-龥](?:子|"
    rf"儿|头|伢|仔)?)(?={DEED})"
)
_KIN_NICK = re.compile(rf"{cues.RELATIVE.pattern}([小老阿][一-龥])(?={cues.FOLLOWER.pattern})")
# 阿娇, 小敏 after a relative need nothing behind them
_KIN_TYPICAL = re.compile(rf"{cues.RELATIVE.pattern}([小阿][一-龥])")
# 阿珍姨, 小芳姐: a nickname with a title
_NICK_TITLE = re.compile(
    rf"(?:{_HERE}|(?<=[和跟给帮找是]))([小阿][一-龥])(?=(?:姨|姐|哥|叔|婶|嫂|婆|妹|弟)(?![姨姐哥叔婶嫂妹弟]))"
)
_NO_NICK = re.compile(
    r"小[时学区组孩便腿肠脑儿心米麦姐妹弟伙朋众型产结夜年肚手脚声程巧于气家可宝菜龙青柴金建白黄花草鱼生康球波动静"
    r"艾茴蓝绿粉寒暑满三二叶苏红明伤睡指趾关面诊所肌]|"
    r"大[家夫人哥姐叔妈爷伯娘爸婶嫂便腿脑肠小概约量部多年学豆蒜枣黄麦米"
    r"一二三四五六七八九]|老[师人年公婆板家乡爸妈爹娘弟妹姐哥大二三四五伴头是]|"
    r"阿[司莫奇托替卡昔米普立维仑胶片是尔苯洛魏瑞达德糖加比帕法姨婆公伯拉里根爸妈爷奶哥姐弟妹叔]"
)
# among the common given names, what is a thing where no relative stands before it
_THINGS = frozenset(
    [
        "银花",
        "金花",
        "兰花",
        "荷花",
        "菊花",
        "梅花",
        "莲花",
        "雪花",
        "桂花",
        "和平",
        "胜利",
        "建设",
        "国庆",
        "白云",
        "明月",
        "卫星",
        "春花",
    ]
)
_PETS = frozenset("米果豆糖宝贝妞妮萌悠橙柚乐朵团圆点嘟兜毛球虎牛兔丫蛋嘻笑甜安心")
_PET = re.compile(
    rf"(?:(?<![一-龥{NAME_MASK}])|(?<=[家里]的))([一-龥])\1(?={DEED}|[拉吐咳烧感肚头半一两三四五六七八九十0-9总老有从对])"
)
_BARE = re.compile(
    rf"(?<![一-龥{NAME_MASK}])([一-龥]{{2}})(?=(?:又|也|刚|已经?|昨天|今天|昨晚|今早|前天|上周)?"
    r"(?:住院|出院|怀孕|生了|去世|晕倒|摔倒|摔了|骨折了|发烧了|发高烧|高烧|被确诊|确诊|做了手术|打电话|说[她他自]))"
)
_COMMON = re.compile(
    rf"(?:{_HERE}|(?<=[和跟给帮替让找是的、])|{cues.RELATIVE.pattern}|{cues.CHILD.pattern})([一-龥]{{2}})"
    rf"(?=(?:叔|婶|哥|姐|姨|嫂|伯|爷|奶奶|大[爷妈叔婶哥姐娘])?(?:{DEED}|{cues.FOLLOWER.pattern}))"
)
_TITLED_COMMON = re.compile(rf"{_HERE}([一-龥]{{2}})(?=叔|婶|哥(?!哥)|姐(?!姐)|嫂|大[爷妈叔婶哥姐娘])")
# 佳怡、佳慧: given names of sisters
_SISTERS = re.compile(rf"{cues.RELATIVE.pattern}([一-龥]{{2}})(?:[、和跟与]|以及)([一-龥]{{2}})")
_SPEAKS = re.compile(rf"{_HERE}([一-龥]{{2}})(?=说[她他自]|来电|打电话)")
# 呼延灼的CT: a compound surname is sure enough
_COMPOUND = re.compile(rf"{_HERE}([一-龥]{{3,4}}?)(?={DEED}|$|[，,。：:])")
_FILLED_IN = re.compile(
    r"(?:联系人|收件人|收货人|姓名|名字|户名)(?:就?[填写留报])(?:的是|的|为)?([一-龥]{2,3}?)(?=就|[，,。]|吧|即可|$)"
)
_VIETNAMESE = re.compile(r"[阮黎范裴邓武陈黄胡吴]氏[一-龥]{1,2}(?=$|[，,。；;、（( 女]|今|的|来)")
_LATIN_SPEAKER = re.compile(
    r"(?<![A-Za-z ])([A-Z][a-z]{2,12}(?: [A-Z][a-z]{1,14})?)(?= ?(?:[说讲](?:[她他我自]|不)|的(?:妈妈|爸爸|老公|"
    r"老婆|孩子|儿子|"
    r"女儿|家长|家属|先生|太太)|今年[0-9]))"
)
_LATIN_SEX = re.compile(
    r"(?<![A-Za-z])([A-Z][a-z]{1,12} [A-Z][a-z]{1,14}(?:[ -][A-Z][a-z]{1,14})?)(?=,? ?(?:[(（])? ?(?:(?:fe)?male|"
    r"[MF](?:[ ,)/]|$)|"
    r"[0-9]{1,3}(?:[ -]?(?:y/?o|yrs?|years?|M|F)))|, (?:DOB|age|ID))"
)
# compound surnames that are directions, places and kin as well
_PLACES = frozenset(["东方", "西门", "南门", "东郭", "南郭", "百里", "长孙", "端木", "鲜于"])
_SOUND, _SURE = 2, 3
_LONGEST_SIMPLE = 3


def find(text: str) -> Iterator[tuple[int, int]]:
    """Yield where names stand by the company they keep; see the module for what that is."""
    yield from (match.span() for match in _FIELD.finditer(text) if _is_field(text, *match.span()))
    for pattern, least in (
        (_ROW, _SOUND),
        (_CHAT, _SURE),
        (_HOLDER, 1),
        (_GIVEN_TO, _SOUND),
        (_PATIENT, _SURE),
        (_SPEAKS, 1),
        (_FILLED_IN, 1),
    ):
        for match in pattern.finditer(text):
            if likeness(text, *match.span(1)) >= least or (pattern is _GIVEN_TO and _all_given(match[1])):
                yield match.span(1)
    for match in _STAMPED.finditer(text):
        group = 1 if match[1] else 2
        given = len(match[group]) == 2 and _all_given(match[group]) and any(map(is_typical, match[group]))
        if given or likeness(text, *match.span(group)) >= 1:
            yield match.span(group)
    yield from _titled(text)
    yield from _after_roles(text)
    yield from _nicknames(text)
    yield from _given_alone(text)
    yield from _foreign(text)


def _is_field(text: str, start: int, end: int) -> bool:
    """Tell whether what stands between punctuation is a name: 甘露，〔地址1〕, 值班：高翔."""
    if _AT_HOME.match(text, end) and end - start <= _LONGEST_SIMPLE:
        # a word as a name
        known = text[start] in lexicon().plain or text[start] in lexicon().loose
        return known and not WORDY.search(text[start:end])
    points = likeness(text, start, end)
    beside = _PERSONAL.match(text, end) or _LABEL.search(text[max(0, start - 6) : start])
    return bool(points >= _SOUND and beside) or bool(points >= 1 and _SEX_AND_AGE.match(text, end))


def _foreign(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_LATIN_SPEAKER, _LATIN_SEX):
        for match in pattern.finditer(text):
            if match[1].split()[0].lower() not in cues.NOT_LATIN:
                yield match.span(1)
    for match in _VIETNAMESE.finditer(text):
        if text[match.start()] in "阮黎裴" or not lexicon().has_word_at(text, match.start()):
            yield match.span()


def _titled(text: str) -> Iterator[tuple[int, int]]:
    for match in _OLD_MASTER.finditer(text):
        if match[1] in lexicon().plain:
            yield match.span(1)
    for match in _COMPOUND.finditer(text):
        if (
            surname_length(text, match.start()) == 2
            and match[1][:2] not in _PLACES
            and likeness(text, *match.span(1)) >= _SOUND
        ):
            yield match.span(1)
    for match in _WORD_TITLED.finditer(text):
        known = surname_length(text, match.start()) and not WORDY.search(match[1])
        if known and not _NO_WORD_TITLED.match(match[1]) and all(map(may_be_given, match[1][1:])):
            yield match.span(1)
    for match in _DOUBLE.finditer(text):
        first, second, *given = list(match[1])
        parents = first in lexicon().plain and second in lexicon().plain | lexicon().loose
        if (
            parents
            and all(map(is_given, given))
            and any(map(is_typical, given))
            and not lexicon().has_word_at(text, match.start())
        ):
            yield match.span(1)


def _all_given(pair: str) -> bool:
    return not lexicon().has_word_at(pair, 0) and all(map(is_given, pair)) and not WORDY.search(pair)


def _after_roles(text: str) -> Iterator[tuple[int, int]]:
    for match in _ROLE.finditer(text):
        start = match.end()
        for end in (start + 3, start + 2):
            follows = _AFTER_NAME.match(text, end) or text[end : end + 1] in tuple("代报来签的说打记说述反")
            if (
                end <= len(text)
                and follows
                and likeness(text, start, end) >= (_SOUND if _SURGERY.search(match[0]) else _SURE)
            ):
                yield start, end
                break


def _nicknames(text: str) -> Iterator[tuple[int, int]]:
    surnames = lexicon().plain | lexicon().loose
    for pattern in (_NICK, _KIN_NICK, _NICK_TITLE):
        for match in pattern.finditer(text):
            nick = match[1]
            if _NO_NICK.match(nick) or not may_be_given(nick[1]):
                continue
            if nick[1] in surnames if nick[0] in "老大" else is_given(nick[1]) or nick[1] in surnames:
                yield match.span(1)
    for match in _KIN_TYPICAL.finditer(text):
        if is_typical(match[1][1]) and not _NO_NICK.match(match[1]):
            yield match.span(1)
    for match in _PET.finditer(text):
        if match[1] * 2 not in lexicon().doubled_words and (is_given(match[1]) or match[1] in _PETS):
            yield match.start(), match.start() + 2


def _given_alone(text: str) -> Iterator[tuple[int, int]]:
    """Yield given names alone: common ones, those of sisters, those before what befalls only people (景文住院了)."""
    for pattern in (_COMMON, _TITLED_COMMON):
        for match in pattern.finditer(text):
            if match[1] in lexicon().common_given and match[1] not in _THINGS:
                yield match.span(1)
    for match in _SISTERS.finditer(text):
        if _all_given(match[1]) and _all_given(match[2]) and any(map(is_typical, match[1] + match[2])):
            yield match.span(1)
            yield match.span(2)
    for match in _BARE.finditer(text):
        pair = match[1]
        person = cues.RELATIVE.match(pair) or cues.KIN.match(pair) or pair in lexicon().regions or pair[0] == "一"
        if _all_given(pair) and any(map(is_typical, pair)) and not person:
            yield match.span(1)
