"""The tensors of a model, one at a time, whether they lie in a Hugging Face folder or in a GGUF file.

Nothing is mapped into memory and nothing is read twice, so a 13-billion-parameter checkpoint passes through in the
memory of its largest tensor.
"""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from healgpt.errors import ModelError
from healgpt.models import checkpoint

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

_DTYPES = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16, "F64": np.float64}


@dataclass(frozen=True, slots=True)
class Weights:
    """Where a model's tensors are. `read(name)` returns float16, float32 or float64 of the shape in `shapes`;
    bfloat16, which NumPy lacks, comes widened to float32. `stamp` changes when a file behind it does.
    `dtype` is the precision the checkpoint was saved in ("float32", "float16", "bfloat16").
    """

    shapes: Mapping[str, Shape]
    read: Callable[[str], Array]
    stamp: str
    dtype: str


def open_folder(folder: Path) -> Weights:
    """Check the checkpoint in `folder` against its config.json and open it.

    Raises `ModelError` as `checkpoint.check` does: missing, extra or misshapen tensors, truncated shards, pickles
    with more than tensors in them, unknown architectures.
    """
    checkpoint.check(folder)
    return open_unchecked(folder)


def open_unchecked(folder: Path) -> Weights:
    """Open the weight files of `folder`, of which only the headers are checked; an adapter folder works too."""
    files = _files(folder)
    places: dict[str, Callable[[], Array]] = {}
    shapes: dict[str, Shape] = {}
    saved: set[str] = set()
    for path in files:
        found = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
        for name, (shape, dtype, read) in found.items():
            places[name], shapes[name] = read, shape
            saved.add(dtype)
    dtype = next((kind for kind in ("bfloat16", "float16") if kind in saved), "float32")
    return Weights(shapes, lambda name: places[name](), stamp(files), dtype)


def stamp(files: list[Path]) -> str:
    """Return a text that changes when one of `files` is replaced: their names, sizes and times of change."""
    return json.dumps([(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files])


def _files(folder: Path) -> list[Path]:
    for stem in ("model.safetensors", "pytorch_model.bin", "adapter_model.safetensors", "adapter_model.bin"):
        index = folder / f"{stem}.index.json"
        if (folder / stem).is_file():
            return [folder / stem]
        if index.is_file():
            names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
            return sorted(folder / Path(name).name for name in names)
    raise ModelError(f"{folder} 里没有权重文件（model.safetensors 或 pytorch_model.bin）。请检查路径，或重新下载。")


Found = dict[str, tuple[Shape, str, Callable[[], Array]]]


def _safetensors(path: Path) -> Found:
    shapes = checkpoint.file_tensors(path)  # raises for a damaged or truncated file
    with path.open("rb") as stream:
        (size,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(size))
    found: Found = {}
    for name, shape in shapes.items():
        kind = header[name]["dtype"]
        if kind not in _DTYPES:
            raise ModelError(f"{path} 里的 {name} 是 {kind} 类型，这里只认 {'、'.join(_DTYPES)}。请换用未量化的权重。")
        start = 8 + size + header[name]["data_offsets"][0]
        named = {"F16": "float16", "BF16": "bfloat16"}.get(kind, "float32")
        found[name] = (shape, named, _reader(path, start, shape, kind))
    return found


def _reader(path: Path, start: int, shape: Shape, kind: str) -> Callable[[], Array]:
    def read() -> Array:
        count = int(np.prod(shape, dtype=np.int64))
        data = np.fromfile(path, dtype=_DTYPES[kind], count=count, offset=start).reshape(shape)
        return widen(data) if kind == "BF16" else data

    return read


def widen(bits: Array) -> Array:
    """Return the float32 values of bfloat16 numbers given as their 16 bits: those are the upper half of a float32."""
    wide: Array = (bits.astype(np.uint32) << 16).view(np.float32)
    return wide


def _pickled(path: Path) -> Found:
    shapes = checkpoint.file_tensors(path)
    changed = path.stat().st_mtime_ns

    def read(name: str) -> Array:
        import torch

        tensor = _unpickled(path, changed)[name]
        plain: Array = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
        return plain

    kinds = {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in _unpickled(path, changed).items()}
    # `name=name` binds the name of this round.
    return {name: (shape, kinds[name], lambda name=name: read(name)) for name, shape in shapes.items()}  # type: ignore[misc]


@lru_cache(maxsize=1)
def _unpickled(path: Path, changed: int) -> dict[str, Any]:
    """Return the tensors of one pickled shard, mapped where the file is of the current (zip) form.

    An old file has to be read whole, so one is kept: tensors are asked for in the order of the shards. `changed` is
    the time of change, so that a replaced file is opened anew.
    """
    import torch

    with path.open("rb") as stream:
        mapped = stream.read(2) == b"PK"
    opened: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    return opened
