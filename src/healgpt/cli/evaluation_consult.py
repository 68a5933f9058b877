"""`healgpt eval consult` and `healgpt eval score`: dialogues with a simulated patient, and their scores."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from healgpt.backends import EngineOptions, load
from healgpt.cli.evaluation_choice import progress
from healgpt.evaluation.consultations import dialogue, scoring, task
from healgpt.evaluation.consultations.case import Case
from healgpt.evaluation.consultations.readers import FORMATS
from healgpt.evaluation.run import Item, Run
from healgpt.evaluation.subject import open_subject
from healgpt.schema import ChatModel

_SHOWN = 5
CONSULT_EXAMPLES = """例子：

    healgpt eval consult cmd_samples.json --format cmd --model qwen2.5-coder-0.5b --system doctor --out runs/doctor

    healgpt eval consult cmd_samples.json --format cmd --limit 20 --slots 4 --out runs/bare

    healgpt eval consult cmd_samples.json --format cmd --recorded gpt-4.json --out runs/gpt-4
"""
SCORE_EXAMPLES = """例子：

    healgpt eval score runs/doctor
"""


def command(
    *,
    cases: Annotated[Path, typer.Argument(help="病例文件（.json 列表或 .jsonl）")],
    form: Annotated[str, typer.Option("--format", help=f"格式：{'、'.join(FORMATS)}")],
    out: Annotated[Path, typer.Option("--out", help="结果文件夹；同一命令再跑一次，从中断处继续")],
    model: Annotated[str, typer.Option("--model", help="扮演医生的模型，见 healgpt models")] = "healgpt-mini",
    system: Annotated[
        Literal["bare", "doctor"], typer.Option("--system", help="bare：模型自己答；doctor：加上分诊、追问和图谱资料")
    ] = "bare",
    patient: Annotated[
        str, typer.Option("--patient", help="rules：按规则回答、不用模型；或扮演患者的模型，写法同 --model")
    ] = task.RULES,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="医生和病人各说几次")] = dialogue.ROUNDS,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=8, help="医生每次最多多少词元")] = dialogue.MAX_TOKENS,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="只用这么多病例，等距取")] = None,
    recorded: Annotated[
        Path | None, typer.Option("--recorded", help="不跑模型：给这个文件里已有的对话打分（如 CMD 的公开对话）")
    ] = None,
    slots: Annotated[int, typer.Option("--slots", min=1, help="同时进行几段对话；只有 1 能让两次运行逐字相同")] = 1,
    context: Annotated[int, typer.Option("--context", min=512, help="一段对话最多多少词元")] = 4096,
) -> None:
    """让模型给模拟病人看病：病人只说病例里有的，每段对话连同得分一起保存。"""
    chosen = task.choose_cases(cases, form, limit)
    if again := scoring.keep_up(out):
        typer.echo(f"得分规则有变，已重算保存的 {again} 段对话。", err=True)
    if recorded is not None:
        _tell(_score_recorded(recorded, chosen, cases, form, out), out)
        return
    options = EngineOptions(context=context, slots=slots)
    with ExitStack() as opened:
        player = (
            task.rule_player() if patient == task.RULES else task.model_player(_closed(opened, load(patient, options)))
        )
        doctor, subject = open_subject(model, system, options)
        _closed(opened, doctor)
        settings = {"rounds": rounds, "max_tokens": max_tokens, "temperature": 0}
        made = task.plan(form, cases, player, settings, doctor=system == "doctor")
        if patient == task.RULES and (others := task.changed_answers(scoring.kept(out, made.name), player.patient)):
            typer.echo(f"图谱或患者的规则变了：保存的 {len(others)} 段对话里患者的话与现在的不同，照旧保留。", err=True)
        hold = task.holding(chosen, doctor, player.patient, rounds=rounds, max_tokens=max_tokens, slots=slots)
        with progress(made.name) as report:
            ids = [case.id for case in chosen]
            items = Run(out, subject).work(made, ids, hold, workers=slots, report=report)
    _tell(items, out)


def _closed(opened: ExitStack, model: ChatModel) -> ChatModel:
    """Have `model` closed with the stack, where it holds anything."""
    close = getattr(model, "close", None)
    if close is not None:
        opened.callback(close)
    return model


def _score_recorded(path: Path, chosen: Sequence[Case], cases: Path, form: str, out: Path) -> list[Item]:
    subject, known, surplus, rate = task.recorded(path, chosen)
    if surplus:
        typer.echo(f"{path} 里有 {len(surplus)} 段对话没有对应的病例，未计：{'、'.join(surplus[:_SHOWN])}", err=True)
    if missing := [case.id for case in chosen if case not in known]:
        typer.echo(f"有 {len(missing)} 个病例没有对话，未计：{'、'.join(missing[:_SHOWN])}", err=True)
    made = task.plan(form, cases, task.recorded_player(), {"left_out": surplus, "without_dialogue": missing})
    with progress(made.name) as report:
        return Run(out, subject).work(made, [case.id for case in known], rate, report=report)


def score(
    *,
    run: Annotated[Path, typer.Argument(help="healgpt eval consult 的结果文件夹")],
    tasks: Annotated[list[str] | None, typer.Option("--task", help="只重算这些任务；默认全部问诊")] = None,
) -> None:
    """用现在的规则重算已保存对话的得分，不再运行模型。"""
    for name, count in scoring.rescore(run, tasks or ()).items():
        typer.echo(f"{name}：重算了 {count} 段对话的得分。")


def _tell(items: list[Item], out: Path) -> None:
    failed = [item for item in items if item["failure"]]
    typer.echo(f"{len(items)} 段对话，失败 {len(failed)} 段，保存在 {out}。")
    for item in failed[:_SHOWN]:
        typer.echo(f"  {item['id']}：{item['failure']}")
