"""Where answers come from: one spec string names a model, `load` opens it behind `healgpt.schema.ChatModel`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from healgpt.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from healgpt.schema import ChatModel


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a local engine is set up. Of a remote model only `context` counts: what its window is taken to be.

    `threads=None` (or 0) means one per physical core. `context` counts the tokens of prompt and answer together,
    per slot. `slots` conversations are computed at once. `cache_ram_mib` bounds the memory for the key-value
    states of conversations that lost their slot.
    """

    threads: int | None = None
    context: int = 4096
    slots: int = 1
    cache_ram_mib: int = 512


def load(spec: str, options: EngineOptions = EngineOptions()) -> "ChatModel":
    """Open the model that `spec` names:

    - `scripted:<file>`: replies read from a file, for tests and docs
    - `http(s)://host/v1#model`: any OpenAI-compatible server
    - `hf:<id or folder>`: any causal language model of `transformers`
    - `<path>.gguf`: a GGUF file
    - anything else: a name of the catalogue, which must have been pulled

    Models that hold memory or threads have `close()`; GGUF models also have `warm(system)`. Raises `ConfigError`
    for a spec that names nothing and `ModelError` where the model cannot be opened.
    """
    kind, _, rest = spec.partition(":")
    match kind:
        case "scripted":
            from healgpt.backends.scripted import open_scripted

            return open_scripted(Path(rest))
        case "http" | "https":
            from healgpt.backends.remote import open_remote

            return open_remote(spec, window=options.context)
        case "hf":
            from healgpt.backends.transformers_model import open_transformers

            return open_transformers(rest, options)
        case _ if spec.lower().endswith(".gguf"):
            from healgpt.backends.llamacpp import open_llama

            return open_llama(Path(spec).expanduser(), options)
        case _:
            return _load_named(spec, options)


def _load_named(name: str, options: EngineOptions) -> "ChatModel":
    from healgpt.models import catalog

    if not name.strip():
        raise ConfigError("没有写模型名。请用 healgpt models 查看可用的名字。")
    entry = catalog.find(name)
    held = catalog.resolve(entry)
    if held.kind == "graph":
        raise ConfigError(f"{entry.name} 是知识图谱，不是模型。请用 healgpt models 查看可用的模型。")
    if held.kind == "hf":
        from healgpt.backends.transformers_model import open_transformers

        return open_transformers(str(catalog.verify(entry)), options)
    if not catalog.path(entry).exists():
        raise ModelError(f"模型 {entry.name} 还没有下载。请先运行 healgpt pull {entry.name}。")
    from healgpt.backends.llamacpp import open_llama

    return open_llama(catalog.verify(entry), options, name=entry.name, adapter=catalog.adapter(entry))
