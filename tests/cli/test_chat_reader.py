"""Reading questions: bytes of any encoding, an editor with history, and what must not be lost or crash."""

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from healgpt.cli.terminal.reader import Editor, Lines, decode, decode_argument
from healgpt.errors import ModelError

ENTER, ALT_ENTER, CTRL_C, CTRL_D, UP = "\r", "\x1b\r", "\x03", "\x04", "\x1b[A"


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe


def editor(history: Path | None = None) -> Editor:
    return Editor(history, ["/help"], lambda: "就绪")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_questions_are_read_in_the_encodings_that_chinese_files_have(encoding: str) -> None:
    assert decode("头痛三天😷".encode(encoding)) == "头痛三天😷"


def test_bytes_of_no_encoding_become_text_nevertheless() -> None:
    assert "\ufffd" in decode(b"\xff\xff\x80 abc")


def test_an_argument_in_a_locale_without_utf8_is_read_as_meant() -> None:
    assert decode_argument("头痛") == "头痛"
    assert decode_argument(os.fsdecode("头痛三天".encode("gb18030"))) == "头痛三天"
    assert decode_argument("头痛".encode().decode("ascii", "surrogateescape")) == "头痛"


def test_lines_end_with_the_stream_and_a_last_line_needs_no_end() -> None:
    lines = Lines(io.BytesIO("头痛\r\n\n三天".encode()))
    assert [lines.read() for _ in range(4)] == ["头痛", "", "三天", None]


def test_enter_sends_and_alt_enter_starts_a_new_line(keys: PipeInput) -> None:
    keys.send_text(f"头痛{ALT_ENTER}三天{ENTER}")
    assert editor().read() == "头痛\n三天"


def test_pasted_lines_stay_one_question(keys: PipeInput) -> None:
    keys.send_text(f"\x1b[200~第一行\r\n第二行\x1b[201~{ENTER}")
    assert editor().read() == "第一行\n第二行"


def test_history_outlives_the_session_and_is_private(keys: PipeInput, tmp_path: Path) -> None:
    path = tmp_path / "home" / "history"
    keys.send_text(f"头痛{ENTER}")
    editor(path).read()
    assert path.stat().st_mode & 0o777 == 0o600
    keys.send_text(f"{UP}三天{ENTER}")
    assert editor(path).read() == "头痛三天"


def test_ctrl_c_clears_the_line_into_the_history_and_interrupts_an_empty_one(keys: PipeInput) -> None:
    item = editor()
    keys.send_text(f"写了一半{CTRL_C}{CTRL_C}")
    with pytest.raises(KeyboardInterrupt):
        item.read()
    keys.send_text(f"{UP}{ENTER}")
    assert item.read() == "写了一半"


def test_ctrl_d_is_the_end(keys: PipeInput) -> None:
    keys.send_text(CTRL_D)
    assert editor().read() is None


@pytest.mark.parametrize("broken_later", [False, True])
def test_a_history_that_cannot_be_written_is_kept_in_memory(
    keys: PipeInput, tmp_path: Path, broken_later: bool
) -> None:
    path = tmp_path / "history"
    if not broken_later:
        path.mkdir()
    item = editor(path)
    if broken_later:
        path.unlink()
        path.mkdir()
    keys.send_text(f"头痛{ENTER}")
    assert item.read() == "头痛"
    keys.send_text(f"{UP}{ENTER}")
    assert item.read() == "头痛"


def test_a_lone_surrogate_does_not_break_the_history(keys: PipeInput, tmp_path: Path) -> None:
    item = editor(tmp_path / "history")
    item._session.history.append_string("a\ud800b")  # no terminal can send one, a paste through Windows can
    keys.send_text(f"{UP}{ENTER}")
    assert item.read()


def test_an_overlong_history_is_cut_to_its_newer_half(keys: PipeInput, tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text("".join(f"\n# 2026-01-01\n+{number:06d}{'痛' * 50}\n" for number in range(8000)), encoding="utf-8")
    before = path.stat().st_size
    keys.send_text(f"{UP}{ENTER}")
    assert str(editor(path).read()).startswith("007999")
    assert path.stat().st_size < before * 0.6


def test_a_model_that_fails_to_load_wakes_the_editor_and_keeps_what_was_typed(keys: PipeInput) -> None:
    item = editor()
    keys.send_text("打到一半")
    timer = threading.Timer(0.3, item.wake, [ModelError("文件损坏。")])
    timer.start()
    with pytest.raises(ModelError, match="文件损坏"):
        item.read()
    keys.send_text(f"{UP}{ENTER}")
    assert item.read() == "打到一半"


def test_a_model_that_failed_before_the_editor_opened_is_told_at_once(keys: PipeInput) -> None:
    item = editor()
    item.wake(ModelError("文件损坏。"))
    with pytest.raises(ModelError):
        item.read()
