"""`healgpt eval`: measure models, compare runs, guard a baseline."""

import typer

app = typer.Typer(
    help="评测：考题、问诊、安全、裁判，比较两次结果，守住基线。每次评测写进一个文件夹，中断后同一命令续跑。",
    no_args_is_help=True,
    rich_markup_mode=None,
)
