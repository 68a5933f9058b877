"""Exported folders stand alone: same answers without this package, chat included; what they say is true."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from baichuan_samples import original_config, write_folder, write_sentencepiece

pytest.importorskip("torch")
pytest.importorskip("gguf")
from qwen2_samples import write_qwen2

from healgpt.errors import ConfigError, DataError, ModelError
from healgpt.models.convert import folder_to_gguf
from healgpt.models.export import export

SNIPPET = """
import sys
sys.modules["healgpt"] = None  # any import of it fails
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.generation.utils import GenerationConfig
folder = sys.argv[1]
tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=False, trust_remote_code=True)
options = {"device_map": "auto", "torch_dtype": torch.float32}
model = AutoModelForCausalLM.from_pretrained(folder, **options, trust_remote_code=True)
model.generation_config = GenerationConfig.from_pretrained(folder)
model.generation_config.update(do_sample=False, max_new_tokens=8, repetition_penalty=1.0)
messages = []
messages.append({"role": "user", "content": "我感觉自己颈椎非常不舒服，每天睡醒都会头痛"})
response = model.chat(tokenizer, messages)
assert list(model.chat(tokenizer, messages, stream=True))[-1] == response
assert model.chat(tokenizer, messages) == response
print(repr(response))
"""


def run(folder: Path) -> str:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(folder.parent / "modules")}
    done = subprocess.run(
        [sys.executable, "-c", SNIPPET, str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def baichuan_folder(place: Path) -> Path:
    write_sentencepiece(place / "tokenizer.model")
    shape = {"num_hidden_layers": 32, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 48}
    config = original_config("7b", **shape)
    return write_folder(place / "model", config, tokenizer=place / "tokenizer.model", form="bin")


def test_published_snippet_on_a_qwen2_export(tmp_path: Path) -> None:
    source = write_qwen2(tmp_path / "source")
    direct = export(source, tmp_path / "direct")
    through = export(folder_to_gguf(source, tmp_path / "model.gguf", "F32"), tmp_path / "through", dtype="float32")
    assert run(direct) == run(through)
    assert {"README.md", "LICENSE", "chat_template.jinja", "generation_config.json"} <= {
        path.name for path in direct.iterdir()
    }
    told = json.loads((direct / "config.json").read_text(encoding="utf-8"))
    assert told["architectures"] == ["Qwen2ForCausalLM"]
    assert str(tmp_path) not in "".join(path.read_text(encoding="utf-8") for path in direct.glob("*.json"))


def test_published_snippet_on_a_baichuan_export(tmp_path: Path) -> None:
    source = baichuan_folder(tmp_path)
    direct = export(source, tmp_path / "direct")
    through = export(folder_to_gguf(source, tmp_path / "model.gguf", "F32"), tmp_path / "through", dtype="float32")
    assert run(direct) == run(through)
    assert (direct / "tokenizer.model").read_bytes() == (source / "tokenizer.model").read_bytes()
    assert "remote code was run" not in (direct / "modeling_baichuan.py").read_text(encoding="utf-8")


def test_qwen2_export_works_without_remote_code_and_keeps_the_tokens(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = write_qwen2(tmp_path / "source", tied=True)
    made = export(folder_to_gguf(source, tmp_path / "model.gguf", "F32"), tmp_path / "made", dtype="float32")
    model = AutoModelForCausalLM.from_pretrained(made)
    assert not hasattr(model, "chat")
    assert model.config.tie_word_embeddings
    for text in ("头痛 3 天", " <|im_end|>x\n\n", "it's 39℃"):
        assert AutoTokenizer.from_pretrained(made).encode(text) == AutoTokenizer.from_pretrained(source).encode(text)


def test_licence_is_never_invented(tmp_path: Path) -> None:
    source = write_qwen2(tmp_path / "source")
    unknown = export(source, tmp_path / "unknown")
    assert "没有写明许可" in (unknown / "LICENSE").read_text(encoding="utf-8")
    apache = export(source, tmp_path / "apache", licence="Apache-2.0")
    assert "Apache License" in (apache / "LICENSE").read_text(encoding="utf-8")
    assert "license: apache-2.0" in (apache / "README.md").read_text(encoding="utf-8")


def test_refusals_leave_nothing_behind(tmp_path: Path) -> None:
    source = write_qwen2(tmp_path / "source")
    with pytest.raises(ConfigError, match="float16"):
        export(source, tmp_path / "a", dtype="int8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(DataError, match="不是空"):
        export(source, tmp_path / "full")
    (source / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="对话模板"):
        export(source, tmp_path / "b")
    assert not list(tmp_path.glob("*.part"))
