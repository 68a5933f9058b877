"""The files of a Hugging Face model folder: sharded weights, code that travels with them, model card, licence."""

import json
import shutil
import string
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np

from healgpt.errors import ModelError
from healgpt.models.chat import SOURCE
from healgpt.models.gguf_file import Report, check_disk
from healgpt.models.progress import Meter
from healgpt.models.weights import Array, Weights

DTYPES = ("float16", "bfloat16", "float32")
SHARD_BYTES = 2 << 30
_CODE = "modeling_chat.py"
_CHAT_CLASS = '''

import transformers as _transformers


class {name}(_transformers.{name}):
    """The network of `transformers`, unchanged, with `chat` added."""

    chat = chat
'''
_REMOTE = {
    True: "`trust_remote_code=True` 会运行这个文件夹里的几个 `.py`：transformers 不带 Baichuan，它们就是这个网络。",
    False: "`trust_remote_code=True` 只为 `model.chat`：它运行这个文件夹里的 `modeling_chat.py`。不写它，"
    "模型照样能用（transformers、vLLM 都自带这个架构），请改用 `tokenizer.apply_chat_template` 和 `model.generate`。",
}


def write_weights(weights: Weights, folder: Path, dtype: str, report: Report | None = None) -> None:
    """Write all tensors as safetensors in `dtype`, in shards of about 2 GiB, with their index.

    One shard is in memory at a time. Raises `ModelError` naming a tensor whose numbers are not finite or do not
    fit, `DataError` for a full disk.
    """
    width = 4 if dtype == "float32" else 2
    sizes = {name: width * int(np.prod(shape, dtype=np.int64)) for name, shape in weights.shapes.items()}
    check_disk(folder, sum(sizes.values()))
    groups = _grouped(sizes)
    meter, done = Meter(sum(sizes.values()), report), 0
    index: dict[str, str] = {}
    for number, group in enumerate(groups, start=1):
        single = len(groups) == 1
        name = "model.safetensors" if single else f"model-{number:05d}-of-{len(groups):05d}.safetensors"
        _save_shard({key: cast(key, weights.read(key), dtype) for key in group}, folder / name)
        index |= dict.fromkeys(group, name)
        done += sum(sizes[key] for key in group)
        meter.at(done)
    if len(groups) > 1:
        told = {"metadata": {"total_size": sum(sizes.values())}, "weight_map": index}
        (folder / "model.safetensors.index.json").write_text(json.dumps(told, indent=2), encoding="utf-8")
    meter.at(done, "done")


def _grouped(sizes: dict[str, int]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    filled = 0
    for name, size in sizes.items():
        if groups[-1] and filled + size > SHARD_BYTES:
            groups.append([])
            filled = 0
        groups[-1].append(name)
        filled += size
    return groups


def _save_shard(tensors: dict[str, Any], path: Path) -> None:
    from safetensors.torch import save_file

    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)  # the library writes files that only their owner may read


def cast(name: str, values: Array, dtype: str) -> Any:
    """Return `values` as a torch tensor of `dtype`. Raises `ModelError` for numbers that are lost by that."""
    import torch

    tensor = torch.from_numpy(np.ascontiguousarray(values)).to(getattr(torch, dtype))
    if not torch.isfinite(tensor).all():
        raise ModelError(f"张量 {name} 有不是有限数的值，或超出了 {dtype} 的范围。请检查来源，或换 --dtype float32。")
    return tensor


def write_code(folder: Path, config: dict[str, Any]) -> None:
    """Write config.json and the modules that give the model its `chat`. The tokenizer must be there already.

    Raises `ModelError` for an architecture that `transformers` does not have.
    """
    if config["model_type"] == "baichuan":
        _write_baichuan(folder, config)
    else:
        _write_chat(folder, config)
    (folder / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")


def _write_chat(folder: Path, config: dict[str, Any]) -> None:
    import transformers

    name = str((config.get("architectures") or [""])[0])
    if not name.endswith("ForCausalLM") or not hasattr(transformers, name):
        raise ModelError(
            f"不会导出架构 {name or config['model_type']!r}。支持 Baichuan、Qwen2 和 transformers 自带的因果语言模型。"
        )
    code = SOURCE.read_text(encoding="utf-8") + _CHAT_CLASS.format(name=name)
    (folder / _CODE).write_text(code, encoding="utf-8")
    config["auto_map"] = {"AutoModelForCausalLM": f"{Path(_CODE).stem}.{name}"}


def _write_baichuan(folder: Path, config: dict[str, Any]) -> None:
    for path in sorted(SOURCE.parent.glob("*_baichuan.py")):
        shutil.copyfile(path, folder / path.name)
    config |= {
        "architectures": ["BaichuanForCausalLM"],
        "tokenizer_class": "BaichuanTokenizer",
        "auto_map": {
            "AutoConfig": "configuration_baichuan.BaichuanConfig",
            "AutoModelForCausalLM": "modeling_baichuan.BaichuanForCausalLM",
        },
    }
    place = folder / "tokenizer_config.json"
    told = json.loads(place.read_text(encoding="utf-8"))
    told |= {"tokenizer_class": "BaichuanTokenizer"}
    told["auto_map"] = {"AutoTokenizer": [None, "tokenization_baichuan.BaichuanTokenizer"]}
    place.write_text(json.dumps(told, indent=2, ensure_ascii=False), encoding="utf-8")


def write_texts(folder: Path, *, name: str, licence: str, licence_file: Path | None, fields: dict[str, str]) -> None:
    """Write README.md (the model card) and LICENSE; `fields` are `base`, `dtype`, `origin` and `kind`.

    Where the source names no licence, both files say so: none is invented.
    """
    card = resources.files("healgpt.models").joinpath("model_card.md").read_text(encoding="utf-8")
    text = string.Template(card).substitute(
        name=name,
        licence=(licence or "unknown").lower(),
        base=fields["base"],
        dtype=fields["dtype"],
        origin=fields["origin"],
        remote=_REMOTE[fields["kind"] == "baichuan"],
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    if licence_file is not None:
        shutil.copyfile(licence_file, folder / licence_file.name)
        return
    (folder / "LICENSE").write_text(_licence(licence, fields["base"]), encoding="utf-8")


def _licence(licence: str, base: str) -> str:
    if licence.lower() == "apache-2.0":
        # This package is under the same licence: its text is installed with it, or lies at the root of a checkout.
        installed = [Path(str(file.locate())) for file in metadata.files("healgpt") or () if file.name == "LICENSE"]
        for place in (*installed, Path(__file__).parents[3] / "LICENSE"):
            if place.is_file() and (text := place.read_text(encoding="utf-8")).strip():
                return text
    if licence:
        return f"权重沿用来源模型 {base} 的许可：{licence}。全文见来源模型的发布页。\n"
    return f"来源 {base} 没有写明许可。使用和分发之前，请到来源模型的发布页确认。\n"
