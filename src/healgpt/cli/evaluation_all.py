"""`healgpt eval all`: the whole suite on one model, and its report."""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

EPILOG = """例子：

    healgpt eval all --data 数据 --out runs/mini                       默认模型，约一小时以内

    healgpt eval all --data 数据 --out runs/试 --quick                  每样少做一些，五分钟以内

    healgpt eval all --model qwen2.5-coder-0.5b --system bare --data 数据 --out runs/0.5b-bare

    healgpt eval all --exam 真题.jsonl --exam-format cmexam --out runs/cmexam
"""


def command(
    *,
    out: Annotated[Path, typer.Option("--out", help="结果文件夹；同一命令再跑一次，从中断处继续")],
    data: Annotated[
        Path | None, typer.Option("--data", help="放数据的文件夹：在里面找 explaincpe*.json 和 cmd_samples.json")
    ] = None,
    model: Annotated[str, typer.Option("--model", help="模型，见 healgpt models")] = "healgpt-mini",
    system: Annotated[
        Literal["bare", "doctor"], typer.Option("--system", help="bare：模型自己答；doctor：加上分诊、追问和图谱资料")
    ] = "doctor",
    quick: Annotated[bool, typer.Option("--quick", help="每样少做一些，看看能不能跑通")] = False,
    config: Annotated[Path | None, typer.Option("--config", help="各做多少，TOML，见 configs/eval/full.toml")] = None,
    exam: Annotated[Path | None, typer.Option("--exam", help="考题文件")] = None,
    exam_format: Annotated[
        str, typer.Option("--exam-format", help="考题的格式，见 healgpt eval choice")
    ] = "explaincpe",
    cases: Annotated[Path | None, typer.Option("--cases", help="病例文件")] = None,
    cases_format: Annotated[str, typer.Option("--cases-format", help="病例的格式，见 healgpt eval consult")] = "cmd",
    judge: Annotated[str | None, typer.Option("--judge", help="裁判模型；不写就不用裁判")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="报告文件，默认是结果文件夹里的 report.html")] = None,
) -> None:
    """一条命令跑完全部评测并写出报告：规则的安全、考试、引用、越界提问、问诊，给了 --judge 还有裁判。

    没有的数据会说明并跳过；安全题集随程序自带，总会跑。
    """
    from healgpt.cli.evaluation_choice import progress
    from healgpt.errors import ConfigError
    from healgpt.evaluation.amounts import FULL, QUICK, read_amounts
    from healgpt.evaluation.report.document import write
    from healgpt.evaluation.suite import Sources, run_suite

    if quick and config is not None:
        raise ConfigError("--quick 和 --config 只能选一个。")
    amounts = QUICK if quick else FULL if config is None else read_amounts(config)
    sources = Sources(data, (exam, exam_format) if exam else None, (cases, cases_format) if cases else None, judge)
    start = time.monotonic()
    noted = run_suite(model, system, sources, out, amounts, progress)
    written = write([out], report or out / "report.html")
    for line in noted.cut:
        print(line)
    for part, reason in noted.skipped.items():
        print(f"{part} 没有跑：{reason}")
    print(f"用时 {(time.monotonic() - start) / 60:.1f} 分钟。报告：{written.page}")
