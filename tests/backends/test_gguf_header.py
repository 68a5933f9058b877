"""A GGUF file is understood, or refused with a clear sentence: it never reaches the engine broken."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healgpt.backends.gguf_header import inspect
from healgpt.errors import ModelError


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def _field(key: str, kind: int, value: bytes) -> bytes:
    return _text(key) + struct.pack("<I", kind) + value


def _texts(values: list[str]) -> bytes:
    return struct.pack("<IQ", 8, len(values)) + b"".join(map(_text, values))


def _gguf(*, kind: int = 0, version: int = 3) -> bytes:
    """Return a file with 4 tokens and one tensor of 8 values in 32 bits."""
    fields = [
        _field("general.architecture", 8, _text("tiny")),
        _field("tiny.block_count", 4, struct.pack("<I", 2)),
        _field("tiny.context_length", 4, struct.pack("<I", 128)),
        _field("tiny.embedding_length", 4, struct.pack("<I", 64)),
        _field("tiny.attention.head_count", 4, struct.pack("<I", 4)),
        _field("tiny.attention.head_count_kv", 4, struct.pack("<I", 2)),
        _field("tokenizer.ggml.tokens", 9, _texts(["a", "<|end|>", "<tool>", "头"])),
        _field("tokenizer.ggml.token_type", 9, struct.pack("<IQ4i", 5, 4, 1, 3, 4, 1)),
        _field("tokenizer.chat_template", 8, _text("{{ messages }}")),
    ]
    tensor = _text("out.weight") + struct.pack("<IQIQ", 1, 8, kind, 0)
    head = b"GGUF" + struct.pack("<IQQ", version, 1, len(fields)) + b"".join(fields) + tensor
    return head + bytes(-len(head) % 32) + bytes(32)


def _write(folder: Path, data: bytes) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(data)
    return path


def test_it_tells_architecture_sizes_and_special_tokens(tmp_path: Path) -> None:
    header = inspect(_write(tmp_path, _gguf()))
    assert (header.architecture, header.layers, header.kv_width, header.vocabulary) == ("tiny", 2, 32, 4)
    assert (header.trained_context, header.chat_template) == (128, "{{ messages }}")
    assert header.control == {"<|end|>": 1}
    assert header.defined == {"<tool>": 2}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_gguf()[:-1], "不完整或已损坏"),
        (_gguf()[:200], "不完整或已损坏"),
        (_gguf()[:4], "不完整或已损坏"),
        (b"", "不是 GGUF"),
        (b"PK\x03\x04" + bytes(100), "不是 GGUF"),
        (_gguf(kind=99), "量化类型 99"),
        (_gguf(version=1), "版本是 1"),
    ],
)
def test_a_truncated_or_foreign_file_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        inspect(_write(tmp_path, data))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.gguf"):
        inspect(tmp_path / "nothing.gguf")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(4, len(_gguf()) - 40), noise=st.binary(min_size=1, max_size=12))
def test_any_damage_is_read_or_refused_but_never_crashes(tmp_path: Path, place: int, noise: bytes) -> None:
    data = bytearray(_gguf())
    data[place : place + len(noise)] = noise
    with contextlib.suppress(ModelError):  # anything else would be a crash
        assert inspect(_write(tmp_path, bytes(data))).size == len(data)
