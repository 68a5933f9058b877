"""Structured identifiers: identity and travel documents, bank cards, plates, and what the sibling modules find.

What has a check digit is believed on its own; what has none needs a cue before it. A cue that names something else
(批号, 订单号, 国药准字…) overrules both. Every pattern is bounded, so the time is linear in the text.
"""

import re
from collections.abc import Iterator

from healgpt.privacy import accounts, phones, records
from healgpt.privacy.checksums import is_bank_card, is_identity_number, is_old_identity_number
from healgpt.privacy.kinds import Found, Kind

# five characters follow the letter of the city, or six for a new-energy car, whose first or last is D, F or the like
_PLATE = re.compile(
    r"(?<![A-Za-z])[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼] ?-?[A-HJ-Za-hj-z] ?[-·•.‧・∙ ]? ?"
    r"(?:[0-9DdFf](?=[A-Za-z0-9]*[0-9])[A-HJ-NP-Za-hj-np-z0-9][0-9]{4}|[0-9]{5}[DdFfA-HJKa-hjk]|"
    r"[DdFf](?=[A-Za-z0-9]{0,3}[0-9])[A-HJ-NP-Za-hj-np-z0-9]{5}|"
    r"(?=[A-Za-z0-9]{0,4}[0-9])[A-HJ-NP-Za-hj-np-z0-9]{5}警?|"
    r"[A-HJ-NP-Za-hj-np-z0-9]{3,4}[挂学警港澳领试超])(?![A-Za-z0-9])"
    r"|(?<![A-Za-z])WJ ?[一-龥]?[0-9]{4}[0-9A-Z]|(?<![一-龥])使[0-9]{6}(?![0-9])"
)
# after the word 车牌 the number may be cut short
_CUED_PLATE = re.compile(
    r"(?:车牌|车号|牌照|号牌)(?:号码?)?(?:是|为|:|：)?[ :：]{0,2}([一-龥][A-Z] ?[-·•.]? ?[A-Z0-9]{4,6})(?![A-Za-z0-9])"
)

_LONG_RUN = re.compile(r"(?<![0-9A-Za-z.])[0-9](?:[- ]?[0-9]){14,}[Xx]?(?![A-Za-z])")
_GROUP = re.compile(r"[0-9]+[Xx]?")
_IDENTITY_CUE = re.compile(r"(?:身份证|身份证件|公民身份|证件|ID ?card|IDcard)[^，。；,;\n]{0,10}$", re.IGNORECASE)
_CUED_IDENTITY = re.compile(
    rf"(?:身份证件?|公民身份|身份)(?:号码|号|证号)?{records.SAY}([1-9][0-9]{{16}}[0-9Xx]|[1-9][0-9]{{14}}|"
    r"[1-9][0-9]{5}[- ][0-9]{8}[- ][0-9]{3}[0-9Xx])(?![0-9A-Za-z])"
)
# travel and service documents have no check digit that a patient copies right, so their name must stand before
_DOCUMENT = re.compile(
    r"(?:(?:护照|通行证|台胞证|回乡证|军官证|士兵证|军人证|警官证|居留证|居留卡|永居证|驾驶证|驾照|出生证|"
    r"出生医学证明|户口[本簿]|结婚证|证件|[Pp]assport)"
    r"(?:[(（][^()（）\n]{0,8}[)）])?(?: ?(?:[Nn]o\.?|[Nn]umber))?(?:号码|编号|号)?(?:是|为|:|：)?[ :：#]{0,3})"
    r"([A-Za-z]{0,3}[0-9]{7,15}(?:[(（][0-9A-Z][)）])?|[A-Z][0-9]{6}[(（][0-9A][)）]|"
    r"[一-龥]{1,2}字?第?[0-9]{6,9}号?)(?![0-9A-Za-z年月日])"
)
_BANK_AFTER = re.compile(r"[ ，,(（]{0,3}[^，。；,;\n]{0,6}(?:银行|[工农建中交招][行]|卡|开户|储蓄)")
_BANK_CUE = re.compile(
    r"(?:银行|卡号|账号|账户|帐号|帐户|储蓄卡|信用卡|借记卡|工资卡|存折|邮储|信用社|农商|"
    r"[工农建中交招民兴浦光][商行]行?|行卡|退费|退款|退押金|转账|汇款|打款|打到|转到|退到|报销到|"
    r"[^医就诊][卡])[^，。；,;\n]{0,12}$"
)
_OTHER_NUMBER = re.compile(
    r"(?:批号|批次|批准文号|文号|准字|追溯码|溯源码|监管码|条形码|条码|二维码|订单|流水|运单|快递|单号|序列号|"
    r"产品编码|编码|"
    r"注册证|备案|货号|型号|设备|发票|国际标准书号|ISBN|DOI|S/?N|UDI|LOT|Lot|lot|生产许可|试剂|登记号NCT|NCT|"
    r"临床试验)"
    r"[^，。；;\n]{0,12}$",
)
_TELEPHONE = re.compile(r"(?:电话|手机号?|座机|联系方式)(?:是|为|:|：)?[ ]?$")
_LOOK_BACK = 24
_LONGEST_ACCOUNT = 21


