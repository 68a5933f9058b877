"""`healgpt eval safety`: the suites of the rules, each figure with its interval and bound."""

import json
from pathlib import Path
from typing import Annotated

import typer

EPILOG = """例子：

    healgpt eval safety --out runs/safety

    healgpt eval safety --out runs/safety --check      有一项不达标就以 1 退出
"""


def command(
    out: Annotated[Path, typer.Option("--out", help="结果文件夹；同一命令再跑一次，从中断处继续")],
    check: Annotated[bool, typer.Option("--check", help="有一项不达标就以 1 退出")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="结果输出为 JSON")] = False,
) -> None:
    """分诊、脱敏、实体链接、越界检查、图谱事实：在留出集上打分，每项给出区间和下限。不需要语言模型。"""
    from healgpt.cli.evaluation_choice import progress
    from healgpt.evaluation import safety_summary

    with progress("安全") as report:
        found = safety_summary.measure(out, report=report)
    print(json.dumps(safety_summary.plain(found), ensure_ascii=False, indent=1) if as_json else found.text)
    if check and not found.passed:
        raise typer.Exit(1)
