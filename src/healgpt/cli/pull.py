"""`healgpt pull`: download with a progress bar, or one line every tenth without a terminal."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from healgpt.models import catalog
from healgpt.models.progress import Progress
from healgpt.models.pull import SOURCES, pull
from healgpt.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_STAGES = {"waiting": "等待", "download": "下载", "verify": "校验", "notice": "下载", "done": "完成"}


@app.command(
    help="下载模型或知识图谱到 HEALGPT_HOME（默认 ~/.healgpt）。断了再运行一次就从断点继续；下载后校验 SHA-256。",
    epilog="例子：healgpt pull    healgpt pull qwen2.5-coder-0.5b --source modelscope    healgpt pull cmekg",
)
def main(
    names: Annotated[list[str] | None, typer.Argument(help="名称，见 healgpt models；不写就是默认模型")] = None,
    source: Annotated[str | None, typer.Option(help=f"只用一个来源：{'、'.join(SOURCES)}；默认依次尝试")] = None,
) -> None:
    for name in names or [load_settings().model]:
        try:
            place = pull_shown(name, source)
            if catalog.find(name).kind == "graph":
                place = _graph_store()
            print(f"{name} 已就绪：{place}")
        except KeyboardInterrupt:
            print("已中断。下载好的部分保留着，再运行一次就从断点继续。", file=sys.stderr)
            raise typer.Exit(130) from None


def pull_shown(name: str, source: str | None = None) -> Path:
    """Pull `name` and show the progress on standard error; nothing is shown when the file is there already."""
    entry = catalog.find(name)
    if catalog.installed(entry):
        return pull(name, source=source)
    console = Console(stderr=True)
    if console.is_terminal:
        return _with_bar(name, source, console)
    return pull(name, source=source, report=_by_tenths(name))


def _graph_store() -> Path:
    """Build the store of the pulled graphs where it is missing or older than they are; return its path."""
    from healgpt.knowledge.graph import open_graph

    with open_graph(report=lambda line: print(f"{line}……", file=sys.stderr, flush=True)) as graph:
        return graph.path


def _with_bar(name: str, source: str | None, console: Console) -> Path:
    from rich import progress as rich_progress

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(bar_width=None),
        rich_progress.TextColumn("{task.percentage:>3.0f}%"),
        rich_progress.TextColumn("{task.fields[numbers]}"),
    )
    with rich_progress.Progress(*columns, console=console, expand=True) as bar:
        task = bar.add_task(f"下载 {name}", total=None, numbers="")

        def report(step: Progress) -> None:
            if step.note:
                bar.console.print(step.note, highlight=False)
            bar.update(
                task,
                description=f"{_STAGES[step.stage]} {name}",
                total=step.total_bytes,
                completed=step.done_bytes,
                numbers=_numbers(step),
            )

        return pull(name, source=source, report=report)


def _by_tenths(name: str) -> Callable[[Progress], None]:
    """Return a reporter for logs: one line for every tenth, notices as they come."""
    said = -1

    def report(step: Progress) -> None:
        nonlocal said
        if step.note:
            print(step.note, file=sys.stderr, flush=True)
            return
        tenth = 10 * step.done_bytes // step.total_bytes
        if tenth > said or (tenth < said and step.stage == "download"):
            said = tenth
            print(f"{_STAGES[step.stage]} {name} {10 * tenth:3d}%  {_numbers(step)}", file=sys.stderr, flush=True)

    return report


def _numbers(step: Progress) -> str:
    text = f"{step.done_bytes / 1e6:,.0f}/{step.total_bytes / 1e6:,.0f} MB"
    if step.stage != "download" or step.bytes_per_s <= 0:
        return text
    text += f"  {step.bytes_per_s / 1e6:.1f} MB/s"
    return text if step.seconds_left is None else f"{text}  剩 {_duration(step.seconds_left)}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} 秒" if whole < 60 else f"{whole // 60} 分 {whole % 60:02d} 秒"
