"""Baichuan-7B, Baichuan-13B, Baichuan2-7B and Baichuan2-13B on current `transformers`, with no remote code.

Modules and tensors keep the names of the original checkpoints (`W_pack`, `o_proj`, `lm_head`, ...), so those load
as they are. The 7B models rotate queries and keys (RoPE, Su et al. 2021); the 13B models add a linear bias to the
attention scores instead (ALiBi, Press et al. 2022). Baichuan2 scores tokens with a row-normalised head (NormHead,
Baichuan 2 technical report, 2023).

This file travels with exported folders, so it imports nothing of this package but its own siblings.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators, allow-subclassing-any
# The framework types itself only in part.

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn
from transformers import GenerationMixin, PreTrainedModel
from transformers.cache_utils import Cache, DynamicCache
from transformers.masking_utils import create_causal_mask
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.utils.generic import can_return_tuple, merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from .chat_baichuan import chat
from .configuration_baichuan import BaichuanConfig
from .layers_baichuan import BaichuanAttention, BaichuanDecoderLayer, BaichuanRMSNorm, NormHead
from .positions_baichuan import BaichuanRotaryEmbedding, alibi_mask, alibi_slopes
from .quantize_baichuan import quantize


class BaichuanPreTrainedModel(PreTrainedModel):
    """What the framework needs to know about the family."""

    config_class = BaichuanConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _no_split_modules = ["BaichuanDecoderLayer"]  # noqa: RUF012
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012
    _keys_to_ignore_on_load_unexpected = [r"rotary_emb\.inv_freq", r"alibi_mask", r"future_mask"]  # noqa: RUF012
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_attention_backend = True
    _can_compile_fullgraph = True
    _can_record_outputs = {  # noqa: RUF012
        "hidden_states": BaichuanDecoderLayer,
        "attentions": BaichuanAttention,
    }

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, name: Any, *args: Any, output_loading_info: bool = False, **kwargs: Any
    ) -> Any:
        """Load a checkpoint; unlike the framework's default, a weight that is missing or left over is an error.

        Raises `ValueError` naming the tensors: a model with random weights in it must never answer anybody.
        """
        tolerant = bool(kwargs.pop("ignore_mismatched_sizes", False))
        # The framework would refuse a misshapen tensor without naming it, so it is told not to mind.
        kwargs |= {"output_loading_info": True, "ignore_mismatched_sizes": True}
        loaded: Any = super().from_pretrained(name, *args, **kwargs)
        model, report = loaded
        report = report | {"mismatched_keys": ()} if tolerant else report
        complaint = _complain(report)
        if complaint:
            raise ValueError(f"{name} 的权重和 config.json 对不上：{complaint}。请重新下载，或检查 config.json。")
        return (model, report) if output_loading_info else model


def _complain(report: dict[str, Any]) -> str:
    """Say in words which tensors of a loading report are wrong; empty if none are."""
    parts = []
    for key, words in (("missing_keys", "缺少"), ("unexpected_keys", "多出"), ("mismatched_keys", "形状不符")):
        names = sorted(str(item[0] if isinstance(item, tuple) else item) for item in report.get(key) or ())
        if names:
            more = f" 等 {len(names)} 个" if len(names) > 3 else ""
            parts.append(f"{words} {'、'.join(names[:3])}{more}")
    return "；".join(parts)


class BaichuanModel(BaichuanPreTrainedModel):
    """The decoder stack without the output head, which a checkpoint may hold all the same."""

    _keys_to_ignore_on_load_unexpected = [  # noqa: RUF012
        *(BaichuanPreTrainedModel._keys_to_ignore_on_load_unexpected or ()),
        r"^lm_head\.",
    ]

    def __init__(self, config: BaichuanConfig) -> None:
        super().__init__(config)
        self.padding_idx = config.pad_token_id
        self.vocab_size = config.vocab_size
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, self.padding_idx)
        self.layers = nn.ModuleList(BaichuanDecoderLayer(config, index) for index in range(config.num_hidden_layers))
        self.norm = BaichuanRMSNorm(config.hidden_size, config.rms_norm_eps)
        self.rotary_emb = BaichuanRotaryEmbedding(config) if config.position_embedding == "rope" else None
        self.gradient_checkpointing = False
        self.post_init()

    @merge_with_config_defaults
    @capture_outputs
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Run tokens (batch, length) through all layers.

        `attention_mask` is (batch, seen + length) with 0 for padding. Raises `ValueError` for a token id outside
        the vocabulary (checked on the CPU only: elsewhere the check would stall the device).
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("input_ids 和 inputs_embeds 必须且只能给一个。")
        if inputs_embeds is None:
            self._check_ids(input_ids)
            inputs_embeds = self.embed_tokens(input_ids)
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        if position_ids is None:
            seen = past_key_values.get_seq_length() if past_key_values is not None else 0
            position_ids = (torch.arange(inputs_embeds.shape[1], device=inputs_embeds.device) + seen).unsqueeze(0)
        mask = self._mask(inputs_embeds, attention_mask, position_ids, past_key_values)
        rotation = None if self.rotary_emb is None else self.rotary_emb(inputs_embeds, position_ids)
        hidden_states = inputs_embeds
        for layer in self.layers:
            hidden_states = layer(
                hidden_states,
                attention_mask=mask,
                position_embeddings=rotation,
                position_ids=position_ids,
                past_key_values=past_key_values,
                use_cache=use_cache,
                **kwargs,
            )
        return BaseModelOutputWithPast(last_hidden_state=self.norm(hidden_states), past_key_values=past_key_values)

    def _check_ids(self, input_ids: torch.Tensor | None) -> None:
        if (
            input_ids is None
            or input_ids.device.type != "cpu"
            or torch.compiler.is_compiling()
            or not input_ids.numel()
        ):
            return
        low, high = int(input_ids.min()), int(input_ids.max())
        size = self.embed_tokens.num_embeddings
        if low < 0 or high >= size:
            bad = low if low < 0 else high
            raise ValueError(f"词元编号 {bad} 超出词表（0 到 {size - 1}）。请检查分词器和模型是不是同一套。")

    def _mask(
        self,
        inputs_embeds: torch.Tensor,
        attention_mask: torch.Tensor | None,
        position_ids: torch.Tensor,
        past_key_values: Cache | None,
    ) -> torch.Tensor | None:
        mask: Any = create_causal_mask(
            config=self.config,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            position_ids=position_ids,
        )
        if self.rotary_emb is not None:
            return mask  # type: ignore[no-any-return]
        if self.config._attn_implementation not in {"eager", "sdpa"}:
            raise ValueError(
                f"注意力实现 {self.config._attn_implementation} 不支持 ALiBi；Baichuan-13B 请用 sdpa 或 eager。"
            )
        queries = inputs_embeds.shape[1]
        keys, seen = queries, 0
        if past_key_values is not None:
            keys, seen = past_key_values.get_mask_sizes(queries, 0)[0], past_key_values.get_seq_length()
        slopes = alibi_slopes(self.config.num_attention_heads).to(inputs_embeds.device)
        return alibi_mask(slopes, mask, seen, (queries, keys), inputs_embeds.dtype)


class BaichuanForCausalLM(BaichuanPreTrainedModel, GenerationMixin):
    """Baichuan with its output head: `generate`, `chat`, and the training loss."""

    _tied_weights_keys = {"lm_head.weight": "model.embed_tokens.weight"}  # noqa: RUF012
    _tp_plan = {"lm_head": "colwise_gather_output"}  # noqa: RUF012
    _pp_plan = {"lm_head": (["hidden_states"], ["logits"])}  # type: ignore[dict-item]  # noqa: RUF012

    def __init__(self, config: BaichuanConfig) -> None:
        super().__init__(config)
        self.model = BaichuanModel(config)
        self.vocab_size = config.vocab_size
        if config.norm_head:
            self.lm_head: nn.Linear = NormHead(config.hidden_size, config.vocab_size)
        else:
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    @can_return_tuple
    def forward(  # noqa: PLR0913, PLR0917 - the framework's signature
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Return logits (batch, kept, vocabulary) and, with `labels` (-100 is ignored), the next-token loss.

        `logits_to_keep` keeps only the last positions (0 keeps all), which saves most of the head's work.
        """
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **kwargs,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) and logits_to_keep else logits_to_keep
        kept = slice(None) if isinstance(kept, int) else kept
        logits = self.lm_head(outputs.last_hidden_state[:, kept, :])
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs)
            if self.config.z_loss_weight:
                loss = loss + self.config.z_loss_weight * logits[:, :-1].float().amax(-1).square().mean()
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )

    def chat(
        self,
        tokenizer: Any,
        messages: Sequence[dict[str, str]],
        stream: bool = False,
        generation_config: Any = None,
    ) -> str | Iterator[str]:
        """Answer a conversation as the published models do; see `chat_baichuan.chat`."""
        return chat(self, tokenizer, messages, stream=stream, generation_config=generation_config)

    def quantize(self, bits: int) -> "BaichuanForCausalLM":
        """Round the weights to 8 or 4 bits in place, as published; see `quantize_baichuan.quantize`."""
        quantize(self, bits)
        return self

    def _get_resized_lm_head(self, old_lm_head: nn.Linear, *args: Any, **kwargs: Any) -> nn.Linear:
        resized: nn.Linear = super()._get_resized_lm_head(old_lm_head, *args, **kwargs)
        if not isinstance(old_lm_head, NormHead) or isinstance(resized, NormHead):
            return resized
        head = NormHead(resized.in_features, resized.out_features, device="meta")
        head.weight = resized.weight
        return head
