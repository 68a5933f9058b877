"""Baichuan in GGUF, as llama.cpp's own `baichuan` architecture reads it: tensor names, transforms and metadata.

Three things differ from the original checkpoint. `W_pack` is cut into query, key and value. Query and key rows are
reordered, because llama.cpp rotates neighbouring dimensions where the checkpoint pairs the two halves of a head;
its converter does this for the ALiBi models too, where it changes nothing, so it is done here for all and files
from either source read back alike. And Baichuan2's output rows are normalised once, for llama.cpp has no NormHead.

llama.cpp tells the variants apart by their layer count alone: 32 layers rotate, 40 use ALiBi, and any other count
silently gets no positions at all; `check_layers` refuses those.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from healgpt.errors import DataError, ModelError
from healgpt.models.baichuan.sentencepiece_baichuan import SentencePieceModel

if TYPE_CHECKING:
    from healgpt.models.baichuan.configuration_baichuan import BaichuanConfig

Array = npt.NDArray[Any]

ARCHITECTURE = "baichuan"
_LAYERS = {"rope": 32, "alibi": 40}
_WHOLE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
_IN_LAYER = {
    "self_attn.o_proj.weight": "attn_output.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
    "input_layernorm.weight": "attn_norm.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
}
_PACKED = "self_attn.W_pack.weight"
_LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)")
_SKIPPED = re.compile(r"rotary_emb\.inv_freq$|alibi_mask$|future_mask$")


@dataclass(frozen=True, slots=True)
class Part:
    """One GGUF tensor made from a checkpoint tensor: its name, and how its rows come about.

    `transform` takes the whole checkpoint tensor (rows, columns) and returns the part in the same dtype.
    """

    name: str
    transform: Callable[[Array], Array]


def check_layers(config: "BaichuanConfig") -> None:
    """Raise `ModelError` where llama.cpp would run the model without its positions, which gives nonsense."""
    wanted = _LAYERS[str(config.position_embedding)]
    if config.num_hidden_layers != wanted:
        raise ModelError(
            f"llama.cpp 只按层数区分 Baichuan：RoPE（7B）须为 32 层，ALiBi（13B）须为 40 层；"
            f"这个模型是 {config.position_embedding}、{config.num_hidden_layers} 层，转换后会丢失位置信息。"
            "请用 transformers 后端运行它。"
        )


def parts(name: str, config: "BaichuanConfig") -> tuple[Part, ...]:
    """Return the GGUF tensors that come from checkpoint tensor `name`; buffers that are no weights give none.

    Raises `DataError` for a name no Baichuan has.
    """
    if _SKIPPED.search(name):
        return ()
    if name == "lm_head.weight" and config.norm_head:
        return (Part(_WHOLE[name], normalise_rows),)
    if name in _WHOLE:
        return (Part(_WHOLE[name], _same),)
    match = _LAYER.fullmatch(name)
    if match and match[2] in _IN_LAYER:
        return (Part(f"blk.{match[1]}.{_IN_LAYER[match[2]]}", _same),)
    if match and match[2] == _PACKED:
        heads = config.num_attention_heads
        return (
            Part(f"blk.{match[1]}.attn_q.weight", lambda packed: interleave(_third(packed, 0), heads)),
            Part(f"blk.{match[1]}.attn_k.weight", lambda packed: interleave(_third(packed, 1), heads)),
            Part(f"blk.{match[1]}.attn_v.weight", lambda packed: _third(packed, 2)),
        )
    raise DataError(f"权重里的张量 {name} 不属于 Baichuan，无法转换成 GGUF。请检查模型文件夹。")


def checkpoint_shapes(config: "BaichuanConfig") -> dict[str, tuple[int, ...]]:
    """Return name and shape of every tensor a checkpoint of this configuration must hold, in model order."""
    hidden, inner, vocabulary = config.hidden_size, config.intermediate_size, config.vocab_size
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocabulary, hidden)}
    for index in range(config.num_hidden_layers):
        layer = f"model.layers.{index}."
        shapes[layer + _PACKED] = (3 * hidden, hidden)
        shapes[layer + "self_attn.o_proj.weight"] = (hidden, hidden)
        shapes[layer + "mlp.gate_proj.weight"] = (inner, hidden)
        shapes[layer + "mlp.up_proj.weight"] = (inner, hidden)
        shapes[layer + "mlp.down_proj.weight"] = (hidden, inner)
        shapes[layer + "input_layernorm.weight"] = (hidden,)
        shapes[layer + "post_attention_layernorm.weight"] = (hidden,)
    shapes["model.norm.weight"] = (hidden,)
    shapes["lm_head.weight"] = (vocabulary, hidden)
    return shapes


def checkpoint_tensor(name: str, read: Callable[[str], Array], heads: int) -> Array:
    """Rebuild checkpoint tensor `name` from GGUF tensors, which `read` returns by name: the way back.

    A normalised output head comes back normalised, which a NormHead maps to the same logits. Raises `DataError`
    for a name no Baichuan has.
    """
    if name in _WHOLE:
        return read(_WHOLE[name])
    match = _LAYER.fullmatch(name)
    if match and match[2] in _IN_LAYER:
        return read(f"blk.{match[1]}.{_IN_LAYER[match[2]]}")
    if match and match[2] == _PACKED:
        query, key = (separate(read(f"blk.{match[1]}.attn_{part}.weight"), heads) for part in "qk")
        return np.concatenate([query, key, read(f"blk.{match[1]}.attn_v.weight")])
    raise DataError(f"张量 {name} 不属于 Baichuan，无法从 GGUF 还原。")


def interleave(rows: Array, heads: int) -> Array:
    """Reorder the rows of a query or key projection from half pairs (i, i + d/2) to neighbours (2i, 2i + 1)."""
    return rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def separate(rows: Array, heads: int) -> Array:
    """Undo `interleave`."""
    return rows.reshape(heads, -1, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def normalise_rows(rows: Array) -> Array:
    """Give every row length one, computed in float32; a row of zeros stays one."""
    wide = rows.astype(np.float32)
    lengths = np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)
    normalised: Array = (wide / lengths).astype(rows.dtype)
    return normalised


def write_architecture(writer: Any, config: "BaichuanConfig") -> None:
    """Add the shape of the network to a `gguf.GGUFWriter` opened for `ARCHITECTURE`."""
    writer.add_tensor_data_layout("Meta AI original pth")
    writer.add_context_length(config.model_max_length)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_attention_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    if config.position_embedding == "rope":
        writer.add_rope_freq_base(config.rope_parameters["rope_theta"])


def write_tokenizer(writer: Any, model: SentencePieceModel, config: "BaichuanConfig", template: str | None) -> None:
    """Add vocabulary, scores, kinds, special ids, the treatment of spaces and the chat template.

    Where the network has more rows than the vocabulary, unused entries fill up, as llama.cpp demands equal counts.
    Raises `DataError` where it has fewer.
    """
    missing = config.vocab_size - len(model.pieces)
    if missing < 0:
        raise DataError(
            f"tokenizer.model 有 {len(model.pieces)} 个词元，而模型只有 {config.vocab_size} 行。两者不是同一套。"
        )
    unused = 5  # llama.cpp's token types are SentencePiece's
    pad = [f"[PAD{index}]" for index in range(missing)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([piece.text for piece in model.pieces] + pad)
    writer.add_token_scores([piece.score for piece in model.pieces] + [-1000.0] * missing)
    writer.add_token_types([piece.kind for piece in model.pieces] + [unused] * missing)
    writer.add_bos_token_id(model.bos_id)
    writer.add_eos_token_id(model.eos_id)
    writer.add_unk_token_id(model.unk_id)
    writer.add_pad_token_id(config.pad_token_id or 0)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(model.add_dummy_prefix)
    writer.add_remove_extra_whitespaces(model.remove_extra_whitespaces)
    if template:
        writer.add_chat_template(template)


def _same(rows: Array) -> Array:
    return rows


def _third(packed: Array, index: int) -> Array:
    size = packed.shape[0] // 3
    return packed[index * size : (index + 1) * size]
