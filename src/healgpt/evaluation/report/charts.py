"""Charts as inline SVG without any library: points or bars with intervals, and a radar.

A chart is drawn 360 units wide, so that its text is as large on a phone as on paper; colours are classes (`s0` … `s9`)
of the page's style sheet, and each run has a shape of its own besides. Everything a chart shows stands in a table, too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from healgpt.evaluation.figures import shown
from healgpt.evaluation.stats import Interval

WIDTH = 360
STYLES = 10
_LEFT, _RIGHT = 8, 300
_LINE, _LABEL = 17, 20


@dataclass(frozen=True, slots=True)
class Row:
    """One line of label and, for each run in order, its interval or None."""

    label: str
    intervals: tuple[Interval | None, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of an axis; `share` says how figures are written."""

    low: float
    high: float
    share: bool

    def place(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return _LEFT + (inside - self.low) / (self.high - self.low) * (_RIGHT - _LEFT)


SHARE = Scale(0.0, 1.0, share=True)


def fitting(rows: Sequence[Row]) -> Scale:
    """Return a scale from zero that holds all intervals of `rows`; below zero where they go there."""
    ends = [end for row in rows for one in row.intervals if one for end in (one.low, one.high)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    step = 10 ** math.floor(math.log10((high - low) or 1))
    return Scale(math.floor(low / step) * step, math.ceil(high / step) * step or 1.0, share=False)


def intervals(rows: Sequence[Row], scale: Scale, title: str, *, bars: bool = False) -> str:
    """Return points with their intervals, one block a row and one line a run; as bars from zero with `bars`."""
    parts, y = [], 4.0
    for row in rows:
        y += _LABEL
        hint = f'<tspan class="hint" dx="6">{escape(row.hint)}</tspan>' if row.hint else ""
        parts.append(f'<text class="name" x="{_LEFT}" y="{y - 6:.1f}">{escape(row.label)}{hint}</text>')
        for place, one in enumerate(row.intervals):
            parts.append(_mark(one, scale, y + _LINE / 2, place, bars=bars))
            y += _LINE
        y += 2
    grid = "".join(_tick(value, scale, y) for value in ticks(scale))
    return _svg(f"{grid}{''.join(parts)}", y + 20, title, _described(rows, scale))


def radar(axes: Sequence[str], series: Sequence[Sequence[float | None]], title: str) -> str:
    """Return a radar of values from 0 (centre) to 1; None leaves the series open there. At least three axes."""
    middle_x, middle_y, radius = WIDTH / 2, 152, 96

    def point(axis: int, value: float) -> tuple[float, float]:
        angle = 2 * math.pi * axis / len(axes) - math.pi / 2
        return middle_x + radius * value * math.cos(angle), middle_y + radius * value * math.sin(angle)

    parts = []
    for level in (0.25, 0.5, 0.75, 1.0):
        ring = " ".join(f"{x:.1f},{y:.1f}" for x, y in (point(axis, level) for axis in range(len(axes))))
        parts.append(f'<polygon class="grid" points="{ring}"/>')
    parts.append(f'<text class="tick" x="{middle_x + 3:.1f}" y="{middle_y - radius / 2 - 2:.1f}">0.5</text>')
    for axis, name in enumerate(axes):
        x, y = point(axis, 1)
        parts.append(f'<line class="grid" x1="{middle_x}" y1="{middle_y}" x2="{x:.1f}" y2="{y:.1f}"/>')
        parts.append(_axis_name(name, *point(axis, 1.13)))
    for place, values in enumerate(series):
        corners = [(axis, value) for axis, value in enumerate(values) if value is not None]
        outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in (point(axis, value) for axis, value in corners))
        closed = len(corners) == len(axes)
        shape = "polygon" if closed else "polyline"
        parts.append(f'<{shape} class="area s{place % STYLES}{"" if closed else " open"}" points="{outline}"/>')
        parts += [_shape(*point(axis, value), place) for axis, value in corners]
    described = "；".join(
        f"{name}：" + "、".join("—" if row[axis] is None else f"{row[axis]:.2f}" for row in series)
        for axis, name in enumerate(axes)
    )
    return _svg("".join(parts), 300, title, described)


def key(place: int) -> str:
    """Return the mark of a run as a small picture for the legend."""
    return f'<svg class="key" viewBox="0 0 14 14" aria-hidden="true">{_shape(7, 7, place)}</svg>'


def ticks(scale: Scale) -> list[float]:
    """Return four to six places for grid lines."""
    return [scale.low + (scale.high - scale.low) * part / 4 for part in range(5)]


def _mark(one: Interval | None, scale: Scale, y: float, place: int, *, bars: bool) -> str:
    style = f"s{place % STYLES}"
    if one is None:
        return f'<text class="value" x="{_RIGHT + 10}" y="{y + 4:.1f}">—</text>'
    at, low, high = (scale.place(value) for value in (one.value, one.low, one.high))
    zero = scale.place(0.0)
    left, width = min(zero, at), abs(at - zero)
    bar = f'<rect class="bar {style}" x="{left:.1f}" y="{y - 6:.1f}" width="{width:.1f}" height="12" rx="2"/>'
    whisker = (
        f'<line class="whisker {style}" x1="{low:.1f}" y1="{y:.1f}" x2="{high:.1f}" y2="{y:.1f}"/>'
        f'<line class="whisker {style}" x1="{low:.1f}" y1="{y - 3.5:.1f}" x2="{low:.1f}" y2="{y + 3.5:.1f}"/>'
        f'<line class="whisker {style}" x1="{high:.1f}" y1="{y - 3.5:.1f}" x2="{high:.1f}" y2="{y + 3.5:.1f}"/>'
    )
    value = f'<text class="value" x="{_RIGHT + 10}" y="{y + 4:.1f}">{shown(one.value, share=scale.share)}</text>'
    return (bar if bars else "") + whisker + _shape(at, y, place) + value


def _tick(value: float, scale: Scale, height: float) -> str:
    x = scale.place(value)
    text = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return (
        f'<line class="grid" x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{height:.1f}"/>'
        f'<text class="tick" x="{x:.1f}" y="{height + 14:.1f}" text-anchor="middle">{text}</text>'
    )


def _shape(x: float, y: float, place: int) -> str:
    """Return the mark of a run: ten shapes, so that colours need not be told apart."""
    style = f"mark s{place % STYLES}"
    r = 4.2
    corners: tuple[tuple[float, float], ...]
    match place % STYLES:
        case 0:
            return f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>'
        case 1:
            return f'<rect class="{style}" x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}"/>'
        case 2:
            corners = ((0, -5.4), (5.4, 0), (0, 5.4), (-5.4, 0))
        case 3:
            corners = ((0, -5), (5, 4), (-5, 4))
        case 4:
            corners = ((0, 5), (5, -4), (-5, -4))
        case 5:
            return f'<circle class="{style} hollow" cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>'
        case 6:
            return f'<rect class="{style} hollow" x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}"/>'
        case 7:
            corners = ((-5, 0), (0, -3), (5, 0), (0, 3))
        case 8:
            style, corners = f"{style} hollow", ((0, -5.4), (5.4, 0), (0, 5.4), (-5.4, 0))
        case _:
            style, corners = f"{style} hollow", ((0, -5), (5, 4), (-5, 4))
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon class="{style}" points="{points}"/>'


def _axis_name(name: str, x: float, y: float) -> str:
    anchor = "middle" if abs(x - WIDTH / 2) < 12 else "start" if x > WIDTH / 2 else "end"
    count = math.ceil(len(name) / 6)
    size = math.ceil(len(name) / count)
    lines = [name[start : start + size] for start in range(0, len(name), size)]
    first = y + 4 - 6.5 * (len(lines) - 1) - (4 if y < 100 and anchor == "middle" else 0)
    spans = "".join(
        f'<tspan x="{x:.1f}" dy="{13 if place else 0}">{escape(line)}</tspan>' for place, line in enumerate(lines)
    )
    return f'<text class="axis" x="{x:.1f}" y="{first:.1f}" text-anchor="{anchor}">{spans}</text>'


def _described(rows: Sequence[Row], scale: Scale) -> str:
    def one(interval: Interval | None) -> str:
        if interval is None:
            return "—"
        value, low, high = (shown(end, share=scale.share) for end in (interval.value, interval.low, interval.high))
        return f"{value}（{low} 到 {high}）"

    return "；".join(f"{row.label}：{'、'.join(map(one, row.intervals))}" for row in rows)


def _svg(body: str, height: float, title: str, described: str) -> str:
    label = escape(f"{title}。{described}", quote=True)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{label}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )
