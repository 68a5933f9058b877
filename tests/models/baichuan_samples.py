"""Small Baichuan models and tokenizers for the tests: random weights, seeded, in the original file format."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import torch
from safetensors.torch import save_file

RESERVED = [f"<special_{index}>" for index in range(90)] + [f"<reserved_{index}>" for index in range(110)]
SENTENCES = [
    "患者女，35岁，反复咳嗽3个月，夜间加重，无发热。",
    "血压120/80mmHg，心率72次/分，体温36.5℃。",
    "建议口服阿莫西林0.5g，每日3次，连用7天；如有皮疹请立即停药。",
    "医生您好，我最近总是头痛、恶心，请问需要做什么检查？",
    "高血压2级，2型糖尿病，空腹血糖8.9mmol/L，糖化血红蛋白7.2%。",
    "The patient was given 10 mg of amlodipine daily.",
    "孩子发烧39度，已经两天了，吃了布洛芬会退，过几个小时又烧起来。",
    "慢性胃炎患者应当规律饮食，避免辛辣刺激，戒烟限酒。",
]


def write_sentencepiece(
    path: Path, *, add_dummy_prefix: bool = False, vocabulary: int = 720, sentences: list[str] | None = None
) -> None:
    """Train a BPE model with Baichuan's settings (byte fallback, single digits, reserved tokens) on `sentences`."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences or SENTENCES * 8),
        model_prefix=str(path.with_suffix("")),
        model_type="bpe",
        vocab_size=vocabulary,
        byte_fallback=True,
        split_digits=True,
        add_dummy_prefix=add_dummy_prefix,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        character_coverage=0.98,
        user_defined_symbols=[*RESERVED, "▁▁"],
        allow_whitespace_only_pieces=True,
        hard_vocab_limit=False,
        minloglevel=2,
    )


def original_config(kind: str, **changes: Any) -> dict[str, Any]:
    """A config.json as published for `kind` (7b, 13b, 2-7b, 2-13b), at a small size."""
    config: dict[str, Any] = {
        "architectures": ["BaichuanForCausalLM"],
        "auto_map": {
            "AutoConfig": "configuration_baichuan.BaichuanConfig",
            "AutoModelForCausalLM": "modeling_baichuan.BaichuanForCausalLM",
        },
        "model_type": "baichuan",
        "vocab_size": 720,
        "hidden_size": 48,
        "intermediate_size": 80,
        "num_hidden_layers": 3,
        "num_attention_heads": 12,
        "hidden_act": "silu",
        "initializer_range": 0.02,
        "rms_norm_eps": 1e-06,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "transformers_version": "4.29.1",
        "use_cache": True,
    }
    if kind == "7b":
        config |= {"architectures": ["BaiChuanForCausalLM"], "max_position_embeddings": 256}
    elif kind == "13b":
        config |= {"model_max_length": 256, "gradient_checkpointing": [False], "_from_model_config": True}
    elif kind == "2-7b":
        config |= {"max_position_embeddings": 256, "model_max_length": 256, "z_loss_weight": 0}
    elif kind == "2-13b":
        config |= {"model_max_length": 256, "z_loss_weight": 0, "tokenizer_class": "BaichuanTokenizer"}
    return config | changes


def original_weights(config: dict[str, Any], seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights under the original names, large enough that the logits differ clearly."""
    random = np.random.default_rng(seed)
    hidden, inner = config["hidden_size"], config["intermediate_size"]

    def draw(*shape: int) -> torch.Tensor:
        return torch.from_numpy((random.standard_normal(shape) * (1.2 / shape[-1] ** 0.5)).astype(np.float32))

    def gain() -> torch.Tensor:
        return torch.from_numpy((1 + 0.1 * random.standard_normal(hidden)).astype(np.float32))

    weights = {"model.embed_tokens.weight": draw(config["vocab_size"], hidden) * hidden**0.5}
    for index in range(config["num_hidden_layers"]):
        layer = f"model.layers.{index}"
        weights[f"{layer}.self_attn.W_pack.weight"] = draw(3 * hidden, hidden)
        weights[f"{layer}.self_attn.o_proj.weight"] = draw(hidden, hidden)
        weights[f"{layer}.mlp.gate_proj.weight"] = draw(inner, hidden)
        weights[f"{layer}.mlp.up_proj.weight"] = draw(inner, hidden)
        weights[f"{layer}.mlp.down_proj.weight"] = draw(hidden, inner)
        weights[f"{layer}.input_layernorm.weight"] = gain()
        weights[f"{layer}.post_attention_layernorm.weight"] = gain()
    weights["model.norm.weight"] = gain()
    weights["lm_head.weight"] = 3 * draw(config["vocab_size"], hidden)
    return weights


def write_folder(
    folder: Path, config: dict[str, Any], *, form: str = "safetensors", tokenizer: Path | None = None
) -> Path:
    """Write a checkpoint folder as published. `form`: safetensors, bin, safetensors-sharded or bin-sharded."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    # The remote code of a real folder, which must never run.
    bomb = "raise RuntimeError('remote code was run')\n"
    for name in ("configuration_baichuan.py", "modeling_baichuan.py", "tokenization_baichuan.py"):
        (folder / name).write_text(bomb, encoding="utf-8")
    settings = {"user_token_id": 195, "assistant_token_id": 196, "bos_token_id": 1, "eos_token_id": 2}
    settings |= {"pad_token_id": 0, "max_new_tokens": 12, "do_sample": False, "transformers_version": "4.29.2"}
    (folder / "generation_config.json").write_text(json.dumps(settings), encoding="utf-8")
    write_weights(folder, original_weights(config), form)
    if tokenizer is not None:
        (folder / "tokenizer.model").write_bytes(tokenizer.read_bytes())
        added = {"__type": "AddedToken", "lstrip": False, "normalized": True, "rstrip": False, "single_word": True}
        described = {
            "add_bos_token": False,
            "add_eos_token": False,
            "auto_map": {"AutoTokenizer": ["tokenization_baichuan.BaichuanTokenizer", None]},
            "bos_token": added | {"content": "<s>"},
            "eos_token": added | {"content": "</s>"},
            "unk_token": added | {"content": "<unk>"},
            "clean_up_tokenization_spaces": False,
            "model_max_length": 4096,
            "sp_model_kwargs": {},
            "tokenizer_class": "BaiChuanTokenizer" if "BaiChuan" in config["architectures"][0] else "BaichuanTokenizer",
        }
        (folder / "tokenizer_config.json").write_text(json.dumps(described), encoding="utf-8")
    return folder


def write_weights(folder: Path, weights: dict[str, torch.Tensor], form: str) -> None:
    """Write `weights` whole or in two shards with an index, as safetensors or as a pickle."""
    kind, _, sharded = form.partition("-")
    stem, suffix = ("model", "safetensors") if kind == "safetensors" else ("pytorch_model", "bin")
    names = list(weights)
    groups = [names[: len(names) // 2], names[len(names) // 2 :]] if sharded else [names]
    index: dict[str, str] = {}
    for number, group in enumerate(groups, start=1):
        name = f"{stem}-{number:05d}-of-{len(groups):05d}.{suffix}" if sharded else f"{stem}.{suffix}"
        part = {key: weights[key] for key in group}
        if kind == "safetensors":
            save_file(part, folder / name, metadata={"format": "pt"})
        else:
            torch.save(part, folder / name)
        index |= dict.fromkeys(group, name)
    if sharded:
        document = {"metadata": {"total_size": 0}, "weight_map": index}
        (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps(document), encoding="utf-8")
