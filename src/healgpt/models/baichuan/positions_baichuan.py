"""Where a token stands: rotation of queries and keys (RoPE) in the 7B models, a bias on scores (ALiBi) in the 13B.

RoPE: Su et al. 2021. ALiBi: Press et al. 2022. This file travels with exported folders, so it imports nothing of
this package but its own siblings.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators, allow-subclassing-any
# The framework types itself only in part.

import math
from typing import Any

import torch
from torch import nn
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS, dynamic_rope_update

from .configuration_baichuan import BaichuanConfig

Rotation = tuple[torch.Tensor, torch.Tensor]


def alibi_slopes(heads: int) -> torch.Tensor:
    """Return the ALiBi slope of every head, shape (heads,), float32, all positive.

    For a power of two the slopes are 2^(-8/n), 2^(-16/n), ... For other counts, such as Baichuan's 40, those of
    the next lower power of two are followed by every other slope of the doubled count (ALiBi reference code).
    """
    whole = 2 ** math.floor(math.log2(heads))
    first = [2.0 ** (-8.0 * (index + 1) / whole) for index in range(whole)]
    rest = [2.0 ** (-4.0 * (2 * index + 1) / whole) for index in range(heads - whole)]
    return torch.tensor(first + rest, dtype=torch.float32)


def alibi_mask(
    slopes: torch.Tensor,
    causal: torch.Tensor | None,
    first_query: int | torch.Tensor,
    lengths: tuple[int, int],
    dtype: torch.dtype,
) -> torch.Tensor:
    """Return what is added to the attention scores of shape (batch or 1, heads, queries, keys), in `dtype`.

    `causal` is the mask of the framework: None (plain causal), boolean (True may be attended), or additive.
    `first_query` is the cache slot of the first query and `lengths` counts queries and keys. Distances are taken
    between cache slots, so left padding changes nothing: softmax ignores a constant shift. "Never" is the lowest
    finite number, since a padded row of minus infinities would turn into NaN. This is the largest tensor of a long
    prefill, so it is built in place.
    """
    queries, keys = lengths
    # in floating point from the start: multiplying integers would copy the large tensor once more
    slots = torch.arange(keys, dtype=torch.float32, device=slopes.device)
    asking = torch.arange(queries, dtype=torch.float32, device=slopes.device) + first_query
    distance = slots[None, :] - asking[:, None]
    bias = (slopes[:, None, None] * distance)[None]
    lowest = torch.finfo(dtype).min
    if causal is None:
        return bias.masked_fill_(distance > 0, lowest).to(dtype)
    if causal.dtype == torch.bool:
        closed = causal.logical_not()
    else:
        closed = causal <= torch.finfo(causal.dtype).min
        bias = bias + causal.masked_fill(closed, 0)
    filled = bias.masked_fill_(closed, lowest) if closed.shape[0] == bias.shape[0] else bias.masked_fill(closed, lowest)
    return filled.to(dtype)


class BaichuanRotaryEmbedding(nn.Module):
    """Cosines and sines of the rotation angles, shape (batch, length, head_dim), first half equal to the second."""

    inv_freq: torch.Tensor

    def __init__(self, config: BaichuanConfig) -> None:
        super().__init__()
        self.config = config
        self.max_seq_len_cached = config.max_position_embeddings
        self.original_max_seq_len = config.max_position_embeddings
        self.rope_type = config.rope_parameters["rope_type"]
        start = (
            self.compute_default_rope_parameters if self.rope_type == "default" else ROPE_INIT_FUNCTIONS[self.rope_type]
        )
        inv_freq, self.attention_scaling = start(config)
        self.register_buffer("inv_freq", inv_freq, persistent=False)
        self.register_buffer("original_inv_freq", inv_freq.clone(), persistent=False)

    @staticmethod
    def compute_default_rope_parameters(config: BaichuanConfig, **_: Any) -> tuple[torch.Tensor, float]:
        """Return the angle per position of every pair of dimensions, and the factor 1 on cosines and sines."""
        steps = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
        return 1.0 / (config.rope_parameters["rope_theta"] ** steps), 1.0

    @torch.no_grad()
    @dynamic_rope_update
    def forward(self, hidden_states: torch.Tensor, position_ids: torch.Tensor) -> Rotation:
        inv_freq = self.inv_freq.to(device=hidden_states.device, dtype=torch.float32)
        angles = position_ids[..., None].float() * inv_freq
        angles = torch.cat((angles, angles), dim=-1)
        cos, sin = angles.cos() * self.attention_scaling, angles.sin() * self.attention_scaling
        return cos.to(hidden_states.dtype), sin.to(hidden_states.dtype)


def rotate(states: torch.Tensor, rotation: Rotation) -> torch.Tensor:
    """Turn `states` (batch, heads, length, head_dim) by `rotation`; dimension i pairs with i + head_dim / 2."""
    cos, sin = rotation[0].unsqueeze(1), rotation[1].unsqueeze(1)
    left, right = states.chunk(2, dim=-1)
    return states * cos + torch.cat((-right, left), dim=-1) * sin
