"""`healgpt export`: a Hugging Face folder that works without healgpt."""

from pathlib import Path
from typing import Annotated

import typer

from healgpt.errors import ModelError
from healgpt.models import catalog

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    help="把模型导出成自带一切的 Hugging Face 文件夹：权重、分词器、对话模板、生成设置、model.chat、模型卡、许可。"
    "GGUF 会还原成普通权重。导出的文件夹在只装了 transformers 的环境里就能用。",
    epilog="例子：healgpt export qwen2.5-coder-0.5b 我的模型    healgpt export 模型.gguf 我的模型 --dtype float32"
    "    healgpt export Baichuan文件夹 我的模型",
)
def main(
    model: Annotated[str, typer.Argument(help="目录里的模型名、GGUF 文件或 Hugging Face 文件夹")],
    folder: Annotated[Path, typer.Argument(help="新文件夹，须不存在或为空")],
    dtype: Annotated[
        str, typer.Option(help="float16、bfloat16 或 float32；不写则沿用来源（量化的 GGUF 用 float16）")
    ] = "",
    licence: Annotated[str, typer.Option(help="许可（SPDX 名），替代来源里写的")] = "",
) -> None:
    from healgpt.cli.progress_line import shown
    from healgpt.models.export import export

    place, known_licence, base = located(model)
    with shown("导出") as report:
        made = export(
            place,
            folder,
            dtype=dtype,
            licence=licence or known_licence,
            base=base,
            adapter=shipped_adapter(model),
            report=report,
        )
    print(f"已导出：{made}")


def shipped_adapter(model: str) -> Path | None:
    """Return the LoRA that belongs to a model of the catalogue; None for paths and models without one."""
    return catalog.adapter(catalog.find(model)) if not Path(model).expanduser().exists() else None


def located(model: str) -> tuple[Path, str, str]:
    """Return where `model` lies, and its licence and base where the catalogue names it (else empty).

    Raises `ConfigError` for an unknown name and `ModelError` for one that has not been pulled.
    """
    place = Path(model).expanduser()
    if place.exists() or model.lower().endswith(".gguf") or "/" in model:
        if not place.exists():
            raise ModelError(f"没有找到 {model}。请检查路径。")
        return place, "", ""
    entry = catalog.find(model)
    if catalog.resolve(entry).kind == "graph":
        raise ModelError(f"{entry.name} 是知识图谱，不是模型。请用 healgpt models 查看可用的模型。")
    if not catalog.path(entry).exists():
        raise ModelError(f"模型 {entry.name} 还没有下载。请先运行 healgpt pull {entry.name}。")
    held = catalog.resolve(entry)
    hub = held.huggingface
    return catalog.verify(entry), entry.licence, held.repo or (hub.repo.removesuffix("-GGUF") if hub else "")
