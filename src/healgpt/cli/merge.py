"""`healgpt merge`: a LoRA into the weights of its model."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    help="把 LoRA（PEFT 文件夹）并入底座。目标以 .gguf 结尾时，底座也须是 GGUF；否则写成 Hugging Face 文件夹。"
    "量化的底座会在合并后按原格式再量化一次；想少损失，请并入未量化的文件夹再转换。",
    epilog="例子：healgpt merge 我的模型 我的LoRA 合并后的模型    healgpt merge 模型.gguf 我的LoRA 合并后.gguf",
)
def main(
    base: Annotated[str, typer.Argument(help="底座：Hugging Face 文件夹、GGUF 文件或目录里的模型名")],
    adapter: Annotated[Path, typer.Argument(help="LoRA：PEFT 文件夹，或 Qwen2 的 GGUF 适配器")],
    target: Annotated[Path, typer.Argument(help="新的 .gguf 文件或文件夹，须不存在")],
    dtype: Annotated[str, typer.Option(help="文件夹的精度：float16、bfloat16 或 float32")] = "",
) -> None:
    from healgpt.cli.export import located
    from healgpt.cli.progress_line import shown
    from healgpt.errors import ConfigError

    place, licence, name = located(base)
    with shown("合并") as report:
        if target.suffix.lower() == ".gguf":
            from healgpt.models.adapter import merge_gguf

            if place.is_dir():
                raise ConfigError("目标是 .gguf 时底座也须是 GGUF。请先合并成文件夹，再用 healgpt convert 转换。")
            merge_gguf(place, adapter, target, report=report)
        else:
            from healgpt.models.export import export

            export(place, target, dtype=dtype, licence=licence, base=name, adapter=adapter, report=report)
    print(f"已合并：{target}")
