"""Read a SentencePiece model file and rebuild its BPE as a fast tokenizer with the same ids.

The file is a protocol-buffer message (`sentencepiece_model.proto`, `ModelProto`): field 1 the pieces, 2 how it was
trained, 3 how text is normalised. The few fields that matter are read directly, so neither `sentencepiece` nor
`protobuf` is needed. Nothing in such a file is executed.

This file travels with exported folders, so it imports nothing of this package.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
_BPE = 2
_SPACE = "▁"


@dataclass(frozen=True, slots=True)
class Piece:
    """One entry of the vocabulary; its id is its place. `kind` is one of this module's constants."""

    text: str
    score: float
    kind: int


@dataclass(frozen=True, slots=True)
class SentencePieceModel:
    """What a SentencePiece file says. `charsmap` is its compiled Unicode normalisation, empty for none."""

    pieces: tuple[Piece, ...]
    byte_fallback: bool
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool
    charsmap: bytes
    unk_id: int
    bos_id: int
    eos_id: int


def read_model(path: Path) -> SentencePieceModel:
    """Read `path`. Raises `ValueError` for a file that is missing, truncated, no SentencePiece, or no BPE."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"读不了分词器文件 {path}：{error.strerror}。请确认文件夹里有 tokenizer.model。") from error
    pieces: list[Piece] = []
    trainer: dict[int, Any] = {}
    normalizer: dict[int, Any] = {}
    try:
        for field, value in _fields(data):
            if field == 1:
                pieces.append(_piece(value))
            elif field == 2:
                trainer = dict(_fields(value))
            elif field == 3:
                normalizer = dict(_fields(value))
    except (ValueError, TypeError, IndexError, struct.error) as error:
        raise ValueError(f"{path} 不是完整的 SentencePiece 文件。请重新下载 tokenizer.model。") from error
    if not pieces:
        raise ValueError(f"{path} 里没有词表。请重新下载 tokenizer.model。")
    _check_supported(path, pieces, trainer, normalizer)
    return SentencePieceModel(
        pieces=tuple(pieces),
        byte_fallback=bool(trainer.get(35, 0)),
        add_dummy_prefix=bool(normalizer.get(3, 1)),
        remove_extra_whitespaces=bool(normalizer.get(4, 1)),
        charsmap=bytes(normalizer.get(2, b"")),
        unk_id=next(index for index, piece in enumerate(pieces) if piece.kind == UNKNOWN),
        bos_id=_signed(trainer.get(41, 1)),
        eos_id=_signed(trainer.get(42, 2)),
    )


def build_tokenizer(model: SentencePieceModel) -> Any:
    """Return a `tokenizers.Tokenizer` that gives the ids SentencePiece would.

    Without a dummy prefix, user-defined pieces become added tokens matched in the normalised text, which is what
    SentencePiece does. With one, they are split off before BPE instead, because an added token would carry the
    prefix into its own spelling.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models

    own = [piece.text for piece in model.pieces if piece.kind == USER_DEFINED]
    split_off = bool(own) and model.add_dummy_prefix
    vocabulary = {piece.text: index for index, piece in enumerate(model.pieces)}
    backend = Tokenizer(
        models.BPE(
            vocab=vocabulary,
            merges=merges(model),
            unk_token=model.pieces[model.unk_id].text,
            fuse_unk=True,
            byte_fallback=model.byte_fallback,
            ignore_merges=split_off,
        )
    )
    backend.normalizer = _normalizer(model)
    if split_off:
        backend.pre_tokenizer = _splitter(own)
    steps = [decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    if model.add_dummy_prefix:
        steps.append(decoders.Strip(content=" ", left=1, right=0))
    backend.decoder = decoders.Sequence(steps)
    control = [piece.text for piece in model.pieces if piece.kind in {CONTROL, UNKNOWN}]
    backend.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in control])
    if own and not split_off:
        backend.add_tokens([AddedToken(text, normalized=True, special=False) for text in own])
    return backend


def merges(model: SentencePieceModel) -> list[tuple[str, str]]:
    """Return the merge rules, best first: SentencePiece joins the pair whose piece has the highest score."""
    ordinary = {piece.text for piece in model.pieces if piece.kind == NORMAL}
    ranked = []
    for index, piece in enumerate(model.pieces):
        if piece.kind != NORMAL:
            continue
        text = piece.text
        for cut in range(1, len(text)):
            left, right = text[:cut], text[cut:]
            if left in ordinary and right in ordinary:
                ranked.append((-piece.score, index, cut, left, right))
    ranked.sort()
    return [(left, right) for *_, left, right in ranked]


def _normalizer(model: SentencePieceModel) -> Any:
    from tokenizers import Regex, normalizers

    steps: list[Any] = []
    if model.charsmap:
        steps.append(normalizers.Precompiled(model.charsmap))
    if model.remove_extra_whitespaces:
        steps.append(normalizers.Replace(Regex(r"\A +| +\z"), ""))
        steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    if model.add_dummy_prefix:
        steps.append(normalizers.Prepend(_SPACE))
    steps.append(normalizers.Replace(" ", _SPACE))
    return normalizers.Sequence(steps)


def _splitter(own: list[str]) -> Any:
    from tokenizers import Regex, pre_tokenizers

    longest_first = sorted(own, key=len, reverse=True)
    return pre_tokenizers.Split(Regex("|".join(re.escape(text) for text in longest_first)), behavior="isolated")


def _check_supported(path: Path, pieces: list[Piece], trainer: dict[int, Any], normalizer: dict[int, Any]) -> None:
    if trainer.get(3, 1) != _BPE:
        raise ValueError(f"{path} 不是 BPE 分词模型；Baichuan 各型号都用 BPE。请检查文件是否属于这个模型。")
    if not any(piece.kind == UNKNOWN for piece in pieces):
        raise ValueError(f"{path} 里没有未知词元 <unk>，文件不完整。请重新下载 tokenizer.model。")
    if any(piece.kind == UNUSED for piece in pieces):
        raise ValueError(f"{path} 含有停用词元（UNUSED），这里不支持。请用训练时的原始 tokenizer.model。")
    if trainer.get(24, 0) or not normalizer.get(5, 1):
        raise ValueError(f"{path} 的空格处理方式与 Baichuan 不同，这里不支持。")


def _piece(data: bytes) -> Piece:
    values = dict(_fields(data))
    score = struct.unpack("<f", values[2])[0] if 2 in values else 0.0
    return Piece(bytes(values.get(1, b"")).decode("utf-8"), score, int(values.get(3, NORMAL)))


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield (field number, value) of one message: integers for varints, bytes for everything else."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise ValueError("field number 0")
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in {1, 5}:
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > end:
            raise ValueError("truncated")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
