"""The port against an implementation nobody here wrote: llama.cpp's own Baichuan, through xllamacpp, in float32."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from baichuan_samples import SENTENCES, original_config, original_weights, write_sentencepiece

from healgpt.errors import DataError, ModelError

pytest.importorskip("torch")
import gguf
import torch
import xllamacpp

from healgpt.models import gguf_baichuan
from healgpt.models.baichuan.configuration_baichuan import BaichuanConfig
from healgpt.models.baichuan.modeling_baichuan import BaichuanForCausalLM
from healgpt.models.baichuan.sentencepiece_baichuan import (
    CONTROL,
    NORMAL,
    UNKNOWN,
    Piece,
    SentencePieceModel,
    read_model,
)
from healgpt.models.baichuan.tokenization_baichuan import BaichuanTokenizer, default_template

VOCABULARY = 512
# Whole words only: the server joins the tokens of a half-finished character, which would blur the comparison.
WORDS = SentencePieceModel(
    pieces=(
        Piece("<unk>", 0.0, UNKNOWN),
        Piece("<s>", 0.0, CONTROL),
        Piece("</s>", 0.0, CONTROL),
        *(Piece(f"w{index}", -float(index), NORMAL) for index in range(3, VOCABULARY)),
    ),
    byte_fallback=False,
    add_dummy_prefix=False,
    remove_extra_whitespaces=False,
    charsmap=b"",
    unk_id=0,
    bos_id=1,
    eos_id=2,
)


def small(kind: str, heads: int, **changes: Any) -> dict[str, Any]:
    """Thin, but with the layer count by which llama.cpp tells RoPE from ALiBi."""
    rope = kind.endswith("7b")
    width = 8 * heads if heads < 40 else 4 * heads
    shape = {"num_hidden_layers": 32 if rope else 40, "num_attention_heads": heads, "hidden_size": width}
    shape |= {"intermediate_size": width, "vocab_size": VOCABULARY}
    return original_config(kind, **shape, position_embedding="rope" if rope else "alibi", **changes)


def write_gguf(
    path: Path,
    config: BaichuanConfig,
    weights: dict[str, torch.Tensor],
    words: SentencePieceModel = WORDS,
    template: str | None = None,
) -> None:
    writer = gguf.GGUFWriter(path, gguf_baichuan.ARCHITECTURE)
    gguf_baichuan.check_layers(config)
    gguf_baichuan.write_architecture(writer, config)
    gguf_baichuan.write_tokenizer(writer, words, config, template)
    for name, tensor in weights.items():
        for part in gguf_baichuan.parts(name, config):
            writer.add_tensor(part.name, np.ascontiguousarray(part.transform(tensor.numpy())))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve(path: Path) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 256, 1, 1
    params.warmup, params.cache_ram_mib = False, 0
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return xllamacpp.Server(params)


def prompts() -> Iterator[list[int]]:
    random = np.random.default_rng(5)
    for _ in range(20):
        yield [1, *(int(token) for token in random.integers(3, VOCABULARY, int(random.integers(3, 40))))]


def continuation(server: Any, prompt: list[int]) -> tuple[list[int], list[float]]:
    """Return llama.cpp's 64 greedy tokens and their log-probabilities."""
    request = {"prompt": prompt, "n_predict": 64, "temperature": 0, "logprobs": 1, "ignore_eos": True}
    answer = server.handle_completions(request | {"cache_prompt": False, "samplers": ["temperature"]})
    steps = answer["choices"][0]["logprobs"]["content"]
    return [step["id"] for step in steps], [step["logprob"] for step in steps]


