"""The facts behind an answer, as a table and as a small picture; both are HTML made of escaped text only."""

import base64
from collections.abc import Sequence

from healgpt.schema import Fact
from healgpt.web import strings
from healgpt.web.markup import plain

_WIDTH = 460
_ROW = 44
_BOX = 30
_LEFT = 118
_RIGHT_START = 262
_LIGHT = {
    "line": "#c3d2d4",
    "soft": "#eef5f5",
    "ink": "#16282b",
    "quiet": "#566a6d",
    "strong": "#0b6b70",
    "back": "#fff",
}
_DARK = {
    "line": "#3a4d52",
    "soft": "#18252a",
    "ink": "#e4eced",
    "quiet": "#9db0b3",
    "strong": "#17625f",
    "back": "#0f1719",
}
_STYLE = (
    "text{{font:13px 'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;text-anchor:middle;fill:{ink}}}"
    "path{{fill:none;stroke:{line};stroke-width:1.5}}.object rect{{fill:{soft};stroke:{line}}}"
    ".subject rect{{fill:{strong}}}.subject text{{fill:#fff}}"
    ".relation{{font-size:11px;fill:{quiet};paint-order:stroke;stroke:{back};stroke-width:5px}}"
)


def table(facts: Sequence[Fact]) -> str:
    """Return the facts as an HTML table, numbered as the answer cites them."""
    head = "".join(f'<th scope="col">{name}</th>' for name in strings.EVIDENCE_HEAD)
    rows = "".join(
        f'<tr><td class="hg-number">[{number}]</td><td>{plain(fact.subject)}</td><td>{plain(fact.predicate)}</td>'
        f"<td>{plain(fact.object)}</td><td>{plain(fact.source)}</td>"
        f'<td class="hg-number">{fact.support:.0%}</td></tr>'
        for number, fact in enumerate(facts, start=1)
    )
    return (
        f'<div class="hg-scroll" tabindex="0" role="region" aria-label="{strings.EVIDENCE_CAPTION}" lang="zh-CN">'
        f'<table class="hg-facts"><caption>{strings.EVIDENCE_CAPTION}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def graph(facts: Sequence[Fact], *, dark: bool) -> str:
    """Return the facts as a picture: subjects on the left, objects on the right, the relation on each line.

    An `<img>` with the SVG inside its address, because Streamlit strips SVG elements from HTML; so colours are
    chosen here. Long names are cut; the alternative text and the table hold them whole.
    """
    told = "；".join(f"{fact.subject} {fact.predicate} {fact.object}" for fact in facts)
    data = base64.b64encode(drawing(facts, dark=dark).encode()).decode()
    alternative = plain(strings.EVIDENCE_GRAPH_ALT.format(facts=told))
    return f'<img class="hg-graph" src="data:image/svg+xml;base64,{data}" alt="{alternative}">'


def drawing(facts: Sequence[Fact], *, dark: bool) -> str:
    """Return the SVG of `graph`."""
    subjects = list(dict.fromkeys(fact.subject for fact in facts))
    objects = list(dict.fromkeys(fact.object for fact in facts))
    height = max(len(subjects), len(objects)) * _ROW + 8
    left = _centres(subjects, height)
    right = _centres(objects, height)
    lines = "".join(_line(fact, left[fact.subject], right[fact.object]) for fact in facts)
    boxes = "".join(_box(name, 2, left[name], _LEFT, "subject") for name in subjects)
    boxes += "".join(_box(name, _RIGHT_START, right[name], _WIDTH - _RIGHT_START - 2, "object") for name in objects)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
        f"<style>{_STYLE.format(**(_DARK if dark else _LIGHT))}</style>{lines}{boxes}</svg>"
    )


def _centres(names: Sequence[str], height: int) -> dict[str, float]:
    step = height / len(names)
    return {name: step * (place + 0.5) for place, name in enumerate(names)}


def _line(fact: Fact, start: float, end: float) -> str:
    first, last = _LEFT + 2, _RIGHT_START
    bend = (first + last) / 2
    # the label stands nearer to the object, where lines of one subject have parted
    x, y = first + 0.62 * (last - first), start + 0.74 * (end - start)
    return (
        f'<path d="M{first},{start:.1f} C{bend},{start:.1f} {bend},{end:.1f} {last},{end:.1f}"/>'
        f'<text class="relation" x="{x:.1f}" y="{y + 4:.1f}">{plain(_cut(fact.predicate, 6))}</text>'
    )


def _box(name: str, x: float, centre: float, width: float, kind: str) -> str:
    return (
        f'<g class="{kind}"><rect x="{x}" y="{centre - _BOX / 2:.1f}" width="{width}" height="{_BOX}" rx="8"/>'
        f'<text x="{x + width / 2}" y="{centre + 4.5:.1f}">{plain(_cut(name, round(width / 14.5)))}</text></g>'
    )


def _cut(name: str, length: int) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"
