"""`healgpt convert`: model files from one form into another; the forms are told from what the paths are."""

from pathlib import Path
from typing import Annotated

import typer

from healgpt.errors import ConfigError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    help="转换模型文件：Hugging Face 文件夹 → GGUF；GGUF → 另一种量化的 GGUF；LoRA 文件夹（PEFT）→ GGUF 适配器。"
    "逐个张量转换，内存只需容下最大的一个；中断后再运行一次就接着写。GGUF → Hugging Face 文件夹请用 healgpt export。",
    epilog="例子：healgpt convert 我的模型 模型.gguf --kind F16    healgpt convert 模型.gguf 小模型.gguf --kind Q4_0"
    "    healgpt convert 我的LoRA 适配器.gguf --base 我的模型",
)
def main(
    source: Annotated[str, typer.Argument(help="Hugging Face 文件夹、GGUF 文件、目录里的模型名或 LoRA 文件夹")],
    target: Annotated[Path, typer.Argument(help="要写的 .gguf 文件，须不存在")],
    kind: Annotated[str, typer.Option(help="F32、F16、Q8_0、Q4_0；装了 libgguf 还有 Q4_K_M、Q5_K_M、Q6_K")] = "F16",
    base: Annotated[Path | None, typer.Option(help="LoRA 的底座：文件夹或 GGUF")] = None,
    licence: Annotated[str, typer.Option(help="许可（SPDX 名），替代模型卡里写的")] = "",
) -> None:
    from healgpt.cli.export import located, shipped_adapter
    from healgpt.cli.progress_line import shown
    from healgpt.models import convert

    if target.suffix.lower() != ".gguf":
        raise ConfigError(f"{target} 不以 .gguf 结尾。要得到 Hugging Face 文件夹，请用 healgpt export。")
    place, known_licence, _ = located(source)
    if shipped_adapter(source) is not None:
        raise ConfigError(
            f"{source} 带有适配器。请先用 healgpt export {source} 文件夹 导出合并后的模型，再转换那个文件夹。"
        )
    with shown("转换") as report:
        if (place / "adapter_config.json").is_file():
            from healgpt.models.adapter import adapter_to_gguf

            if base is None:
                raise ConfigError("转换 LoRA 要用 --base 指明底座（Hugging Face 文件夹或 GGUF 文件）。")
            adapter_to_gguf(place, base, target, report=report)
        elif place.is_dir():
            convert.folder_to_gguf(place, target, kind, licence=licence or known_licence, report=report)
        else:
            convert.requantise(place, target, kind, report=report)
    print(f"已写好：{target}（{target.stat().st_size / 1e6:,.0f} MB）")
