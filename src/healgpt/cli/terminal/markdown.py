"""Markdown shown while it is written: every character is printed once and never touched again.

Nothing is redrawn, so nothing flickers, a resized window reflows what stands, and a narrow one only wraps
earlier. What cannot be known until later is held back: the first characters of a line until its kind is
clear, a word until it ends, a table until its last row. Emphasis and code marks become styles and end with
their line at the latest. Lines break between Chinese characters, but never before a closing mark or after an
opening one (the rule that typesetters call kinsoku).
"""

import re
import unicodedata
from collections.abc import Callable

from rich.cells import cell_len
from rich.console import RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Span, Text

_CLOSERS = frozenset("，。、；：！？）】》」』”’…·％℃—～,.;:!?)]}%")
_OPENERS = frozenset("（【《「『“‘([{")
# a line's start that may still become a heading, list item, quote, fence, table or rule
_UNDECIDED = re.compile(r"\s*(?:#{1,6}|[-*+_=•]{1,3}|\d{1,2}[.)]?|`{1,2}|(?:[-*_]\s?){1,3})?")
_HEADING = re.compile(r"\s*#{1,6}\s+")
_BULLET = re.compile(r"(\s*)[-*+•]\s+")
_NUMBER = re.compile(r"(\s*)(\d{1,2})(?:[.)]\s+|、)")
_QUOTE = re.compile(r"\s*>\s?")
_RULE = re.compile(r"\s*(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})")
_TABLE_SEPARATOR = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")


def printable(text: str) -> str:
    """Return `text` without anything that steers a terminal: control characters and bidirectional overrides.

    Newlines stay, tabs become spaces, and a lone surrogate, which no stream can encode, becomes U+FFFD.
    """
    return "".join(map(_printable, text))


def _printable(sign: str) -> str:
    if sign == "\t":
        return "    "
    if sign == "\n" or sign.isprintable():
        return sign
    match unicodedata.category(sign):
        case "Cc" | "Cf" if sign != "\u200d":  # the joiner holds emoji together
            return ""
        case "Cs":
            return "\ufffd"
        case _:
            return sign


