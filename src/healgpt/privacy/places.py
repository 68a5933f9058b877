"""Beds and wards: a number beside 床, 病房 or 病区 in hospital wording; 卧床3天 and 500张床位 are not."""

import re
from collections.abc import Iterator

from healgpt.privacy.kinds import Found

_NUMBER = r"(?:[A-Za-z]?-?[0-9]{1,4}(?:-[0-9]{1,3})?|[一二三四五六七八九十]{1,3})"
_WARD = rf"(?:(?:(?:住院|内科|外科|门诊)?(?:部|大?楼)|[A-Za-z东西南北]区)?{_NUMBER}(?:楼|层|号楼)(?:[东西南北A-Z]区)?)?"
_ZONE = (
    rf"(?:[东西南北A-Z]?{_NUMBER}?病[区室]|第?{_NUMBER}号?病[区房室]|第{_NUMBER}病[区房室]|"
    r"(?:ICU|CCU|NICU|RICU|EICU|PICU|重症监护室|重症监护病房|监护室|抢救室|留观室|急诊|病房)|"
    r"(?:[心神呼消肾血内外骨妇产儿泌胸普肝肿感风老康皮眼]|肿瘤|神经|呼吸|心血管|消化|泌尿|内分泌|耳鼻喉)?"
    r"[一-龥]{0,3}科(?:第?[0-9一二三四五六七八九十]病[区房])?)"
)
_BED = re.compile(
    rf"(?<![0-9A-Za-z.])(?:{_WARD}[ ,，]?(?:{_ZONE})[ ,，的]{{0,2}})?(?:第|加|\+|＋)?"
    r"(?:[A-Za-z]?-?[0-9]{1,3}(?:-[0-9]{1,3})?|[一二三四五六七八九十]{1,3}) ?(?:号病?床|床)(?:位)?"
    r"(?![被褥单垫上下铺旁头棉毯罩的]?[被褥毯罩垫]|单[^元]|位[数共多]|[头边]柜)"
)
_COUNTED = re.compile(r"(?:[每有共设约盖买换洗近达超余添个张用铺晒了]|床位|开放|编制)$")
_ROOM = re.compile(
    rf"(?:(?:{_WARD}[ ]?(?:[心神呼消肾血骨妇产儿]?[一-龥]{{0,3}}科)?)?(?<![0-9A-Za-z.])第?(?:[A-Z]?[0-9]{{2,4}}|"
    rf"[0-9]{{1,2}}|[一二三四五六七八九十]{{1,3}})"
    r"(?:号)?(?:病房|病室|病区))"
)
_LABELLED = re.compile(
    r"(?:床位号?|床号|病床号?|病房号?|房间号|病室号?|病区号?)(?:码)?(?:是|为|:|：)?[ :：]{0,2}"
    r"([A-Za-z]{0,2}[-]?[0-9]{1,4}(?:[-][0-9A-Za-z]{1,4})?)(?:号)?(?![0-9A-Za-z%张个间元])"
)


def find(text: str) -> Iterator[Found]:
    """Yield bed and ward numbers, with the ward or department that stands directly before them."""
    for match in _LABELLED.finditer(text):
        yield Found(match.start(1), match.end(1), "BED")
    for match in _BED.finditer(text):
        if not _COUNTED.search(text[max(0, match.start() - 3) : match.start()]):
            yield Found(match.start(), match.end(), "BED")
    for match in _ROOM.finditer(text):
        if not _COUNTED.search(text[max(0, match.start() - 3) : match.start()]):
            yield Found(match.start(), match.end(), "BED")
