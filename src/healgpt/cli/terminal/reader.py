"""Where questions come from: a line editor on a terminal, plain lines from a pipe or a file."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings

_HISTORY_BYTES = 1_000_000


class Reader(Protocol):
    """Gives one input at a time; None at the end. On a terminal Ctrl-C raises `KeyboardInterrupt`."""

    def read(self) -> str | None: ...

    def wake(self, error: Exception | None = None) -> None:
        """From any thread: show the status anew, or let a waiting `read` raise `error`."""


def decode(data: bytes) -> str:
    """Return bytes of unknown origin as text: UTF-8, else GB18030, else UTF-8 with U+FFFD for what is neither."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", errors="replace")


def decode_argument(text: str) -> str:
    """Return a command-line argument as it was meant, where a locale without UTF-8 left bytes in it undecoded."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return decode(os.fsencode(text))
    return text


class Lines:
    """Questions one a line from a stream of bytes; `prompt` is shown before each where a person types them."""

    def __init__(self, stream: BinaryIO, prompt: Callable[[], None] | None = None) -> None:
        self._stream = stream
        self._prompt = prompt

    def read(self) -> str | None:
        """Return the next line without its end, None after the last."""
        if self._prompt:
            self._prompt()
        data = self._stream.readline()
        return decode(data).rstrip("\r\n") if data else None

    def wake(self, error: Exception | None = None) -> None:
        """Do nothing: a blocked read of a pipe cannot be woken, and the next question meets the error."""


class Editor:
    """A line editor with history: Enter sends, Alt-Enter or Ctrl-J starts a new line, pasted lines stay together."""

    def __init__(self, history: Path | None, words: Iterable[str], status: Callable[[], str]) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.styles import Style

        self._error: Exception | None = None
        self._session: PromptSession[str] = PromptSession(
            message=[("class:ask", "问 › ")],
            multiline=True,
            history=_open_history(history),
            completer=_command_completer(tuple(words)),
            complete_while_typing=False,
            key_bindings=_bindings(),
            bottom_toolbar=lambda: [("", status())],
            prompt_continuation=lambda width, line, wrapped: " " * min(width, 5),
            style=Style.from_dict({"ask": "bold ansigreen", "bottom-toolbar": "noreverse ansibrightblack"}),
            enable_open_in_editor=False,
            mouse_support=False,
        )

    def read(self) -> str | None:
        """Edit and return one input. Ctrl-D on an empty line is the end."""
        try:
            return self._session.prompt(pre_run=self._raise_waiting)
        except EOFError:
            return None

    def wake(self, error: Exception | None = None) -> None:
        """See `Reader.wake`. What was being typed goes to the history, so that it is not lost."""
        self._error = error or self._error
        loop = self._session.app.loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._raise_waiting)
            except RuntimeError:  # the editor has just returned and its loop is closed
                return

    def _raise_waiting(self) -> None:
        app = self._session.app
        if self._error is None:
            app.invalidate()
        elif app.is_running and not app.is_done:
            error, self._error = self._error, None
            if self._session.default_buffer.text.strip():
                self._session.default_buffer.append_to_history()
            app.exit(exception=error)


@contextmanager
def silent_keys(wanted: bool) -> Iterator[None]:
    """Keep the terminal from printing keys (and ^C) into an answer; the editor shows and takes them later."""
    try:
        import termios
    except ImportError:  # Windows prints none
        wanted = False
    if not wanted:
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    silent = [*before]
    silent[3] &= ~(termios.ECHO | termios.ICANON)
    silent[0] &= ~termios.ICRNL  # or an Enter typed ahead reaches the editor as Ctrl-J, a new line
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _command_completer(words: tuple[str, ...]) -> "Completer":
    from prompt_toolkit.completion import WordCompleter

    return WordCompleter(list(words), sentence=True)


def _bindings() -> "KeyBindings":
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("enter")
    def send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    @keys.add("c-j")
    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c")
    def clear_or_leave(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.text.strip():
            buffer.append_to_history()
            buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt())

    return keys


def _open_history(path: Path | None) -> "History":
    """Return a history kept in `path`, readable by its owner only; in memory where it cannot be written."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    if path is None or not _writable(path):
        return InMemoryHistory()

    class QuietFileHistory(FileHistory):
        """A history that neither the disk nor a lone surrogate can turn into a crash; entries stay in memory."""

        def load_history_strings(self) -> Iterable[str]:
            try:
                return list(super().load_history_strings())
            except OSError:
                return []

        def store_string(self, string: str) -> None:
            try:
                super().store_string(string.encode("utf-8", "replace").decode("utf-8"))
            except OSError:
                return

    return QuietFileHistory(str(path))


def _writable(path: Path) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        if not path.is_file():
            return False
        with path.open("ab") as stream:
            long = stream.tell() > _HISTORY_BYTES
        if long:
            _drop_older_half(path)
    except OSError:
        return False
    return True


def _drop_older_half(path: Path) -> None:
    """Cut the history to its newer half, at the start of an entry."""
    data = path.read_bytes()
    start = data.find(b"\n# ", len(data) // 2)
    scratch = path.with_suffix(".part")
    scratch.write_bytes(data[start:] if start >= 0 else b"")
    scratch.chmod(0o600)
    scratch.replace(path)
