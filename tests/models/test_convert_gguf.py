"""Conversion: the engine answers as the folder does, whatever way the weights went; bad input is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from baichuan_samples import original_config, original_weights, write_folder, write_sentencepiece, write_weights

pytest.importorskip("torch")
pytest.importorskip("gguf")
import torch
from qwen2_samples import write_qwen2

from healgpt.backends import EngineOptions, load
from healgpt.errors import ConfigError, DataError, ModelError
from healgpt.models import gguf_file, gguf_quants, gguf_source
from healgpt.models.convert import folder_to_gguf, portable, requantise
from healgpt.models.weights import open_folder, open_unchecked
from healgpt.schema import Sampling

# The engine keeps keys and values in 16 bits, which may turn a near tie of random weights later on.
GREEDY = Sampling(temperature=0, max_tokens=6, repeat_penalty=1.0, top_k=0, top_p=1.0)
ASKED = ["我头痛三天了", "孩子发烧 39 度怎么办？", "What should I do?"]


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_qwen2(tmp_path_factory.mktemp("qwen") / "model")


@pytest.fixture(scope="module")
def baichuan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("baichuan")
    write_sentencepiece(place / "tokenizer.model")
    shape = {"num_hidden_layers": 40, "num_attention_heads": 12, "hidden_size": 96, "intermediate_size": 96}
    config = original_config("13b", **shape, position_embedding="alibi")
    folder = write_folder(place / "model", config, tokenizer=place / "tokenizer.model", form="bin-sharded")
    weights = original_weights(config)
    # Answers of whole words: engines differ in how they show reserved tokens and bytes that are no text.
    weights["lm_head.weight"][:460] *= 0.05
    write_weights(folder, weights, "bin-sharded")
    return folder


def answers(spec: str) -> list[str]:
    model: Any = load(spec, EngineOptions(context=256, threads=1, cache_ram_mib=0))
    try:
        return [model.complete([{"role": "user", "content": text}], GREEDY).text for text in ASKED]
    finally:
        model.close()


@pytest.mark.parametrize("family", ["qwen", "baichuan"])
def test_engine_and_folder_give_the_same_greedy_answer(
    family: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder: Path = request.getfixturevalue(family)
    made = folder_to_gguf(folder, tmp_path / "model.gguf", "F32")
    assert answers(str(made)) == answers(f"hf:{folder}")


@pytest.mark.parametrize("family", ["qwen", "baichuan"])
def test_gguf_reads_back_as_the_checkpoint(family: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folder: Path = request.getfixturevalue(family)
    opened = gguf_file.read(folder_to_gguf(folder, tmp_path / "model.gguf", "F32"))
    source, back = open_folder(folder), gguf_source.weights(opened)
    assert dict(back.shapes) == dict(source.shapes)
    for name in source.shapes:
        assert np.array_equal(back.read(name), source.read(name))


def test_metadata_let_other_programs_use_the_file(qwen: Path, tmp_path: Path) -> None:
    (qwen / "README.md").write_text("---\nlicense: apache-2.0\nbase_model: Qwen/Qwen2.5-0.5B\n---\n", encoding="utf-8")
    fields = gguf_file.read(folder_to_gguf(qwen, tmp_path / "model.gguf", "Q8_0")).fields
    assert fields["general.license"] == "apache-2.0"
    assert fields["general.base_model.0.repo_url"] == "https://huggingface.co/Qwen/Qwen2.5-0.5B"
    assert fields["general.file_type"] == 7
    assert fields["tokenizer.ggml.pre"] == "qwen2"
    assert fields["tokenizer.ggml.eos_token_id"] == 259
    assert "<|im_start|>" in fields["tokenizer.chat_template"]
    kinds = fields["tokenizer.ggml.token_type"]
    assert [kinds[index] for index in (0, 258, 260)] == [1, 3, 5]


def test_tied_embedding_is_written_once(tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "tied", tied=True)
    made = folder_to_gguf(folder, tmp_path / "model.gguf", "F32")
    assert "output.weight" not in gguf_file.read(made).tensors
    assert answers(str(made)) == answers(f"hf:{folder}")


def test_stopped_run_goes_on_and_gives_the_same_file(qwen: Path, tmp_path: Path, monkeypatch: Any) -> None:
    whole = folder_to_gguf(qwen, tmp_path / "whole.gguf", "Q8_0").read_bytes()
    encode, encoded = gguf_quants.encode, []

    def fail_at_ten(values: Any, form: str) -> bytes:
        encoded.append(form)
        if len(encoded) == 10:
            raise KeyboardInterrupt
        return encode(values, form)

    monkeypatch.setattr(gguf_quants, "encode", fail_at_ten)
    target = tmp_path / "cut.gguf"
    with pytest.raises(KeyboardInterrupt):
        folder_to_gguf(qwen, target, "Q8_0")
    assert not target.exists()
    assert folder_to_gguf(qwen, target, "Q8_0").read_bytes() == whole
    # 27 tensors: nine of the first run were kept.
    assert len(encoded) == 10 + 27 - 9
    assert {path.name for path in tmp_path.iterdir()} == {"whole.gguf", "cut.gguf"}


def test_requantising_keeps_metadata_and_norms(qwen: Path, tmp_path: Path) -> None:
    source = folder_to_gguf(qwen, tmp_path / "f32.gguf", "F32")
    made = gguf_file.read(requantise(source, tmp_path / "q4.gguf", "q4_0"))
    assert made.tensors["blk.0.attn_q.weight"].form == "Q4_0"
    assert made.tensors["output.weight"].form == "Q8_0"
    assert made.tensors["blk.0.attn_norm.weight"].form == "F32"
    before = gguf_file.read(source).fields
    assert made.fields["tokenizer.ggml.tokens"] == before["tokenizer.ggml.tokens"]
    assert made.fields["general.file_type"] == 2


@pytest.mark.skipif(not gguf_quants.has_k_formats(), reason="libgguf is not installed")
def test_k_mixture_follows_llama_quantize() -> None:
    def form(name: str, width: int = 256) -> str:
        return gguf_quants.tensor_format("Q4_K_M", name, (512, width), layers=24, tied=False)

    assert form("output.weight") == "Q6_K"
    assert [form(f"blk.{index}.ffn_down.weight") for index in (0, 3, 5, 21)] == ["Q6_K", "Q4_K", "Q6_K", "Q6_K"]
    assert form("blk.3.attn_q.weight") == "Q4_K"
    # 896 columns, as in the 0.5B, do not divide into blocks of 256.
    assert [form("blk.3.attn_q.weight", 896), form("output.weight", 896)] == ["Q5_0", "Q8_0"]


def test_bfloat16_is_widened_exactly(tmp_path: Path) -> None:
    values = torch.randn(3, 5).bfloat16()
    write_weights(tmp_path, {"x": values}, "safetensors")
    assert np.array_equal(open_unchecked(tmp_path).read("x"), values.float().numpy())


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B"),
        ("/home/li/models/base", "base"),
        ("C:\\models\\base", "base"),
        ("../base/", "base"),
    ],
)
def test_paths_of_one_machine_do_not_travel(name: str, kept: str) -> None:
    assert portable(name) == kept


def test_numbers_that_are_not_finite_name_their_tensor(tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "model")
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"][3, 3] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"blk\.1\.ffn_up\.weight"):
        folder_to_gguf(folder, tmp_path / "model.gguf", "F16")
    assert not (tmp_path / "model.gguf").exists()


def test_tokenizer_without_its_model_file(baichuan: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "model"
    shutil.copytree(baichuan, folder)
    (folder / "tokenizer.model").unlink()
    with pytest.raises(DataError, match=r"tokenizer\.model"):
        folder_to_gguf(folder, tmp_path / "model.gguf")


def test_foreign_pre_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "model")
    place = folder / "tokenizer.json"
    place.write_text(place.read_text(encoding="utf-8").replace("\\\\p{N}| ?", "\\\\p{N}{1,3}| ?"), encoding="utf-8")
    with pytest.raises(DataError, match="切分"):
        folder_to_gguf(folder, tmp_path / "model.gguf")


def test_unknown_architecture_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "mamba"}', encoding="utf-8")
    with pytest.raises(ModelError, match=r"mamba.*convert_hf_to_gguf"):
        folder_to_gguf(tmp_path, tmp_path / "model.gguf")


def test_truncated_shard_and_truncated_gguf(tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "model")
    made = folder_to_gguf(folder, tmp_path / "model.gguf", "F32")
    shard = folder / "model.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(ModelError, match="不完整"):
        folder_to_gguf(folder, tmp_path / "b.gguf")
    made.write_bytes(made.read_bytes()[:-5000])
    with pytest.raises(ModelError, match="完整"):
        requantise(made, tmp_path / "c.gguf", "Q8_0")


def test_refusals_before_any_work(qwen: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Q4_0"):
        folder_to_gguf(qwen, tmp_path / "x.gguf", "Q3")
    (tmp_path / "x.gguf").touch()
    with pytest.raises(DataError, match="已经存在"):
        folder_to_gguf(qwen, tmp_path / "x.gguf")


def test_llamacpp_layer_count_is_checked(tmp_path: Path) -> None:
    config = original_config("13b", position_embedding="alibi")
    folder = write_folder(tmp_path / "model", config)
    assert original_weights(config)
    with pytest.raises(ModelError, match="40 层"):
        folder_to_gguf(folder, tmp_path / "model.gguf")
