"""Chooses what of a task is drawn: a radar, points with intervals beside it, bars by group."""

from collections.abc import Sequence
from dataclasses import dataclass

from healgpt.evaluation.report import charts
from healgpt.evaluation.report.content import Grouped, Row, Task

_MOST_AXES, _MOST_GROUPS, _MOST_BARS = 8, 12, 4
_ROWS_A_CHART = 7
_JUDGED = charts.Scale(1.0, 5.0, share=False)
_RADAR = "越往外越好。只有均值，没有区间：能不能分出高下，要看区间图和逐例比较。"


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart as SVG with its caption."""

    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class Drawings:
    """The charts of a task."""

    whole: tuple[Drawing, ...]
    groups: tuple[Drawing, ...]


def draw(task: Task) -> Drawings:
    """Return the charts of `task`."""
    shares = [row for row in task.rows if row.figure.measure.share and _any(row)]
    numbers = [row for row in task.rows if not row.figure.measure.share and _any(row)]
    judged = task.kind == "judge"
    whole = [*_radar(task), *_points(task, shares, charts.SHARE)]
    if judged:
        whole += _points(task, numbers, _JUDGED)
    else:
        whole += [_alone(row) for row in numbers]
    return Drawings(tuple(whole), tuple(_group(task, group) for group in _drawn_groups(task)))


def _points(task: Task, rows: Sequence[Row], scale: charts.Scale) -> list[Drawing]:
    parts = [rows[start : start + _ROWS_A_CHART] for start in range(0, len(rows), _ROWS_A_CHART)]
    caption = "点是均值，横线是 95% 区间。" if scale.share else "1 到 5 分；点是均值，横线是 95% 区间。"
    return [Drawing(caption, charts.intervals(_chart_rows(part), scale, f"{task.title}的区间")) for part in parts]


def _alone(row: Row) -> Drawing:
    rows = _chart_rows([row])
    return Drawing("自己的刻度。", charts.intervals(rows, charts.fitting(rows), row.name))


def _group(task: Task, group: Grouped) -> Drawing:
    rows = _chart_rows(group.rows, hints=False)
    share = group.measure.figure.measure.share
    judged = task.kind == "judge" and not share
    scale = charts.SHARE if share else _JUDGED if judged else charts.fitting(rows)
    bars = len(group.measure.figures) <= _MOST_BARS and not judged
    title = f"各{group.by}的{group.measure.name}"
    return Drawing(title, charts.intervals(rows, scale, title, bars=bars))


def _radar(task: Task) -> list[Drawing]:
    """Return a radar of the measures where higher is better, between 0 and 1; none for fewer than three."""
    rows = [row for row in task.rows if row.figure.measure.better == "higher" and _any(row)]
    rows = [row for row in rows if row.figure.measure.share or task.kind == "judge"][:_MOST_AXES]
    if len(rows) < 3 or task.kind not in ("consult", "judge"):
        return []
    places = range(min(charts.STYLES, len(rows[0].figures)))
    series = [[_radius(row, place) for row in rows] for place in places]
    return [Drawing(_RADAR, charts.radar([row.name for row in rows], series, f"{task.title}雷达图"))]


def _radius(row: Row, place: int) -> float | None:
    one = row.figures[place]
    if one is None or one.interval is None:
        return None
    value = one.interval.value
    return value if one.measure.share else (value - _JUDGED.low) / (_JUDGED.high - _JUDGED.low)


def _drawn_groups(task: Task) -> list[Grouped]:
    if task.kind == "safety":
        return []
    small = [group for group in task.groups if len(group.rows) <= _MOST_GROUPS and _tells_apart(group)]
    directed = [group for group in small if group.measure.figure.measure.better != "neither"]
    return sorted(directed, key=lambda group: not group.measure.figure.measure.share)[:_MOST_BARS]


def _tells_apart(group: Grouped) -> bool:
    values = {one.interval.value for row in group.rows for one in row.figures if one and one.interval}
    return len(values) > 1


def _chart_rows(rows: Sequence[Row], *, hints: bool = True) -> list[charts.Row]:
    return [
        charts.Row(
            row.name,
            tuple(one.interval if one else None for one in row.figures),
            "越低越好" if hints and row.figure.measure.better == "lower" else "",
        )
        for row in rows
    ]


def _any(row: Row) -> bool:
    return any(one is not None and one.interval is not None for one in row.figures)
