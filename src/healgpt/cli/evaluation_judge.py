"""`healgpt eval judge` and `healgpt eval calibrate`: a model scores consultations, and is itself put to the test."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from healgpt.backends import EngineOptions

if TYPE_CHECKING:
    from healgpt.evaluation.judges.calibration import Calibration
    from healgpt.evaluation.judges.judge import Judge
    from healgpt.evaluation.judges.modes import Outcome, Task
    from healgpt.evaluation.run import Run

JUDGE_EXAMPLES = """例子：

    healgpt eval judge runs/新模型 --judge qwen2.5-coder-1.5b

    healgpt eval judge runs/新模型 --judge https://api.example.com/v1#some-model --budget 200 --workers 4

    healgpt eval judge runs/新模型 --judge qwen2.5-coder-1.5b --mode rubric --rubric 要点.jsonl

    healgpt eval judge runs/新模型 --judge qwen2.5-coder-1.5b --mode pairwise --against runs/基线

    healgpt eval judge dialogues/gpt-4.json --judge qwen2.5-coder-1.5b --limit 20 --out runs/gpt-4
"""
CALIBRATE_EXAMPLES = """例子：

    healgpt eval calibrate --dialogues disc_cmd/dialogues --scores disc_cmd/gpt4_scores \\
        --judge qwen2.5-coder-1.5b --limit 40 --out runs/calibration

    healgpt eval calibrate --dialogues disc_cmd/dialogues --scores disc_cmd/gpt4_scores \\
        --judge qwen2.5-coder-1.5b --scoring both --limit 40 --out runs/calibration
