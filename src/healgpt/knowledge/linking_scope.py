"""What is said of a mention: present, absent, uncertain or past; how long; how bad.

Rules in the manner of NegEx and ConText (Chapman et al. 2001; Harkema et al. 2009), written for Chinese: a cue acts
forward within its clause, on through an enumeration, and some cues act back on the mention before them.
"""

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Status = Literal["present", "absent", "uncertain", "past"]

CLAUSE = re.compile(r"[,!?;:。\n\r]|(?<!\d)\.(?!\d)")
_NUMBER = r"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十百]+|半|几|好几|数)"

# look like negations or doubts and are none
_ASIDE = re.compile(
    r"有没有|能不能|可不可以|要不要|好不好|严不严重|是不是|会不会|不知道|不知|不停|不断|不住|不小心|不得不|不由|不自主|不仅|不光|不只|不但|不过|"
    r"不管|不论|不到|不久|没多久|不一会|没有?缓解|没有?好转|没有?用|没有?效果?|不见好|没见好|没有?退|不退|没有?停|没有?减轻|没有?改善|没有?消|不明原因|"
    r"无缘无故|无故|无法|没办法|不能|不敢|不要|不想|不愿|没想到|不懂|不清楚|不明白|没注意|没去|没看|没吃药|没治|不管用|没在意|不严重|没力气|"
    r"没有?大碍|没什么问题|不舒服|不好|差不多|不然|不同|无痛|没控制|不吃药|没有?任何原因|没有?诱因|没有?明显诱因|没有?原因|无(?:明显)?(?:诱因|原因)|不及时|不治|没治好|不再|不太好|"
    r"不规律|没休息|没睡|动不动|特别|分别|区别|别的|别人|未来|未婚|非常"
)
_DENY = re.compile(
    r"没有(?:出现|发现|发生|明显|任何|什么|过)*|没(?:出现|发现|查出|得|患|啥|什么|任何)过?|否认|未见|未出现|未发现|未诉|并无|从未|从没|"
    r"不曾|不伴有?|排除|无|不是|并非|没再|不像是?|不觉得|不感觉|没感觉|未"
)
_NOT = re.compile(r"不怎么|不太|不大|不会|不再|也不|并不|都不|不|没怎么|没再|没|别")
_DENIED_AFTER = re.compile(
    r"(?:的?症状|情况|现象|史)?(?:也|都|倒|是|全|基本)*(?:没有?|无|不明显|阴性|正常)(?=[,。;!?、 \n]|$)"
)
_DOUBT = re.compile(
    r"好像|似乎|可能|也许|大概|怀疑|疑似|是不是|会不会是|会不会得?了?|估计|应该是|怕是|担心|貌似|恐怕|不知道是不是|像是|疑(?!问|惑)|倾向|考虑是?|或许|"
    r"说不定|感觉像|有没有可能|不确定|不会是|该不会|难道"
)
_DOUBT_AFTER = re.compile(r"(?:了|的)?(?:可能性?|的可能|待排|待查|不能排除|\?\))(?=$|[,。;!?、 \n大])")
_ASKED_AFTER = re.compile(r"(?:了|的)?(?:吗|么|吧|嘛|呢)(?=$|[,。;!?、 \n])")
_IS = re.compile(r"(?:是|会是|算是?|属于|得的是|叫|患上?|得了?|有)(?:这种|一种|这个|了|得了|有点|由于|因为)?$")
_PAST = re.compile(
    r"以前|从前|曾经|曾|过去|去年|前年|小时候|幼时|既往|年轻时|年轻的时候|早年|当年|上次|上回|前几年|那时|"
    rf"{_NUMBER}(?:多|来)?年(?:多)?(?:前|以前|之前)|{_NUMBER}个?(?:多)?月(?:前|以前|之前)|之前|有过|得过|患过|做过|吃过|用过|服过|打过|犯过|出过|发过|查出过|住过|"
    r"19\d\d年|20\d\d年"
)
_STILL = re.compile(r"一直|至今|到现在|现在|目前|还是|仍|又|开始|这次|反复|经常|总是|老是|断断续续")
_PAST_AFTER = re.compile(
    r"(?:也|就|曾|都)?过(?![度敏来程后多去期分滤高低大小重长快慢于])|"
    r"病史|史(?=[,。;、 \n]|$|\d|[一二两三四五六七八九十])|"
    r"(?:小时候|以前|之前|从前|过去|曾经|早年)(?:也|就|都)?(?:有|得|患|犯|发)过"
)
_RESOLVED_AFTER = re.compile(
    r"(?:已经|已|刚|刚刚|都|全|基本|早就|现在)*(?:好了|痊愈了?(?!吗)|治好了(?!吗)|治愈了|退了|消失了?|康复了|恢复了)"
)
_TURN = re.compile(r"但|却|而(?!且)|就是|只是|只有|不过|可是|反而|倒是|除了|现在")
_ENUMERATION = re.compile(r"^(?:、|和|或者?|及|以及|与|跟|还有|,?也没有?|,?也不|等|/|之类的?|的|过|这些)*$")
_SEVERE = re.compile(
    r"特别|非常|厉害|剧烈|严重|要命|受不了|很|极其|巨|超级?|难以忍受|直不起|打滚|疼死|痛死|不行|好(?=[痛痒胀晕累])"
)
_MILD = re.compile(r"有点儿?|轻微|稍微?|略|隐隐|些许|一点点|微微|不太严重|不严重|偶尔")
_SPAN = re.compile(
    rf"(?:(?:快|将近|大概|已经|有|约|差不多)*{_NUMBER}个?(?:多|来)?(?:年|月|周|星期|礼拜|天|日|小时|钟头|分钟)(?:多|半)?(?!前|以前|之前|后|内|一次|[一二三四两\d]次)(?:左右|了|来)?)|"
    r"从小|(?:昨|今|前)[天晚早夜晨](?:早上|晚上|夜里|下午|上午)?(?:开始|起)?|刚才|刚刚|最近(?:几天|一周|几个月)?|半夜"
)
_NOT_SPAN = re.compile(rf"每[天日周月年]|{_NUMBER}(?:周岁|岁|个月大)")

