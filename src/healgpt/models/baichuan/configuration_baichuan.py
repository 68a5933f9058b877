"""The configuration of the four Baichuan architectures, from their original `config.json` files.

| model         | `position_embedding` | `norm_head` | original marks in `config.json`                            |
|---------------|----------------------|-------------|------------------------------------------------------------|
| Baichuan-7B   | rope                 | False       | architecture `BaiChuanForCausalLM`, `max_position_embeddings` |
| Baichuan-13B  | alibi                | False       | hidden size 5120, `model_max_length`                       |
| Baichuan2-7B  | rope                 | True        | hidden size 4096, `z_loss_weight`, vocabulary 125,696      |
| Baichuan2-13B | alibi                | True        | hidden size 5120, `z_loss_weight`, vocabulary 125,696      |

The originals share `model_type` "baichuan" and never say which position encoding they use, so it is inferred:
an explicit `position_embedding` wins; then the architecture name `BaiChuanForCausalLM` (capital C) means RoPE;
then hidden size 4096 means RoPE and 5120 ALiBi; otherwise a file that states `max_position_embeddings` is RoPE.
`norm_head` is inferred from `z_loss_weight` or the vocabulary size. Saving writes both explicitly.

This file travels with exported folders, so it imports nothing of this package but its own siblings.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators, allow-subclassing-any
# The framework types itself only in part.

from typing import Any

from transformers import PreTrainedConfig

_BAICHUAN2_VOCABULARY = 125_696
_DEFAULT_WINDOW = 4096


class BaichuanConfig(PreTrainedConfig):
    """Shapes and switches of one Baichuan model; see the module for how the variants are told apart.

    `model_max_length` is the window in tokens that prompt and answer share; `max_position_embeddings` is kept
    equal to it where only one of the two is given. Raises `ValueError` for shapes that cannot be.
    """

    model_type = "baichuan"
    keys_to_ignore_at_inference = ["past_key_values"]  # noqa: RUF012 - the framework's own declaration
    # The three parts of W_pack cannot be cut with one column cut, so heads are gathered and o_proj cuts its input.
    base_model_tp_plan = {  # noqa: RUF012
        "layers.*.self_attn.W_pack": "colwise_gather_output",
        "layers.*.self_attn.o_proj": "rowwise_split_input",
        "layers.*.mlp.gate_proj": "colwise",
        "layers.*.mlp.up_proj": "colwise",
        "layers.*.mlp.down_proj": "rowwise",
    }
    base_model_pp_plan = {  # noqa: RUF012
        "embed_tokens": (["input_ids"], ["inputs_embeds"]),
        "layers": (["hidden_states", "attention_mask"], ["hidden_states"]),
        "norm": (["hidden_states"], ["hidden_states"]),
    }

    vocab_size: int = 64_000
    hidden_size: int = 4096
    intermediate_size: int = 11_008
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    hidden_act: str = "silu"
    max_position_embeddings: int | None = None
    model_max_length: int | None = None
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-6
    use_cache: bool = True
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    tie_word_embeddings: bool = False
    z_loss_weight: float | None = None
    rope_parameters: Any = None
    position_embedding: str | None = None
    norm_head: bool | None = None
    tokenizer_class: str | None = "BaichuanTokenizer"

    def __post_init__(self, **kwargs: Any) -> None:
        # Baichuan-13B was published with `"gradient_checkpointing": [false]`, which reads as true.
        kwargs.pop("gradient_checkpointing", None)
        if self.position_embedding is None:
            self.position_embedding = self._infer_position_embedding()
        if self.norm_head is None:
            self.norm_head = self.z_loss_weight is not None or self.vocab_size == _BAICHUAN2_VOCABULARY
        self.z_loss_weight = float(self.z_loss_weight or 0.0)
        window = self.model_max_length or self.max_position_embeddings or _DEFAULT_WINDOW
        self.model_max_length = window
        self.max_position_embeddings = self.max_position_embeddings or window
        self._check()
        super().__post_init__(**kwargs)

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_attention_heads

    def _infer_position_embedding(self) -> str:
        if "BaiChuanForCausalLM" in (self.architectures or []) or self.hidden_size == 4096:
            return "rope"
        if self.hidden_size == 5120:
            return "alibi"
        return "rope" if self.max_position_embeddings is not None else "alibi"

    def _check(self) -> None:
        if self.position_embedding not in {"rope", "alibi"}:
            raise ValueError(
                f"config.json 里的 position_embedding 是 {self.position_embedding!r}，只认 rope（7B）和 alibi（13B）。"
            )
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"config.json 里的 hidden_size（{self.hidden_size}）不能被 "
                f"num_attention_heads（{self.num_attention_heads}）整除。"
            )
        if self.position_embedding == "rope" and self.head_dim % 2:
            raise ValueError(f"RoPE 要求每个注意力头的宽度为偶数，现在是 {self.head_dim}。")
