"""Accounts by which someone can be reached: e-mail in plain and evasive spelling, WeChat and its like, QQ."""

import re
from collections.abc import Iterator

from healgpt.privacy.kinds import Found

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63} ?@ ?"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.|。| \.|\. )){1,4}[A-Za-z]{2,12}(?![A-Za-z0-9])"
)
# written so that a machine should not read it: only with a known ending, or # and 艾特 would mean too much
_EVASIVE = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63} ?(?:[\[(（【{ ](?:at|AT|艾特|@)[\])）】} ]|#|艾特) ?"
    r"(?:[A-Za-z0-9-]{1,30} ?(?:\.|。|点|[\[(（](?:dot|点)[\])）]) ?){1,3}(?:com|cn|net|org|edu)(?![A-Za-z0-9])"
)

_HANDLE = r"(?:[A-Za-z](?:[-_.]?[A-Za-z0-9_]){4,30}|1[3-9][0-9]{9}|[1-9][0-9]{5,11})(?![A-Za-z0-9_])(?! ?@)"
_QUOTE = r"[“\"「'(（【]?"
_WECHAT = re.compile(
    r"(?:(?<![A-Za-z])(?:(?:微信|薇信|威信|徽信|微心|维信|卫信|V信|v信|[Ww]ei ?信|we ?chat|WeChat|Wechat|WECHAT|"
    r"weixin|Weixin)"
    r"(?:账号|帐号|号码|号| ?id| ?ID| ?Id)?|"
    r"(?:vx|VX|Vx|wx|WX|Wx)(?:号|ID|id)?|加我?[vV薇微威卫]|[+➕]我?(?:[vV]|微信?|vx|wx)|加我?个?微信?|加微信?|"
    r"(?:徽|胃|围|薇|威|维)信号?|加?卫星号?|绿泡泡|"
    r"[vV]号?(?=[:：])|(?:抖音|小红书|快手|微博|陌陌|钉钉|知乎|飞书|企业微信|贴吧|B站|支付宝)(?:账号|帐号|号|ID|id|"
    r"名)?)"
    rf" ?(?:[(（](?:同手机|同号)[)）])?(?:我的?|的|就?是|为|叫|搜|加|:|：|=)?[ :：，,]{{0,3}}{_QUOTE})({_HANDLE})"
)
# further from its cue an account must look like one: a letter first, and a digit or a line inside
_FAR_WECHAT = re.compile(
    r"(?:微信|薇信|威信|VX|vx|wx|加我|加好友)(?!群|公众|小程序|支付|运动)[^。！？!?\nA-Za-z0-9]{0,14}"
    r"((?=[A-Za-z_-]{1,18}[0-9]|[A-Za-z]{1,18}[-_])[A-Za-z](?:[-_]?[A-Za-z0-9_]){5,19})(?![A-Za-z0-9_@])"
)
# an account that says itself what it is, before or without its cue
_BEFORE_WECHAT = re.compile(
    r"(?<![A-Za-z0-9_])(wxid_[A-Za-z0-9_]{4,30}|(?=[A-Za-z_-]{1,18}[0-9]|"
    r"[A-Za-z]{1,18}[-_])[A-Za-z](?:[-_]?[A-Za-z0-9_]){5,19}"
    r"(?=[ ，,]?(?:这?就?是|为)?(?:我|本人|他|她|孩子)(?:妈|爸|爱人)?的?(?:微信|vx|VX|wx)|[ ]?[(（](?:微信|vx|VX|"
    r"wx)))"
    r"(?![A-Za-z0-9_@])"
)
_FAR_QQ = re.compile(
    r"(?:(?<![A-Za-z])[Qq] ?[Qq]|扣扣|企鹅号)(?!群|音乐|飞车|浏览)[^0-9A-Za-z。！\n]{1,8}"
    r"[，,：: ]([1-9][0-9]{6,10})(?![0-9A-Za-z.%])"
)
_QQ = re.compile(
    r"(?:(?<![A-Za-z])[Qq] ?[Qq]|扣扣|企鹅|(?:秋秋|球球|抠抠|叩叩|鹅鹅)(?=号|[:：0-9 ])|腾讯|"
    r"(?<![A-Za-z0-9])[Qq](?=群?号|[:：])|(?<![A-Za-z0-9号])[Qq](?=[1-9][0-9]{7,9}(?![0-9A-Za-z]))|"
    r"(?<![折扣回])[扣叩](?=[:：])|"
    r"(?:加我?|我的?|扣)[Qq扣](?=[:：0-9 是]))(?:群|邮箱|空间)?(?:账号|帐号|号码|号|ID|id)?"
    r" ?(?:我的?|的|就?是|为|搜|加|:|：|=)?[ :：，,(（]{0,3}([1-9][0-9]{4,11}|[1-9][0-9]{2,3}(?: [0-9]{2,4}){1,3})"
    r"(?![A-Za-z0-9@步元块毫])"
)


def find(text: str) -> Iterator[tuple[Found, bool]]:
    """Yield accounts; the flag says that the account stands far from its cue, so that another cue may overrule it."""
    for pattern in (_EMAIL, _EVASIVE):
        for match in pattern.finditer(text):
            yield Found(match.start(), match.end(), "EMAIL"), False
    for match in _WECHAT.finditer(text):
        yield Found(match.start(1), match.end(1), "WECHAT"), False
    for pattern in (_FAR_WECHAT, _BEFORE_WECHAT):
        for match in pattern.finditer(text):
            yield Found(match.start(1), match.end(1), "WECHAT"), True
    for match in _FAR_QQ.finditer(text):
        if not re.search("电话|手机|微信|卡号|病历|住院|门诊", match[0]):
            yield Found(match.start(1), match.end(1), "QQ"), True
    for match in _QQ.finditer(text):
        yield Found(match.start(1), match.end(1), "QQ"), False
