"""Postal addresses: a chain of administrative and street units that reaches below a district.

A city or province alone is no address, nor is the name of a hospital; 尿路, 心室 and 病区 end like street words, so a
single unit never counts without a cue such as 家住.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from healgpt.privacy.kinds import Found
from healgpt.privacy.lexicon import lexicon

# characters that end a name to the left; names that hold one are listed first in _NAME
_STOP = "的了在住是到于从来去我你您他她它和与及有这那哪每个把被为找给往得着就也还没不要说叫寄送搬址籍您处离"
_HAN = f"[^\\W0-9A-Za-z_{_STOP}〇]"
_KEPT = "和平|和田|和谐|和县|和顺|和睦|和龙|从化|从江|于洪|于都|来宾|来安|为民|离石|有恒"
_NAME = rf"(?:(?:{_KEPT})|{_HAN}){{1,7}}?"
_CN = "一二三四五六七八九十百零〇"
_INT = rf"(?:[0-9]{{1,5}}|[{_CN}]{{1,4}}|[A-Za-z][0-9]{{0,3}}|[甲乙丙丁])"

_TAIL = re.compile(r" ?[-—]?[A-Za-z]?[0-9]{1,4}(?:[-—][0-9]{1,4}){0,3}(?![0-9A-Za-z年月日天岁次个点元%])")
_DASHED = re.compile(r" ?[A-Za-z]?[0-9]{1,3}(?:[-—][0-9]{1,4}){1,3}(?:号|室)?(?![0-9A-Za-z年月日天岁次个点元%])")
_GAP = re.compile(r"[ ·]{0,2}")

_ENGLISH = re.compile(
    r"(?:(?:Room|Rm\.?|Unit|Apt\.?|Flat|Building|Bldg\.?|No\.?|Block) ?[A-Z]?[0-9]{1,5}[A-Z]?,? ?){1,4}"
    r"(?:[A-Z][A-Za-z]{1,15} ){1,3}(?:Road|Rd|Street|St|Avenue|Ave|Lane|Boulevard)\b\.?(?:, ?[A-Z][A-Za-z]{1,15}){0,4}"
)
_CROSSING = re.compile(rf"{_NAME}[路街道巷](?:与|和|、|跟){_NAME}[路街道巷](?:交叉口|交汇处?|路口|十字路口|交界)")

_CUE = re.compile(
    r"(?:地址|住址|住所|住处|家住|住在|居住在|居住于|居住|现居|现住|常住|暂住|租住|户籍|户口|籍贯|老家|寄到|"
    r"寄往|邮寄|快递到|送到|"
    r"来自|家在|家是|住)[^，。；,;\n0-9A-Za-z]{0,4}?[:：是为在于到]?[ :：]{0,2}$"
)
_LEAD = re.compile(r"(?:老家|我家|家住|家|原籍|户籍|户口|住|现居|现|居住|自|请|暂|租)+")
_LABEL = re.compile(r"(?:地址|住址|住所|户籍地|居住地|籍贯)(?:是|为|:|：)?[ :：]{0,2}$")
_INSTITUTION = re.compile(
    r"[^\s，。；：、,;!?！？的了我在]{0,12}?(?:医院|卫生院|卫生室|卫生所|诊所|门诊|药店|药房|疾控|妇幼|保健院|"
    r"卫生服务|急救中心|体检中心|医学院|"
    r"大学|学院|派出所|公安局|卫健委|医保局|法院|血站|精神卫生)"
)
_GENERIC = re.compile(
    r"(?:^(?:农|山|乡|渔|全|本|同|各|某|城中|邻|几个|回|出|进)村$|超市|小区$(?<=^小区)|"
    r"^[各全本某市郊城社地疫灾山景校园病战远近当战禁时误盲雷特矿林牧新旧老这那几整][区镇县市乡路街]|"
    r"[心腹胸腰骶臀颈背枕额颞腋肾肝脑膜脏痛皮骨肩髂眼鼻咽喉耳足腿臂膝股][前后上下左右中内外旁周缘侧]?[区室道]$|"
    r"尿路|尿道|肠道|阴道|[气食胆产乳输泪耳鼻肛]道|通道|管道|赛道|道道|知道|味道|人道|力道|频道|渠道|轨道|报道|"
    r"茶道|[呼消]\w*道|生殖道|"
    r"走路|道路|马路$(?<=^马路)|公路$(?<=^公路)|一路|"
    r"[通回电线思网套铁旁门上下半绕迷弯带赶短断退出活让开顺同]路|传导\w*路|"
    r"街上|上街|逛街|[分小药对照实]\w?组|部队|排队|医疗队|循环|血环|花环|光环|[病诊]区|急诊|手术|冷镇|"
    r"[麻痛]\w*镇|^[集城]镇$|^(?:[一同两本这]|员工|学生|单位|集体|职工|公司|学校|大)?间?(?:宿舍|公寓|别墅|大厦|"
    r"广场|花园)$|^同一间?宿舍$|"
    r"医院|卫生|科室|病房|护士|患者)"
)


@cache
def _units_pattern() -> re.Pattern[str]:
    short = "|".join(lexicon().regions)
    return re.compile(
        rf"(?P<C0>(?:{short})(?:省|市|自治州|州|地区|盟|(?:壮族|回族|维吾尔)?自治区|"
        rf"特别行政区)?(?![东西南北中一二三]{{0,2}}(?:[路街道巷弄里]|大道|大街|小区|花园|新村)))"
        rf"|(?P<B>(?:第)?{_INT}(?:号?[栋幢座]|号楼|#楼?|# ?楼|号院?楼|栋楼))"
        rf"|(?P<U>{_INT}(?:单元|门(?=[0-9]|\s)|门洞|梯))"
        rf"|(?P<S>[A-Za-z]?(?:[0-9]{{1,5}}|[{_CN}]{{2,4}})(?:-[0-9]{{1,4}}){{0,3}}(?:号?室|号?房(?!颤|缺|性|"
        rf"间隔|水)|户(?!外|口)))"
        rf"|(?P<L>[A-Z]区|(?:[0-9]{{1,3}}|[{_CN}]{{1,3}})(?:楼|层))"
        rf"|(?P<G>第?(?:[0-9]{{1,3}}|[{_CN}]{{1,3}}|[东西南北上下前后])(?:村民小组|小组|组|委(?:[0-9]{{1,3}}组)?|"
        rf"生产队|队|社(?!区|保|"
        rf"会|交|工))(?:[0-9]{{1,4}}号)?)"
        rf"|(?P<N>(?:[0-9]{{1,3}}排)?[甲乙丙丁]?(?:[0-9]{{1,5}}|"
        rf"[{_CN}]{{1,5}})(?:[-—之][0-9]{{1,4}}){{0,2}}(?:号院|号|弄|巷|"
        rf"条(?=[0-9]))(?:[甲乙丙丁])?(?:之[一二三四五六七八九0-9])?)"
        rf"|(?P<D>{_NAME}(?:自治县|新区|开发区|经开区|高新区|工业园区?|产业园|(?<![小社病诊院校园])区|县|旗))"
        rf"|(?P<P>{_NAME}(?:省|自治区|自治州))"
        rf"|(?P<C>{_NAME}(?:(?<![城超都])市(?![场民面区售政]|花园|中心)|地区|盟))"
        rf"|(?P<X>{_NAME}(?:小区|花园|花苑|公寓|家园|嘉园|佳园|新村|新苑|名苑|雅苑|家属院|家属楼|宿舍|大院|大厦|"
        rf"广场|公馆|华府|别墅|山庄|"
        rf"雅居|新城|华庭|豪庭|名邸|一品|国际|中心花园|苑|里(?=[0-9一二三四五六七八九十])|坊|湾(?=[0-9])|"
        rf"城(?=[0-9A-Z])|(?:绿洲|花都|江南|门第|时代|天街|半岛|天下|名府|首府|学府|壹号|华城|星城|金城|银座|大楼|"
        rf"科学园|软件园|科技园|创意园|院子|丽舍|香舍|国际城|尚城|湾|岛)"
        rf"(?=[0-9A-Z一二三四五六七八九十]{{1,3}}(?:号楼|栋|幢|座|期|区|[-—][0-9]))|"
        rf"[园府庭轩邸](?=[0-9A-Z一二三四五六七八九])|"
        rf"[一二三四五六七八九东西南北0-9]区|[一二三四五六七八九0-9]期))"
        rf"|(?P<T>{_NAME}(?:街道办?|镇|乡|苏木|民族乡))"
        rf"|(?P<V>{_NAME}(?:行政村|[庄屯寨店]村|自然村|村委会|社区|村|屯|庄|寨|嘎查|农场|林场|大队))"
        rf"|(?P<R>{_NAME}(?:[东西南北中内外]大?[街路]|大街|大道|马路|公路|路|街|巷子?|胡同|弄|道|环|里弄|横街|支路)"
        rf"(?:[一二三四五六七八九十东西南北中]+(?:段|路|街|巷))?)"
    )


@dataclass(frozen=True, slots=True)
class _Unit:
    start: int
    end: int
    level: str


def find(text: str) -> Iterator[Found]:
    """Yield addresses, longest chain first from the left."""
    for pattern in (_ENGLISH, _CROSSING):
        for match in pattern.finditer(text):
            yield Found(match.start(), match.end(), "ADDRESS")
    chain: list[_Unit] = []
    for unit in _units(text):
        if chain and not _GAP.fullmatch(text, chain[-1].end, unit.start):
            yield from _judged(text, chain)
            chain = []
        chain.append(unit)
    yield from _judged(text, chain)


def _units(text: str) -> Iterator[_Unit]:
    pattern = _units_pattern()
    place = 0
    while match := pattern.search(text, place):
        level = match.lastgroup or ""
        if level != "C0" and _GENERIC.search(match[0]):
            # a generic word may hide a real unit that starts inside it, so go on one character later
            place = match.start() + 1
            continue
        yield _Unit(match.start(), match.end(), "C" if level == "C0" else level)
        place = match.end()


def _judged(text: str, chain: Sequence[_Unit]) -> Iterator[Found]:
    if not chain:
        return
    start, end = chain[0].start, chain[-1].end
    lead = _LEAD.match(text[start : chain[0].end - 2])
    start += lead.end() if lead else 0
    # a district that swallowed its city counts as both
    levels = "".join(
        "CD" if unit.level == "D" and "市" in text[unit.start : unit.end] else unit.level for unit in chain
    )
    before = text[max(0, start - 12) : start]
    tail = None
    if levels[-1] in "BU" or (levels[-1] == "N" and "R" in levels):
        tail = _TAIL.match(text, end)
    elif (levels[-1] in "XRVN" and len(levels) > 1) or levels == "X":
        tail = _DASHED.match(text, end)
    if tail:
        end, levels = tail.end(), levels + "S"
    if _is_address(levels, before) and not _names_institution(text, end, levels, before):
        yield Found(start, end, "ADDRESS")


def _is_address(levels: str, before: str) -> bool:
    have = set(levels)
    if _LABEL.search(before) and have & set("DTVRXBUSG"):
        return True
    if _CUE.search(before) and (have & set("DTVRX") or {"B", "S"} <= have):
        return True
    if "R" in have and have & set("NBUSX"):
        return True
    if "X" in have and have & set("NBUSDRT"):
        return True
    if ("B" in have and have & set("US")) or {"U", "S"} <= have:
        return True
    if "V" in have and have & set("TDGCPNB"):
        return True
    return (bool(have & set("T")) and bool(have & set("DCGR"))) or (
        "D" in have and bool(have & set("RN")) and len(have) > 2
    )


def _names_institution(text: str, end: int, levels: str, before: str) -> bool:
    """A chain that runs into 医院 and has no house number is that institution's name."""
    if set(levels) & set("BUS") or _LABEL.search(before):
        return False
    return bool(_INSTITUTION.match(text[end : end + 20]))
