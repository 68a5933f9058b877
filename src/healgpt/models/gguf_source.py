"""A GGUF file seen as a Hugging Face checkpoint: the same names, shapes and config.json, weights dequantised."""

import struct
from typing import Any

from healgpt.errors import DataError, ModelError
from healgpt.models import gguf_baichuan, gguf_qwen2
from healgpt.models.baichuan.sentencepiece_baichuan import BYTE
from healgpt.models.gguf_file import GgufFile
from healgpt.models.weights import Array, Weights, stamp

FAMILIES = ("qwen2", "baichuan")
_BPE = 2


def config_fields(source: GgufFile) -> dict[str, Any]:
    """Return the config.json of `source`. Raises `ModelError` for an architecture that cannot be read back."""
    match source.architecture:
        case "qwen2":
            return gguf_qwen2.config_fields(source)
        case "baichuan":
            return _baichuan_fields(source)
        case other:
            raise ModelError(
                f"不会还原架构 {other!r} 的 GGUF。这里支持 {'、'.join(FAMILIES)}；"
                "其他架构请直接用 healgpt chat --model 文件.gguf 运行。"
            )


def weights(source: GgufFile) -> Weights:
    """Return the tensors of `source` under their checkpoint names. Raises `ModelError` as `config_fields` does, and
    for tensors that are missing."""
    fields = config_fields(source)
    dtype = "float32" if all(tensor.form == "F32" for tensor in source.tensors.values()) else "float16"

    def stored(name: str) -> Array:
        if name not in source.tensors:
            raise ModelError(f"{source.path} 里缺少张量 {name}。请重新下载，或换一个文件。")
        return source.tensors[name].values()

    if source.architecture == "qwen2":
        shapes = {gguf_qwen2.checkpoint_name(name): tensor.shape for name, tensor in source.tensors.items()}
        return Weights(shapes, lambda name: stored(gguf_qwen2.gguf_name(name)), stamp([source.path]), dtype)
    from healgpt.models.baichuan.configuration_baichuan import BaichuanConfig

    heads = int(fields["num_attention_heads"])
    return Weights(
        gguf_baichuan.checkpoint_shapes(BaichuanConfig(**fields)),
        lambda name: gguf_baichuan.checkpoint_tensor(name, stored, heads),
        stamp([source.path]),
        dtype,
    )


def _baichuan_fields(source: GgufFile) -> dict[str, Any]:
    layers = int(source.number("block_count"))
    if layers not in (32, 40):
        raise ModelError(f"{source.path} 有 {layers} 层；llama.cpp 的 Baichuan 只有 32 层（RoPE）和 40 层（ALiBi）。")
    window = int(source.number("context_length"))
    fields: dict[str, Any] = {
        "architectures": ["BaichuanForCausalLM"],
        "model_type": "baichuan",
        "vocab_size": source.tensors["token_embd.weight"].shape[0],
        "hidden_size": int(source.number("embedding_length")),
        "intermediate_size": int(source.number("feed_forward_length")),
        "num_hidden_layers": layers,
        "num_attention_heads": int(source.number("attention.head_count")),
        "rms_norm_eps": round(float(source.number("attention.layer_norm_rms_epsilon")), 12),
        "model_max_length": window,
        "max_position_embeddings": window,
        "position_embedding": "rope" if layers == 32 else "alibi",
        # The rows of a NormHead were normalised when the file was made, so a plain head gives the same scores.
        "norm_head": False,
        "tie_word_embeddings": False,
        "bos_token_id": source.fields.get("tokenizer.ggml.bos_token_id", 1),
        "eos_token_id": source.fields.get("tokenizer.ggml.eos_token_id", 2),
        "pad_token_id": source.fields.get("tokenizer.ggml.padding_token_id", 0),
    }
    if layers == 32:
        theta = float(source.number("rope.freq_base", 10000.0))
        fields["rope_parameters"] = {"rope_type": "default", "rope_theta": theta}
    return fields


def sentencepiece_file(source: GgufFile) -> bytes:
    """Rebuild the `tokenizer.model` that the vocabulary of `source` came from (`sentencepiece_model.proto`).

    Fields that only training needs are not in a GGUF file and stay empty. Raises `DataError` for another tokenizer.
    """
    fields = source.fields
    if fields.get("tokenizer.ggml.model") != "llama" or "tokenizer.ggml.scores" not in fields:
        raise DataError(f"{source.path} 的分词器不是 SentencePiece，无法还原 tokenizer.model。")
    pieces = list(
        zip(
            fields["tokenizer.ggml.tokens"],
            fields["tokenizer.ggml.scores"],
            fields["tokenizer.ggml.token_type"],
            strict=True,
        )
    )
    while pieces and pieces[-1][2] == 5 and pieces[-1][0].startswith("[PAD"):
        pieces.pop()  # filled up by the converter
    body = b"".join(
        _bytes(1, _bytes(1, text.encode()) + b"\x15" + struct.pack("<f", score) + _number(3, kind))
        for text, score, kind in pieces
    )
    trainer = _number(3, _BPE) + _number(35, int(any(kind == BYTE for _, _, kind in pieces)))
    for field, name in ((40, "unknown"), (41, "bos"), (42, "eos")):
        if f"tokenizer.ggml.{name}_token_id" in fields:
            trainer += _number(field, int(fields[f"tokenizer.ggml.{name}_token_id"]))
    normalizer = (
        _bytes(1, b"identity")
        + _number(3, int(bool(fields.get("tokenizer.ggml.add_space_prefix", True))))
        + _number(4, int(bool(fields.get("tokenizer.ggml.remove_extra_whitespaces", False))))
        + _number(5, 1)
    )
    return body + _bytes(2, trainer) + _bytes(3, normalizer)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
