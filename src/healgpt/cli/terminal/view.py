"""What a terminal user sees: a styled screen, or plain text where standard output is no terminal."""

import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Protocol

from healgpt.cli.terminal.markdown import MarkdownStream, printable
from healgpt.schema import Alarm

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.status import Status

_NARROWEST = 10


class View(Protocol):
    """How one answer and all else is shown. An answer is `alarm`?, `write`*, `finish`; `note` comes between."""

    def banner(self, lines: Iterable[str]) -> None: ...

    def wait(self, label: str) -> None:
        """Say that nothing can be shown yet; whatever is shown next replaces it."""

    def alarm(self, alarm: Alarm) -> None: ...

    def write(self, text: str) -> None: ...

    def finish(self, summary: str, note: str = "") -> None:
        """End the answer; `summary` tells its figures, `note` what the user should know about it."""

    def note(self, text: str) -> None:
        """Tell something beside the answers."""

    def warn(self, text: str) -> None:
        """Tell what went wrong."""

    def show(self, text: str) -> None:
        """Show text that was asked for, Markdown."""

    def clear(self) -> None: ...

    def close(self) -> None:
        """Leave the terminal as it was found."""


class Screen:
    """A terminal, through rich. Answers are printed once and never redrawn; see `markdown`."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._markdown = MarkdownStream(self._width)
        self._status: Status | None = None

    def _width(self) -> int:
        return max(_NARROWEST, self._console.width)

    def banner(self, lines: Iterable[str]) -> None:
        """Print the title and, dim, what follows it."""
        title, *rest = lines
        self._tell(title, "bold cyan")
        for line in rest:
            self._tell(line, "dim")
        self._console.print()

    def wait(self, label: str) -> None:
        """Show a spinner; rich hides the cursor meanwhile and brings it back in `_settle`."""
        if self._status is None:
            self._status = self._console.status(label, spinner="line")
            self._status.start()
        else:
            self._status.update(label)

    def alarm(self, alarm: Alarm) -> None:
        """Print a red panel for an emergency, a yellow one for what must be seen today."""
        from rich.panel import Panel
        from rich.text import Text

        self._settle()
        emergency = alarm.level == "emergency"
        style = "bold white on red" if emergency else "bold black on yellow"
        self._console.print(
            Panel(
                Text(heading(alarm), style=style),
                border_style=style,
                style=style,
                padding=(0, 1),
            )
        )

    def write(self, text: str) -> None:
        """Print as much of the answer as is settled."""
        self._print(self._markdown.feed(text))

    def finish(self, summary: str, note: str = "") -> None:
        """Print the rest of the answer, then the rest dim."""
        self._settle()
        self._print(self._markdown.close())
        for line in filter(None, (summary, note)):
            self._tell(line, "dim")
        self._console.print()

    def note(self, text: str) -> None:
        """Print dim."""
        self._settle()
        self._tell(text, "dim")

    def warn(self, text: str) -> None:
        """Print yellow."""
        self._settle()
        self._tell(text, "bold yellow")

    def show(self, text: str) -> None:
        """Print as an answer is printed."""
        self.write(text)
        self.finish("")

    def clear(self) -> None:
        """Clear the window."""
        self._settle()
        self._console.clear()

    def close(self) -> None:
        """Take the spinner away and bring the cursor back."""
        self._settle()

    def _tell(self, text: str, style: str) -> None:
        lines = MarkdownStream(self._width, plain=style)
        self._print([*lines.feed(text), *lines.close()])

    def _print(self, pieces: list["RenderableType"]) -> None:
        from rich.text import Text

        for piece in pieces:
            self._settle()
            text = isinstance(piece, Text)  # wrapped already, and the line goes on
            self._console.print(piece, end="" if text else "\n", soft_wrap=text)

    def _settle(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


class Pipe:
    """Plain text without any control code: answers on standard output, all else on standard error."""

    def __init__(self, out: IO[str] | None = None, err: IO[str] | None = None) -> None:
        self._out = out if out is not None else sys.stdout
        self._err = err if err is not None else sys.stderr
        self._last = ""

    def banner(self, lines: Iterable[str]) -> None:
        """Print nothing: the reader is a program or a file."""

    def wait(self, label: str) -> None:
        """Print nothing."""

    def alarm(self, alarm: Alarm) -> None:
        """Print the heading as the answer's first line."""
        self._put(heading(alarm) + "\n\n")

    def write(self, text: str) -> None:
        """Print the Markdown as it is."""
        self._put(printable(text))

    def finish(self, summary: str, note: str = "") -> None:
        """End the answer with an empty line; figures are for people, `note` goes to standard error."""
        if self._last:
            self._put("\n" if self._last.endswith("\n") else "\n\n")
        self._last = ""
        if note:
            self._tell(note)

    def note(self, text: str) -> None:
        """Print to standard error."""
        self._tell(text)

    def warn(self, text: str) -> None:
        """Print to standard error."""
        self._tell(text)

    def show(self, text: str) -> None:
        """Print to standard output."""
        self.write(text)
        self.finish("")

    def clear(self) -> None:
        """Print nothing."""

    def close(self) -> None:
        """Do nothing."""

    def _put(self, text: str) -> None:
        if text:
            self._out.write(text)
            self._out.flush()
            self._last = text

    def _tell(self, text: str) -> None:
        with suppress(OSError):  # a closed standard error must not end a consultation
            print(printable(text), file=self._err, flush=True)


def heading(alarm: Alarm) -> str:
    """Return the one line that stands above an alarm's advice."""
    sign = "急症" if alarm.level == "emergency" else "尽快就医"
    call = f"  请立即拨打 {alarm.call}" if alarm.call else ""
    return f"【{sign}】{alarm.title}{call}"
