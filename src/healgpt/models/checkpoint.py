"""Check and load a Hugging Face checkpoint folder: every tensor accounted for, nothing in it executed.

`transformers` fills a missing weight with random numbers and says so in a log line; here it is an error that names
the tensor. Pickled weights (`.bin`) are read with `weights_only=True`, which builds tensors and refuses all else.
"""

# mypy: allow-untyped-calls
# The framework types itself only in part.

import json
import pickle
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healgpt.errors import ModelError

Shape = tuple[int, ...]

_WHOLE = ("model.safetensors", "pytorch_model.bin")
# Buffers that old checkpoints carry and no model reads.
_BUFFERS = ("rotary_emb.inv_freq", "alibi_mask", "future_mask")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model in evaluation mode with its tokenizer, both as `transformers` makes them."""

    model: Any
    tokenizer: Any


def load(folder: Path, *, dtype: Any = "auto", device_map: Any = None) -> Checkpoint:
    """Check `folder`, then load it with its tokenizer; Baichuan folders need no remote code.

    `dtype="auto"` takes the precision of the checkpoint. Raises `ModelError` for everything `check` finds and for
    a folder without a usable tokenizer.
    """
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from healgpt.models.baichuan.tokenization_baichuan import BaichuanTokenizer

    check(folder)
    native = AutoConfig.from_pretrained(folder, trust_remote_code=False).model_type == "baichuan"
    try:
        # A tokenizer_config.json that names remote code but no class would make the framework ask for permission.
        tokenizer = (BaichuanTokenizer if native else AutoTokenizer).from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder} 的分词器打不开：{error}") from error
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, device_map=device_map, trust_remote_code=False)
    return Checkpoint(model.eval(), tokenizer)


def check(folder: Path) -> None:
    """Raise `ModelError` unless the weights in `folder` are whole and are exactly those its config.json asks for.

    Only headers are read, so this takes moments even for 13 billion parameters in safetensors.
    """
    wanted, optional = _wanted(folder)
    found = {name: shape for name, shape in tensors(folder).items() if not name.endswith(_BUFFERS)}
    wrong = [
        f"{name}（应为 {_size(wanted[name])}，实为 {_size(found[name])}）"
        for name in sorted(wanted.keys() & found.keys())
        if wanted[name] != found[name]
    ]
    problems = [
        ("缺少", sorted(wanted.keys() - found.keys() - optional)),
        ("多出", sorted(found.keys() - wanted.keys())),
        ("形状不符：", wrong),
    ]
    said = "；".join(f"{word} {_some(names)}" for word, names in problems if names)
    if said:
        raise ModelError(f"{folder} 的权重和 config.json 对不上：{said}。请重新下载，或检查 config.json。")


def tensors(folder: Path) -> dict[str, Shape]:
    """Return name and shape of every tensor in the weight files of `folder`, sharded or not.

    Raises `ModelError` for missing or truncated files, and for pickles that hold anything but tensors.
    """
    for name in _WHOLE:
        index = folder / f"{name}.index.json"
        if (folder / name).is_file():
            return file_tensors(folder / name)
        if index.is_file():
            return _sharded_tensors(folder, index)
    raise ModelError(f"{folder} 里没有权重文件（model.safetensors 或 pytorch_model.bin）。请检查路径，或重新下载。")


def _sharded_tensors(folder: Path, index: Path) -> dict[str, Shape]:
    try:
        places: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{index} 不是完整的分片索引。请重新下载这个文件。") from error
    found: dict[str, Shape] = {}
    for shard in sorted(set(places.values())):
        if Path(shard).name != shard:
            raise ModelError(f"{index} 里的分片名 {shard!r} 带有路径，不予读取。请使用原始的模型文件。")
        here = file_tensors(folder / shard)
        lost = sorted(name for name, place in places.items() if place == shard and name not in here)
        if lost:
            raise ModelError(f"分片 {folder / shard} 里缺少 {_some(lost)}。请重新下载这个分片。")
        found |= here
    return found


def file_tensors(path: Path) -> dict[str, Shape]:
    """Return name and shape of every tensor in one weight file. Raises as `tensors` does."""
    if not path.is_file():
        raise ModelError(f"缺少权重分片 {path}。请重新下载这个文件。")
    return _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)


def _safetensors(path: Path) -> dict[str, Shape]:
    """Read a safetensors header: 8 bytes of length, JSON, then data whose end the header states."""
    try:
        with path.open("rb") as stream:
            (size,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(min(size, 1 << 28)))
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        shapes = {name: tuple(int(side) for side in entry["shape"]) for name, entry in entries.items()}
        end = 8 + size + max((int(entry["data_offsets"][1]) for entry in entries.values()), default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ModelError(f"权重文件 {path} 已损坏或不完整。请重新下载这个文件。") from error
    if path.stat().st_size < end:
        raise ModelError(f"权重文件 {path} 不完整：应有 {end} 字节，实有 {path.stat().st_size} 字节。请重新下载。")
    return shapes


def _pickled(path: Path) -> dict[str, Shape]:
    import torch

    try:
        # Mapped, not read, where the file is of the current (zip) form.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"权重文件 {path} 不是只含张量的 pickle，可能夹带程序，已拒绝读取。请改用 safetensors 格式的权重。"
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise ModelError(f"权重文件 {path} 已损坏或不完整。请重新下载这个文件。") from error
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise ModelError(f"权重文件 {path} 里不全是张量，无法使用。请改用 safetensors 格式的权重。")
    return {str(name): tuple(value.shape) for name, value in content.items()}


def _is_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"PK"


def _wanted(folder: Path) -> tuple[dict[str, Shape], set[str]]:
    """Return the tensors that config.json asks for, and those a checkpoint may leave out because they are tied."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from healgpt.models.baichuan import register

    register()
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} 里没有 config.json，不是 Hugging Face 格式的模型文件夹。")
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except (ValueError, KeyError, OSError, TypeError) as error:
        raise ModelError(_unsupported(folder, error)) from error
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    optional = set(model.all_tied_weights_keys) if config.tie_word_embeddings else set()
    return shapes, optional


def _unsupported(folder: Path, error: Exception) -> str:
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError):
        return f"{folder / 'config.json'} 不是合法的 JSON。请重新下载这个文件。"
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    if kind in CONFIG_MAPPING:
        return f"{folder} 的 config.json 有误：{error}"
    return (
        f"不支持 {folder} 的架构 {kind!r}。支持 Baichuan、Baichuan2、Qwen2 以及 transformers 自带的各种因果语言模型；"
        "其他架构请先用它自己的工具转换成 GGUF，再用 healgpt chat --model 文件.gguf 打开。"
    )


def _some(names: list[str]) -> str:
    more = f" 等 {len(names)} 个" if len(names) > 3 else ""
    return "、".join(names[:3]) + more


def _size(shape: Shape) -> str:
    return "×".join(str(side) for side in shape)
