"""LoRA adapters (PEFT folders, GGUF adapters): made into a GGUF adapter, or merged into a folder or a GGUF file.

An adapter adds `scale * B @ A` to a matrix, with `scale` = alpha / rank (alpha / sqrt(rank) for rank-stabilised ones).
Only plain LoRA on the matrices of the layers is taken; everything else is refused by name rather than left out.
Sources: the PEFT checkpoint format; llama.cpp's `convert_lora_to_gguf.py` for the GGUF side.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from healgpt.errors import DataError, ModelError
from healgpt.models import convert, gguf_baichuan, gguf_file, gguf_quants, gguf_qwen2, gguf_source
from healgpt.models.gguf_file import Plan, Planned, Report
from healgpt.models.weights import Array, Weights, open_unchecked, stamp

_KEY = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.(?:default\.)?weight")


@dataclass(frozen=True, slots=True)
class Pair:
    """The two factors of one matrix: `down` (A) is (rank, columns), `up` (B) is (rows, rank), both float32."""

    down: Array
    up: Array


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA: pairs by the checkpoint name of the matrix (`….weight`); `alpha` such that scale = alpha / rank."""

    pairs: Mapping[str, Pair]
    alpha: float
    stamp: str
    base: str

    def delta(self, name: str) -> Array:
        """Return what is added to matrix `name`, float32, in its shape."""
        pair = self.pairs[name]
        wide: Array = (self.alpha / pair.down.shape[0]) * (pair.up @ pair.down)
        return wide


