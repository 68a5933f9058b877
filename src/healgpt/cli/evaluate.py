"""`healgpt eval`: measure models, compare runs, guard a baseline."""

import typer

from healgpt.cli import evaluation_choice, evaluation_compare

app = typer.Typer(
    help="评测：考题、问诊、安全、裁判，比较两次结果，守住基线。每次评测写进一个文件夹，中断后同一命令续跑。",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("compare", epilog=evaluation_compare.COMPARE_EXAMPLES)(evaluation_compare.compare)
app.command("gate", epilog=evaluation_compare.GATE_EXAMPLES)(evaluation_compare.gate)
app.command("choice", epilog=evaluation_choice.EPILOG)(evaluation_choice.command)
