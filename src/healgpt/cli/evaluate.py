"""`healgpt eval`: measure models, compare runs, guard a baseline."""

import typer

from healgpt.cli import (
    evaluation_all,
    evaluation_choice,
    evaluation_compare,
    evaluation_consult,
    evaluation_contamination,
    evaluation_harness,
    evaluation_judge,
    evaluation_report,
    evaluation_safety,
)

app = typer.Typer(
    help="评测：考题、问诊、安全、裁判，比较两次结果，守住基线。每次评测写进一个文件夹，中断后同一命令续跑。",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("compare", epilog=evaluation_compare.COMPARE_EXAMPLES)(evaluation_compare.compare)
app.command("gate", epilog=evaluation_compare.GATE_EXAMPLES)(evaluation_compare.gate)
app.command("choice", epilog=evaluation_choice.EPILOG)(evaluation_choice.command)
app.command("safety", epilog=evaluation_safety.EPILOG)(evaluation_safety.command)
app.command("judge", epilog=evaluation_judge.JUDGE_EXAMPLES)(evaluation_judge.judge)
app.command("calibrate", epilog=evaluation_judge.CALIBRATE_EXAMPLES)(evaluation_judge.calibrate)
app.command("consult", epilog=evaluation_consult.CONSULT_EXAMPLES)(evaluation_consult.command)
app.command("score", epilog=evaluation_consult.SCORE_EXAMPLES)(evaluation_consult.score)
app.command("report", epilog=evaluation_report.EPILOG)(evaluation_report.command)
app.command("contamination", epilog=evaluation_contamination.EXAMPLES)(evaluation_contamination.command)
app.command("export-lm", epilog=evaluation_harness.EPILOG)(evaluation_harness.command)
app.command("all", epilog=evaluation_all.EPILOG)(evaluation_all.command)
