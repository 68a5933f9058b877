"""`healgpt eval choice`: multiple-choice exams."""

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from healgpt import prompts
from healgpt.backends import EngineOptions
from healgpt.errors import ConfigError
from healgpt.evaluation.exams.choice import Setting, plan, scoring
from healgpt.evaluation.exams.collection import open_collection
from healgpt.evaluation.exams.exam import Exam, digests, open_exam
from healgpt.evaluation.exams.grounds import open_grounds
from healgpt.evaluation.exams.question import Question
from healgpt.evaluation.exams.readers import FORMATS, read
from healgpt.evaluation.exams.shots import draw_shots, refuse_leaks, refuse_same_file
from healgpt.evaluation.exams.summary import Accuracy, Summary, as_json, summarise
from healgpt.evaluation.run import Item, Run
from healgpt.evaluation.subject import open_subject

EPILOG = """例子：

    healgpt eval choice explaincpe.json --format explaincpe --model qwen2.5-coder-0.5b --out runs/bare

    healgpt eval choice explaincpe.json --format explaincpe --system doctor --limit 1000 --seed 0 --out runs/doctor

    healgpt eval choice Clinic_test.json --format mlec-qa --orders 5 --out runs/orders --json

    healgpt eval choice cmb_val.json --format cmb --scorer generate --out runs/written

    healgpt eval choice --config configs/eval/published_subset.toml --data 考题文件夹 --out runs/published
"""


def command(  # noqa: PLR0917 -- the options of the command line
    out: Annotated[Path, typer.Option("--out", help="结果文件夹；同一命令再跑一次，从中断处继续")],
    file: Annotated[
        Path | None, typer.Argument(help="考题文件（.json、.jsonl、.csv；CSV 一科一个文件时可写文件夹）")
    ] = None,
    form: Annotated[str, typer.Option("--format", help=f"格式：{'、'.join(FORMATS)}")] = "",
    config: Annotated[Path | None, typer.Option("--config", help="多个文件合成的考试，见 configs/eval/")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="--config 里写的文件所在的文件夹")] = None,
    model: Annotated[str, typer.Option("--model", help="模型，见 healgpt models")] = "healgpt-mini",
    system: Annotated[
        Literal["bare", "doctor"], typer.Option("--system", help="bare：模型自己答；doctor：加上系统提示和图谱资料")
    ] = "bare",
    orders: Annotated[int, typer.Option("--orders", min=1, help="轮换选项顺序的次数，取平均，消除对字母的偏好")] = 1,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="只抽这么多题")] = None,
    seed: Annotated[int, typer.Option("--seed", help="抽题用的种子")] = 0,
    scorer: Annotated[
        Literal["letters", "generate"],
        typer.Option("--scorer", help="letters：比较首词元是各字母的概率；generate：让模型作答，再从回答里读出答案"),
    ] = "letters",
    shots: Annotated[int, typer.Option("--shots", min=0, help="题前放几道做好的示例")] = 0,
    shots_file: Annotated[Path | None, typer.Option("--shots-file", help="示例从这个文件里抽，不能是考题文件")] = None,
    shots_format: Annotated[str | None, typer.Option("--shots-format", help="示例文件的格式，默认同 --format")] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="generate 方式一个回答最多多少词元")] = 256,
    answers: Annotated[Path | None, typer.Option("--answers", help="另放的答案文件（CMB 测试集）")] = None,
    slots: Annotated[int, typer.Option("--slots", min=1, help="同时算几道题")] = 1,
    context: Annotated[int, typer.Option("--context", min=256, help="一道题连同示例最多多少词元")] = 4096,
    as_json: Annotated[bool, typer.Option("--json", help="结果输出为 JSON")] = False,
) -> None:
    """让模型做选择题：总体、分科、分题型的正确率，附 95% 区间和瞎猜水平。"""
    if config is not None and data is not None and file is None:
        source, exam = data, open_collection(config, data, limit=limit, seed=seed)
    elif file is not None and form and config is None:
        source, exam = file, open_exam(file, form, answers=answers, limit=limit, seed=seed)
    else:
        raise ConfigError("请写考题文件和 --format，或者写 --config 和 --data，二者选一。")
    drawn: tuple[Question, ...] = ()
    if shots:
        named = (shots_file, shots_format or form)
        exam, drawn = with_shots(exam, source, shots, named, single=scorer == "letters")
    setting = Setting(scorer=scorer, shots=drawn, orders=orders, max_tokens=max_tokens)
    items = sit(exam, setting, model, system, out, EngineOptions(context=context, slots=slots))
    show(summarise(items), as_json)


