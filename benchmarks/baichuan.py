"""SDPA against eager attention in the Baichuan port: a 13B-shaped model of four layers, 512 tokens, float32.

    python benchmarks/baichuan.py            # about two minutes on two cores, 6 GB of memory

Two ratios are printed, because they say different things: the whole forward pass, most of which is matrix products
that both share, and the attention step alone (scores, ALiBi, softmax, mixing), which is what differs. Each
implementation runs in a process of its own, so that its peak memory is its own; runs alternate, best of several.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

TOKENS, LAYERS, ROUNDS = 512, 4, 3


def build(attention: str) -> Any:
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
        attn_implementation=attention,
    )
    torch.manual_seed(0)
    with torch.device("meta"):
        model = BaichuanForCausalLM(config)
    model = model.to_empty(device="cpu").eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.02) if weight.dim() > 1 else weight.fill_(1.0)
    return model


def best(run: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs, after one to warm up."""
    run()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(attention: str) -> dict[str, float]:
    """Seconds of the forward pass and of one attention step, and how far memory rose above the loaded model."""
    import torch
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    from healgpt.models.baichuan.layers_baichuan import eager_attention
    from healgpt.models.baichuan.positions_baichuan import alibi_mask, alibi_slopes

    torch.set_num_threads(2)
    model = build(attention)
    ids = torch.randint(3, 1000, (1, TOKENS))
    layer = model.model.layers[0].self_attn
    states = [torch.randn(1, 40, TOKENS, 128) for _ in range(3)]
    mask = alibi_mask(alibi_slopes(40), None, 0, (TOKENS, TOKENS), torch.float32)
    attend = ALL_ATTENTION_FUNCTIONS.get_interface(attention, eager_attention)
    with torch.inference_mode():
        before = peak_mib()
        step = best(lambda: attend(layer, *states, mask, dropout=0.0, scaling=layer.scaling))
        step_memory = peak_mib() - before
        before = peak_mib()
        forward = best(lambda: model(ids, use_cache=False, logits_to_keep=1))
        print(f"{attention}: done", file=sys.stderr)
    return {"forward_s": forward, "step_s": step, "step_mib": step_memory, "forward_mib": peak_mib() - before}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attention", choices=["sdpa", "eager"], help="measure one only and print JSON")
    chosen = parser.parse_args().attention
    if chosen:
        print(json.dumps(measure(chosen)))
        return
    found = {}
    for attention in ("eager", "sdpa"):
        command = [sys.executable, __file__, "--attention", attention]
        found[attention] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"Baichuan-13B shape, {LAYERS} layers, {TOKENS} tokens, float32, 2 threads")
    print(f"{'':24}{'eager':>10}{'sdpa':>10}{'ratio':>8}")
    rows = [("attention step, ms", "step_s", 1000), ("forward pass, ms", "forward_s", 1000)]
    rows += [("attention memory, MiB", "step_mib", 1), ("forward memory, MiB", "forward_mib", 1)]
    for label, key, factor in rows:
        eager, sdpa = found["eager"][key] * factor, found["sdpa"][key] * factor
        print(f"{label:24}{eager:10.1f}{sdpa:10.1f}{eager / max(sdpa, 0.1):8.2f}")


if __name__ == "__main__":
    main()