_CAUSE = re.compile(r"引起|导致|造成|影响|是因为")
# no clause is looked at further than this, so that a text of any length costs linear time
_REACH = 80
_DENY_REACH, _NOT_REACH, _DOUBT_REACH, _WORRY_REACH, _PAST_REACH = 14, 2, 16, 6, 24


@dataclass(frozen=True, slots=True)
class Hit:
    """A surface in the folded text, before anything is said of it; `denied` when its own words say so (头不疼)."""

    start: int
    end: int
    name: str
    kind: str
    denied: bool = False


class Scope:
    """One folded message with its clauses and cues, those within a mention taken out."""

    def __init__(self, text: str, hits: Sequence[Hit]) -> None:
        self.text = text
        self.breaks = [0, *(match.end() for match in CLAUSE.finditer(text)), len(text)]
        masked = list(_ASIDE.sub(lambda match: "〇" * len(match[0]), text))
        plain = list(text)
        for hit in hits:
            masked[hit.start : hit.end] = plain[hit.start : hit.end] = "〇" * (hit.end - hit.start)
        self.masked = "".join(masked)
        self.plain = "".join(plain)

    def clause(self, place: int) -> tuple[int, int]:
        """Return where the clause of `place` starts and ends, cut to what any cue can reach."""
        after = bisect.bisect_right(self.breaks, place)
        end = self.breaks[after] if after < len(self.breaks) else len(self.text)
        return max(self.breaks[after - 1], place - _REACH), min(end, place + _REACH)


def statuses(scope: Scope, hits: Sequence[Hit]) -> list[Status]:
    """Return the status of each of `hits`, which must be in order."""
    found: list[Status] = []
    for index, hit in enumerate(hits):
        before = hits[index - 1] if index else None
        found.append(_status(scope, hit, before, found[-1] if found else "present"))
    _spread_back(scope, hits, found)
    return found


def _status(scope: Scope, hit: Hit, before: Hit | None, status_before: Status) -> Status:
    start, end = scope.clause(hit.start)
    lead, tail = scope.masked[start : hit.start], scope.plain[hit.end : end]
    if hit.denied or _denied(lead) or _DENIED_AFTER.match(tail):
        return "absent"
    if before is not None and status_before != "present" and before.end >= start:
        between = scope.plain[before.end : hit.start]
        if _ENUMERATION.match(between) and len(between) <= 6 and not _TURN.search(between):
            return status_before
    if _doubted(scope.plain[start : hit.start], tail, hit):
        return "uncertain"
    if _past(scope.plain[start : hit.start], tail, hit.kind):
        return "past"
    return "present"