"""

JudgeSpec = Annotated[
    str, typer.Option("--judge", help="裁判模型：目录里的名字、.gguf 文件，或 http(s)://主机/v1#模型")
]
ScoringOption = Annotated[
    Literal["written", "expected"],
    typer.Option("--scoring", help="written：读裁判写的分数；expected：按 1–5 各数字的概率求期望（只限本机 GGUF）"),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="最多评多少段对话")]
Calls = Annotated[int | None, typer.Option("--budget", help="最多调用裁判多少次，用完就停，下次接着评")]
Tokens = Annotated[int | None, typer.Option("--budget-tokens", help="最多用多少词元（提示加回答）")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="同时评几段；本机模型会开同样多的槽位")]
Context = Annotated[int, typer.Option("--context", min=512, help="本机裁判的窗口（词元）")]
MaxTokens = Annotated[int, typer.Option("--max-tokens", min=8, help="裁判一次最多写多少词元；会先思考的模型要给几千")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="不读也不写以前的评分")]
AsJson = Annotated[bool, typer.Option("--json", help="结果输出为 JSON")]


def judge(
    *,
    source: Annotated[Path, typer.Argument(help="问诊评测的文件夹，或录下的对话文件", metavar="RUN|FILE")],
    spec: JudgeSpec,
    mode: Annotated[
        Literal["criteria", "rubric", "pairwise"],
        typer.Option("--mode", help="criteria：四项标准；rubric：逐条要点；pairwise：与另一次两两比较"),
    ] = "criteria",
    scoring: ScoringOption = "written",
    rubric: Annotated[
        Path | None, typer.Option("--rubric", help='要点文件，JSONL：{"case", "items": [{"text", "points"}]}')
    ] = None,
    against: Annotated[Path | None, typer.Option("--against", help="两两比较的另一方")] = None,
    task: Annotated[str | None, typer.Option("--task", help="RUN 里有几组问诊时选一组")] = None,
    limit: Limit = None,
    out: Annotated[Path | None, typer.Option("--out", help="结果文件夹；不写就记进 RUN 自己")] = None,
    budget: Calls = None,
    budget_tokens: Tokens = None,
    workers: Workers = 1,
    context: Context = 4096,
    max_tokens: MaxTokens = 64,
    no_cache: NoCache = False,
    as_json: AsJson = False,
) -> None:
    """让一个模型给问诊打分。读不懂的评分算失败，不补默认值；中断或预算用完后，同一命令接着评。"""
    from dataclasses import replace

    from healgpt.errors import ConfigError
    from healgpt.evaluation.judges import modes
    from healgpt.evaluation.judges.budget import Budget
    from healgpt.evaluation.judges.judge import open_judge
    from healgpt.evaluation.judges.source import read_source
    from healgpt.evaluation.run import Run

    if (mode == "rubric") != (rubric is not None) or (mode == "pairwise") != (against is not None):
        raise ConfigError("--mode rubric 要配 --rubric，--mode pairwise 要配 --against，别的方式都不用写。")
    if out is None and not source.is_dir():
        raise ConfigError("评录下的对话文件时请用 --out 写明结果文件夹。")
    read = read_source(source, task=task)
    other = read_source(against, task=task if against.is_dir() else None) if against is not None else None
    run = Run(out or source, read.subject)
    opened = open_judge(
        spec,
        budget=Budget(calls=budget, tokens=budget_tokens),
        options=EngineOptions(context=context, slots=workers),
        remember=not no_cache,
        max_tokens=max_tokens,
    )
    try:
        if rubric is not None:
            made = modes.rubric_task(read, opened, rubric)
        elif other is not None:
            made = modes.pairwise_task(read, other, opened)
        else:
            made = modes.criteria_task(read, opened, scoring=scoring)
        uncovered = len(read.dialogues) - len(made.ids)
        outcome = _work(run, replace(made, ids=made.ids[:limit]), opened, workers)
    finally:
        opened.close()
    _show_outcome(run, outcome, uncovered, as_json)


def calibrate(
    *,
    dialogues: Annotated[Path, typer.Option("--dialogues", help="对话文件夹，一个模型一个 .json")],
    scores: Annotated[Path, typer.Option("--scores", help="GPT-4 评分文件夹，同名 .jsonl")],
    spec: JudgeSpec,
    out: Annotated[Path, typer.Option("--out", help="结果文件夹；同一命令再跑一次，从中断处继续")],
    limit: Limit = None,
    scoring: Annotated[
        Literal["written", "expected", "both"],
        typer.Option("--scoring", help="written、expected 同 judge；both：两种都做，只多花一点时间"),
    ] = "written",
    own: Annotated[str | None, typer.Option("--own", help="裁判就是被评的哪个模型（算自我偏好）")] = None,
    seed: Annotated[int, typer.Option("--seed", help="抽对话用的种子")] = 0,
    budget: Calls = None,
    budget_tokens: Tokens = None,
    workers: Workers = 1,
    context: Context = 4096,
    max_tokens: MaxTokens = 64,
    no_cache: NoCache = False,
    as_json: Annotated[bool, typer.Option("--json", help="每种评分输出一行 JSON")] = False,
) -> None:
    """检验裁判：在 GPT-4 评分已知的对话上打分，看一致程度、满分比例、长度偏好和自我偏好。"""
    from healgpt.errors import ConfigError
    from healgpt.evaluation.judges import calibration
    from healgpt.evaluation.judges.budget import Budget
    from healgpt.evaluation.judges.judge import open_judge
    from healgpt.evaluation.run import Run

    known = calibration.read_known(dialogues, scores)
    if own is not None and own not in known.models:
        raise ConfigError(f"被评的模型里没有 {own}。有的是：{'、'.join(known.models)}。")
    ids = calibration.draw(known, limit, seed=seed)
    run = Run(out, calibration.recorded_subject(known))
    kinds: list[Literal["written", "expected"]] = ["written", "expected"] if scoring == "both" else [scoring]
    opened = open_judge(
        spec,
        budget=Budget(calls=budget, tokens=budget_tokens),
        options=EngineOptions(context=context, slots=workers),
        remember=not no_cache,
        max_tokens=max_tokens,
    )
    own = own or next((name for name in known.models if name.lower() == opened.name.lower()), None)
    try:
        for kind in kinds:
            ahead = kinds[-1] if kind != kinds[-1] else None
            made = calibration.calibration_task(known, ids, opened, scoring=kind, seed=seed, ahead=ahead)
            outcome = _work(run, made, opened, workers)
            result = calibration.calibrate(outcome.items, judge=opened.name, own=own, seed=seed)
            _show_calibration(result, outcome, as_json)
    finally:
        opened.close()


def _work(run: "Run", made: "Task", opened: "Judge", workers: int) -> "Outcome":
    from healgpt.cli.evaluation_choice import progress
    from healgpt.evaluation.judges.modes import work

    with progress(made.plan.name) as report:
        return work(run, made, opened, workers=workers, report=report)


def _show_outcome(run: "Run", outcome: "Outcome", uncovered: int, as_json_text: bool) -> None:
    from healgpt.evaluation import figures

    note = run.manifest["tasks"][outcome.task]
    found = figures.figures(note, outcome.items)
    failed = [item for item in outcome.items if item["failure"]]
    if as_json_text:
        told: dict[str, Any] = {
            "task": outcome.task,
            "figures": {
                one.key: one.interval and [one.interval.value, one.interval.low, one.interval.high] for one in found
            },
            "judged": len(outcome.items),
            "failures": note["failures"],
            "left": outcome.left,
            "uncovered": uncovered,
            "calls": outcome.spent.calls,
            "tokens": outcome.spent.tokens,
        }
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return
    for one in found:
        print(f"{one.measure.label}：{one.interval if one.interval is not None else '—'}")
    if failed:
        print(f"失败 {len(failed)} 段，不计入，例如 {failed[0]['id']}：{failed[0]['failure']}")
    if uncovered:
        print(f"{uncovered} 段对话没有评分要点，没有评。")
    print(_cost(outcome))


def _show_calibration(result: "Calibration", outcome: "Outcome", as_json_text: bool) -> None:
    from healgpt.evaluation.judges import calibration_words as words

    if as_json_text:
        told = {"task": outcome.task, **words.as_json(result), "left": outcome.left, "calls": outcome.spent.calls}
        print(json.dumps(told, ensure_ascii=False))
        return
    print(f"{outcome.task}\n")
    print("| " + " | ".join(words.HEAD) + " |")
    print("|" + "---|" * len(words.HEAD))
    for row in words.table(result):
        print("| " + " | ".join(row) + " |")
    print()
    for line in words.remarks(result):
        print(line)
    print(_cost(outcome))
    print(f"\n结论：{words.sentence(result)}")


def _cost(outcome: "Outcome") -> str:
    spent = outcome.spent
    told = f"调用裁判 {spent.calls} 次，共 {spent.tokens} 词元，另有 {spent.remembered} 次用了以前的评分。"
    if outcome.left:
        told += f"预算用完了，还剩 {outcome.left} 段没有评；再运行同一命令会接着评。"
    return told
