"""How far a quantised model has drifted from its source: perplexity, top-1 agreement and KL divergence on real text.

Both sets of weights run through the same network of `transformers` in float32, so that only the rounding of the
weights is compared (an engine that also rounds activations adds a little of its own). One layer is in memory at a
time, so a 13-billion-parameter model can be compared on a laptop; it costs the time of reading it twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from healgpt.errors import ModelError
from healgpt.models.weights import Weights

_WINDOW = 128
_SLICE = 64  # positions whose distributions are compared at once: 64 rows of 152k float32 are 39 MB


@dataclass(frozen=True, slots=True)
class Drift:
    """The comparison over `positions` next-token predictions.

    `agreement` is the share of positions with the same most likely token; `kl` the mean of KL(source || other) in
    nats, `kl_max` the largest one.
    """

    positions: int
    perplexity_source: float
    perplexity: float
    agreement: float
    kl: float
    kl_max: float

    @property
    def ratio(self) -> float:
        """Perplexity over that of the source: 1 is no loss."""
        return self.perplexity / self.perplexity_source


def text() -> str:
    """Return the Chinese medical text that drift is measured on, written for this purpose."""
    return resources.files("healgpt.models").joinpath("drift_text.txt").read_text(encoding="utf-8")


def windows(tokenizer: Any, *, limit: int = 6) -> list[list[int]]:
    """Return the text as up to `limit` windows of 128 tokens (one shorter window where the text is that short)."""
    ids = tokenizer.encode(text(), add_special_tokens=False)
    cut = [ids[start : start + _WINDOW] for start in range(0, len(ids) - _WINDOW + 1, _WINDOW)]
    return cut[:limit] or [ids]


def compare(source: Weights, other: Weights, config: dict[str, Any], ids: Sequence[Sequence[int]]) -> Drift:
    """Run `ids` (windows of equal length) through both and compare. Raises `ModelError` for NaN in either."""
    return compare_logits(logits(source, config, ids), logits(other, config, ids), ids)


def compare_logits(first: Any, second: Any, ids: Sequence[Sequence[int]]) -> Drift:
    """Compare two sets of logits (windows, length, vocabulary), those of the source first. Raises as `compare`."""
    import torch

    for name, values in (("来源", first), ("量化后的模型", second)):
        if not torch.isfinite(values).all():
            raise ModelError(f"{name}算出了不是有限数的结果（NaN 或无穷大），不能使用。")
    targets = torch.tensor(ids)[:, 1:].reshape(-1)
    first, second = (values[:, :-1].reshape(len(targets), -1) for values in (first, second))
    losses, others, agreed, divergences = [], [], [], []
    for start in range(0, len(targets), _SLICE):
        rows = slice(start, start + _SLICE)
        ours, theirs = (torch.log_softmax(values[rows], -1) for values in (first, second))
        wanted = targets[rows, None]
        losses.append(-ours.gather(1, wanted))
        others.append(-theirs.gather(1, wanted))
        agreed.append(ours.argmax(-1) == theirs.argmax(-1))
        divergences.append((ours.exp() * (ours - theirs)).sum(-1))
    kl = torch.cat(divergences).clamp(min=0)
    return Drift(
        positions=len(targets),
        perplexity_source=float(torch.cat(losses).mean().exp()),
        perplexity=float(torch.cat(others).mean().exp()),
        agreement=float(torch.cat(agreed).float().mean()),
        kl=float(kl.mean()),
        kl_max=float(kl.max()),
    )


def logits(weights: Weights, config: dict[str, Any], ids: Sequence[Sequence[int]]) -> Any:
    """Return the float32 logits (windows, length, vocabulary) of `ids`, holding one layer in memory at a time."""
    import torch

    model = _network(weights, config)
    with torch.inference_mode():
        return model(torch.tensor(ids), use_cache=False).logits


def _network(weights: Weights, config: dict[str, Any]) -> Any:
    """Return the network with weights that come when a part is entered and go when it is left."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from healgpt.models import baichuan

    baichuan.register()
    fields = {key: value for key, value in config.items() if key not in ("auto_map", "dtype", "torch_dtype")}
    described = AutoConfig.for_model(**fields)
    build: Any = AutoModelForCausalLM.from_config
    with torch.device("meta"):
        model = build(described, dtype=torch.float32).eval()
    rotary = getattr(model.model, "rotary_emb", None)
    if rotary is not None:
        model.model.rotary_emb = type(rotary)(described)  # its tables are computed, not stored
    parts = {f"model.layers.{index}.": layer for index, layer in enumerate(model.model.layers)}
    parts |= {"model.embed_tokens.": model.model.embed_tokens, "model.norm.": model.model.norm}
    parts |= {"lm_head.": model.lm_head}
    for prefix, module in parts.items():
        _attach(module, prefix, weights)
    return model


def _attach(module: Any, prefix: str, weights: Weights) -> None:
    import torch

    names = list(module.state_dict())

    def fill(*_: Any) -> None:
        state = {}
        for name in names:
            stored = prefix + name
            if stored == "lm_head.weight" and stored not in weights.shapes:
                stored = "model.embed_tokens.weight"  # tied
            if stored not in weights.shapes:
                raise ModelError(f"缺少张量 {stored}，无法计算。请检查模型文件。")
            state[name] = torch.from_numpy(weights.read(stored)).float()
        module.load_state_dict(state, assign=True)

    def leave(*_: Any) -> None:
        module.to("meta")

    module.register_forward_pre_hook(fill)
    module.register_forward_hook(leave)
