"""Qwen2 and Qwen2.5 in GGUF, as llama.cpp's `qwen2` architecture reads it, and the way back.

Every tensor keeps its values and its order; only the names differ. The tokenizer is byte-level BPE; llama.cpp knows
its way of cutting text by name, so a tokenizer that cuts differently is refused rather than converted wrongly.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from healgpt.errors import DataError, ModelError
from healgpt.models.gguf_file import GgufFile

ARCHITECTURE = "qwen2"
_WHOLE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
_IN_LAYER = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
_BACK = {value: key for key, value in _IN_LAYER.items()}
_LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)")
_BLOCK = re.compile(r"blk\.(\d+)\.(.+)\.(weight|bias)")
_SPLIT = (
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
)
_NORMAL, _CONTROL, _USER_DEFINED, _UNUSED = 1, 3, 4, 5


def gguf_name(name: str) -> str:
    """Return the GGUF name of checkpoint tensor `name`. Raises `DataError` for a name no Qwen2 has."""
    if name in _WHOLE:
        return _WHOLE[name]
    match = _LAYER.fullmatch(name)
    if match and match[2] in _IN_LAYER:
        return f"blk.{match[1]}.{_IN_LAYER[match[2]]}.{match[3]}"
    raise DataError(f"权重里的张量 {name} 不属于 Qwen2，无法转换成 GGUF。请检查模型文件夹。")


def checkpoint_name(name: str) -> str:
    """Return the checkpoint name of GGUF tensor `name`. Raises `DataError` for a name no Qwen2 has."""
    for ours, theirs in _WHOLE.items():
        if theirs == name:
            return ours
    match = _BLOCK.fullmatch(name)
    if match and match[2] in _BACK:
        return f"model.layers.{match[1]}.{_BACK[match[2]]}.{match[3]}"
    raise DataError(f"GGUF 里的张量 {name} 不属于 Qwen2，无法还原。请换一个文件。")


def write_architecture(writer: Any, config: Any) -> None:
    """Add the shape of the network, from a `Qwen2Config`, to a `gguf.GGUFWriter`.

    Raises `ModelError` for stretched positions (YaRN and the like) and sliding windows, which would be lost.
    """
    rope = dict(config.rope_parameters or {})
    if rope.get("rope_type", "default") != "default" or config.use_sliding_window:
        raise ModelError("config.json 用了 rope_scaling 或滑动窗口，转换后会丢失。请先在 config.json 里关掉它们。")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(float(rope.get("rope_theta", 10000.0)))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def config_fields(source: GgufFile) -> dict[str, Any]:
    """Return the `config.json` of a Qwen2 GGUF file."""
    heads = source.number("attention.head_count")
    embedding = source.tensors["token_embd.weight"]
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_size": source.number("embedding_length"),
        "intermediate_size": source.number("feed_forward_length"),
        "num_hidden_layers": source.number("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": source.number("attention.head_count_kv", heads),
        "max_position_embeddings": source.number("context_length"),
        "rms_norm_eps": round(float(source.number("attention.layer_norm_rms_epsilon")), 12),
        "rope_parameters": {"rope_type": "default", "rope_theta": float(source.number("rope.freq_base", 10000.0))},
        "hidden_act": "silu",
        "vocab_size": embedding.shape[0],
        "tie_word_embeddings": "output.weight" not in source.tensors,
        "bos_token_id": source.fields.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": source.fields.get("tokenizer.ggml.eos_token_id"),
        "pad_token_id": source.fields.get("tokenizer.ggml.padding_token_id"),
        "use_cache": True,
    }


def write_tokenizer(writer: Any, folder: Path, vocabulary: int, ids: Mapping[str, int | None]) -> None:
    """Add the tokenizer of `folder` (its tokenizer.json) and special `ids` (bos, eos, pad).

    Unused entries fill up to the `vocabulary` rows of the network. Raises `DataError` for a missing, foreign or
    oversized tokenizer.
    """
    data = _tokenizer_json(folder)
    model = data["model"]
    added = {item["content"]: item for item in data.get("added_tokens", [])}
    texts = {index: text for text, index in model["vocab"].items()}
    texts |= {item["id"]: text for text, item in added.items()}
    if max(texts, default=0) >= vocabulary:
        raise DataError(f"{folder} 的分词器有 {max(texts) + 1} 个词元，而模型只有 {vocabulary} 行。两者不是同一套。")
    kinds = []
    for index in range(vocabulary):
        item = added.get(texts.get(index, ""))
        plain = _NORMAL if index in texts else _UNUSED
        kinds.append(plain if item is None else _CONTROL if item["special"] else _USER_DEFINED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([texts.get(index, f"[PAD{index}]") for index in range(vocabulary)])
    writer.add_token_types(kinds)
    writer.add_token_merges([each if isinstance(each, str) else " ".join(each) for each in model["merges"]])
    adders = {"bos": writer.add_bos_token_id, "eos": writer.add_eos_token_id, "pad": writer.add_pad_token_id}
    for name, add in adders.items():
        number = ids.get(name)
        if number is not None:
            add(number)
    writer.add_add_bos_token(False)


def _tokenizer_json(folder: Path) -> dict[str, Any]:
    place = folder / "tokenizer.json"
    try:
        data: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        kind, cuts = data["model"]["type"], json.dumps(data["pre_tokenizer"])
    except FileNotFoundError as error:
        raise DataError(f"{folder} 里没有 tokenizer.json。请从模型的发布页补上它。") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{place} 不是完整的分词器文件。请重新下载。") from error
    if kind != "BPE" or json.dumps(_SPLIT) not in cuts:
        raise DataError(f"{place} 切分文字的方式不是 Qwen2 的，llama.cpp 会切错。请确认分词器属于这个模型。")
    return data


def tokenizer(source: GgufFile) -> Any:
    """Return the `transformers` tokenizer of a Qwen2 GGUF file, chat template included.

    Raises `ModelError` for another kind of tokenizer.
    """
    from transformers import AddedToken, Qwen2Tokenizer

    fields = source.fields
    if fields.get("tokenizer.ggml.model") != "gpt2" or fields.get("tokenizer.ggml.pre") != "qwen2":
        raise ModelError(f"{source.path} 的分词器不是 Qwen2 的，无法还原。请改用 llama.cpp 直接运行这个文件。")
    texts, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    plain = {text: index for index, (text, kind) in enumerate(zip(texts, kinds, strict=True)) if kind == _NORMAL}
    merges = [tuple(pair.split(" ", 1)) for pair in fields["tokenizer.ggml.merges"]]
    named = {
        key: texts[fields[f"tokenizer.ggml.{field}_token_id"]]
        for key, field in (("eos_token", "eos"), ("pad_token", "padding"))
        if f"tokenizer.ggml.{field}_token_id" in fields
    }
    own = [
        (index, AddedToken(texts[index], special=kind == _CONTROL, normalized=False))
        for index, kind in enumerate(kinds)
        if kind in (_CONTROL, _USER_DEFINED)
    ]
    # The framework's annotations know neither pairs of merges nor a tokenizer without an unknown token.
    build: Any = Qwen2Tokenizer
    built = build(vocab=plain, merges=merges, added_tokens_decoder=dict(own), unk_token=named.get("pad_token"), **named)
    wrong = [index for index, token in own if built.convert_tokens_to_ids(str(token)) != index]
    if wrong:
        raise ModelError(f"{source.path} 的特殊词元 {texts[wrong[0]]} 放不回原来的编号，无法还原分词器。")
    if template := fields.get("tokenizer.chat_template"):
        built.chat_template = str(template)
    return built
