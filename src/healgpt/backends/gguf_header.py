"""The head of a GGUF file, read before an engine is trusted with it.

A damaged file can take the whole process down inside native code, so structure, lengths and tensor places are
checked here first. Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (little-endian, versions 2, 3).
"""

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healgpt.errors import ModelError

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
# tensor type -> (values in a block, bytes of a block), from ggml's type traits
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54),
    35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}  # fmt: skip
_Q4_K = 12
_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4


@dataclass(frozen=True, slots=True)
class Header:
    """What the backends need to know of a GGUF file.

    `control` and `defined` map the text of special tokens to their ids: the tokenizer turns text into control
    tokens only when asked to, into user-defined ones always. `repacked` is what llama.cpp copies into another layout
    (4-bit K-quants outside the embedding). `kv_width` is the number of key (or value) elements
    that one token adds in one layer; sizes are in bytes; 0 where the file does not say.
    """

    architecture: str
    chat_template: str
    size: int
    repacked: int
    layers: int
    kv_width: int
    vocabulary: int
    trained_context: int
    control: Mapping[str, int]
    defined: Mapping[str, int]


def inspect(path: Path) -> Header:
    """Read the head of the GGUF file at `path` and check that every tensor lies inside the file.

    Takes about 0.2 s for a vocabulary of 150,000. Raises `ModelError` for a missing, foreign, truncated or
    damaged file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            if stream.read(4) != b"GGUF":
                raise ModelError(f"{path} 不是 GGUF 模型文件。请检查路径，或用 healgpt pull 重新下载。")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _read(_Cursor(data), path, size)
    except FileNotFoundError as error:
        raise ModelError(f"没有找到模型文件 {path}。请检查路径。") from error
    except OSError as error:
        raise ModelError(f"读不了模型文件 {path}：{error.strerror}。请检查权限。") from error
    except (struct.error, IndexError, OverflowError, MemoryError, UnicodeDecodeError, _Damaged) as error:
        raise ModelError(f"模型文件 {path} 不完整或已损坏（{error}）。请删除后重新下载。") from error


class _Damaged(Exception):
    """A length, count or type in the file cannot be right."""


class _Cursor:
    """A reading position in mapped bytes."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.place = 4

    def scalar(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self.data, self.place)
        self.place += struct.calcsize(form)
        return value

    def skip(self, length: int) -> None:
        self.place += length
        if self.place > len(self.data):
            raise _Damaged(f"第 {self.place - length} 字节处的长度超出文件末尾")

    def text(self) -> str:
        length = self.scalar("<Q")
        start = self.place
        self.skip(length)
        return self.data[start : self.place].decode("utf-8")

    def skip_texts(self, count: int) -> None:
        unpack, data, place = struct.Struct("<Q").unpack_from, self.data, self.place
        for _ in range(count):
            place += 8 + unpack(data, place)[0]
        self.skip(place - self.place)


@dataclass(frozen=True, slots=True)
class _Array:
    """An array left in the file: `place` is where its first element starts."""

    kind: int
    count: int
    place: int


def _value(cursor: _Cursor, kind: int) -> Any:
    if kind in _SCALARS:
        return cursor.scalar(_SCALARS[kind])
    if kind == _STRING:
        return cursor.text()
    if kind != _ARRAY:
        raise _Damaged(f"第 {cursor.place} 字节处的字段类型 {kind} 未知")
    inner, count = cursor.scalar("<I"), cursor.scalar("<Q")
    array = _Array(inner, count, cursor.place)
    if inner == _STRING:
        cursor.skip_texts(count)
    elif inner in _SCALARS:
        cursor.skip(count * struct.calcsize(_SCALARS[inner]))
    else:
        raise _Damaged(f"第 {cursor.place} 字节处的数组类型 {inner} 未知")
    return array


