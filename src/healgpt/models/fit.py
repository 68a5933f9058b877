"""What runs where: memory for weights, keys and values, and activations, from a model's shape alone.

Nothing is loaded and nothing is measured, so a model can be planned for before it is downloaded. Counted are the
weights at their bits, 16-bit keys and values for the whole context, the largest activations of one batch (scores of
a prefill in chunks of 512 tokens, one row of logits), and a fixed amount for the program. Real engines round up:
leave a tenth free.
"""

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healgpt.errors import ConfigError, ModelError

# Bits a weight takes in each form, scales included (block bytes * 8 / block values); GGUF mixtures a little more.
BITS: dict[str, float] = {"fp32": 32.0, "fp16": 16.0, "int8": 8.5, "int4": 4.5}
_CHUNK = 512
_PROGRAM = {"gpu": 900 << 20, "ram": 300 << 20}

# The published shapes: hidden, inner, layers, heads, key heads, vocabulary, window, tied.
_KNOWN: dict[str, tuple[int, int, int, int, int, int, int, bool]] = {
    "baichuan-7b": (4096, 11008, 32, 32, 32, 64_000, 4096, False),
    "baichuan-13b-chat": (5120, 13696, 40, 40, 40, 64_000, 4096, False),
    "baichuan2-7b-chat": (4096, 11008, 32, 32, 32, 125_696, 4096, False),
    "baichuan2-13b-chat": (5120, 13696, 40, 40, 40, 125_696, 4096, False),
    "disc-medllm": (5120, 13696, 40, 40, 40, 64_000, 4096, False),
    "qwen2.5-coder-0.5b": (896, 4864, 24, 14, 2, 151_936, 32_768, True),
    "qwen2.5-coder-1.5b": (1536, 8960, 28, 12, 2, 151_936, 32_768, True),
    "healgpt-mini": (1536, 8960, 28, 12, 2, 151_936, 32_768, True),
    "qwen2.5-3b": (2048, 11008, 36, 16, 2, 151_936, 32_768, True),
    "qwen2.5-7b": (3584, 18944, 28, 28, 4, 152_064, 32_768, False),
    "qwen2.5-14b": (5120, 13824, 48, 40, 8, 152_064, 32_768, False),
    "qwen2.5-32b": (5120, 27648, 64, 40, 8, 152_064, 32_768, False),
    "qwen2.5-72b": (8192, 29568, 80, 64, 8, 152_064, 32_768, False),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The network, as config.json has it. `width` is one head's."""

    name: str
    hidden: int
    inner: int
    layers: int
    heads: int
    key_heads: int
    vocabulary: int
    window: int
    tied: bool

    @property
    def width(self) -> int:
        """Numbers in one head."""
        return self.hidden // self.heads

    @property
    def parameters(self) -> int:
        """Weights of a gated decoder without biases, which are a thousandth more."""
        attention = 2 * self.hidden * self.hidden + 2 * self.hidden * self.key_heads * self.width
        layer = attention + 3 * self.hidden * self.inner + 2 * self.hidden
        ends = self.vocabulary * self.hidden * (1 if self.tied else 2)
        return self.layers * layer + ends + self.hidden


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is, in bytes: `gpus` cards of `gpu` each, and `ram`."""

    gpu: int = 0
    gpus: int = 0
    ram: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """What one form of the model needs, in bytes in all; `place` says in Chinese where it fits, or why not."""

    form: str
    weights: int
    cache: int
    activations: int
    place: str
    fits: bool

    @property
    def total(self) -> int:
        """All three together, without the program."""
        return self.weights + self.cache + self.activations


def known_shape(name: str) -> Shape | None:
    """Return the shape of a published model, or None."""
    sizes = _KNOWN.get(name.lower().rsplit("/", 1)[-1])
    return Shape(name, *sizes) if sizes else None


def config_shape(name: str, config: dict[str, Any]) -> Shape:
    """Return the shape that a config.json states. Raises `ModelError` naming a field that is missing."""
    try:
        heads = int(config["num_attention_heads"])
        window = config.get("model_max_length") or config.get("max_position_embeddings") or 4096
        return Shape(
            name,
            int(config["hidden_size"]),
            int(config["intermediate_size"]),
            int(config["num_hidden_layers"]),
            heads,
            int(config.get("num_key_value_heads") or heads),
            int(config["vocab_size"]),
            int(window),
            bool(config.get("tie_word_embeddings", False)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{name} 的 config.json 里缺少或写错了 {error}。请检查文件。") from error


def find_shape(name: str) -> Shape:
    """Return the shape of a published name, a folder, a config.json or a GGUF file.

    Raises `ConfigError` for a name that is none of them, `ModelError` for a file that does not say.
    """
    place = Path(name).expanduser()
    place = place / "config.json" if place.is_dir() else place
    if place.is_file() and place.suffix.lower() == ".gguf":
        from healgpt.models import gguf_file, gguf_source

        return config_shape(name, gguf_source.config_fields(gguf_file.read(place)))
    if place.is_file():
        try:
            return config_shape(name, json.loads(place.read_text(encoding="utf-8")))
        except ValueError as error:
            raise ModelError(f"{place} 不是合法的 JSON。请检查文件。") from error
    found = known_shape(name)
    if found is None:
        begun = [known for known in _KNOWN if known.startswith(name.lower())]
        near = begun or difflib.get_close_matches(name.lower(), _KNOWN, n=1)
        hint = f"是不是想用 {near[0]}？" if near else f"已知的有：{'、'.join(_KNOWN)}；"
        raise ConfigError(f"不知道 {name} 的结构。{hint}也可以给出它的 config.json。")
    return found


def plan(shape: Shape, machine: Machine, *, context: int = 4096, batch: int = 1) -> list[Need]:
    """Return what every form of `shape` needs for `batch` conversations of `context` tokens, and where it fits.

    Raises `ConfigError` for a context longer than the model's window, or counts below 1.
    """
    if context < 1 or batch < 1:
        raise ConfigError("上下文和并发数都应是正整数。")
    if context > shape.window:
        raise ConfigError(f"{shape.name} 最多支持 {shape.window} 个词元。请把 --context 改小。")
    cache = 2 * shape.layers * shape.key_heads * shape.width * 2 * context * batch
    activations = _activations(shape, context) * batch
    needs = []
    for form, bits in BITS.items():
        weights = int(shape.parameters * bits / 8)
        place, fits = _place(shape, machine, weights, cache + activations)
        needs.append(Need(form, weights, cache, activations, place, fits))
    return needs


def _activations(shape: Shape, context: int) -> int:
    """Bytes of one prefill chunk: scores of all heads and the widest hidden states in 16 bits, a row of logits."""
    chunk = min(_CHUNK, context)
    return 2 * shape.heads * chunk * context + 2 * chunk * (2 * shape.inner + 4 * shape.hidden) + 4 * shape.vocabulary


def _place(shape: Shape, machine: Machine, weights: int, rest: int) -> tuple[str, bool]:
    """Say where it fits: the fewest cards first, then the memory of the processor."""
    for cards in (count for count in (1, 2, 4, 8, 16) if count <= machine.gpus):
        if shape.key_heads % cards and cards > 1:
            continue
        if (weights + rest) // cards + _PROGRAM["gpu"] <= machine.gpu:
            return (f"{cards} 张卡" + ("（张量并行）" if cards > 1 else "")), True
    if machine.ram and weights + rest + _PROGRAM["ram"] <= machine.ram:
        return "内存（CPU）", True
    if not (machine.gpus or machine.ram):
        return "—", False
    return "放不下", False


def parse_bytes(text: str) -> int:
    """Return the bytes of `24GB`, `24GiB`, `512M` or a plain number of GB. Raises `ConfigError` for anything else.

    GB is taken as 2^30, as graphics cards and memory are sold.
    """
    units = {"": 30, "g": 30, "gb": 30, "gib": 30, "m": 20, "mb": 20, "mib": 20, "t": 40, "tb": 40}
    stripped = text.strip().lower()
    digits = stripped.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = stripped[len(digits) :].strip()
    try:
        count = float(digits)
    except ValueError:
        count = -1.0
    if count <= 0 or unit not in units:
        raise ConfigError(f"看不懂容量 {text!r}。请写成 24GB 或 512MB 这样。")
    return int(count * (1 << units[unit]))
