"""`healgpt models`: what can be pulled, what is there, what it needs; remove and check files."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from healgpt.errors import ConfigError
from healgpt.models import catalog
from healgpt.models.catalog import Entry
from healgpt.models.pull import remove, unfinished_bytes
from healgpt.settings import home

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="列出目录里的模型与知识图谱：大小、许可、语言、是否已下载、大约需要多少内存。",
    epilog="例子：healgpt models    healgpt models --json    healgpt models check    "
    "healgpt models rm qwen2.5-coder-0.5b",
)

_CONTEXT = 4096


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON 数组，供脚本使用")] = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    if as_json:
        print(json.dumps([describe(entry) for entry in catalog.entries()], ensure_ascii=False, indent=2))
        return
    _print_table()


@app.command("check", help="完整校验已下载的文件（大小与 SHA-256）；不写名称就校验全部已下载的。")
def check(names: Annotated[list[str] | None, typer.Argument(help="名称，见 healgpt models")] = None) -> None:
    held = [entry for entry in catalog.entries() if not entry.base and catalog.installed(entry)]
    chosen = [catalog.find(name) for name in names] if names else held
    if not chosen:
        print("还没有下载任何文件。运行 healgpt pull 下载默认模型。")
    for entry in chosen:
        print(f"{entry.name} 完好：{catalog.verify(entry, full=True)}")


@app.command("rm", help="删除已下载的文件（连同没下完的部分），先问一声；--yes 不问。")
def rm(
    names: Annotated[list[str], typer.Argument(help="名称，见 healgpt models")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不问，直接删除")] = False,
) -> None:
    for entry in [catalog.find(name) for name in names]:
        if not yes and not _confirmed(entry):
            print(f"没有删除 {entry.name}。")
            continue
        freed = remove(entry.name)
        print(f"已删除 {entry.name}，腾出 {_megabytes(freed)}。" if freed else f"{entry.name} 本来就没有下载。")


@app.command(
    "fit",
    help="估算模型在哪里放得下：各种精度的权重、KV 缓存和激活各占多少。只看结构，不下载、不加载。",
    epilog="例子：healgpt models fit baichuan-13b-chat --gpu 24GB --gpus 1 --ram 64GB    healgpt models fit 模型文件夹",
)
def fit(
    name: Annotated[str, typer.Argument(help="型号名、config.json、模型文件夹或 GGUF 文件")],
    gpu: Annotated[str, typer.Option(help="一张显卡的显存，如 24GB")] = "",
    gpus: Annotated[int, typer.Option(min=0, help="显卡张数")] = 1,
    ram: Annotated[str, typer.Option(help="内存，如 64GB；不写则取本机的")] = "",
    context: Annotated[int, typer.Option(help="每个对话的词元数")] = _CONTEXT,
    batch: Annotated[int, typer.Option(help="同时进行的对话数")] = 1,
) -> None:
    import psutil  # type: ignore[import-untyped]

    from healgpt.models import fit as planning

    shape = planning.find_shape(name)
    machine = planning.Machine(
        gpu=planning.parse_bytes(gpu) if gpu else 0,
        gpus=gpus if gpu else 0,
        ram=planning.parse_bytes(ram) if ram else psutil.virtual_memory().total,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("精度", "权重", "KV 缓存", "激活", "合计"):
        table.add_column(title, justify="left" if title == "精度" else "right", no_wrap=True)
    table.add_column("放在哪里")
    for need in planning.plan(shape, machine, context=context, batch=batch):
        sizes = (need.weights, need.cache, need.activations, need.total)
        table.add_row(need.form, *(f"{size / (1 << 30):,.2f} GiB" for size in sizes), need.place)
    print(f"{shape.name}：{shape.parameters / 1e9:.2f}B 参数，{shape.layers} 层，{batch} 个对话 × {context:,} 词元")
    Console(highlight=False).print(table)
    print("按结构估算，未含碎片和引擎自己的缓冲，请留一成余量。int8、int4 按 GGUF 的 Q8_0、Q4_0 计。")


def describe(entry: Entry) -> dict[str, Any]:
    """Return what `--json` prints for one entry; bytes throughout, `memory_bytes` for 4,096 tokens of context."""
    held = catalog.resolve(entry)
    offered = {
        "pypi": held.wheels or held.archive,
        "huggingface": held.huggingface,
        "modelscope": held.modelscope,
    }
    return {
        "name": entry.name,
        "kind": entry.kind,
        "title": entry.title,
        "base": entry.base or None,
        "repo": held.repo or None,
        "licence": entry.licence,
        "languages": list(entry.languages),
        "size_bytes": held.size,
        "sha256": held.sha256 or None,
        "installed": catalog.installed(entry),
        "unfinished_bytes": unfinished_bytes(entry),
        "path": str(catalog.path(entry)),
        "memory_bytes": catalog.memory_bytes(entry, context=_CONTEXT) or None,
        "sources": [name for name, item in offered.items() if item is not None],
    }


def _print_table() -> None:
    console = Console(highlight=False)
    wide = console.width >= 130
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("名称", no_wrap=True)
    table.add_column("大小", justify="right", no_wrap=True)
    table.add_column("内存", justify="right", no_wrap=True)
    for title in ("状态", "语言", "许可", *(["说明"] if wide else [])):
        table.add_column(title, overflow="fold")
    for entry in catalog.entries():
        memory = catalog.memory_bytes(entry, context=_CONTEXT)
        cells = (
            entry.name,
            _megabytes(catalog.resolve(entry).size),
            _megabytes(memory) if memory else "—",
            _state(entry),
            " ".join(entry.languages),
            entry.licence,
            entry.title + (f"，即 {entry.base}" if entry.base else ""),
        )
        table.add_row(*cells[: len(table.columns)])
    console.print(table)
    print(
        f"\n内存按 {_CONTEXT:,} 个 token 的上下文估算：模型文件 + 重排后的权重副本 + KV 缓存 + 程序本身 170 MiB。"
        f"\n文件在 {home()}（环境变量 HEALGPT_HOME 可改）。下载：healgpt pull 名称"
    )


def _state(entry: Entry) -> str:
    if catalog.installed(entry):
        return "已下载"
    if entry.kind == "hf":
        return "需自行下载"
    if catalog.path(entry).exists():
        return "大小不对"
    begun = unfinished_bytes(entry)
    return f"下载了 {100 * begun // catalog.resolve(entry).size}%" if begun else "未下载"


def _confirmed(entry: Entry) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError(f"删除 {entry.name} 需要确认，而这里没有终端可问。确定要删请加 --yes。")
    return typer.confirm(f"删除 {entry.name}（{catalog.path(entry)}）？", default=False)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB" if count < 10e9 else f"{count / 1e9:,.1f} GB"