def read_adapter(folder: Path) -> Adapter:
    """Read a PEFT folder, or a GGUF adapter for Qwen2.

    Raises `ModelError` for anything but plain LoRA on matrices, and for incomplete pairs.
    """
    if folder.is_file():
        return _read_gguf(folder)
    place = folder / "adapter_config.json"
    try:
        told: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        rank, alpha = int(told["r"]), float(told["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{place} 不是完整的 LoRA 说明。请检查适配器文件夹。") from error
    for key in ("use_dora", "modules_to_save", "rank_pattern", "alpha_pattern", "lora_bias"):
        if told.get(key):
            raise ModelError(f"{folder} 的 LoRA 用了 {key}，这里不会处理。请用 peft 的 merge_and_unload 合并后再转换。")
    weights = open_unchecked(folder)
    halves: dict[str, dict[str, Array]] = {}
    for key in weights.shapes:
        match = _KEY.fullmatch(key)
        if match is None or "embed" in key or "lm_head" in key:
            raise ModelError(f"{folder} 里的 {key} 不是线性层的 LoRA，这里不会处理。请用 peft 合并后再转换。")
        halves.setdefault(f"{match[1]}.weight", {})[match[2]] = weights.read(key).astype(np.float32)
    broken = [name for name, pair in halves.items() if pair.keys() != {"A", "B"} or pair["A"].shape[0] != rank]
    if broken or not halves:
        raise ModelError(f"{folder} 的 LoRA 不完整：{'、'.join(broken[:3]) or '没有张量'}。请重新保存适配器。")
    return Adapter(
        pairs={name: Pair(pair["A"], pair["B"]) for name, pair in halves.items()},
        alpha=alpha * math.sqrt(rank) if told.get("use_rslora") else alpha,
        stamp=weights.stamp,
        base=convert.portable(str(told.get("base_model_name_or_path") or "")),
    )


def _read_gguf(path: Path) -> Adapter:
    opened = gguf_file.read(path)
    if opened.fields.get("adapter.type") != "lora" or opened.architecture != "qwen2":
        raise ModelError(f"{path} 不是 Qwen2 的 LoRA 适配器。Baichuan 的适配器请用原来的 PEFT 文件夹。")
    names = sorted({name.rsplit(".", 1)[0] for name in opened.tensors})
    try:
        pairs = {
            gguf_qwen2.checkpoint_name(name): Pair(
                opened.tensors[f"{name}.lora_a"].values(), opened.tensors[f"{name}.lora_b"].values()
            )
            for name in names
        }
    except KeyError as error:
        raise ModelError(f"{path} 的 LoRA 不完整：缺少 {error}。请重新转换适配器。") from error
    base = convert.portable(str(opened.fields.get("general.base_model.0.name", "")))
    return Adapter(pairs, float(opened.fields["adapter.lora.alpha"]), stamp([path]), base)


def adapter_to_gguf(folder: Path, base: Path, target: Path, *, report: Report | None = None) -> Path:
    """Write the LoRA in `folder` as a GGUF adapter for llama.cpp. `base` is its model, a folder or a GGUF file.

    Raises `ModelError` where the two do not fit together, and as `read_adapter` does.
    """
    adapter = read_adapter(folder)
    config = base_config(base)
    planned = []
    for name, pair in adapter.pairs.items():
        for part, half in _gguf_pairs(name, pair, config):
            for suffix, values in (("lora_a", half.down), ("lora_b", half.up)):
                planned.append(Planned(f"{part}.{suffix}", values.shape, "F32", lambda values=values: values))  # type: ignore[misc]

    def describe(writer: Any) -> None:
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", adapter.alpha)
        writer.add_name(folder.resolve().name)
        if adapter.base:
            writer.add_base_model_count(1)
            writer.add_base_model_name(0, adapter.base.rsplit("/", 1)[-1])

    return gguf_file.write(target, Plan(config.model_type, describe, planned, adapter.stamp), report)


def base_config(base: Path) -> Any:
    """Return the configuration of a model given as folder or GGUF file. Raises as `convert.read_config` does."""
    if base.is_dir():
        return convert.read_config(base)
    from transformers import Qwen2Config

    from healgpt.models.baichuan.configuration_baichuan import BaichuanConfig

    fields = gguf_source.config_fields(gguf_file.read(base))
    kind: Callable[..., Any] = BaichuanConfig if fields["model_type"] == "baichuan" else Qwen2Config
    return kind(**fields)


def _gguf_pairs(name: str, pair: Pair, config: Any) -> list[tuple[str, Pair]]:
    """Return the GGUF matrices that checkpoint matrix `name` becomes, each with its own factors."""
    if config.model_type == "qwen2":
        return [(gguf_qwen2.gguf_name(name), pair)]
    return [(part.name, replace(pair, up=part.transform(pair.up))) for part in gguf_baichuan.parts(name, config)]


def merged(weights: Weights, adapter: Adapter) -> Weights:
    """Return `weights` with the adapter added, computed in float32 when a tensor is read.

    Raises `ModelError` for a matrix that the model does not have, or has in another shape.
    """
    for name, pair in adapter.pairs.items():
        shape = (pair.up.shape[0], pair.down.shape[1])
        if weights.shapes.get(name) != shape:
            raise ModelError(
                f"LoRA 的 {name}（{shape}）和底座（{weights.shapes.get(name)}）对不上。请检查底座是否正确。"
            )

    def read(name: str) -> Array:
        values = weights.read(name)
        if name not in adapter.pairs:
            return values
        wide: Array = values.astype(np.float32) + adapter.delta(name)
        return wide

    return replace(weights, read=read, stamp=weights.stamp + adapter.stamp)


def merge_gguf(base: Path, folder: Path, target: Path, *, report: Report | None = None) -> Path:
    """Add the LoRA in `folder` to the GGUF file `base`; changed matrices are quantised again in their own format.

    Where that format cannot be written here, the matrix becomes Q8_0, which loses less. Raises as `merged` does.
    """
    adapter, opened, config = read_adapter(folder), gguf_file.read(base), base_config(base)
    parts = {part: half for name, pair in adapter.pairs.items() for part, half in _gguf_pairs(name, pair, config)}
    planned = []
    for tensor in opened.tensors.values():
        half = parts.pop(tensor.name, None)
        if half is None:
            planned.append(Planned(tensor.name, tensor.shape, tensor.form, tensor.raw))
            continue
        if tensor.shape != (half.up.shape[0], half.down.shape[1]):
            raise ModelError(f"LoRA 的 {tensor.name} 和底座的形状 {tensor.shape} 对不上。请检查底座是否正确。")
        scale = adapter.alpha / half.down.shape[0]

        def read(tensor: gguf_file.Stored = tensor, half: Pair = half, scale: float = scale) -> Array:
            wide: Array = tensor.values() + scale * (half.up @ half.down)
            return wide

        planned.append(Planned(tensor.name, tensor.shape, gguf_quants.writable(tensor.form, tensor.shape[-1]), read))
    if parts:
        raise ModelError(f"底座 {base} 里没有 LoRA 要改的 {next(iter(parts))}。请检查底座是否正确。")
    plan = convert.copied_plan(opened, planned)
    return gguf_file.write(target, replace(plan, stamp=plan.stamp + adapter.stamp), report)


def clean_adapter_config(folder: Path) -> None:
    """Rewrite the folder's adapter_config.json without absolute paths; a model's hub name stays.

    Raises `DataError` for a file that is missing or no JSON.
    """
    place = folder / "adapter_config.json"
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{place} 读不了或不是 JSON。请检查适配器文件夹。") from error
    told = {key: convert.portable(value) if _is_path(value) else value for key, value in told.items()}
    place.write_text(json.dumps(told, indent=2, ensure_ascii=False), encoding="utf-8")


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and (value.startswith(("/", "~")) or "\\" in value or value[1:2] == ":")
