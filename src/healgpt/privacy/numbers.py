"""Structured identifiers: identity numbers, phones, bank cards, record and insurance numbers, e-mail, chat, plates.

What has a check digit is believed on its own; what has none needs a cue before it. A cue that names something else
(批号, 订单号, 国药准字…) overrules both. Every pattern is bounded, so the time is linear in the text.
"""

import re
from collections.abc import Iterator

from healgpt.privacy.checksums import is_bank_card, is_identity_number, is_old_identity_number
from healgpt.privacy.kinds import Found, Kind

_SAY = (
    r"(?:号码|号|码|编号)?(?:\([^()\n]{0,8}\))? ?(?:分别)?"
    r"(?:是|为|:|：|=|#|→|填的?是|填写|写的?是|No\.?|NO\.?)?[ :：]{0,3}"
)

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63} ?@ ?"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,4}[A-Za-z]{2,12}(?![A-Za-z0-9])"
)

_RECORD_CUES = (
    "住院病历|住院流水|住院登记|住院|门诊病历|门诊卡|门诊登记|门诊|病案|病历本|病历|病例|就诊卡|就诊登记|"
    "就诊序|就诊|诊疗卡|就医卡|"
    "登记|档案|健康档案|健康卡|急诊|病理|影像|放射|超声|检查单|检查|体检|患者|病人|挂号单?|医疗卡|[CM]T|CT|"
    "MRI?|DR|X光片|X线|B超|片子?|门急诊|电子病历|标本|样本|检验单?|化验单?|报告单|申请单|透析|内镜|胃镜|肠镜|心电图?|"
    "核磁|磁共振|产检|建档|围产|母子手册|接种证|就医|诊疗|病区"
)
_RECORD = re.compile(
    rf"(?:(?:{_RECORD_CUES})(?:号码|编号|单号|序号|号|码|ID|id|Id)|(?<![A-Za-z])(?:MRN|PID|ID号)(?![A-Za-z])|"
    rf"(?:病案|就诊卡|诊疗卡|门诊卡|健康卡)(?=[:：])){_SAY}"
    r"([A-Za-z]{0,6}[-_]?[0-9](?:[-_]?[A-Za-z0-9]){2,23})(?![A-Za-z0-9])"
)
# a card or a file without the word 号: 诊疗卡GZ8827301丢了; bare digits only after cards, elsewhere they are dates
_BARE_RECORD = re.compile(
    r"(?:(?:就诊|诊疗|门诊|就医|医疗|健康|诊断|一卡通)卡(?:是|为|:|：)?[ :：]{0,2}(?=[A-Za-z]{0,4}[0-9]{6})|"
    r"(?:病案|病历本?|病例|住院|门诊|急诊|登记|档案)(?:是|为|:|：)?[ :：]{0,2}(?=[A-Za-z]{1,4}-?[0-9]{5}))"
    r"([A-Za-z]{0,4}[-_]?[0-9](?:[-_]?[A-Za-z0-9]){4,23})(?![A-Za-z0-9年月日元%])"
)
_BARE_INSURANCE = re.compile(
    r"(?:医保|社保|农合|合作医疗|医疗证|社会保[障险]|医疗保险|参[保合]|惠民保|[一-龥]险|投保|保险|保险?单|理赔|报案|赔案|结案)"
    r"(?:卡|证|单|账户|个人)?(?:的)?(?:号码|编号|号|码|ID|id)?(?:是|为|:|：|=)?[ :：]{0,2}"
    r"((?:[A-Za-z]{1,6}[-_]?(?=[0-9-]{6})|(?=[0-9]{8}))[0-9](?:[-_]?[A-Za-z0-9]){5,23})(?![A-Za-z0-9年月日元块%.])"
)
_INSURANCE = re.compile(
    r"(?:医保电子凭证|医保个人|医保卡|医保证|医保|社保卡|社保|社会保障卡?|社会保险卡?|医疗保险证?|医疗证|"
    r"新农合证?|农合证?|"
    r"合作医疗证?|参保人?|参合|商业保险单?|保险单|保单|公费医疗证?|居民健康卡)(?:的)?"
    r"(?:(?:个人)?(?:卡号|证号|单号|账号|号码|编号|个人编号|号|码|ID|id)|(?<=[卡证])(?=[:：是为 ]))"
    rf"{_SAY}([A-Za-z]{{0,6}}[-_]?[0-9](?:[-_ ]?[A-Za-z0-9]){{4,23}})(?![A-Za-z0-9])"
)
_WECHAT = re.compile(
    r"(?:(?<![A-Za-z])(?:(?:微信|薇信|威信|V信|v信|we ?chat|WeChat|Wechat|WECHAT|weixin|Weixin)(?:账号|帐号|"
    r"号码|号|id|ID|Id)?|"
    r"(?:vx|VX|Vx|wx|WX|Wx)号?|加我?[vV]|[+][vV]|加我?个?微信?|加微信?|(?:徽|胃|围|薇)信号?|加?卫星号?|绿泡泡|[vV]号?(?=[:：]))"
    r" ?(?:\((?:同手机|同号)\))?(?:我的?|的|是|为|叫|搜|加|:|：|=)?[ :：，,]{0,3})"
    r"([A-Za-z](?:[-_]?[A-Za-z0-9_]){4,30}|1[3-9][0-9]{9}|[1-9][0-9]{5,11})(?![A-Za-z0-9_])(?! ?@)"
)
# further from its cue an account must look like one: a letter first, and a digit or a line inside
_FAR_WECHAT = re.compile(
    r"(?:微信|薇信|威信|VX|vx|wx)(?!群|公众|小程序|支付|运动)[^。！？!?\nA-Za-z0-9]{1,14}"
    r"((?=[A-Za-z_-]{1,18}[0-9]|[A-Za-z]{1,18}[-_])[A-Za-z](?:[-_]?[A-Za-z0-9_]){5,19})(?![A-Za-z0-9_@])"
)
_QQ = re.compile(
    r"(?:(?<![A-Za-z])[Qq][Qq]|扣扣|企鹅|(?:秋秋|球球|抠抠|叩叩)(?=号|[:：0-9])|(?<![A-Za-z0-9])[Qq](?=号|[:：])|"
    r"(?:加我?|我的?|扣)[Qq扣](?=[:：0-9 ]))(?:群|邮箱)?(?:账号|帐号|号码|号|ID|id)?"
    r" ?(?:我的?|的|是|为|搜|加|:|：|=)?[ :：]{0,3}([1-9][0-9]{4,11})(?![A-Za-z0-9@步元块毫])"
)

