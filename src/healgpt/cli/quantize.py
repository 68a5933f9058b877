"""`healgpt quantize`: a smaller model, and how much it lost."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from healgpt.errors import ConfigError
from healgpt.models.quantize import Bounds, Quantised, quantise

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_ASKED = "我最近总是头痛，晚上睡不好，需要做什么检查？"


@app.command(
    help="量化成 GGUF，并在中文医学文本上测量偏差：困惑度、首选词元一致率、平均 KL、大小、速度。"
    "出现 NaN 或偏差超过上限时不写出文件。",
    epilog="例子：healgpt quantize 我的模型 小模型.gguf --kind Q4_0    "
    "healgpt quantize 模型.gguf 小模型.gguf --kind Q8_0 --max-kl 0.5 --json",
)
def main(  # noqa: PLR0917 -- the options of the command line
    model: Annotated[str, typer.Argument(help="Hugging Face 文件夹、GGUF 文件或目录里的模型名")],
    target: Annotated[Path, typer.Argument(help="要写的 .gguf 文件，须不存在")],
    kind: Annotated[str, typer.Option(help="Q8_0、Q4_0、F16；装了 libgguf 还有 Q4_K_M、Q5_K_M、Q6_K")] = "Q4_0",
    max_kl: Annotated[float, typer.Option(help="平均 KL 的上限（nat）")] = Bounds().kl,
    max_ratio: Annotated[float, typer.Option(help="困惑度与来源之比的上限")] = Bounds().ratio,
    no_check: Annotated[bool, typer.Option("--no-check", help="不测量偏差，直接写出")] = False,
    speed: Annotated[bool, typer.Option("--speed/--no-speed", help="是否运行一次来测速度")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    from healgpt.cli.export import located, shipped_adapter
    from healgpt.cli.progress_line import shown

    place, _, _ = located(model)
    if shipped_adapter(model) is not None:
        raise ConfigError(
            f"{model} 带有适配器。请先用 healgpt export {model} 文件夹 导出合并后的模型，再量化那个文件夹。"
        )
    bounds = None if no_check else Bounds(max_kl, max_ratio)
    with shown("量化") as report:
        made = quantise(place, target, kind, bounds=bounds, report=report)
    speeds = _speeds(made.path) if speed else {}
    if as_json:
        print(json.dumps(_plain(made) | speeds, ensure_ascii=False, indent=2))
        return
    print(f"已写好：{made.path}")
    print(f"大小    {made.source_bytes / 1e6:,.0f} MB → {made.size / 1e6:,.0f} MB")
    if made.drift is not None:
        measured = made.drift
        print(f"困惑度  {measured.perplexity_source:.2f} → {measured.perplexity:.2f}（{measured.ratio:.3f} 倍）")
        print(f"首选词元一致 {measured.agreement:.1%}，平均 KL {measured.kl:.4f}，最大 {measured.kl_max:.2f}")
        print(f"（{measured.positions} 个词元的中文医学文本；权重误差，不含引擎对激活的取整）")
    if speeds:
        print(f"速度    预填 {speeds['prefill_per_s']:.0f} 词元/秒，解码 {speeds['decode_per_s']:.1f} 词元/秒")
        print(f"内存    约 {speeds['memory_bytes'] / 1e6:,.0f} MB（上下文 1,024）")


def _plain(made: Quantised) -> dict[str, Any]:
    drift = asdict(made.drift) | {"ratio": made.drift.ratio} if made.drift else None
    return {"path": str(made.path), "source_bytes": made.source_bytes, "bytes": made.size, "drift": drift}


def _speeds(path: Path) -> dict[str, float]:
    """Answer one question; the rates and the estimated memory of the engine. Empty for a model without template."""
    from healgpt.backends import EngineOptions
    from healgpt.backends.gguf_header import inspect
    from healgpt.backends.llamacpp import needed_bytes, open_llama
    from healgpt.schema import Sampling

    header = inspect(path)
    if not header.chat_template:
        return {}
    options = EngineOptions(context=min(1024, header.trained_context or 1024), cache_ram_mib=0)
    opened = open_llama(path, options)
    try:
        reply = opened.complete([{"role": "user", "content": _ASKED}], Sampling(temperature=0, max_tokens=32))
    finally:
        opened.close()
    usage, timings = reply.usage, reply.timings
    return {
        "prefill_per_s": usage.prompt_tokens / max(timings.prefill_s, 1e-9),
        "decode_per_s": usage.completion_tokens / max(timings.decode_s, 1e-9),
        "memory_bytes": needed_bytes(header, options),
    }