def with_shots(
    exam: Exam, file: Path, count: int, source: tuple[Path | None, str], *, single: bool
) -> tuple[Exam, tuple[Question, ...]]:
    """Return the exam with the sum of its shots file noted, and the shots. Raises where they would leak the test."""
    path, form = source
    if path is None:
        raise ConfigError("用 --shots 时要写 --shots-file：示例从哪个文件里抽。它不能是考题文件。")
    refuse_same_file(path, file)
    drawn = draw_shots(read(path, form).questions, count, seed=int(exam.settings["seed"] or 0), single=single)
    refuse_leaks(drawn, exam.every)
    return replace(exam, inputs=exam.inputs | {f"shots/{name}": sha for name, sha in digests(path).items()}), drawn


def sit(
    exam: Exam, setting: Setting, spec: str, system: Literal["bare", "doctor"], out: Path, options: EngineOptions
) -> list[Item]:
    """Open the model, ask what is left of the exam, and return all items."""
    opened, subject = open_subject(spec, "bare", options)
    try:
        if system == "doctor":
            subject = replace(subject, system="doctor")
            setting = replace(setting, system=prompts.render("system"), find=open_grounds(opened))
            warm = getattr(opened, "warm", None)
            if warm is not None:
                warm(setting.system)
        score = scoring(opened, exam.questions, setting)
        with progress(exam.name) as report:
            ids = [question.question_id for question in exam.questions]
            made = plan(exam.name, setting, exam.inputs, exam.settings)
            return Run(out, subject).work(made, ids, score, workers=options.slots, report=report)
    finally:
        close = getattr(opened, "close", None)
        if close is not None:
            close()


@contextmanager
def progress(title: str) -> Generator[Callable[[int, int], None], None, None]:
    """Yield a reporter: a bar with the time left on a terminal, a line every tenth otherwise; on standard error."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _by_tenths(title)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TextColumn("还剩"), TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _by_tenths(title: str) -> Callable[[int, int], None]:
    said = -1

    def report(done: int, total: int) -> None:
        nonlocal said
        if 10 * done // total > said:
            said = 10 * done // total
            print(f"{title} {done}/{total}", file=sys.stderr, flush=True)

    return report


def show(summary: Summary, as_json_text: bool) -> None:
    """Print the summary as a table, or as JSON."""
    if as_json_text:
        print(json.dumps(as_json(summary), ensure_ascii=False, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("", "正确率", "95% 区间", "题数", "瞎猜")
    rows = [summary.micro, *([summary.macro] if len(summary.subjects) > 1 else [])]
    for group in (rows, summary.subjects, summary.kinds):
        if group is rows or len(group) > 1:
            for row in group:
                table.add_row(*_cells(row))
            table.add_section()
    console = Console()
    console.print(table)
    for line in _notes(summary):
        console.print(line)


def _cells(row: Accuracy) -> tuple[str, ...]:
    found = row.interval
    if found.n == 0:
        return (row.name, "—", "—", "0", "—")
    return (row.name, f"{found.value:.1%}", f"{found.low:.1%} – {found.high:.1%}", str(found.n), f"{row.chance:.1%}")


def _notes(summary: Summary) -> list[str]:
    def listed(counts: dict[str, int]) -> str:
        return "、".join(f"{letter or '无'} {count}" for letter, count in counts.items())

    notes = []
    if all(len(letters) <= 1 for letters in (*summary.picked, *summary.right_letters)):
        notes.append(f"选了：{listed(summary.picked)}　答案：{listed(summary.right_letters)}")
    if summary.abstained is not None:
        notes.append(f"没有从回答里读出答案（算错）：{summary.abstained} 题")
    if summary.not_scorable:
        notes.append(f"不能判分、未计入：{summary.not_scorable} 题（没说选几项的多选题，请用 --scorer generate）")
    if summary.failed:
        notes.append(f"失败、未计入：{summary.failed} 题，原因见结果文件")
    return notes