def _read(cursor: _Cursor, path: Path, size: int) -> Header:
    version, tensors, count = cursor.scalar("<I"), cursor.scalar("<Q"), cursor.scalar("<Q")
    if version not in (2, 3):
        raise ModelError(f"{path} 的 GGUF 版本是 {version}，只支持小端序的 2 和 3。请换一个文件。")
    fields: dict[str, Any] = {}
    for _ in range(count):
        key = cursor.text()
        fields[key] = _value(cursor, cursor.scalar("<I"))
    repacked = _check_tensors(cursor, path, tensors, size, _number(fields, "general.alignment", 32))
    architecture = str(fields.get("general.architecture", ""))
    if not architecture:
        raise _Damaged("没有写明模型架构 general.architecture")
    special = _special(cursor, fields)
    tokens = fields.get("tokenizer.ggml.tokens")
    return Header(
        architecture=architecture,
        chat_template=str(fields.get("tokenizer.chat_template", "")),
        size=size,
        repacked=repacked,
        layers=_number(fields, f"{architecture}.block_count"),
        kv_width=_kv_width(fields, architecture),
        vocabulary=tokens.count if isinstance(tokens, _Array) else 0,
        trained_context=_number(fields, f"{architecture}.context_length"),
        control=special[0],
        defined=special[1],
    )


def _check_tensors(cursor: _Cursor, path: Path, count: int, size: int, alignment: int) -> int:
    """Check that all tensors lie inside the file; return the bytes of those that the engine copies."""
    ends = []
    repacked = 0
    for _ in range(count):
        name = cursor.text()
        shape = [cursor.scalar("<Q") for _ in range(min(cursor.scalar("<I"), 5))]
        kind, offset = cursor.scalar("<I"), cursor.scalar("<Q")
        if kind not in _BLOCKS:
            raise ModelError(f"{path} 里的 {name} 用了未知的量化类型 {kind}。请换一个文件或升级 xllamacpp。")
        values = math.prod(shape)
        per_block, block_bytes = _BLOCKS[kind]
        length = values // per_block * block_bytes
        repacked += length if kind == _Q4_K and name != "token_embd.weight" else 0
        ends.append((offset + length, name))
    if alignment <= 0:
        raise _Damaged("general.alignment 不是正数")
    start = -(-cursor.place // alignment) * alignment
    end, name = max(ends, default=(0, ""))
    if start + end > size:
        raise _Damaged(f"{name} 应到第 {start + end:,} 字节，文件只有 {size:,} 字节")
    return repacked


def _number(fields: Mapping[str, Any], key: str, default: int = 0) -> int:
    value = fields.get(key, default)
    return value if isinstance(value, int) else 0


def _kv_width(fields: Mapping[str, Any], architecture: str) -> int:
    heads = _number(fields, f"{architecture}.attention.head_count")
    kv_heads = _number(fields, f"{architecture}.attention.head_count_kv") or heads
    key = _number(fields, f"{architecture}.attention.key_length")
    if not key and heads:
        key = _number(fields, f"{architecture}.embedding_length") // heads
    return kv_heads * key


def _special(cursor: _Cursor, fields: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the control (and unknown) tokens and the user-defined ones, text to id."""
    tokens, kinds = fields.get("tokenizer.ggml.tokens"), fields.get("tokenizer.ggml.token_type")
    control: dict[str, int] = {}
    defined: dict[str, int] = {}
    if not isinstance(tokens, _Array) or not isinstance(kinds, _Array) or tokens.kind != _STRING:
        return control, defined
    flags = struct.unpack_from(f"<{min(kinds.count, tokens.count)}i", cursor.data, kinds.place)
    cursor.place = tokens.place
    for number, flag in enumerate(flags):
        if flag in (_UNKNOWN, _CONTROL):
            control[cursor.text()] = number
        elif flag == _USER_DEFINED:
            defined[cursor.text()] = number
        else:
            cursor.skip(cursor.scalar("<Q"))
    return control, defined
