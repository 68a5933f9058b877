"""LoRA: merging, loading as a GGUF adapter and computing with PEFT agree; what cannot be carried over is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from baichuan_samples import original_config, write_folder, write_sentencepiece

pytest.importorskip("torch")
pytest.importorskip("gguf")
pytest.importorskip("peft")
import torch
from peft import LoraConfig, get_peft_model
from qwen2_samples import write_qwen2

from healgpt.errors import ModelError
from healgpt.models import checkpoint, gguf_file, gguf_source
from healgpt.models.adapter import adapter_to_gguf, clean_adapter_config, merge_gguf
from healgpt.models.convert import folder_to_gguf
from healgpt.models.export import export
from healgpt.models.weights import open_folder


def tuned(folder: Path, place: Path, targets: list[str], **changes: Any) -> Path:
    """Save a LoRA with random factors for the model in `folder`."""
    model = checkpoint.load(folder, dtype=torch.float32).model
    torch.manual_seed(3)
    wrapped: Any = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=targets, **changes))
    for name, value in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.2)
    wrapped.save_pretrained(place)
    return place


def baichuan_folder(place: Path) -> Path:
    write_sentencepiece(place / "tokenizer.model")
    shape = {"num_hidden_layers": 32, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 32}
    return write_folder(place / "base", original_config("7b", **shape), tokenizer=place / "tokenizer.model")


@pytest.fixture(params=["qwen2", "qwen2-rslora", "baichuan"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    if request.param == "baichuan":
        folder = baichuan_folder(tmp_path)
        return folder, tuned(folder, tmp_path / "lora", ["W_pack", "o_proj", "down_proj"])
    folder = write_qwen2(tmp_path / "base")
    return folder, tuned(folder, tmp_path / "lora", ["q_proj", "v_proj", "up_proj"], use_rslora="rs" in request.param)


def test_merging_gives_what_peft_computes(pair: tuple[Path, Path], tmp_path: Path) -> None:
    from peft import PeftModel

    folder, lora = pair
    base = checkpoint.load(folder, dtype=torch.float32).model
    wanted = PeftModel.from_pretrained(base, lora).merge_and_unload().state_dict()
    made = open_folder(export(folder, tmp_path / "merged", adapter=lora, dtype="float32"))
    for name in made.shapes:
        assert torch.allclose(torch.from_numpy(made.read(name)), wanted[name], atol=1e-5), name


def test_merge_then_convert_is_convert_then_merge(pair: tuple[Path, Path], tmp_path: Path) -> None:
    folder, lora = pair
    merged = folder_to_gguf(
        export(folder, tmp_path / "merged", adapter=lora, dtype="float32"), tmp_path / "a.gguf", "F32"
    )
    base = folder_to_gguf(folder, tmp_path / "base.gguf", "F32")
    other = merge_gguf(base, lora, tmp_path / "b.gguf")
    left, right = (gguf_source.weights(gguf_file.read(path)) for path in (merged, other))
    for name in left.shapes:
        assert abs(left.read(name) - right.read(name)).max() < 1e-5, name


def first_probabilities(model: Path, adapter: Path | None = None) -> dict[int, float]:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 64, 1, 1
    params.warmup, params.cache_ram_mib, params.verbosity = False, 0, -1
    if adapter:
        info = xllamacpp.CommonAdapterLoraInfo()
        info.path, info.scale = str(adapter), 1.0
        params.lora_adapters = [info]
    server = xllamacpp.Server(params)
    body = {"prompt": [40, 41, 42, 43], "n_predict": 1, "temperature": 0, "logprobs": 20}
    step = server.handle_completions(body)["choices"][0]["logprobs"]["content"][0]
    return {top["id"]: top["logprob"] for top in step["top_logprobs"]}


def test_engine_loads_the_adapter_as_if_it_were_merged(pair: tuple[Path, Path], tmp_path: Path) -> None:
    folder, lora = pair
    base = folder_to_gguf(folder, tmp_path / "base.gguf", "F32")
    adapter = adapter_to_gguf(lora, folder, tmp_path / "adapter.gguf")
    merged = merge_gguf(base, lora, tmp_path / "merged.gguf")
    plain, loaded, whole = first_probabilities(base), first_probabilities(base, adapter), first_probabilities(merged)
    assert list(loaded)[:5] == list(whole)[:5]
    assert all(abs(loaded[token] - whole[token]) < 0.02 for token in list(whole)[:5])
    assert plain != loaded
    assert gguf_file.read(adapter).fields["adapter.type"] == "lora"


def test_adapter_says_nothing_of_this_machine(pair: tuple[Path, Path], tmp_path: Path) -> None:
    folder, lora = pair
    adapter_to_gguf(lora, folder, tmp_path / "adapter.gguf")
    assert str(tmp_path).encode() not in (tmp_path / "adapter.gguf").read_bytes()
    clean_adapter_config(lora)
    told = json.loads((lora / "adapter_config.json").read_text(encoding="utf-8"))
    assert told["base_model_name_or_path"] == "base"


def test_gguf_adapter_merges_like_its_source(tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "base")
    lora = tuned(folder, tmp_path / "lora", ["q_proj", "down_proj"])
    adapter = adapter_to_gguf(lora, folder, tmp_path / "adapter.gguf")
    ours, theirs = (
        open_folder(export(folder, tmp_path / name, adapter=path, dtype="float32"))
        for name, path in (("a", adapter), ("b", lora))
    )
    assert all((ours.read(name) == theirs.read(name)).all() for name in ours.shapes)
    with pytest.raises(ModelError, match="适配器"):
        export(folder, tmp_path / "c", adapter=folder_to_gguf(folder, tmp_path / "model.gguf", "F16"))


def test_foreign_base_is_refused(tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "base")
    lora = tuned(folder, tmp_path / "lora", ["q_proj"])
    smaller = write_qwen2(tmp_path / "smaller", num_hidden_layers=1)
    with pytest.raises(ModelError, match=r"layers\.1"):
        export(smaller, tmp_path / "merged", adapter=lora)
    with pytest.raises(ModelError, match=r"blk\.1"):
        merge_gguf(folder_to_gguf(smaller, tmp_path / "s.gguf", "F16"), lora, tmp_path / "m.gguf")


@pytest.mark.parametrize("changes", [{"use_dora": True}, {"target_modules": ["lm_head"]}])
def test_what_is_no_plain_lora_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "base")
    targets = changes.pop("target_modules", ["q_proj"])
    lora = tuned(folder, tmp_path / "lora", targets, **changes)
    with pytest.raises(ModelError, match="peft"):
        adapter_to_gguf(lora, folder, tmp_path / "adapter.gguf")