class MarkdownStream:
    """Turns pieces of Markdown into pieces to print; `width` is asked anew for every line break.

    With a `plain` style nothing is read as a mark: text is only wrapped, all in that style.
    """

    def __init__(self, width: Callable[[], int], *, plain: str | None = None) -> None:
        self._width = width
        self._plain = plain
        self._out: list[RenderableType] = []
        self._head = ""  # the start of a line whose kind is not known yet
        self._open = False  # the kind of the current line is known
        self._whole = ""  # "fence", "table" or "code": a line that is shown when it ends
        self._fenced = False
        self._rows: list[str] = []
        self._unit: list[tuple[str, str]] = []  # characters that must stay together, with their styles
        self._column = 0
        self._indent = 0
        self._any = False  # something was printed
        self._started = False  # a line was printed whose end was not
        self._blank = False  # blank lines came since
        self._base = plain or ""
        self._marks = ""  # a run of * that is not decided
        self._bold = False
        self._code = False

    def feed(self, text: str) -> list[RenderableType]:
        """Take the next piece and return what can be printed now. `Text` items carry no end of line."""
        for sign in printable(text):
            if sign == "\n":
                self._end_line()
            elif self._open:
                self._inside(sign)
            else:
                self._head += sign
                if self._plain is not None or not _UNDECIDED.fullmatch(self._head):
                    self._open_line()
        return self._take()

    def close(self) -> list[RenderableType]:
        """Return what was held back, and the final end of line if anything was printed."""
        if self._head or self._open:
            self._end_line()
        self._end_table()
        if self._started:
            self._out.append(Text("\n", end=""))
        self._any = self._started = self._blank = False
        return self._take()

    def _take(self) -> list[RenderableType]:
        out, self._out = self._out, []
        return out

    def _open_line(self) -> None:
        """Decide what kind of line `_head` starts, and begin it."""
        head, self._head = self._head, ""
        self._open = True
        if self._plain is not None:
            self._new_line()
            self._inside(head)
            return
        stripped = head.lstrip()
        if stripped.startswith("```"):
            self._whole, self._head = "fence", stripped
            return
        if self._fenced:
            self._whole, self._head = "code", head
            return
        if stripped.startswith("|"):
            self._whole, self._head = "table", stripped
            return
        self._end_table()
        self._new_line()
        rest = self._prefix(head)
        for sign in rest:
            self._inside(sign)

    def _prefix(self, head: str) -> str:
        """Print what stands before the text of a line (bullet, number, bar), set its style, return the text."""
        deepest = 8 if self._width() >= 40 else 2
        if match := _HEADING.match(head):
            self._base = "bold cyan"
        elif match := _BULLET.match(head):
            self._lead(" " * min(len(match[1]), deepest) + "• ", "cyan")
        elif match := _NUMBER.match(head):
            self._lead(" " * min(len(match[1]), deepest) + match[2] + ". ", "cyan")
        elif match := _QUOTE.match(head):
            self._lead("│ ", "dim")
            self._base = "italic"
        else:
            return head.lstrip() if len(head) - len(head.lstrip()) > deepest else head
        return head[match.end() :]

    def _lead(self, text: str, style: str) -> None:
        self._print(text, style)
        self._column = self._indent = cell_len(text)

    def _inside(self, sign: str) -> None:
        """Take one character of an open line."""
        if self._whole:
            self._head += sign
        elif self._plain is not None:
            self._join(sign)
        elif sign == "*" and not self._code:
            self._marks += sign
        else:
            self._resolve_marks(sign)
            if sign == "`":
                self._code = not self._code
            else:
                self._join(sign)

    def _resolve_marks(self, following: str) -> None:
        """A run of two or three * switches bold; a single one, or one that opens before a space, is itself."""
        marks, self._marks = self._marks, ""
        if len(marks) in (2, 3) and (self._bold or not following.isspace()):
            self._bold = not self._bold
        else:
            for mark in marks:
                self._join(mark)

    def _join(self, sign: str) -> None:
        if self._unit and _may_break(self._unit[-1][0], sign):
            self._flush_unit()
        style = " ".join(filter(None, (self._base, "bold" if self._bold else "", "cyan" if self._code else "")))
        self._unit.append((sign, style))

    def _flush_unit(self) -> None:
        unit, self._unit = self._unit, []
        size = cell_len("".join(sign for sign, _ in unit).rstrip())
        if self._column + size > self._width() and self._column > self._indent:
            self._break_line()
        for sign, style in unit:
            cells = cell_len(sign)
            if self._column + cells > self._width():
                if sign.isspace():
                    continue
                self._break_line()
            if sign.isspace() and self._column == self._indent and self._indent:
                continue
            self._print(sign, style)
            self._column += cells

    def _break_line(self) -> None:
        indent = min(self._indent, self._width() // 2)
        self._print("\n" + " " * indent, "")
        self._column = indent

    def _end_line(self) -> None:
        """Finish the current line, or note a blank one; the line break itself is printed by the next line."""
        if not self._open and not self._head.strip() and not self._fenced:
            self._head = ""
            self._end_table()
            self._blank = self._any
            return
        if not self._open and not self._fenced and _RULE.fullmatch(self._head):
            self._head = ""
            self._block(Rule(style="dim", characters="─"))
            return
        if not self._open:
            self._open_line()
        match self._whole:
            case "fence":
                self._fenced = not self._fenced
            case "table":
                self._rows.append(self._head)
            case "code":
                self._new_line()
                self._print(self._head, "cyan")
            case _:
                self._resolve_marks("\n")
                self._flush_unit()
        self._reset_line()

    def _reset_line(self) -> None:
        self._head = self._whole = ""
        self._base = self._plain or ""
        self._open = self._bold = self._code = False
        self._indent = 0

    def _end_table(self) -> None:
        rows, self._rows = self._rows, []
        if len(rows) > 1 and _TABLE_SEPARATOR.fullmatch(rows[1]):
            self._block(_table(rows))
            return
        for row in rows:  # no table after all
            self._new_line()
            self._print(row, "")

    def _block(self, block: RenderableType) -> None:
        """Put a block that ends its own last line."""
        self._new_line()
        self._out.append(block)
        self._started = False

    def _new_line(self) -> None:
        ends = self._started + self._blank
        if ends:
            self._print("\n" * ends, "")
        self._any = self._started = True
        self._blank = False
        self._column = 0

    def _print(self, text: str, style: str) -> None:
        last = self._out[-1] if self._out else None
        if not isinstance(last, Text):
            last = Text(end="")
            self._out.append(last)
        spans = last.spans
        if style and spans and spans[-1].style == style and spans[-1].end == len(last):
            last.append(text)
            spans[-1] = Span(spans[-1].start, len(last), style)
        else:
            last.append(text, style or None)


def _may_break(left: str, right: str) -> bool:
    """May a line end between these two characters?"""
    if right in _CLOSERS or left in _OPENERS or right.isspace() or cell_len(right) == 0:
        return False
    if left.isspace():
        return True
    return cell_len(left) == 2 or cell_len(right) == 2


def _table(rows: list[str]) -> Table:
    """Return the rows of a pipe table as a table; the second row is the line under the header."""
    cells = [[cell.strip().replace("**", "") for cell in row.strip().strip("|").split("|")] for row in rows]
    table = Table(header_style="bold", border_style="dim", padding=(0, 1))
    for cell in cells[0]:
        table.add_column(Text(cell), overflow="fold")
    for row in cells[2:]:
        table.add_row(*(Text(cell) for cell in row))
    return table
