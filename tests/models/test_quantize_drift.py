"""Quantising: the drift that is reported is the true one, and what drifted too far is never written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from baichuan_samples import original_config, original_weights, write_folder

pytest.importorskip("torch")
pytest.importorskip("gguf")
import torch
from qwen2_samples import small_tokenizer, write_qwen2
from transformers import AutoModelForCausalLM

from healgpt.errors import ModelError
from healgpt.models import drift
from healgpt.models.baichuan.configuration_baichuan import BaichuanConfig
from healgpt.models.baichuan.modeling_baichuan import BaichuanForCausalLM
from healgpt.models.quantize import Bounds, quantise
from healgpt.models.weights import open_folder

WIDE = Bounds(kl=50, ratio=1e9)


def test_layer_by_layer_gives_the_logits_of_the_whole_model(tmp_path: Path) -> None:
    for tied in (False, True):
        folder = write_qwen2(tmp_path / str(tied), tied=tied)
        model: Any = AutoModelForCausalLM.from_pretrained(folder)
        ids = [list(range(40)), list(range(60, 100))]
        with torch.inference_mode():
            whole = model(torch.tensor(ids)).logits
        assert torch.equal(drift.logits(open_folder(folder), model.config.to_dict(), ids), whole)


@pytest.mark.parametrize("kind", ["7b", "2-13b"])
def test_layer_by_layer_on_baichuan(kind: str, tmp_path: Path) -> None:
    described = original_config(kind, position_embedding="rope" if kind == "7b" else "alibi")
    folder = write_folder(tmp_path / "model", described)
    model = BaichuanForCausalLM(BaichuanConfig(**described)).eval()
    model.load_state_dict(original_weights(described))
    with torch.inference_mode():
        whole = model(torch.tensor([list(range(3, 50))])).logits
    ours = drift.logits(open_folder(folder), model.config.to_dict(), [list(range(3, 50))])
    assert torch.allclose(ours, whole, atol=1e-5)


def test_same_weights_do_not_drift(tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "model")
    made = quantise(folder, tmp_path / "same.gguf", "F32").drift
    assert made is not None
    assert (made.kl, made.agreement, made.ratio) == (0.0, 1.0, 1.0)
    assert made.positions >= 100


def test_fewer_bits_drift_further(tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "model")
    found = [quantise(folder, tmp_path / f"{kind}.gguf", kind, bounds=WIDE) for kind in ("F16", "Q8_0", "Q4_0")]
    divergences = [made.drift.kl for made in found if made.drift]
    assert divergences == sorted(divergences)
    assert divergences[0] < divergences[2]
    assert [made.size for made in found] == sorted((made.size for made in found), reverse=True)


def test_drift_over_the_bound_writes_nothing(tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "model")
    with pytest.raises(ModelError, match=r"--max-kl"):
        quantise(folder, tmp_path / "q.gguf", "Q4_0", bounds=Bounds(kl=1e-9))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_nan_is_refused(tmp_path: Path) -> None:
    folder = write_qwen2(tmp_path / "model")
    source = open_folder(folder)

    def spoilt(name: str) -> Any:
        values = source.read(name).copy()
        if name == "model.norm.weight":
            values[:] = np.nan
        return values

    from dataclasses import replace

    config = AutoModelForCausalLM.from_pretrained(folder).config.to_dict()
    with pytest.raises(ModelError, match="NaN"):
        drift.compare(source, replace(source, read=spoilt), config, drift.windows(small_tokenizer(), limit=1))


def build(kind: str = "2-13b", **changes: Any) -> BaichuanForCausalLM:
    shape = {"hidden_size": 96, "intermediate_size": 160, "num_attention_heads": 12}
    described = original_config(kind, **shape, position_embedding="alibi", **changes)
    model = BaichuanForCausalLM(BaichuanConfig(**described)).eval()
    model.load_state_dict(original_weights(described))
    return model


@pytest.mark.parametrize(("bits", "error"), [(8, 0.05), (4, 0.5)])
def test_published_quantize_keeps_the_answers_close(bits: int, error: float) -> None:
    pytest.importorskip("torchao")
    ids = torch.arange(3, 60)[None]
    with torch.inference_mode():
        exact = build()(ids).logits
        model = build()
        head = model.lm_head.weight.clone()
        assert model.quantize(bits) is model
        rounded = model(ids).logits
    assert torch.equal(model.lm_head.weight, head)
    distance = float((rounded - exact).norm() / exact.norm())
    assert 0 < distance < error
    with pytest.raises(ValueError, match="量化过"):
        model.quantize(bits)
    assert model.generate(ids[:, :5], max_new_tokens=4, do_sample=False).shape[1] > 5


def test_other_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="8 或 4"):
        build().quantize(3)


def test_quantisation_config_of_the_framework_loads_the_port(tmp_path: Path) -> None:
    torchao = pytest.importorskip("torchao.quantization")
    from transformers import TorchAoConfig

    described = original_config("2-13b", position_embedding="alibi")
    folder = write_folder(tmp_path / "model", described)
    config = TorchAoConfig(torchao.Int8WeightOnlyConfig())
    model: Any = BaichuanForCausalLM.from_pretrained(folder, quantization_config=config)
    assert type(model.model.layers[0].self_attn.W_pack.weight) is not torch.nn.Parameter
    assert torch.isfinite(model(torch.arange(3, 30)[None]).logits).all()
