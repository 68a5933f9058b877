"""Writes a report: the page, and its Markdown twin beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from healgpt.errors import DataError
from healgpt.evaluation.report import font
from healgpt.evaluation.report.content import build, load
from healgpt.evaluation.report.markdown import to_markdown
from healgpt.evaluation.report.page import to_html


@dataclass(frozen=True, slots=True)
class Written:
    """The two files, and the font that was embedded or None."""

    page: Path
    markdown: Path
    font: Path | None


def write(folders: Sequence[Path], page: Path, *, font_path: Path | None = None, embed: bool = True) -> Written:
    """Write the report of `folders` to `page` and, with the suffix .md, beside it.

    Without `font_path` a known open font of this machine is embedded; where there is none the page says so. Raises
    `DataError` for folders that hold no run and where the files cannot be written, `ConfigError` for a missing extra.
    """
    content = build(load(folders))
    chosen = (font_path or font.find()) if embed else None
    texts = {page: to_html(content, font_path=chosen), page.with_suffix(".md"): to_markdown(content)}
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise DataError(f"写不了 {path}：{error.strerror}。请检查文件夹和权限。") from error
    return Written(page, page.with_suffix(".md"), chosen)