def _denied(lead: str) -> bool:
    for cue in _DENY.finditer(lead):
        between = lead[cue.end() :]
        reach = _DENY_REACH if "〇" not in between or re.search("[、和或及与跟]", between) else _DENY_REACH - 8
        if (
            len(between) <= reach
            and not _TURN.search(between)
            and not re.search(r"的时候|以后|之后|所以|导致|引起", between)
        ):
            return True
    nots = list(_NOT.finditer(lead))
    return bool(nots) and len(lead) - nots[-1].end() <= _NOT_REACH


def _doubted(lead: str, tail: str, hit: Hit) -> bool:
    if re.match(r"(?:有关|有关系|引起|导致|造成)", tail):
        return False  # the cause is in doubt, not the thing
    for cue in _DOUBT.finditer(lead):
        between = lead[cue.end() :]
        reach = _WORRY_REACH if cue[0] in ("担心", "怕是") else _DOUBT_REACH
        if len(between) <= reach and not _TURN.search(between) and not _CAUSE.search(between):
            return cue[0] != "会不会" or hit.kind == "disease"
    if _DOUBT_AFTER.match(tail):
        return True
    return hit.kind == "disease" and bool(_ASKED_AFTER.match(tail)) and bool(_IS.search(lead))


def _past(lead: str, tail: str, kind: str) -> bool:
    if _PAST_AFTER.match(tail) or (kind in ("disease", "symptom") and _RESOLVED_AFTER.match(tail)):
        return True
    for cue in _PAST.finditer(lead):
        between = lead[cue.end() :]
        if len(between) <= _PAST_REACH and not _STILL.search(between):
            return True
    return False


def _spread_back(scope: Scope, hits: Sequence[Hit], found: list[Status]) -> None:
    """A cue that follows an enumeration covers all of it: 发热、咳嗽都没有; 高血压、糖尿病史."""
    for index in range(len(hits) - 2, -1, -1):
        between = scope.plain[hits[index].end : hits[index + 1].start]
        listed = bool(re.fullmatch(r"[、和或及与跟]|以及|", between))
        tail = scope.plain[hits[index + 1].end : hits[index + 1].end + 8]
        closes = _DENIED_AFTER.match(tail) or _PAST_AFTER.match(tail)
        if listed and found[index] == "present" and found[index + 1] in ("absent", "past") and closes:
            found[index] = found[index + 1]


def durations(scope: Scope, hits: Sequence[Hit]) -> list[str]:
    """Return how long each of `hits` lasts in the patient's own words, "" where nothing says so.

    A span of time belongs to the mentions of its clause, or of the clause before when its own has none.
    """
    ages = {match.start() for match in _NOT_SPAN.finditer(scope.plain)}
    starts = [hit.start for hit in hits]
    found = [""] * len(hits)
    for match in _SPAN.finditer(scope.plain):
        if match.start() in ages:
            continue
        start, end = scope.clause(match.start())
        owners = range(bisect.bisect_left(starts, start), bisect.bisect_left(starts, end))
        if not owners and start:
            low, _ = scope.clause(start - 1)
            owners = range(bisect.bisect_left(starts, low), bisect.bisect_left(starts, start))
        for index in owners:
            found[index] = found[index] or match[0].strip()
    return found


def severities(scope: Scope, hits: Sequence[Hit]) -> list[str]:
    """Return "severe", "mild" or "" for each of `hits`, from the words of its clause next to it."""
    found = []
    for hit in hits:
        start, end = scope.clause(hit.start)
        near = scope.plain[max(start, hit.start - 5) : hit.start] + "|" + scope.plain[hit.end : min(end, hit.end + 6)]
        own = scope.text[hit.start : hit.end]
        mild, severe = _MILD.search(near) or _MILD.search(own), _SEVERE.search(near) or _SEVERE.search(own)
        found.append("mild" if mild else "severe" if severe else "")
    return found
