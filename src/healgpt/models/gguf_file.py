"""Write a GGUF file tensor by tensor, with disk check, progress and resume; read one back.

The growing file is `<name>.part`; `<name>.part.json` beside it says for which plan and how many tensors are whole.
A run that was stopped goes on after the last whole tensor if the head of the file would come out the same, byte for
byte, and no source file has changed; otherwise it starts anew.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from healgpt.errors import DataError, ModelError
from healgpt.models import gguf_quants
from healgpt.models.progress import Meter, Progress

Array = npt.NDArray[Any]
Report = Callable[[Progress], None]

_ALIGNMENT = 32
_SPARE = 64 << 20


@dataclass(frozen=True, slots=True)
class Planned:
    """One tensor to be written: `read` returns its values in `shape` (rows, columns) or the stored bytes as uint8."""

    name: str
    shape: tuple[int, ...]
    form: str
    read: Callable[[], Array]

    @property
    def size(self) -> int:
        """Bytes in the file, without padding."""
        return gguf_quants.encoded_bytes(self.form, self.shape)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole file: `describe` adds the metadata to a `gguf.GGUFWriter`; `stamp` tells the sources apart."""

    architecture: str
    describe: Callable[[Any], None]
    tensors: Sequence[Planned]
    stamp: str


def write(target: Path, plan: Plan, report: Report | None = None) -> Path:
    """Write `plan` to `target`, which exists only when it is whole. Resumes a run that was stopped.

    Raises `DataError` for a target that exists or a disk that is too small, `ModelError` naming the tensor that
    cannot be written.
    """
    if target.exists():
        raise DataError(f"{target} 已经存在。请先删除它，或换一个文件名。")
    head = _head(plan)
    part, note = target.with_name(target.name + ".part"), target.with_name(target.name + ".part.json")
    mark = hashlib.sha256(head + plan.stamp.encode()).hexdigest()
    sizes = [_padded(tensor.size) for tensor in plan.tensors]
    total = len(head) + sum(sizes)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        done = _resumable(part, note, mark, len(head), sizes)
        check_disk(target.parent, total - (part.stat().st_size if part.exists() else 0))
        with part.open("r+b" if done else "w+b") as stream:
            if not done:
                stream.write(head)
            stream.seek(len(head) + sum(sizes[:done]))
            stream.truncate()
            _append(stream, plan.tensors[done:], done, _Journal(note, mark), Meter(total, report))
        part.replace(target)
        note.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"写不进 {target}：{error.strerror}。写好的部分保留着，腾出空间后再运行一次就接着写。"
        ) from error
    return target


def check_disk(folder: Path, needed: int) -> None:
    """Raise `DataError` unless `needed` bytes and a little more are free where `folder` lies."""
    free = shutil.disk_usage(folder).free
    if needed + _SPARE > free:
        raise DataError(
            f"磁盘空间不够：{folder} 还要 {(needed + _SPARE) / 1e9:.1f} GB，只剩 {free / 1e9:.1f} GB。"
            "请腾出空间，或换一个位置。"
        )


@dataclass(frozen=True, slots=True)
class _Journal:
    place: Path
    mark: str

    def done(self, count: int) -> None:
        self.place.write_text(json.dumps({"mark": self.mark, "tensors": count}), encoding="utf-8")


def _append(stream: BinaryIO, tensors: Sequence[Planned], done: int, journal: _Journal, meter: Meter) -> None:
    meter.at(stream.tell())
    for count, tensor in enumerate(tensors, start=done + 1):
        try:
            values = tensor.read()
            data = values.tobytes() if values.dtype == np.uint8 else gguf_quants.encode(values, tensor.form)
        except ModelError as error:
            raise ModelError(f"张量 {tensor.name} 写不了：{error}。") from error
        if len(data) != tensor.size:
            raise ModelError(f"张量 {tensor.name} 应为 {tensor.size} 字节，实为 {len(data)} 字节。请检查 config.json。")
        stream.write(data + bytes(_padded(len(data)) - len(data)))
        stream.flush()
        journal.done(count)
        meter.at(stream.tell())
    os.fsync(stream.fileno())
    meter.at(stream.tell(), "done")


