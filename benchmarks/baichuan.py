"""SDPA against eager attention in the Baichuan port: a 13B-shaped model of four layers, 512 tokens.

    python benchmarks/baichuan.py                     # float32; about two minutes on two cores, 6 GB of memory
    python benchmarks/baichuan.py --dtype bfloat16    # as the model is served; slow without AVX-512 or AMX

Two ratios are printed, because they say different things: the whole forward pass, most of which is matrix products
that both share, and the attention step alone (scores, ALiBi, softmax, mixing), which is what differs. Times are taken
in one process, the two taking turns, the fastest of several runs counting; peak memory in a process each, above what
the model itself takes, with an allocator told to give back what is freed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LAYERS, ROUNDS = 4, 4
BOTH = ("eager", "sdpa")


def build(dtype: str) -> Any:
    import torch

    from healgpt.models.baichuan.configuration_baichuan import BaichuanConfig
    from healgpt.models.baichuan.modeling_baichuan import BaichuanForCausalLM

    config = BaichuanConfig(
        vocab_size=1000,  # the head and the embedding are not what is measured
        hidden_size=5120,
        intermediate_size=13_696,
        num_attention_heads=40,
        num_hidden_layers=LAYERS,
        model_max_length=4096,
    )
    torch.manual_seed(0)
    with torch.device("meta"):
        model = BaichuanForCausalLM(config)
    model = model.to(getattr(torch, dtype)).to_empty(device="cpu").eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.02) if weight.dim() > 1 else weight.fill_(1.0)
    return model


def step(tokens: int, dtype: str) -> Callable[[str], object]:
    """Return a function that runs one attention step of 40 heads the given way."""
    import torch
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    from healgpt.models.baichuan.layers_baichuan import eager_attention
    from healgpt.models.baichuan.positions_baichuan import alibi_mask, alibi_slopes

    precision = getattr(torch, dtype)
    states = [torch.randn(1, 40, tokens, 128, dtype=precision) for _ in range(3)]
    mask = alibi_mask(alibi_slopes(40), None, 0, (tokens, tokens), precision)
    layer = torch.nn.Module().eval()

    def run(attention: str) -> object:
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(attention, eager_attention)
        return attend(layer, *states, mask, dropout=0.0, scaling=128**-0.5)

    return run


def forward(tokens: int, dtype: str) -> Callable[[str], object]:
    """Return a function that runs the whole model the given way."""
    import torch

    model = build(dtype)
    ids = torch.randint(3, 1000, (1, tokens))

    def run(attention: str) -> object:
        model.set_attn_implementation(attention)
        return model(ids, use_cache=False, logits_to_keep=1)

    return run


def seconds(run: Callable[[str], object]) -> dict[str, float]:
    """Seconds of the fastest run of each, after one to warm up."""
    times: dict[str, list[float]] = {attention: [] for attention in BOTH}
    for count in range(ROUNDS + 1):
        for attention in BOTH:
            start = time.perf_counter()
            run(attention)
            if count:
                times[attention].append(time.perf_counter() - start)
    return {attention: min(taken) for attention, taken in times.items()}


def rise_mib(run: Callable[[str], object], attention: str) -> float:
    """MiB by which the memory of the process rises at most during one run, after one to warm up (Linux)."""
    run(attention)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    before = _resident_mib("VmRSS")
    run(attention)
    return _resident_mib("VmHWM") - before


def _resident_mib(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


def measure(part: str, what: str, tokens: int, dtype: str) -> Any:
    import torch

    torch.set_num_threads(2)
    run = (step if part == "step" else forward)(tokens, dtype)
    with torch.inference_mode():
        return seconds(run) if what == "seconds" else rise_mib(run, what)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs=2, metavar=("PART", "WHAT"), help="measure one thing and print JSON")
    parser.add_argument("--tokens", type=int, default=512, help="length of the sequence")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="float32", help="precision")
    chosen = parser.parse_args()
    if chosen.only:
        print(json.dumps(measure(*chosen.only, chosen.tokens, chosen.dtype)))
        return

    def apart(part: str, what: str) -> Any:
        command = [sys.executable, __file__, "--only", part, what, "--tokens", str(chosen.tokens)]
        command += ["--dtype", chosen.dtype]
        # blocks of a megabyte and more go back at once when freed, so that the peak is what was in use
        giving = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_TRIM_THRESHOLD_": "1048576"}
        environment = os.environ if what == "seconds" else giving
        ran = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        return json.loads(ran.stdout.splitlines()[-1])

    print(f"Baichuan-13B shape, {LAYERS} layers, {chosen.tokens} tokens, {chosen.dtype}, 2 threads")
    print(f"{'':24}{'eager':>10}{'sdpa':>10}{'ratio':>8}")
    for part, label in (("step", "attention step"), ("forward", "forward pass")):
        taken = apart(part, "seconds")
        show(f"{label}, ms", *(taken[attention] * 1000 for attention in BOTH))
        show(f"{label}, MiB", *(apart(part, attention) for attention in BOTH))


def show(label: str, eager: float, sdpa: float) -> None:
    print(f"{label:24}{eager:10.1f}{sdpa:10.1f}{eager / max(sdpa, 0.1):8.2f}", flush=True)


if __name__ == "__main__":
    main()