_S = r"[-—–· .]"
_MOBILE_HEAD = r"1(?:3[0-9]|4[014-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])"
_PHONE = re.compile(
    r"(?<![0-9A-Za-z.])(?:\(?(?:\+|00)86\)?[- ]?|86[- ])?"
    rf"{_MOBILE_HEAD}(?:[0-9]{{8}}|{_S}[0-9]{{4}}{_S}[0-9]{{4}}|{_S}[0-9]{{8}}|[0-9]{{4}}{_S}[0-9]{{4}}|"
    rf"[0-9]{_S}[0-9]{{3}}{_S}[0-9]{{4}}|[0-9]{_S}[0-9]{{4}}{_S}[0-9]{{3}}|{_S}[0-9]{{3}}{_S}[0-9]{{5}}|"
    rf"{_S}[0-9]{{5}}{_S}[0-9]{{3}}|[0-9]{{2}}{_S}[0-9]{{6}}|[0-9]{{3}}{_S}[0-9]{{5}})(?![0-9A-Za-z%])(?!\.[0-9])"
)
_SPELT_PHONE = re.compile(r"(?<![0-9] )(?<![0-9])1(?: [3-9])(?: [0-9]){9}(?! ?[0-9])")
_CHINESE_PHONE = re.compile(
    r"(?<![零〇一二三四五六七八九幺])[一幺][三四五六七八九][零〇一二三四五六七八九幺]{9}(?![零〇一二三四五六七八九幺])"
)
_WORD_PHONE = re.compile(
    r"(?<![A-Za-z])((?:[Tt]el|TEL|[Pp]hone|[Mm]obile|wx|vx|VX|WX|[Vv])[.:]?)(1[3-9][0-9]{9})(?![0-9A-Za-z])"
)

# two-digit codes belong to the municipalities and five large cities, three-digit ones start with 3 to 9
_AREA = r"0(?:10|2[0-57-9]|[3-9][0-9]{2})"
_LANDLINE = re.compile(
    rf"(?<![0-9A-Za-z.])(?:(?:\+|00)?86[- ]?(?:\(0\))?(?:10|2[0-57-9]|[3-9][0-9]{{2}})[- ]|"
    rf"\(?{_AREA}\)?[- ]{{0,2}}|\({_AREA}\) ?)"
    r"(?:[2-8][0-9]{6,7}|[2-8][0-9]{2,3}[- ][0-9]{4})(?:(?: ?转 ?|-|,|"
    r" ?分机 ?)[0-9]{1,6})?(?![0-9A-Za-z%])(?!\.[0-9])"
)
_LOCAL_LINE = re.compile(
    r"(?:座机|固定电话|固话|家庭电话|家里电话|住宅电话|宅电|办公电话|单位电话|办公室电话|联系电话|电话)(?:号码|号)?"
    r" ?(?:是|为|:|：|打)?[ :：]{0,2}([2-8][0-9]{6,7}|"
    r"[2-8][0-9]{2,3}[- ][0-9]{4})(?:转[0-9]{1,5})?(?![0-9A-Za-z%.年月日-])"
)

_PLATE = re.compile(
    r"(?<![A-Za-z])[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Za-hj-z] ?[-·•.‧・]? ?"
    r"(?:[0-9DdFf](?=[A-Za-z0-9]*[0-9])[A-HJ-NP-Za-hj-np-z0-9][0-9]{4}|[0-9]{5}[DdFfA-HJKa-hjk]|"
    r"(?=[A-Za-z0-9]{0,4}[0-9])[A-HJ-NP-Za-hj-np-z0-9]{5}|[A-HJ-NP-Za-hj-np-z0-9]{4}[挂学警港澳领])(?![A-Za-z0-9])"
)

