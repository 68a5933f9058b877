"""A calibration in Chinese: a table, the remarks beside it, and one sentence on what the judge is good for."""

import math
from dataclasses import asdict
from typing import Any

from healgpt.evaluation.judges.calibration import LABELS, Calibration, Row
from healgpt.evaluation.stats import Interval

HEAD = (
    "标准",
    "Spearman",
    "加权 kappa",
    "裁判满分",
    "参考满分",
    "裁判分与长度",
    "参考分与长度",
    "裁判均分",
    "参考均分",
)
# below this share of readable verdicts the rest is no fair sample of the dialogues
_READABLE = 0.9
_STRONG = 0.4


def shown(found: Interval, *, percent: bool = False) -> str:
    """Return an interval as text; what does not exist is a dash, never 0."""
    if math.isnan(found.value):
        return "—"

    def number(value: float) -> str:
        # adding 0 turns -0.0 into 0.0
        return f"{value:.0%}" if percent else f"{round(value, 2) + 0.0:.2f}"

    if math.isnan(found.low):
        return f"{number(found.value)}（区间算不出）"
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"


def table(result: Calibration) -> list[tuple[str, ...]]:
    """Return the rows below `HEAD`."""
    return [_cells(row) for row in result.rows]


def remarks(result: Calibration) -> list[str]:
    """Return what stands beside the table: failures, own preference, and how to read the columns."""
    read = result.asked - sum(result.failures.values())
    listed = "、".join(f"{kind} {count}" for kind, count in result.failures.items())
    lines = [
        f"裁判 {result.judge}：{result.asked} 段对话，读得出评分 {read} 段{f'；失败 {listed}' if listed else ''}。"
    ]
    if result.own is None:
        lines.append("自我偏好：不适用，这个裁判不在被评的模型之中。")
    elif math.isnan(result.own.value):
        lines.append("自我偏好：算不出，抽到的对话里没有参考分相同的自己与别人。")
    else:
        lines.append(f"自我偏好（参考分相同时，给自己比给别人高多少）：{shown(result.own)}。")
    lines.append("方括号是按病例重抽样的 95% 区间。“—”表示算不出，比如裁判给所有对话同一个分数。")
    lines.append("参考是 GPT-4 当年的评分，本身大半是满分，与它一致不等于正确。")
    return lines


def sentence(result: Calibration) -> str:
    """Return one plain sentence: does this judge measure anything?"""
    read = result.asked - sum(result.failures.values())
    if not result.asked:
        return "一段对话也没有评，还说不出这个裁判怎么样。"
    if not read:
        return "这个裁判一次可读的评分也没有给出，不能用。"
    total = next(row for row in result.rows if row.key == "mean")
    if read < _READABLE * result.asked:
        return f"这个裁判只有 {read / result.asked:.0%} 的评分读得出来，剩下的不能代表全部，先不要用它。"
    if math.isnan(total.spearman.value):
        one_sided = "裁判" if total.mean == total.mean_reference or total.full.value in (0, 1) else "裁判或参考"
        return f"{one_sided}给所有对话同样的总分，什么也没有区分出来，不能用来比较模型。"
    return _by_agreement(total, read) + _bias(total)


def as_json(result: Calibration) -> dict[str, Any]:
    """Return the calibration as JSON values; what does not exist is null."""
    plain: dict[str, Any] = _without_nan({**asdict(result), "sentence": sentence(result)})
    return plain


def _by_agreement(total: Row, read: int) -> str:
    found = total.spearman
    told = f"它的总分与参考评分的 Spearman 相关为 {shown(found)}（{read} 段）"
    if math.isnan(found.low):
        return f"{told}，对话太少，看不出它测量了什么。"
    if found.low <= 0 <= found.high:
        return f"{told}，区间含 0：看不出这个裁判测量了什么，不要用它比较模型。"
    if found.high < 0:
        return f"{told}，方向相反：这个裁判给好对话打低分，不能用。"
    if found.value < _STRONG:
        return f"{told}：它测到了一点东西，但很弱，只可作参考，不能单凭它下结论。"
    return f"{told}：它与参考评分有可见的一致，可以与不用裁判的指标并用。"


def _bias(total: Row) -> str:
    notes = []
    if not math.isnan(total.length.low) and (total.length.low > 0 or total.length.high < 0):
        kind = "偏爱长回答" if total.length.value > 0 else "偏爱短回答"
        notes.append(f"它{kind}（与长度的相关 {shown(total.length)}）")
    if total.full.value >= 0.5:
        notes.append(f"它给 {total.full.value:.0%} 的对话四项全满分，分不出高下")
    return f"另外，{'；'.join(notes)}。" if notes else ""


def _cells(row: Row) -> tuple[str, ...]:
    return (
        LABELS[row.key],
        shown(row.spearman),
        shown(row.kappa),
        shown(row.full, percent=True),
        shown(row.full_reference, percent=True),
        shown(row.length),
        shown(row.length_reference),
        f"{row.mean:.2f}",
        f"{row.mean_reference:.2f}",
    )


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