def _resumable(part: Path, note: Path, mark: str, head: int, sizes: Sequence[int]) -> int:
    """Return how many tensors of an earlier run can be kept."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(note.read_text(encoding="utf-8"))
        count = int(told["tensors"])
        if told["mark"] == mark and part.stat().st_size >= head + sum(sizes[:count]):
            return count
    return 0


def _head(plan: Plan) -> bytes:
    """Return everything before the first tensor's data, padded."""
    import gguf

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "head"
        writer = gguf.GGUFWriter(place, plan.architecture)
        plan.describe(writer)
        for tensor in plan.tensors:
            kind = gguf.GGMLQuantizationType[tensor.form]
            writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), tensor.size, kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        writer.close()
        head = place.read_bytes()
    return head + bytes(_padded(len(head)) - len(head))


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor of a GGUF file: `shape` as (rows, columns), `raw()` its bytes as uint8."""

    name: str
    shape: tuple[int, ...]
    form: str
    raw: Callable[[], Array]

    def values(self) -> Array:
        """Return the float32 values."""
        return gguf_quants.decode(_typed(self.raw(), self.form, self.shape), self.form, self.shape)


@dataclass(frozen=True, slots=True)
class GgufFile:
    """An opened file: `fields` are plain values, `kinds` their GGUF types, `tensors` in file order."""

    path: Path
    fields: Mapping[str, Any]
    kinds: Mapping[str, tuple[Any, ...]]
    tensors: Mapping[str, Stored]

    @property
    def architecture(self) -> str:
        """The network, such as `qwen2`."""
        return str(self.fields["general.architecture"])

    def number(self, key: str, default: Any = None) -> Any:
        """Return the field `<architecture>.<key>`. Raises `ModelError` where it is missing without `default`."""
        value = self.fields.get(f"{self.architecture}.{key}", default)
        if value is None:
            raise ModelError(f"{self.path} 没有写明 {self.architecture}.{key}，文件不完整。请换一个文件。")
        return value


def read(path: Path) -> GgufFile:
    """Open the GGUF file at `path`; takes some seconds for a vocabulary of 150,000.

    Raises `ModelError` for a missing, foreign or truncated file.
    """
    import gguf

    if not path.is_file():
        raise ModelError(f"没有找到模型文件 {path}。请检查路径。")
    try:
        reader = gguf.GGUFReader(path)
        fields = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
        kinds = {name: tuple(field.types) for name, field in reader.fields.items()}
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise ModelError(f"{path} 不是完整的 GGUF 文件（{error}）。请重新下载。") from error
    if "general.architecture" not in fields:
        raise ModelError(f"{path} 没有写明模型架构。请换一个文件。")
    size = path.stat().st_size
    tensors = {}
    for tensor in reader.tensors:
        shape = tuple(int(side) for side in reversed(tensor.shape.tolist()))
        start, length = int(tensor.data_offset), int(tensor.n_bytes)
        if start + length > size:
            raise ModelError(f"{path} 不完整：{tensor.name} 超出文件末尾。请重新下载。")
        raw = _raw_reader(path, start, length)
        tensors[tensor.name] = Stored(tensor.name, shape, tensor.tensor_type.name, raw)
    return GgufFile(path, fields, kinds, tensors)


def _raw_reader(path: Path, start: int, length: int) -> Callable[[], Array]:
    return lambda: np.fromfile(path, dtype=np.uint8, count=length, offset=start)


def _typed(raw: Array, form: str, shape: tuple[int, ...]) -> Array:
    if form in ("F32", "F16"):
        return raw.view(np.float32 if form == "F32" else np.float16)
    return raw.reshape(*shape[:-1], -1)