_LONG_RUN = re.compile(r"(?<![0-9A-Za-z.])[0-9](?:[- ]?[0-9]){14,}[Xx]?(?![A-Za-z])")
_GROUP = re.compile(r"[0-9]+[Xx]?")
_IDENTITY_CUE = re.compile(r"(?:身份证|身份证件|公民身份|证件|ID ?card|IDcard)[^，。；,;\n]{0,10}$", re.IGNORECASE)
_CUED_IDENTITY = re.compile(
    rf"(?:身份证件?|公民身份|身份)(?:号码|号|证号)?{_SAY}([1-9][0-9]{{16}}[0-9Xx]|[1-9][0-9]{{14}}|"
    r"[1-9][0-9]{5}[- ][0-9]{8}[- ][0-9]{3}[0-9Xx])(?![0-9A-Za-z])"
)
_BANK_CUE = re.compile(
    r"(?:银行|卡号|账号|账户|帐号|帐户|储蓄卡|信用卡|借记卡|工资卡|[工农建中交招]行)[^，。；,;\n]{0,12}$"
)
_OTHER_NUMBER = re.compile(
    r"(?:批号|批次|批准文号|文号|准字|追溯码|溯源码|监管码|条形码|条码|二维码|订单|流水|运单|快递|单号|序列号|"
    r"产品编码|编码|"
    r"注册证|备案|货号|型号|设备|发票|国际标准书号|ISBN|DOI|S/?N|UDI|LOT|Lot|lot|生产许可|试剂|登记号NCT|NCT|"
    r"临床试验)"
    r"[^，。；;\n]{0,12}$",
)
_LOOK_BACK = 24


def find(text: str) -> Iterator[Found]:
    """Yield identifiers; overlaps are possible, the surer kind comes first."""
    yield from _whole(_EMAIL, text, "EMAIL")
    yield from _group(_INSURANCE, text, "INSURANCE")
    yield from _guarded(_BARE_INSURANCE, text, "INSURANCE")
    yield from _record(text)
    yield from _guarded(_BARE_RECORD, text, "MEDICAL_RECORD")
    yield from _group(_WECHAT, text, "WECHAT")
    yield from _guarded(_FAR_WECHAT, text, "WECHAT")
    yield from _group(_QQ, text, "QQ")
    yield from _group(_CUED_IDENTITY, text, "ID_CARD")
    yield from _long_numbers(text)
    yield from _phones(text)
    yield from _whole(_PLATE, text, "PLATE")


def _whole(pattern: re.Pattern[str], text: str, kind: Kind) -> Iterator[Found]:
    for match in pattern.finditer(text):
        yield Found(match.start(), match.end(), kind)


def _group(pattern: re.Pattern[str], text: str, kind: Kind) -> Iterator[Found]:
    for match in pattern.finditer(text):
        yield Found(match.start(1), match.end(1), kind)


def _guarded(pattern: re.Pattern[str], text: str, kind: Kind) -> Iterator[Found]:
    for match in pattern.finditer(text):
        if not _names_another_number(text, match.start(1)):
            yield Found(match.start(1), match.end(1), kind)


def _record(text: str) -> Iterator[Found]:
    for match in _RECORD.finditer(text):
        if sum(character.isdigit() for character in match[1]) >= 3:
            yield Found(match.start(1), match.end(1), "MEDICAL_RECORD")


def _phones(text: str) -> Iterator[Found]:
    for match in _PHONE.finditer(text):
        if not _names_another_number(text, match.start()):
            yield Found(match.start(), match.end(), "PHONE")
    yield from _whole(_SPELT_PHONE, text, "PHONE")
    yield from _whole(_CHINESE_PHONE, text, "PHONE")
    for match in _WORD_PHONE.finditer(text):
        yield Found(match.start(2), match.end(2), "PHONE")
    for match in _LANDLINE.finditer(text):
        if not _names_another_number(text, match.start()):
            yield Found(match.start(), match.end(), "LANDLINE")
    for match in _LOCAL_LINE.finditer(text):
        yield Found(match.start(1), match.end(), "LANDLINE")


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
        if len(digits) > 19:
            break
        kind = _kind_of(digits, before)
        if kind:
            best = (Found(groups[index][0], end, kind), count)
    return best


def _kind_of(digits: str, before: str) -> Kind | None:
    cued = bool(_IDENTITY_CUE.search(before))
    if is_identity_number(digits) or (cued and len(digits) == 18):
        return "ID_CARD"
    if _OTHER_NUMBER.search(before) and not cued and not _BANK_CUE.search(before):
        return None
    if is_old_identity_number(digits):
        return "ID_CARD"
    if is_bank_card(digits) or (16 <= len(digits) <= 19 and digits.isdigit() and _BANK_CUE.search(before)):
        return "BANK_CARD"
    return None


def _names_another_number(text: str, start: int) -> bool:
    return bool(_OTHER_NUMBER.search(text[max(0, start - _LOOK_BACK) : start]))
