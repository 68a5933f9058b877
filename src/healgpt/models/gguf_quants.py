"""Which number format every tensor of a GGUF file gets, and the encoding itself.

Formats without K come from `gguf`'s reference code in NumPy; `libgguf` (extra `quant`), where it is installed, gives
the same bytes faster and adds the K-formats. The mixtures follow `llama-quantize`: norms and biases stay in float32,
the output matrix (or the embedding, where it is both) gets more bits than the rest, and a row that does not divide
into blocks of 256 takes the next larger format with blocks of 32.
"""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from healgpt.errors import ConfigError, ModelError

Array = npt.NDArray[np.generic]

# name -> (`general.file_type`, format of most matrices, format of the output matrix)
RECIPES: dict[str, tuple[int, str, str]] = {
    "F32": (0, "F32", "F32"),
    "F16": (1, "F16", "F16"),
    "Q8_0": (7, "Q8_0", "Q8_0"),
    "Q4_0": (2, "Q4_0", "Q8_0"),
    "Q6_K": (18, "Q6_K", "Q6_K"),
    "Q5_K_M": (17, "Q5_K", "Q6_K"),
    "Q4_K_M": (15, "Q4_K", "Q6_K"),
}
_NARROW = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
_PLAIN = ("Q4_0", "Q5_0", "Q5_1", "Q8_0")
_LAYER = re.compile(r"blk\.(\d+)\.")
_ROWS = 1024  # encoded at a time, which bounds the memory beside the tensor


def check_recipe(name: str) -> str:
    """Return `name` in capitals. Raises `ConfigError` for an unknown one, or a K-recipe without its library."""
    recipe = name.upper()
    if recipe not in RECIPES:
        raise ConfigError(f"没有 {name} 这种量化格式。可用的有：{'、'.join(RECIPES)}。")
    if "_K" in recipe and not has_k_formats():
        raise ConfigError(f'{recipe} 需要 libgguf。请先运行 pip install "healgpt[quant]"，或改用 Q8_0、Q4_0。')
    return recipe


def has_k_formats() -> bool:
    """Say whether the K-formats can be written here."""
    import importlib.util

    return importlib.util.find_spec("libgguf") is not None


def file_type(recipe: str) -> int:
    """Return llama.cpp's number (`LlamaFileType`) for a file of this recipe."""
    return RECIPES[recipe][0]


def tensor_format(recipe: str, name: str, shape: tuple[int, ...], *, layers: int, tied: bool) -> str:
    """Return the GGUF format of tensor `name` (GGUF spelling) of `shape` (rows, columns) under `recipe`."""
    if len(shape) < 2 or "_norm" in name:
        return "F32"
    _, most, output = RECIPES[recipe]
    chosen = most
    if name == "output.weight" or (tied and name == "token_embd.weight"):
        chosen = output
    elif recipe in ("Q4_K_M", "Q5_K_M") and _needs_more(name, layers):
        chosen = "Q6_K"
    return fitting(chosen, shape[-1])


def fitting(chosen: str, width: int) -> str:
    """Return `chosen`, or the next format that rows of `width` numbers can take; F16 where none can."""
    if chosen in _NARROW and width % 256:
        chosen = _NARROW[chosen]
    return "F16" if chosen in _PLAIN and width % 32 else chosen


def writable(form: str, width: int) -> str:
    """Return `form`, or Q8_0 (F16 for odd widths) where this machine cannot write it."""
    known = ("F32", "F16", *_PLAIN, *(_NARROW if has_k_formats() else ()))
    return form if form in known else fitting("Q8_0", width)


def _needs_more(name: str, layers: int) -> bool:
    """Say whether llama-quantize's M-recipes give this tensor Q6_K: value and down projections of some layers."""
    match = _LAYER.match(name)
    if match is None or not name.endswith(("attn_v.weight", "ffn_down.weight")):
        return False
    index, eighth = int(match[1]), layers // 8
    return index < eighth or index >= 7 * layers // 8 or (index - eighth) % 3 == 2


def encoded_bytes(form: str, shape: tuple[int, ...]) -> int:
    """Return how many bytes a tensor of `shape` takes in format `form`."""
    import gguf

    block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[form]]
    return int(np.prod(shape, dtype=np.int64)) // int(block) * int(size)


def encode(values: Array, form: str) -> bytes:
    """Return `values` (rows, columns, or one row) as the bytes of format `form`.

    Raises `ModelError` for numbers that are not finite, or too large for F16.
    """
    import gguf

    if not np.isfinite(values).all():
        raise ModelError("有不是有限数的值（NaN 或无穷大）")
    kind = gguf.GGMLQuantizationType[form]
    rows = values.reshape(-1, values.shape[-1])
    return b"".join(_encode_rows(rows[start : start + _ROWS], form, kind) for start in range(0, len(rows), _ROWS))


def _encode_rows(rows: Array, form: str, kind: Any) -> bytes:
    if form == "F32":
        return np.ascontiguousarray(rows, np.float32).tobytes()
    if form == "F16":
        if rows.dtype != np.float16 and np.abs(rows).max(initial=0) > 65504:
            raise ModelError("有超出 float16 范围的值，请改用 F32")
        return np.ascontiguousarray(rows, np.float16).tobytes()
    wide = np.ascontiguousarray(rows, np.float32)
    if has_k_formats():
        import libgguf

        return bytes(libgguf.quantize_rows(wide, kind).tobytes())
    import gguf

    if form not in _PLAIN:
        raise ModelError(f'写 {form} 需要 libgguf，请先运行 pip install "healgpt[quant]"')
    return bytes(gguf.quants.quantize(wide, kind).tobytes())


def decode(data: Array, form: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return the float32 values of stored `data` as an array of `shape`.

    Raises `ModelError` for a format that cannot be read here.
    """
    import gguf

    kind = gguf.GGMLQuantizationType[form]
    if form in ("F32", "F16"):
        return data.astype(np.float32).reshape(shape)
    if has_k_formats() and form in (*_PLAIN, "Q4_K", "Q5_K", "Q6_K"):
        import libgguf

        raw = np.ascontiguousarray(data).view(np.uint8).reshape(-1)
        rows = libgguf.dequantize_rows(raw.reshape(*shape[:-1], -1), kind, n_per_row=shape[-1])
        return np.asarray(rows, np.float32).reshape(shape)
    try:
        return np.asarray(gguf.quants.dequantize(data, kind), np.float32).reshape(shape)
    except NotImplementedError as error:
        raise ModelError(f"这里读不了 {form} 格式的张量。请换用 {'、'.join(RECIPES)} 之一的文件。") from error
