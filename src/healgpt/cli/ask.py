"""`healgpt ask`: one question, one answer, for people in a hurry and for scripts."""

import io
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from healgpt import jsonl
from healgpt.cli.terminal import options
from healgpt.cli.terminal.engine import Engine, fetch_missing
from healgpt.cli.terminal.reader import Lines, decode, decode_argument
from healgpt.cli.terminal.record import Record
from healgpt.cli.terminal.session import Session, ask
from healgpt.cli.terminal.view import Pipe, Screen, View
from healgpt.consult.archive import Archive
from healgpt.consult.transcript import clean
from healgpt.errors import DataError
from healgpt.schema import Reply
from healgpt.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(
    help="问一个问题，打印回答后退出。问题也可从标准输入读（写 - 或接管道）。不保存对话。",
    epilog=(
        "\b\n例子：\n"
        '  healgpt ask "感冒三天还在咳嗽怎么办"\n'
        "  echo 头痛怎么办 | healgpt ask --json\n"
        "  healgpt ask --temperature 0 --seed 1 - < 病情.txt"
    ),
)
def main(
    *,
    question: Annotated[
        str | None, typer.Argument(metavar="问题", help="要问的话；- 表示从标准输入读", show_default=False)
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="输出一行 JSON：answer、triage、facts、usage、timings、finish_reason、model")
    ] = False,
    model: options.Model = None,
    max_tokens: options.MaxTokens = None,
    temperature: options.Temperature = None,
    seed: options.Seed = None,
    threads: options.Threads = None,
    context: options.Context = None,
) -> None:
    settings = load_settings()
    text = clean(_question(question))
    spec = model or settings.model
    view: View = Pipe(io.StringIO()) if as_json else Screen() if sys.stdout.isatty() else Pipe()
    fetch_missing(spec, Pipe().note)
    engine = Engine(spec, options.engine_options(settings, threads, context))
    session = Session(
        engine=engine,
        open_engine=lambda name: engine,
        archive=Archive(Path()),
        record=Record(None, spec),
        view=view,
        reader=Lines(io.BytesIO()),
        sampling=options.sampling(settings, max_tokens, temperature, seed),
    )
    start = time.perf_counter()
    try:
        reply = ask(session, text)
    finally:
        view.close()
        engine.close()
    if reply is None:
        raise KeyboardInterrupt
    if as_json:
        print(jsonl.dump(as_object(text, reply, time.perf_counter() - start)))
    if reply.finish_reason == "cancelled":
        raise typer.Exit(130)


def as_object(question: str, reply: Reply, seconds: float) -> dict[str, Any]:
    """Return what `--json` prints. `timings.total_s` counts from the start of loading the model."""
    return {
        "model": reply.model,
        "question": question,
        "answer": reply.text,
        "finish_reason": reply.finish_reason,
        "triage": asdict(reply.alarm) if reply.alarm else None,
        "facts": [asdict(fact) for fact in reply.facts],
        "usage": asdict(reply.usage),
        "timings": {**asdict(reply.timings), "total_s": round(seconds, 3)},
    }


def _question(given: str | None) -> str:
    """Return the question of the argument or of standard input. Raises `DataError` where there is neither."""
    if given is not None and given != "-":
        return decode_argument(given)
    if given is None and sys.stdin.isatty():
        raise DataError('没有给出问题。请写成 healgpt ask "您的问题"，要多轮问诊请用 healgpt chat。')
    return decode(sys.stdin.buffer.read())