@pytest.mark.parametrize(
    ("kind", "heads"),
    [("7b", 8), ("13b", 40), ("13b", 8), ("13b", 12), ("2-7b", 8), ("2-13b", 12)],
)
def test_llamacpp_continues_twenty_prompts_alike(kind: str, heads: int, tmp_path: Path) -> None:
    described = small(kind, heads)
    weights = original_weights(described, seed=heads)
    config = BaichuanConfig(**described)
    write_gguf(tmp_path / "model.gguf", config, weights)
    model = BaichuanForCausalLM(config).eval()
    model.load_state_dict(weights)
    server = serve(tmp_path / "model.gguf")
    for prompt in prompts():
        theirs, their_scores = continuation(server, prompt)
        assert len(theirs) == 64
        with torch.inference_mode():
            logits = model(torch.tensor([prompt + theirs])).logits[0, len(prompt) - 1 : -1]
        # llama.cpp was told to go on past the end of text; its log-probabilities are from before that.
        going_on = logits.index_fill(1, torch.tensor([2]), -torch.inf)
        assert going_on.argmax(-1).tolist() == theirs
        scores = torch.log_softmax(logits, -1)[range(64), theirs]
        assert np.abs(scores.numpy() - np.array(their_scores)).max() < 1e-3


def test_port_generates_with_its_cache_what_llamacpp_generates(tmp_path: Path) -> None:
    described = small("13b", 12)
    weights = original_weights(described, seed=3)
    config = BaichuanConfig(**described)
    write_gguf(tmp_path / "model.gguf", config, weights)
    model = BaichuanForCausalLM(config).eval()
    model.load_state_dict(weights)
    prompt = next(prompts())
    ours = model.generate(torch.tensor([prompt]), max_new_tokens=64, do_sample=False, suppress_tokens=[2])
    assert ours[0, len(prompt) :].tolist() == continuation(serve(tmp_path / "model.gguf"), prompt)[0]


def ask(server: Any, path: str, **body: Any) -> Any:
    request = urllib.request.Request(server.listening_address + path, json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.mark.parametrize("prefix", [False, True])
def test_llamacpp_cuts_text_into_the_same_tokens(prefix: bool, tmp_path: Path) -> None:
    spm = tmp_path / "tokenizer.model"
    write_sentencepiece(spm, add_dummy_prefix=prefix)
    tokenizer = BaichuanTokenizer(str(spm))
    described = small("13b", 8) | {"vocab_size": len(tokenizer) + 5}
    words = read_model(spm)
    write_gguf(
        tmp_path / "model.gguf",
        BaichuanConfig(**described),
        original_weights(described),
        words,
        default_template(words),
    )
    server = serve(tmp_path / "model.gguf")
    for text in [*SENTENCES, " 前面有空格", "🩺 2024年", "a\nb"]:
        assert ask(server, "/tokenize", content=text)["tokens"] == tokenizer.encode(text)
    turns = [
        {"role": "user", "content": "头痛"},
        {"role": "assistant", "content": "多久"},
        {"role": "user", "content": "三天"},
    ]
    rendered = ask(server, "/apply-template", messages=turns)["prompt"]
    assert rendered == tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    ids = ask(server, "/tokenize", content=rendered, parse_special=True)["tokens"]
    assert [token for token in ids if token in {2, 195, 196}] == [195, 196, 2, 195, 196]


def test_layer_count_llamacpp_would_misread_is_refused() -> None:
    with pytest.raises(ModelError, match="40 层"):
        gguf_baichuan.check_layers(BaichuanConfig(**original_config("13b")))


def test_gguf_tensors_go_back_to_the_checkpoint() -> None:
    described = small("7b", 8)
    config = BaichuanConfig(**described)
    weights = original_weights(described)
    stored = {
        part.name: part.transform(tensor.numpy())
        for name, tensor in weights.items()
        for part in gguf_baichuan.parts(name, config)
    }
    assert gguf_baichuan.checkpoint_shapes(config) == {name: tuple(each.shape) for name, each in weights.items()}
    for name, tensor in weights.items():
        assert np.array_equal(gguf_baichuan.checkpoint_tensor(name, stored.__getitem__, 8), tensor.numpy())


def test_foreign_tensor_is_named() -> None:
    with pytest.raises(DataError, match="q_proj"):
        gguf_baichuan.parts("model.layers.0.self_attn.q_proj.weight", BaichuanConfig(**original_config("7b")))


def test_buffers_of_old_checkpoints_are_left_out() -> None:
    name = "model.layers.0.self_attn.rotary_emb.inv_freq"
    assert gguf_baichuan.parts(name, BaichuanConfig(**original_config("7b"))) == ()
