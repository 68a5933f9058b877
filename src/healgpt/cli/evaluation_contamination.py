"""`healgpt eval contamination`: which items of a test a training file holds, and the score without them."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from healgpt.evaluation.contamination import Cleaned, Search
    from healgpt.evaluation.contamination_files import TrainingRecord
    from healgpt.evaluation.figures import Figure

EXAMPLES = """例子：

    healgpt eval contamination explaincpe.json 训练数据.jsonl --format explaincpe

    healgpt eval contamination cmd_samples.json a.jsonl b.json --format cmd --run runs/新模型 --out 重合.jsonl

    healgpt eval contamination 自己的题.jsonl 训练数据.jsonl --fields question,options --n 10
"""
_SHOWN = 10


def command(
    *,
    test: Annotated[Path, typer.Argument(help="测试文件（考题、病例，或任何 JSON/JSONL）", metavar="TEST")],
    training: Annotated[
        list[Path], typer.Argument(help="训练文件，可写多个：.jsonl、.json 列表（对话、ShareGPT 等），或每行一条的文本")
    ],
    form: Annotated[
        str, typer.Option("--format", help="TEST 的格式：auto，或 eval choice / eval consult 的格式名")
    ] = "auto",
    fields: Annotated[str, typer.Option("--fields", help="auto 格式看哪些字段，用逗号分开；不写就找题干和选项")] = "",
    n: Annotated[int, typer.Option("--n", help="连续多少个字相同算一处重合（标点、空白、全半角不计）")] = 13,
    share: Annotated[float, typer.Option("--share", help="一条训练数据里有题目多大比例的片段，算污染")] = 0.5,
    similarity: Annotated[float, typer.Option("--jaccard", help="与一段训练文字的相似度到多少，算污染")] = 0.6,
    run: Annotated[Path | None, typer.Option("--run", help="评测文件夹：再算一遍去掉污染题的分数")] = None,
    task: Annotated[str | None, typer.Option("--task", help="只看 RUN 里的这一项")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="逐题写进这个 JSONL")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="结果输出为 JSON")] = False,
) -> None:
    """查测试题有没有混进训练数据：逐题列出重合多少、在哪一条；给出 --run 时并列去掉污染题前后的分数。"""
    from healgpt import jsonl
    from healgpt.evaluation import contamination
    from healgpt.evaluation.contamination_files import read_test

    names = [name.strip() for name in fields.split(",") if name.strip()]
    rule = contamination.Rule(n=n, share=share, jaccard=similarity)
    items = read_test(test, form=form, fields=names)
    found = contamination.search(items, _records(training), rule)
    lines = contamination.as_lines(found)
    scores = contamination.cleaned(run, found, task=task) if run is not None else []
    if out is not None:
        jsonl.write(out, lines)
    if as_json:
        print(json.dumps(_told(found, lines, scores), ensure_ascii=False, indent=1))
        return
    _show(found, lines, scores)
    if out is not None:
        print(f"\n有重合的 {len(lines)} 题写进了 {out}。")


def _records(paths: Sequence[Path]) -> "Iterator[TrainingRecord]":
    from healgpt.evaluation.contamination_files import stream_training

    for path in paths:
        yield from stream_training(path)


def _show(found: "Search", lines: Sequence[dict[str, Any]], scores: "Sequence[Cleaned]") -> None:
    total, flagged = len(found.overlaps), len(found.flagged)
    print(f"训练数据 {found.seen.records} 条、{found.seen.chars} 字（不计标点）；测试 {total} 题。")
    print(f"污染 {flagged} 题（{flagged / total:.1%}），另有 {len(lines) - flagged} 题只有零星重合。")
    if found.short:
        print(f"{found.short} 题太短，没有可比的片段，只查整题是否出现。")
    for line in [line for line in lines if line["flagged"]][:_SHOWN]:
        print(f"\n- {line['id']}：{line['text'][:60]}")
        for key, label in (("copied", "片段重合"), ("similar", "整体相似")):
            if line[key]:
                print(f"  {label} {line[key]['value']:.0%}　{line[key]['place']}：{line[key]['excerpt']}")
    if flagged > _SHOWN:
        print(f"\n……还有 {flagged - _SHOWN} 题，用 --out 写出全部。")
    if scores:
        print("\n| 项目 | 指标 | 全部 | 去掉污染题 | 只看污染题 |\n|---|---|---|---|---|")
        for row in scores:
            print(f"| {row.task} | {row.label} | {_cell(row.all_items)} | {_cell(row.clean)} | {_cell(row.flagged)} |")


def _cell(figure: "Figure") -> str:
    return "—" if figure.interval is None else str(figure.interval)


def _told(found: "Search", lines: Sequence[dict[str, Any]], scores: "Sequence[Cleaned]") -> dict[str, Any]:
    return {
        "items": len(found.overlaps),
        "flagged": len(found.flagged),
        "short": found.short,
        "training": {"records": found.seen.records, "chars": found.seen.chars},
        "scores": [
            {
                "task": row.task,
                "measure": row.all_items.key,
                "all": _bounds(row.all_items),
                "clean": _bounds(row.clean),
                "flagged": _bounds(row.flagged),
            }
            for row in scores
        ],
        "overlaps": list(lines),
    }


def _bounds(figure: "Figure") -> dict[str, float | int] | None:
    found = figure.interval
    if found is None or math.isnan(found.value):
        return None
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}
