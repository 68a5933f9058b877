"""Numbers under which a hospital or an insurer files someone: they have no check digit and need a word before them.

A number after any 号, 编号 or ID is taken for a record unless the word names a thing (批号, 订单号, 设备编号).
"""

import re
from collections.abc import Iterator

from healgpt.privacy.kinds import Found, Kind

SAY = (
    r"(?:号码|号|码|编号)?(?:[(（][^()（）\n]{0,8}[)）])? ?(?:分别)?"
    r"(?:就?是|为|:|：|=|#|→|填的?是?|填写|写的?是|No\.?|NO\.?)?[ :：#]{0,3}"
)
_VALUE = r"[A-Za-z]{0,6}[-_]?[0-9](?:[-_/]?[A-Za-z0-9]){2,23}"
_NOT_AFTER = r"(?![A-Za-z0-9])"

_CUES = (
    "住院病历|住院流水|住院登记|住院|门诊病历|门诊卡|门诊登记|门诊|病案|病历本|病历|病例|就诊卡|就诊登记|"
    "就诊序|就诊|诊疗卡|就医卡|"
    "登记|登记卡|档案|健康档案|健康卡|急诊|病理|影像|放射|超声|检查单|检查|体检|患者|病人|挂号单?|医疗卡|[CM]T|CT|"
    "MRI?|DR|X光片|X线|B超|片子?|门急诊|电子病历|标本|样本|检验单?|检验条|化验单?|报告单?|报告查询|申请单|透析|内镜|"
    "胃镜|肠镜|心电图?|"
    "核磁|磁共振|产检|建档|建册|围产|母子手册|接种证|就医|诊疗|病区|处方|手术|随访|入组|受试者|筛选|出院小结|"
    "诊断证明|院内|转诊|转院|会诊|唯一标识|标识|腕带|取片|取药|取报告的?|"
    "预约|排队|血型卡|献血证?|供血|冰冻|蜡块|切片|卡片|医院的?卡|看病的?卡|就诊的?卡"
)
_RECORD = re.compile(
    rf"(?:(?:{_CUES})(?:卡|单|证)?(?:上面?|里)?的?(?:号码|编号|单号|序号|条码|条形码|号|码|ID|id|(?<=标识))|"
    r"(?<![A-Za-z])(?:ID ?号|HIS号|(?<![一-龥])ID(?=[:：] ?[A-Z]{0,3}[0-9]{6}))|(?:患者|病人|登记|就诊|住院|门诊|"
    r"检查|标本)(?:编码|流水)(?=[ :：]?[A-Z0-9])|(?<![A-Za-z])(?:MRN|PID|[Cc]ase (?:[Nn]o|ID)|[Pp]atient (?:ID|[Nn]o)|"
    r"[Vv]isit (?:ID|[Nn]o))(?![A-Za-z])\.?|"
    rf"(?:病案|就诊卡|诊疗卡|门诊卡|健康卡)(?=[:：])){SAY}([0-9]{{3,4}}(?: [0-9]{{3,4}}){{1,4}}|"
    rf"[0-9]{{2}}(?: [0-9]{{2}}){{2,5}}|{_VALUE}|"
    rf"(?=[A-Z0-9]{{0,5}}[0-9])[A-Z0-9]{{5,10}}){_NOT_AFTER}"
)
# 住院号是20240098还是20240089
_OR_ELSE = re.compile(rf" ?(?:还是|或者?|和|跟|、|/) ?({_VALUE}){_NOT_AFTER}")
# a card or a file without the word 号: 诊疗卡GZ8827301丢了; bare digits must not be a date
_BARE_RECORD = re.compile(
    r"(?:(?:就诊|诊疗|门诊|就医|医疗|健康|诊断|一卡通)卡(?:是|为|:|：)?[ :：]{0,2}(?=[A-Za-z]{0,4}[0-9]{6})|"
    r"(?:病案|病历本?|病例|住院|门诊|急诊|登记|档案|病理|检验|化验|检查)(?:是|为|:|：)?[ :：]{0,2}"
    r"(?=[A-Za-z]{1,4}-?[0-9]{4}|(?!(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2]))[0-9]{6,12}(?![0-9])))"
    r"([A-Za-z]{0,4}[-_]?[0-9](?:[-_]?[A-Za-z0-9]){4,23})(?![A-Za-z0-9年月日元块%.])"
)
_INSURERS = (
    r"医保电子凭证|医保个人|医保卡|医保证|医保|社保卡|社保|社会保障卡?|社会保险卡?|医疗保险证?|医疗证|"
    r"新农合证?|农合证?|合作医疗证?|参保人?|参合|商业保险单?|商保|保险单|保单|公费医疗证?|居民健康卡|惠民保|"
    r"[一-龥]险|"
    r"慢病卡?|慢性病卡?|特病证?|特殊病种?|低保证?|残疾人?证|优抚证?|优待证|离休证?|养老保险|公积金|理赔|报案|赔案|"
    r"结案|投保"
)
_INSURANCE = re.compile(
    rf"(?:(?:{_INSURERS})(?:的)?"
    r"(?:(?:个人)?(?:卡号|证号|单号|账号|号码|编号|个人编号|号|码|ID|id)|(?<=[卡证])(?=[:：是为 A-Z])|"
    r"(?<=商保)(?=[:：])|(?<=保单)(?=[:：]))|"
    r"(?<![一-龥])个人编号)"
    rf"{SAY}([A-Za-z]{{0,6}}[-_ ]?[0-9](?:[-_ ]?[A-Za-z0-9]){{4,23}}){_NOT_AFTER}"
)
# no 号 at all, or a few words between: 平安保单GP0100234567, 医保电子凭证对应的号是420107199501
_FAR_INSURANCE = re.compile(
    rf"(?:{_INSURERS}|保险单?)(?!(?:[^，。；;\n0-9A-Za-z]{{0,11}})(?:电话|手机|微信|身份证|热线|客服|报了|报销|"
    rf"交了|缴|余额|花|扣|金额|药品|目录|编码|"
    r"设备|订单|住院号|病历|门诊|就诊|银行|[Qq邮]))"
    r"[^，。；;\n0-9A-Za-z]{0,11}[ :：]{0,2}"
    r"((?:[A-Za-z]{1,6}[-_]?(?=[0-9-]{5})|(?=[0-9]{8}))[0-9](?:[-_]?[A-Za-z0-9]){5,23})(?![A-Za-z0-9年月日元块%.])"
)
_ANY = re.compile(
    r"([一-龥]{1,8})(?:编号|号码|单号|卡号|证号|号|ID|id)"
    rf"(?:是|为|:|：|=|#)?[ :：#]{{0,3}}((?=[A-Za-z_/-]{{0,8}}[0-9][A-Za-z0-9_/-]{{4}}){_VALUE})(?![A-Za-z0-9%.]|"
    rf"[年月日号元块个点])"
)
_THING = re.compile(
    r"[批版型货文码]$|准字|批准|追溯|溯源|监管|条形|条码|二维|订单|流水|运单|快递|物流|包裹|发票|收据|票据|序列|"
    r"产品|货|型号|规格|设备|仪器|机器|机身|"
    r"注册|备案|许可|执业|资格|标准|专利|期刊|文献|论文|书|题|车次|航班|高铁|列车|动车|地铁|公交|邮政|邮|版本|软件|"
    r"药品|疫苗|试剂|耗材|器械|支架|"
    r"临床试验|试验|基金|项目|课题|热线|客服|电话|手机|窗口|诊室|楼|房|门牌|班|座位|尺|色|度|公告|通知|条款|商品|"
    r"店|频道|频率|专线|总机|"
    r"工|学|考|准考证|会员|信用|税|统一|机构|医院|科室|疾病|诊断编|手术编码|基因|位点|突变|菌株|毒株|细胞|抗体|"
    r"滴度|染色体|同名|代|"
    r"[0-9一二三四五六七八九十]$|[这那哪几多同各每老小大中]$|账|帐|微信|QQ|扣|银行|身份|证件|护照|车牌|牌照|驾驶|"
    r"[前后]$"
)
_THING_AFTER = re.compile(r"[^。；;\n]{0,10}(?:产品|商品|编码|批次|批号|订单|设备|试纸|追溯|说明书|示例|举例)")
_SURE_DIGITS = 3
_FILED = (
    r"(?:病历|病案|住院|门诊|就诊卡?|登记|档案|体检|检查|检验|化验|病理|影像|标本|样本|挂号|流水|条码|取号|卡片?|"
    r"单据?|患者|"
    r"申请单?|报告单?|处方|预约|诊疗卡|医院的卡)(?:单|卡|证)?(?:[，,]? ?上?面?(?:印)?的?)?"
)
# 病历号我找到了，3300128: a few words between
_FAR_RECORD = re.compile(
    rf"{_FILED}(?:号码|编号|单号|号|ID)[^0-9A-Za-z。；;！!\n]{{0,10}}(?:[，,：:？? ]|是|"
    rf"为){{1,2}}((?=[A-Za-z]{{0,4}}[0-9-]{{5}}){_VALUE})"
    rf"(?![A-Za-z0-9%.年月日号元块])"
)
# 2023-55718号病历, A0012345是我的住院号
_BEFORE_RECORD = re.compile(
    r"(?<![A-Za-z0-9.])([A-Za-z]{0,4}[-_]?[0-9](?:[-_/]?[A-Za-z0-9]){4,18})"
    r"(?:号的?(?:病历|病案|档案|标本|样本|报告|申请单|检查单|化验单|处方|就诊卡|病人|患者)|"
    r"[ ，,]?(?:这个?|就)?(?:是|为)(?:我|他|她|孩子|患者|本人|老人)?(?:爸|妈)?的?"
    r"(?:住院|病历|病案|门诊|就诊卡?|登记|体检|病理|检查|影像|患者|档案|申请单|条码|流水)(?:单|卡)?(?:号|编号|ID))"
)
# any label before a long number: 条码号2405061122, 流水号：20240506003
_LABEL = re.compile(
    rf"(?:(?:血|尿|管|标本|样本|检验|化验)(?:的|上的?)?条形?码|条形?码(?!69[0-9]{{11}}(?![0-9]))(?=[：: ]?[0-9])|"
    rf"(?:条码|条形码|流水|登记|单据|取号|取单|查询|识别|标识|患者|卡)(?:编号|号码|号|码))(?:是|为|:|：|"
    rf"=)?[ :：#]{{0,3}}"
    rf"((?=(?:[A-Za-z_-]{{0,6}}[0-9A-Za-z-]{{6}})){_VALUE})(?![A-Za-z0-9%.]|[年月日号元块个点])"
)
_NO_PATIENT = re.compile(
    r"药|批|产品|商品|追溯|溯源|监管|支付|交易|订单|快递|物流|转账|付款|退款|设备|仪器|机器|型号|器械|试纸|试剂|传感|"
    r"疫苗|CT|MR|层厚|图像|基因|银行|信用|储蓄|工资|注册|备案|购物|加油|电话|会员|礼品"
)


