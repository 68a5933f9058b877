"""`healgpt chat`: a consultation in the terminal."""

import locale
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Annotated

import typer

from healgpt import __version__, prompts
from healgpt.backends import EngineOptions
from healgpt.cli.terminal import commands, loop, options
from healgpt.cli.terminal.engine import Engine, fetch_missing, label
from healgpt.cli.terminal.reader import Editor, Lines, Reader, silent_keys
from healgpt.cli.terminal.record import Record
from healgpt.cli.terminal.session import Session
from healgpt.cli.terminal.view import Pipe, Screen, View
from healgpt.consult.archive import Archive, Conversation
from healgpt.consult.grounding import graph_built
from healgpt.errors import ConfigError, DataError
from healgpt.schema import Sampling
from healgpt.settings import home, load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(
    help="在终端里问诊。对话自动保存；输入 /help 看全部命令。标准输入不是终端时，一行一个问题，只输出回答。",
    epilog=(
        "\b\n例子：\n"
        "  healgpt chat\n"
        "  healgpt chat --model qwen2.5-coder-0.5b\n"
        "  healgpt chat --resume              继续最近一次对话\n"
        "  healgpt chat < 问题.txt > 回答.txt"
    ),
)
def main(
    *,
    number: Annotated[
        str | None, typer.Argument(metavar="编号", help="与 --resume 同用：继续哪一次对话", show_default=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", "-r", help="继续最近一次（或给出编号的）对话")] = False,
    model: options.Model = None,
    max_tokens: options.MaxTokens = None,
    temperature: options.Temperature = None,
    seed: options.Seed = None,
    threads: options.Threads = None,
    context: options.Context = None,
) -> None:
    settings = load_settings()
    archive = Archive(home() / "conversations")
    if number and not resume:
        raise ConfigError(f"不认识 {number}。继续以前的对话请用 --resume {number}，问一个问题请用 healgpt ask。")
    earlier = _earlier(archive, number) if resume else None
    code = consult(
        model or settings.model,
        options.engine_options(settings, threads, context),
        options.sampling(settings, max_tokens, temperature, seed),
        archive,
        saving=settings.save_conversations,
        earlier=earlier,
    )
    raise typer.Exit(code)


def consult(
    spec: str,
    engine_options: EngineOptions,
    sampling: Sampling,
    archive: Archive,
    *,
    saving: bool,
    earlier: Conversation | None,
) -> int:
    """Hold one consultation on this process's terminal or pipes, and return its exit code."""
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    view: View = Screen() if interactive else Pipe()
    fetch_missing(spec, view.note)
    _leave_on_signals()

    reader = _reader(interactive, saving, lambda: _status(session))
    session = Session(
        Engine(spec, engine_options, reader.wake),
        lambda name: Engine(name, engine_options),
        archive,
        Record(archive if saving else None, spec),
        view,
        reader,
        sampling,
    )
    try:
        view.banner(_banner(spec, saving))
        if earlier:
            commands.reopen(session, earlier)
        with silent_keys(interactive):
            return loop.run(session, interactive=interactive)
    finally:
        view.close()
        session.engine.close()


def _earlier(archive: Archive, number: str | None) -> Conversation:
    if number:
        return archive.load(number)
    latest = next((conversation for conversation in archive.list() if conversation.turns), None)
    if latest is None:
        raise DataError(f"{archive.folder} 里还没有保存过的对话。直接运行 healgpt chat 开始一次。")
    return latest


def _reader(interactive: bool, saving: bool, status: Callable[[], str]) -> Reader:
    if interactive:
        return Editor(home() / "history" if saving else None, commands.words(), status)
    typed = sys.stdin.isatty()
    return Lines(sys.stdin.buffer, (lambda: print("问 › ", end="", file=sys.stderr, flush=True)) if typed else None)


def _banner(spec: str, saving: bool) -> list[str]:
    lines = [f"HealGPT {__version__} · {label(spec)}", prompts.render("disclaimer")]
    lines.append("直接输入您的不适或问题。/help 看命令，exit 离开。" + ("" if saving else "本次对话不保存。"))
    if not graph_built():
        lines.append("没有本地知识图谱，回答不引用资料。运行 healgpt pull cmekg 可以下载（12 MB）。")
    if locale.getencoding().lower().replace("-", "") != "utf8":
        lines.append("Note: this locale is not UTF-8. If Chinese text looks broken, run: export LC_ALL=C.UTF-8")
    return lines


def _status(session: Session) -> str:
    state = "就绪" if session.engine.ready else "载入中，可以先输入"
    return f"急症拨打 120 · {session.engine.label} {state}"


def _leave_on_signals() -> None:
    """Let a closed window or a polite kill end the session by the front door, so that what came is saved."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)
