"""A report as one HTML file: style, font and charts within, no scripts, nothing fetched."""

import re
from importlib.resources import files
from pathlib import Path

from healgpt.errors import ConfigError
from healgpt.evaluation import comparison_words as words
from healgpt.evaluation.figures import shown
from healgpt.evaluation.report import charts, font
from healgpt.evaluation.report.content import KINDS, Content, Row, Task, direction
from healgpt.evaluation.report.drawing import draw
from healgpt.evaluation.safety import Check
from healgpt.evaluation.stats import Interval

_FONT_PLACE = "/*FONT*/"


def to_html(content: Content, *, font_path: Path | None) -> str:
    """Return the page. Without a font the reader's own fonts are used, and the page says so.

    All text is escaped by the template engine; what is marked safe are the style sheet and the charts, whose own
    texts `charts` escapes. Raises `ConfigError` where Jinja2 is missing.
    """
    try:
        from jinja2 import Environment, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise ConfigError("写报告需要 Jinja2。请运行 pip install 'healgpt[eval]'。") from error
    room = files("healgpt.evaluation.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    drawn = [(task, draw(task)) for task in content.tasks]
    page = environment.from_string(room.joinpath("page.html").read_text("utf-8")).render(
        content=content,
        kinds=[(kind, title, [pair for pair in drawn if pair[0].kind == kind]) for kind, title in KINDS.items()],
        style=Markup(room.joinpath("page.css").read_text("utf-8")),  # noqa: S704 -- a file of the package
        keys=[Markup(charts.key(place)) for place in range(len(content.runs))],  # noqa: S704 -- drawn here
        svg=Markup,
        cell=cell,
        direction=direction,
        words=words,
        has_font=font_path is not None,
        overview=overview(content),
    )
    face = "" if font_path is None else font.style(font_path, _characters(page))
    return page.replace(_FONT_PLACE, face, 1)


def cell(found: Interval | None, *, share: bool) -> tuple[str, str, str]:
    """Return a figure, its interval and its n as a table shows them; dashes where there is none.

    Where all items have the same score the bootstrap has nothing to vary: that is said instead of an empty interval.
    """
    if found is None:
        return "—", "", ""
    value, low, high = (shown(one, share=share) for one in (found.value, found.low, found.high))
    return value, "各例相同" if found.low == found.high else f"{low}–{high}", str(found.n)


def overview(content: Content) -> list[tuple[Task, list[tuple[Row, list[Check]]]]]:
    """Return what stands on top: all measures of a task that have a bound, with its checks, else its first three."""
    rows = []
    for task in content.tasks:
        held = [check for checks in task.checks for check in checks]
        bounded = [(row, [check for check in held if check.figure.key == row.figure.key]) for row in task.rows]
        rows.append((task, [pair for pair in bounded if pair[1]] or bounded[:3]))
    return rows


def _characters(page: str) -> str:
    """Return every character that the page may show, those that stand escaped in it included."""
    shown_text = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return "".join(sorted(set(shown_text) | set("<>&\"'")))