def find(text: str) -> Iterator[tuple[Found, bool]]:
    """Yield record and insurance numbers; the flag says that the cue is weak, so that another may overrule it."""
    yield from _each(_INSURANCE, text, "INSURANCE", weak=False)
    yield from _each(_FAR_INSURANCE, text, "INSURANCE", weak=True)
    for match in _RECORD.finditer(text):
        if sum(character.isdigit() for character in match[1]) >= _SURE_DIGITS or not match[1].isdigit():
            yield Found(match.start(1), match.end(1), "MEDICAL_RECORD"), False
            other = _OR_ELSE.match(text, match.end(1))
            if other and len(other[1]) == len(match[1]):
                yield Found(other.start(1), other.end(1), "MEDICAL_RECORD"), False
    for pattern in (_BARE_RECORD, _FAR_RECORD, _BEFORE_RECORD):
        yield from _each(pattern, text, "MEDICAL_RECORD", weak=True)
    for match in _LABEL.finditer(text):
        thing = _NO_PATIENT.search(text[max(0, match.start() - 14) : match.start(1)])
        if not (thing or _THING_AFTER.match(text, match.end())):
            yield Found(match.start(1), match.end(1), "MEDICAL_RECORD"), False
    for match in _ANY.finditer(text):
        if not _THING.search(match[1]) and not _THING_AFTER.match(text, match.end()):
            yield Found(match.start(2), match.end(2), "MEDICAL_RECORD"), True


def _each(pattern: re.Pattern[str], text: str, kind: Kind, *, weak: bool) -> Iterator[tuple[Found, bool]]:
    for match in pattern.finditer(text):
        yield Found(match.start(1), match.end(1), kind), weak
