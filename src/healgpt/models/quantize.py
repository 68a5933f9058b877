"""Quantise a model into GGUF and let the result stand only if it has not drifted too far from its source."""

from dataclasses import dataclass
from pathlib import Path

from healgpt.errors import DataError, ModelError
from healgpt.models import convert, drift, gguf_file, gguf_quants, gguf_source
from healgpt.models.drift import Drift
from healgpt.models.export import open_source
from healgpt.models.gguf_file import Report


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest drift that is let through: mean KL divergence in nats, and perplexity over the source's."""

    kl: float = 0.3
    ratio: float = 1.3


@dataclass(frozen=True, slots=True)
class Quantised:
    """A file that passed; sizes in bytes. `drift` is None where it was not measured."""

    path: Path
    source_bytes: int
    size: int
    drift: Drift | None


def quantise(
    model: Path,
    target: Path,
    recipe: str,
    *,
    bounds: Bounds | None = Bounds(),
    report: Report | None = None,
) -> Quantised:
    """Write `model`, a Hugging Face folder or GGUF file, as GGUF in `recipe`, measured before it takes its name.

    `bounds=None` skips the measurement, which is the only way for architectures other than Qwen2 and Baichuan.
    Raises `ModelError` where the result is not finite or out of bounds (nothing is left behind then), and as
    `convert.folder_to_gguf` and `convert.requantise` do.
    """
    recipe = gguf_quants.check_recipe(recipe)
    if target.exists():
        raise DataError(f"{target} 已经存在。请先删除它，或换一个文件名。")
    if bounds is not None and not model.is_dir():
        gguf_source.config_fields(gguf_file.read(model))  # refuses what cannot be measured before hours of work
    unchecked = target.with_name(f"{target.stem}.unchecked.gguf")
    if not unchecked.exists():
        if model.is_dir():
            convert.folder_to_gguf(model, unchecked, recipe, report=report)
        else:
            convert.requantise(model, unchecked, recipe, report=report)
    measured = None
    if bounds is not None:
        try:
            measured = measure(model, unchecked)
            check(measured, bounds, recipe)
        except ModelError:
            unchecked.unlink(missing_ok=True)
            raise
    unchecked.replace(target)
    return Quantised(target, _size(model), target.stat().st_size, measured)


def measure(model: Path, quantised: Path) -> Drift:
    """Return the drift of the GGUF file `quantised` from `model`, a folder or GGUF file."""
    source = open_source(model)
    other = gguf_source.weights(gguf_file.read(quantised))
    return drift.compare(source.weights, other, source.config, drift.windows(source.tokenizer))


def check(measured: Drift, bounds: Bounds, recipe: str) -> None:
    """Raise `ModelError` for a drift out of `bounds`."""
    if measured.kl <= bounds.kl and measured.ratio <= bounds.ratio:
        return
    raise ModelError(
        f"{recipe} 偏离来源太多，没有写出文件：平均 KL {measured.kl:.3f}（上限 {bounds.kl}），"
        f"困惑度是来源的 {measured.ratio:.2f} 倍（上限 {bounds.ratio}）。请改用更多比特的格式，"
        "或用 --max-kl、--max-ratio 放宽上限。"
    )


def _size(model: Path) -> int:
    if model.is_file():
        return model.stat().st_size
    return sum(path.stat().st_size for kind in ("*.safetensors", "*.bin") for path in model.glob(kind))
