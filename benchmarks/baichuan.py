"""SDPA against eager attention in the Baichuan port: a 13B-shaped model of four layers, 512 tokens, float32.

    python benchmarks/baichuan.py            # about two minutes on two cores, 6 GB of memory

Two ratios are printed, because they say different things: the whole forward pass, most of which is matrix products
that both share, and the attention step alone (scores, ALiBi, softmax, mixing), which is what differs. Times are taken
in one process, the two taking turns, the fastest of several runs counting; peak memory in a process each.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

LAYERS, ROUNDS = 4, 4
BOTH = ("eager", "sdpa")


def build() -> Any:
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
    model = model.to_empty(device="cpu").eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.02) if weight.dim() > 1 else weight.fill_(1.0)
    return model


def step(tokens: int) -> Callable[[str], object]:
    """Return a function that runs one attention step of 40 heads the given way."""
    import torch
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    from healgpt.models.baichuan.layers_baichuan import eager_attention
    from healgpt.models.baichuan.positions_baichuan import alibi_mask, alibi_slopes

    states = [torch.randn(1, 40, tokens, 128) for _ in range(3)]
    mask = alibi_mask(alibi_slopes(40), None, 0, (tokens, tokens), torch.float32)
    layer = torch.nn.Module().eval()

    def run(attention: str) -> object:
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(attention, eager_attention)
        return attend(layer, *states, mask, dropout=0.0, scaling=128**-0.5)

    return run


def forward(tokens: int) -> Callable[[str], object]:
    """Return a function that runs the whole model the given way."""
    import torch

    model = build()
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
    """MiB by which the peak memory of the process rises during one run."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(attention)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def measure(part: str, what: str, tokens: int) -> Any:
    import torch

    torch.set_num_threads(2)
    run = (step if part == "step" else forward)(tokens)
    with torch.inference_mode():
        return seconds(run) if what == "seconds" else rise_mib(run, what)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs=2, metavar=("PART", "WHAT"), help="measure one thing and print JSON")
    parser.add_argument("--tokens", type=int, default=512, help="length of the sequence")
    chosen = parser.parse_args()
    if chosen.only:
        print(json.dumps(measure(*chosen.only, chosen.tokens)))
        return

    def apart(part: str, what: str) -> Any:
        command = [sys.executable, __file__, "--only", part, what, "--tokens", str(chosen.tokens)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    print(f"Baichuan-13B shape, {LAYERS} layers, {chosen.tokens} tokens, float32, 2 threads")
    print(f"{'':24}{'eager':>10}{'sdpa':>10}{'ratio':>8}")
    for part, label in (("step", "attention step"), ("forward", "forward pass")):
        taken = apart(part, "seconds")
        show(f"{label}, ms", *(taken[attention] * 1000 for attention in BOTH))
        show(f"{label}, MiB", *(apart(part, attention) for attention in BOTH))


def show(label: str, eager: float, sdpa: float) -> None:
    print(f"{label:24}{eager:10.1f}{sdpa:10.1f}{eager / max(sdpa, 0.1):8.2f}", flush=True)


if __name__ == "__main__":
    main()