def find(text: str) -> Iterator[Found]:
    """Yield identifiers; overlaps are possible, the surer kind comes first."""
    for found, weak in (*accounts.find(text), *records.find(text)):
        if not (weak and _names_another_number(text, found.start)):
            yield found
    for pattern in (_CUED_IDENTITY, _DOCUMENT):
        for match in pattern.finditer(text):
            yield Found(match.start(1), match.end(1), "ID_CARD")
    yield from _long_numbers(text)
    for found, weak in phones.find(text):
        if not (weak and _names_another_number(text, found.start)):
            yield found
    for match in _PLATE.finditer(text):
        yield Found(match.start(), match.end(), "PLATE")
    for match in _CUED_PLATE.finditer(text):
        yield Found(match.start(1), match.end(1), "PLATE")


def _long_numbers(text: str) -> Iterator[Found]:
    """Yield identity numbers and bank cards among long runs of digits, which may be grouped by blanks or dashes."""
    for run in _LONG_RUN.finditer(text):
        groups = [(run.start() + group.start(), run.start() + group.end()) for group in _GROUP.finditer(run[0])]
        before = text[max(0, run.start() - _LOOK_BACK) : run.start()]
        index = 0
        while index < len(groups):
            found, used = _number_at(text, groups, index, before)
            if found:
                yield found
            index += used


def _number_at(text: str, groups: list[tuple[int, int]], index: int, before: str) -> tuple[Found | None, int]:
    """Return what starts at group `index` and how many groups it takes; `before` is the text before the whole run."""
    digits = ""
    best: tuple[Found | None, int] = (None, 1)
    for count in range(1, min(20, len(groups) - index + 1)):
        start, end = groups[index + count - 1]
        digits += text[start:end]
        if len(digits) > _LONGEST_ACCOUNT:
            break
        kind = _kind_of(digits, before, text[end : end + 12])
        if kind:
            best = (Found(groups[index][0], end, kind), count)
    return best


def _kind_of(digits: str, before: str, after: str) -> Kind | None:
    cued = bool(_IDENTITY_CUE.search(before))
    if is_identity_number(digits) or (cued and len(digits) == 18):
        return "ID_CARD"
    if _OTHER_NUMBER.search(before) and not cued and not _BANK_CUE.search(before):
        return None
    if is_old_identity_number(digits):
        return "ID_CARD"
    banked = bool(_BANK_CUE.search(before) or _BANK_AFTER.match(after))
    if is_bank_card(digits) or (16 <= len(digits) <= _LONGEST_ACCOUNT and digits.isdigit() and banked):
        return "BANK_CARD"
    return None


def _names_another_number(text: str, start: int) -> bool:
    before = text[max(0, start - _LOOK_BACK) : start]
    # 工单号后面备注：回访电话0755-…: what is nearest to the number names it
    return bool(_OTHER_NUMBER.search(before)) and not _TELEPHONE.search(before)
