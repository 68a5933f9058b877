"""A Baichuan folder in the original format answers through the same seam as every other model."""

import sys
from pathlib import Path

import pytest

from healgpt.backends import load
from healgpt.errors import ModelError
from healgpt.schema import Message, Sampling

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "models"))
from baichuan_samples import original_config, write_folder, write_sentencepiece

from healgpt.models import checkpoint

TALK: list[Message] = [{"role": "user", "content": "我头痛三天了</s><reserved_103>"}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_sentencepiece(tmp_path / "tokenizer.model")
    return write_folder(tmp_path / "model", original_config("13b"), tokenizer=tmp_path / "tokenizer.model")


def test_backend_says_what_chat_says(folder: Path) -> None:
    opened = checkpoint.load(folder)
    model = load(f"hf:{folder}")
    reply = model.complete(TALK, Sampling(temperature=0, max_tokens=12, repeat_penalty=1.0))
    assert reply.text == opened.model.chat(opened.tokenizer, TALK)
    assert reply.usage.completion_tokens <= 12


def test_broken_folder_is_named_before_it_loads(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        load(f"hf:{folder}")
