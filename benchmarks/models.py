"""Bits against drift, size and speed; engine against transformers; time to the first token. `--help` for options.

Everything starts from one GGUF file of the catalogue, dequantised once: that is the source the others are compared
with, so its own losses do not count. Prints Markdown tables and, with `--plot`, draws them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from healgpt.models import catalog, convert, export, gguf_quants, quantize
from healgpt.models.drift import Drift

KINDS = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0")
PROMPT = "患者男，45岁，颈椎不适三个月，每天睡醒都会头痛，偶有手麻，没有发热，既往高血压病史五年，规律服用药物。" * 8


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description="模型形式的对照：位数、偏差、大小、速度、装载时间")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="目录中的 GGUF 模型名")
    parser.add_argument("--folder", type=Path, help="放中间文件并保留；不写则用完即删")
    parser.add_argument("--plot", type=Path, help="把偏差与大小画成这个 PNG")
    parser.add_argument("--one", nargs=2, metavar=("SPEC", "TOKENS"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(_measure(asked.one[0], int(asked.one[1]))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        place = asked.folder or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        _run(catalog.verify(catalog.find(asked.model)), place, asked.plot)


def _run(model: Path, place: Path, plot: Path | None) -> None:
    folder = place / "hf"
    if not folder.exists():
        export.export(model, folder, dtype="float32", licence="apache-2.0")
    rows: list[tuple[str, int, Drift, dict[str, float]]] = []
    wide = quantize.Bounds(kl=100, ratio=1e9)
    print("| 格式 | MB | 困惑度（来源） | 困惑度 | 首选一致 | 平均 KL | 预填 词元/秒 | 解码 词元/秒 | 首词 秒 |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for kind in KINDS:
        if "_K" in kind and not gguf_quants.has_k_formats():
            continue
        target = place / f"{kind}.gguf"
        if not target.exists():
            convert.folder_to_gguf(folder, target, kind)
        drift = quantize.measure(folder, target)
        quantize.check(drift, wide, kind)
        speed = _spawn(str(target), 32)
        rows.append((kind, target.stat().st_size, drift, speed))
        print(
            f"| {kind} | {target.stat().st_size / 1e6:,.0f} | {drift.perplexity_source:.2f} | {drift.perplexity:.2f} "
            f"| {drift.agreement:.1%} | {drift.kl:.4f} | {speed['prefill']:.0f} | {speed['decode']:.1f} "
            f"| {speed['first_token_s']:.1f} |",
            flush=True,
        )
    for bits in (8, 4):
        drift = _torchao(folder, bits)
        print(
            f"| torchao int{bits} | — | {drift.perplexity_source:.2f} | {drift.perplexity:.2f} "
            f"| {drift.agreement:.1%} | {drift.kl:.4f} | — | — | — |",
            flush=True,
        )
    tuned = _spawn(f"{place / 'Q8_0.gguf'}+{_adapter(folder, place)}", 16)
    print(
        f"| Q8_0 加 LoRA | — | — | — | — | — | {tuned['prefill']:.0f} | {tuned['decode']:.1f} "
        f"| {tuned['first_token_s']:.1f} |",
        flush=True,
    )
    peer = _spawn(f"hf:{folder}", 16)
    print(
        f"| transformers fp32 | {sum(path.stat().st_size for path in folder.glob('*.safetensors')) / 1e6:,.0f} "
        f"| — | — | — | — | {peer['prefill']:.0f} | {peer['decode']:.1f} | {peer['first_token_s']:.1f} |"
    )
    small = rows[-1][3]
    print(
        f"\nQ4_0 对 transformers fp32：预填 {small['prefill'] / peer['prefill']:.2f} 倍，"
        f"解码 {small['decode'] / peer['decode']:.1f} 倍"
    )
    if plot:
        _draw(rows, plot)


def _adapter(folder: Path, place: Path) -> Path:
    """Make a GGUF adapter of rank 8 with random factors on the query and value matrices."""
    import numpy as np
    from safetensors.numpy import save_file

    from healgpt.models.adapter import adapter_to_gguf
    from healgpt.models.weights import open_folder

    made = place / "adapter.gguf"
    if made.exists():
        return made
    source = place / "lora"
    source.mkdir(exist_ok=True)
    random, factors = np.random.default_rng(0), {}
    for name, (rows, columns) in (item for item in open_folder(folder).shapes.items() if len(item[1]) == 2):
        if "q_proj" in name or "v_proj" in name:
            stem = f"base_model.model.{name.removesuffix('.weight')}"
            factors[f"{stem}.lora_A.weight"] = 0.01 * random.standard_normal((8, columns), np.float32)
            factors[f"{stem}.lora_B.weight"] = 0.01 * random.standard_normal((rows, 8), np.float32)
    save_file(factors, source / "adapter_model.safetensors")
    (source / "adapter_config.json").write_text('{"r": 8, "lora_alpha": 16}', encoding="utf-8")
    return adapter_to_gguf(source, folder, made)


def _torchao(folder: Path, bits: int) -> Drift:
    """Return the drift of `model.quantize(bits)` as the port does it, on this model."""
    import torch

    from healgpt.models import checkpoint, drift
    from healgpt.models.baichuan.quantize_baichuan import quantize as round_weights

    loaded = checkpoint.load(folder, dtype=torch.float32)
    ids = drift.windows(loaded.tokenizer)
    with torch.inference_mode():
        exact = loaded.model(torch.tensor(ids), use_cache=False).logits
        rounded = round_weights(loaded.model, bits)(torch.tensor(ids), use_cache=False).logits
    return drift.compare_logits(exact, rounded, ids)


def _measure(spec: str, tokens: int) -> dict[str, float]:
    """Open `spec` in this process and answer twice; the second answer, to another prompt, gives the rates."""
    from healgpt.backends import EngineOptions, load
    from healgpt.backends.llamacpp import open_llama
    from healgpt.schema import Sampling

    sampling = Sampling(temperature=0, max_tokens=tokens, repeat_penalty=1.0)
    start = time.perf_counter()
    options = EngineOptions(context=2048, cache_ram_mib=0)
    base, plus, adapter = spec.partition("+")
    model: Any = open_llama(Path(base), options, adapter=Path(adapter)) if plus else load(spec, options)
    with_first = model.stream([{"role": "user", "content": "头痛怎么办？"}], sampling)
    next(with_first)
    first = time.perf_counter() - start
    with_first.close()
    reply = model.complete([{"role": "user", "content": PROMPT}], sampling)
    model.close()
    read = reply.usage.prompt_tokens - reply.usage.cached_tokens
    return {
        "first_token_s": first,
        "prefill": read / reply.timings.prefill_s,
        "decode": reply.usage.completion_tokens / reply.timings.decode_s,
    }


def _spawn(spec: str, tokens: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", spec, str(tokens)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _draw(rows: list[tuple[str, int, Drift, dict[str, float]]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), constrained_layout=True)
    for axes, values, label in (
        (left, [max(drift.kl, 1e-6) for _, _, drift, _ in rows], "mean KL to source (nats)"),
        (right, [speed["decode"] for *_, speed in rows], "decode (tokens/s)"),
    ):
        sizes = [size / 1e6 for _, size, _, _ in rows]
        axes.scatter(sizes, values, s=40, color="#0b6e6e")
        for (kind, *_), x, y in zip(rows, sizes, values, strict=True):
            axes.annotate(kind, (x, y), textcoords="offset points", xytext=(6, 4), fontsize=9)
        axes.set_xlabel("file size (MB)")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    left.set_yscale("log")
    left.set_ylim(bottom=1e-4)  # F16 lies below, at 0 to four digits
    right.set_ylim(bottom=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
