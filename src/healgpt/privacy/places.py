"""Beds and wards: a number beside 床, 病房 or 病区 in hospital wording; 卧床3天 and 500张床位 are not."""

import re
from collections.abc import Iterator

from healgpt.privacy.kinds import Found

_NUMBER = r"(?:[A-Za-z]?-?[0-9]{1,4}(?:-[0-9]{1,3})?|[一二三四五六七八九十]{1,3})"
_UNIT = r"(?:ICU|CCU|NICU|RICU|EICU|PICU|SICU|MICU)"
# one step on the way to a bed: a building, a floor, a wing, a ward, a department
_STEP = (
    rf"(?:(?:(?:住院|内科|外科|门诊|急诊|综合|病房|新|老|[东西南北])(?:部|大?楼)|{_NUMBER}号楼)|"
    rf"第?{_NUMBER}号?(?:楼|层|病?区|病?室|病?房(?!颤)|单元)|[A-Za-z东西南北](?:病?区|栋|座|楼|侧)|"
    rf"{_UNIT}|重症监护(?:室|病房)|监护室|抢救室|留观[室区]?|观察室|急诊|病房|产房|手术室|透析室|输液[室区]|层流|"
    r"(?:[心神呼消肾血内外骨妇产儿泌胸普肝肿感风老康皮眼]|肿瘤|神经|呼吸|心血管|消化|泌尿|内分泌|耳鼻喉)?"
    r"[^\W0-9A-Za-z_在住是的到去找我你他她妈爸了从转请问位扬诉谢]{0,4}[科外内](?:第?[0-9一二三四五六七八九十]{1,2}病?[区房])?)"
)
_WAY = rf"(?:{_STEP}[ ,，的]{{0,2}}){{0,4}}"
_THING_OF_BED = (
    r"(?![被褥单垫上下铺旁头棉毯罩的]?[被褥毯罩垫]|单[^元]|位[数共多]|[头边]柜|的?(?:栏杆|护栏|呼叫铃|呼叫器|插座|"
    r"灯|电视|床垫|窗))"
)
_BED = re.compile(
    rf"(?<![0-9A-Za-z.]){_WAY}(?:第|加|\+|＋)?"
    rf"(?:[A-Za-z]?-?[0-9]{{1,3}}(?:-[0-9]{{1,3}}|[A-Za-z])?|[一二三四五六七八九十]{{1,3}}) ?(?:号病?床|号暖箱|"
    rf"床)(?:位)?{_THING_OF_BED}"
    rf"|(?<![0-9A-Za-z.])(?:{_STEP}[ ,，的]{{0,2}}){{1,4}}病?床 ?[0-9]{{1,3}}(?![0-9张个天元])"
    rf"|(?<![0-9A-Za-z])(?:[心神呼外内][一-龥]?)?{_UNIT} ?[-—] ?[0-9]{{1,2}}(?![0-9天])"
    r"|(?:透析室?|输液[室区]|手术室|雾化室) ?[A-Za-z]?[0-9]{1,3} ?(?:号机|号位|号座|座|号间|机位)"
)
_COUNTED = re.compile(r"(?:[每有共设约盖买换洗近达超余添个张用铺晒了睡同挤满带]|床位|开放|编制)$")
_ROOM = re.compile(
    rf"{_WAY}(?<![0-9A-Za-z.])第?(?:[A-Z]?[0-9]{{2,4}}|[0-9]{{1,2}}|[一二三四五六七八九十]{{1,3}})"
    r"(?:号)?(?:病房|病室|病区)"
    r"|(?:[^\W0-9A-Za-z_在住是的到去找]{1,4}科|住院[部楼]|病房楼)(?:的)?[0-9]{3,4}(?:室|房)(?!颤)"
)
_LABELLED = re.compile(
    r"(?:床位号?|床号|病床号?|病房号?|房间号|病室号?|病区号?)(?:码)?(?:是|为|:|：)?[ :：]{0,2}"
    r"([A-Za-z]{0,2}[-]?[0-9]{1,4}(?:[-][0-9A-Za-z]{1,4})?|[一二三四五六七八九十]{1,3}(?=[,，。 ]|$))(?:号)?"
    r"(?![0-9A-Za-z%张个间元天])|(?<![一-龥0-9A-Za-z])床[ :：]?([0-9]{1,3})(?![0-9A-Za-z张个天元%.])"
)


def find(text: str) -> Iterator[Found]:
    """Yield bed and ward numbers, with the ward or department that stands directly before them."""
    for match in _LABELLED.finditer(text):
        number = 1 if match[1] else 2
        yield Found(match.start(number), match.end(number), "BED")
    for pattern in (_BED, _ROOM):
        for match in pattern.finditer(text):
            counted = _COUNTED.search(text[max(0, match.start() - 3) : match.start()])
            # 床位骨二科36床: a form's label, nothing counted
            if not counted or (counted[0] == "床位" and "科" in match[0]):
                yield Found(match.start(), match.end(), "BED")
