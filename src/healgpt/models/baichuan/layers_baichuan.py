"""The building blocks of a Baichuan: norm, packed attention, gated feed-forward, decoder layer, normalised head.

Modules and tensors keep the names of the original checkpoints. This file travels with exported folders, so it
imports nothing of this package but its own siblings.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators, allow-subclassing-any
# The framework types itself only in part.

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers.activations import ACT2FN
from transformers.cache_utils import Cache
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from .configuration_baichuan import BaichuanConfig
from .positions_baichuan import Rotation, rotate


class BaichuanRMSNorm(nn.Module):
    """Root-mean-square norm (Zhang and Sennrich 2019), computed in float32 whatever the dtype."""

    def __init__(self, hidden_size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.eps = eps

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        normed = nn.functional.rms_norm(hidden_states.float(), (hidden_states.shape[-1],), eps=self.eps)
        return self.weight * normed.to(hidden_states.dtype)


def eager_attention(  # noqa: PLR0913, PLR0917 - the framework's signature
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention spelled out, softmax in float32: the reference that the fused kernels are compared with."""
    scores = torch.matmul(query, key.transpose(2, 3)) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = nn.functional.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    weights = nn.functional.dropout(weights, p=dropout, training=module.training)
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), weights


class BaichuanAttention(nn.Module):
    """Multi-head attention whose query, key and value projections are one matrix, `W_pack`."""

    def __init__(self, config: BaichuanConfig, layer_idx: int) -> None:
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.head_dim = config.head_dim
        self.num_key_value_groups = 1
        self.scaling = self.head_dim**-0.5
        self.is_causal = True
        self.W_pack = nn.Linear(config.hidden_size, 3 * config.hidden_size, bias=False)
        self.o_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_embeddings: Rotation | None = None,
        past_key_values: Cache | None = None,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        shape = hidden_states.shape[:-1]
        packed = self.W_pack(hidden_states).view(*shape, 3, -1, self.head_dim)
        query, key, value = (part.transpose(1, 2) for part in packed.unbind(dim=-3))
        if position_embeddings is not None:
            query, key = rotate(query, position_embeddings), rotate(key, position_embeddings)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        attend: Callable[..., tuple[torch.Tensor, torch.Tensor | None]] = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention
        )
        mixed, weights = attend(self, query, key, value, attention_mask, dropout=0.0, scaling=self.scaling, **kwargs)
        return self.o_proj(mixed.reshape(*shape, -1).contiguous()), weights


class BaichuanMLP(nn.Module):
    """Gated feed-forward block (SwiGLU, Shazeer 2020)."""

    def __init__(self, config: BaichuanConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.act_fn = ACT2FN[config.hidden_act]

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.down_proj(self.act_fn(self.gate_proj(hidden_states)) * self.up_proj(hidden_states))
        return mixed


class BaichuanDecoderLayer(GradientCheckpointingLayer):
    """Attention and feed-forward, each with its norm before and its residual around."""

    def __init__(self, config: BaichuanConfig, layer_idx: int) -> None:
        super().__init__()
        self.self_attn = BaichuanAttention(config, layer_idx)
        self.mlp = BaichuanMLP(config)
        self.input_layernorm = BaichuanRMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = BaichuanRMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, hidden_states: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        mixed, _ = self.self_attn(self.input_layernorm(hidden_states), **kwargs)
        hidden_states = hidden_states + mixed
        out: torch.Tensor = hidden_states + self.mlp(self.post_attention_layernorm(hidden_states))
        return out


class NormHead(nn.Linear):
    """Baichuan2's output head: every row of the weight counts with length one.

    The logits are divided by the row lengths instead of the rows being rewritten, so the loaded weight stays what
    the checkpoint holds, in training and inference alike. The lengths are kept between inference steps as long as
    the weight does not change.
    """

    def __init__(self, hidden_size: int, vocab_size: int, **kwargs: Any) -> None:
        super().__init__(hidden_size, vocab_size, bias=False, **kwargs)
        # What was measured (the parameter, its memory, its version) and the lengths found.
        self._lengths: tuple[tuple[Any, int, int], torch.Tensor] | None = None

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = nn.functional.linear(hidden_states, self.weight) / self._row_lengths()
        return logits

    def _row_lengths(self) -> torch.Tensor:
        if torch.is_grad_enabled() or torch.compiler.is_compiling() or self.weight.is_inference():
            return self._measure()
        weight, place, version = self.weight, self.weight.data_ptr(), self.weight._version
        if self._lengths is None or self._lengths[0][0] is not weight or self._lengths[0][1:] != (place, version):
            self._lengths = ((weight, place, version), self._measure())
        return self._lengths[1]

    def _measure(self) -> torch.Tensor:
        # The same floor as torch.nn.functional.normalize, which the original head used.
        lengths = torch.linalg.vector_norm(self.weight, dim=-1, dtype=torch.float32).clamp_min(1e-12)
        kept: torch.Tensor = lengths.to(self.weight.dtype)
        return kept
