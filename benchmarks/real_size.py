"""Baichuan-13B at its real size, with seeded random weights: write, convert, quantise, run. `--help` for options.

Writes about 26 GB shard by shard, converts that to an F16 GGUF (26 GB more), deletes the folder, quantises to Q4_0
(7.6 GB) and generates 32 tokens. Every step runs in a process of its own, whose peak resident memory is printed.
The text is noise: only time, memory and that it works at all mean something. Everything is deleted afterwards.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

LAYERS, HIDDEN, INNER, HEADS, VOCABULARY = 40, 5120, 13696, 40, 64_000


def main() -> None:
    """Run all steps, or one where `--step` names it."""
    parser = argparse.ArgumentParser(description="13B 实际大小的写入、转换、量化与生成")
    parser.add_argument("--folder", type=Path, required=True, help="临时文件夹，要有 60 GB")
    parser.add_argument("--step", choices=list(STEPS), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        STEPS[asked.step](asked.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{asked.step}: 峰值内存 {peak:,.0f} MiB", flush=True)
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    try:
        for step in STEPS:
            start = time.perf_counter()
            subprocess.run([sys.executable, __file__, "--folder", str(asked.folder), "--step", step], check=True)
            print(f"{step}: {(time.perf_counter() - start) / 60:.1f} 分钟", flush=True)
    finally:
        shutil.rmtree(asked.folder, ignore_errors=True)


def write_checkpoint(folder: Path) -> None:
    """Write the checkpoint in the published layout: float16 safetensors, one shard a layer and one for the ends."""
    import numpy as np
    from safetensors.numpy import save_file

    from healgpt.models.baichuan.configuration_baichuan import BaichuanConfig
    from healgpt.models.gguf_baichuan import checkpoint_shapes

    fields = {
        "architectures": ["BaichuanForCausalLM"],
        "model_type": "baichuan",
        "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "model_max_length": 4096,
        "rms_norm_eps": 1e-6,
    }
    place = folder / "hf"
    place.mkdir(exist_ok=True)
    (place / "config.json").write_text(json.dumps(fields), encoding="utf-8")
    (place / "tokenizer.model").write_bytes(_vocabulary(folder))
    shapes = checkpoint_shapes(BaichuanConfig(**fields))
    groups: dict[str, list[str]] = {}
    for name in shapes:
        key = name.split(".")[2] if name.startswith("model.layers.") else "ends"
        groups.setdefault(key, []).append(name)
    random, index = np.random.default_rng(0), {}
    for number, names in enumerate(groups.values(), start=1):
        shard = f"model-{number:05d}-of-{len(groups):05d}.safetensors"
        drawn = {}
        for name in names:
            if "norm" in name:
                drawn[name] = np.ones(shapes[name], np.float16)
            else:
                drawn[name] = (random.standard_normal(shapes[name], np.float32) * 0.02).astype(np.float16)
        save_file(drawn, place / shard)
        index |= dict.fromkeys(names, shard)
    told = {"metadata": {}, "weight_map": index}
    (place / "model.safetensors.index.json").write_text(json.dumps(told), encoding="utf-8")
    print(f"检查点 {sum(path.stat().st_size for path in place.iterdir()) / 1e9:.1f} GB")


def _vocabulary(folder: Path) -> bytes:
    from healgpt.models.gguf_file import GgufFile
    from healgpt.models.gguf_source import sentencepiece_file

    texts = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    texts += [f"w{index}" for index in range(len(texts), VOCABULARY)]
    fields = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": texts,
        "tokenizer.ggml.scores": [-float(index) for index in range(VOCABULARY)],
        "tokenizer.ggml.token_type": [2, 3, 3, *([6] * 256), *([1] * (VOCABULARY - 259))],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
    return sentencepiece_file(GgufFile(folder, fields, {}, {}))


def convert(folder: Path) -> None:
    """Make the F16 GGUF file, then delete the checkpoint."""
    from healgpt.models.convert import folder_to_gguf

    made = folder_to_gguf(folder / "hf", folder / "f16.gguf", "F16")
    print(f"F16 GGUF {made.stat().st_size / 1e9:.1f} GB")
    shutil.rmtree(folder / "hf")


def quantise(folder: Path) -> None:
    """Make the Q4_0 file from the F16 file, then delete the latter."""
    from healgpt.models.convert import requantise

    made = requantise(folder / "f16.gguf", folder / "q4_0.gguf", "Q4_0")
    print(f"Q4_0 GGUF {made.stat().st_size / 1e9:.1f} GB")
    (folder / "f16.gguf").unlink()


def generate(folder: Path) -> None:
    """Load the Q4_0 file, read 32 tokens, write 32."""
    import xllamacpp

    start = time.perf_counter()
    params = xllamacpp.CommonParams()
    params.model.path = str(folder / "q4_0.gguf")
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 512, 1, 2
    params.warmup, params.cache_ram_mib, params.verbosity, params.fit_params = False, 0, -1, False
    params.no_extra_bufts = True  # no second, repacked copy of the weights: this is about memory, not speed
    server = xllamacpp.Server(params)
    loaded = time.perf_counter()
    body = {"prompt": list(range(300, 332)), "n_predict": 32, "temperature": 0, "ignore_eos": True}
    answer = server.handle_completions(body)
    timings = answer["timings"]
    print(
        f"装载 {loaded - start:.0f} 秒；{timings['predicted_n']} 个词元，"
        f"预填 {timings['prompt_per_second']:.2f}、解码 {timings['predicted_per_second']:.2f} 词元/秒"
    )


STEPS = {"write": write_checkpoint, "convert": convert, "quantise": quantise, "generate": generate}

if __name__ == "__main__":
    main()
