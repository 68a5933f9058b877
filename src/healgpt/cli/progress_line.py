"""Progress of a long file operation on standard error: a bar on a terminal, one line every tenth otherwise."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from healgpt.models.progress import Progress


@contextmanager
def shown(title: str) -> Generator[Callable[[Progress], None], None, None]:
    """Yield a reporter for `healgpt.models` functions; the bar is gone when the block ends."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _by_tenths(title)
        return
    from rich import progress as rich_progress

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda step: bar.update(task, total=step.total_bytes, completed=step.done_bytes)


def _by_tenths(title: str) -> Callable[[Progress], None]:
    said = -1

    def report(step: Progress) -> None:
        nonlocal said
        tenth = 10 * step.done_bytes // max(step.total_bytes, 1)
        if tenth > said:
            said = tenth
            print(f"{title} {10 * tenth:3d}%  {step.done_bytes / 1e6:,.0f} MB", file=sys.stderr, flush=True)

    return report
