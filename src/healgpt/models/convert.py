"""Model files from one form into another: a Hugging Face folder into GGUF, a GGUF file into another quantisation.

Qwen2 and Baichuan are converted here, tensor by tensor, so a 13-billion-parameter model needs the memory of its
largest matrix (in float32, a few times over), not of the model.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from healgpt.errors import DataError, ModelError
from healgpt.models import gguf_baichuan, gguf_file, gguf_quants, gguf_qwen2
from healgpt.models.gguf_file import GgufFile, Plan, Planned, Report
from healgpt.models.weights import Weights, open_folder

FAMILIES = ("qwen2", "baichuan")


def folder_to_gguf(
    folder: Path, target: Path, recipe: str = "F16", *, licence: str = "", report: Report | None = None
) -> Path:
    """Convert a Qwen2 or Baichuan folder into one GGUF file; a run that was stopped is resumed.

    `recipe` is a name of `gguf_quants.RECIPES`. `licence` (SPDX) replaces what the model card says. Raises
    `ModelError` for weights that do not fit config.json, an unknown architecture or numbers that are not finite,
    `DataError` for the tokenizer and the disk, `ConfigError` for the recipe.
    """
    recipe = gguf_quants.check_recipe(recipe)
    config = read_config(folder)
    weights = open_folder(folder)
    planned = list(_planned(weights, config, recipe))

    def describe(writer: Any) -> None:
        _describe_source(writer, folder, recipe, licence)
        if config.model_type == "baichuan":
            _describe_baichuan(writer, folder, config)
        else:
            gguf_qwen2.write_architecture(writer, config)
            gguf_qwen2.write_tokenizer(writer, folder, config.vocab_size, special_ids(folder, config))
            if template := chat_template(folder):
                writer.add_chat_template(template)

    return gguf_file.write(target, Plan(config.model_type, describe, planned, weights.stamp), report)


def requantise(source: Path, target: Path, recipe: str, *, report: Report | None = None) -> Path:
    """Rewrite a GGUF file of any architecture in `recipe`; metadata, norms and biases stay.

    From an already quantised file the losses add up: measure with `drift`, or start from the original weights.
    """
    recipe = gguf_quants.check_recipe(recipe)
    opened = gguf_file.read(source)
    layers = int(opened.number("block_count", 0))
    tied = "output.weight" not in opened.tensors
    planned = []
    for tensor in opened.tensors.values():
        form = gguf_quants.tensor_format(recipe, tensor.name, tensor.shape, layers=layers, tied=tied)
        read = tensor.raw if form == tensor.form else tensor.values
        planned.append(Planned(tensor.name, tensor.shape, form, read))
    return gguf_file.write(target, copied_plan(opened, planned, file_type=gguf_quants.file_type(recipe)), report)


def copied_plan(opened: GgufFile, planned: list[Planned], *, file_type: int | None = None) -> Plan:
    """Plan a file with the metadata of `opened` and other tensors."""

    def describe(writer: Any) -> None:
        for name, value in opened.fields.items():
            if name == "general.architecture" or (name == "general.file_type" and file_type is not None):
                continue
            kinds = opened.kinds[name]
            writer.add_key_value(name, value, kinds[0], sub_type=kinds[1] if len(kinds) > 1 else None)
        if file_type is not None:
            writer.add_file_type(file_type)

    from healgpt.models.weights import stamp

    return Plan(opened.architecture, describe, planned, stamp([opened.path]))


def read_config(folder: Path) -> Any:
    """Return the configuration of a folder of a family that converts.

    Raises `ModelError` for any other, saying what is supported and what to do instead.
    """
    from transformers import AutoConfig

    from healgpt.models import baichuan

    baichuan.register()
    place = folder / "config.json"
    try:
        kind = json.loads(place.read_text(encoding="utf-8")).get("model_type")
    except FileNotFoundError as error:
        raise ModelError(f"{folder} 里没有 config.json，不是 Hugging Face 格式的模型文件夹。") from error
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{place} 不是合法的 JSON。请重新下载这个文件。") from error
    if kind not in FAMILIES:
        raise ModelError(
            f"不会转换架构 {kind!r}。这里支持 {'、'.join(FAMILIES)}；其他架构请用 llama.cpp 自带的 "
            "convert_hf_to_gguf.py 转成 GGUF，再用 healgpt quantize 量化、healgpt chat --model 文件.gguf 打开。"
        )
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except (ValueError, OSError, TypeError, KeyError) as error:
        raise ModelError(f"{place} 有误：{error}") from error
    if config.model_type == "baichuan":
        gguf_baichuan.check_layers(config)
    return config


def _planned(weights: Weights, config: Any, recipe: str) -> Iterator[Planned]:
    """Yield the tensors of the file in the order of the checkpoint."""
    layers, tied = config.num_hidden_layers, bool(config.tie_word_embeddings)
    read = lru_cache(maxsize=1)(weights.read)  # one matrix may become three
    for name, shape in weights.shapes.items():
        if tied and name == "lm_head.weight":
            continue
        for part, part_shape, transform in _parts(name, shape, config):
            form = gguf_quants.tensor_format(recipe, part, part_shape, layers=layers, tied=tied)
            yield Planned(part, part_shape, form, lambda name=name, transform=transform: transform(read(name)))  # type: ignore[misc]


def _parts(name: str, shape: tuple[int, ...], config: Any) -> Iterator[tuple[str, tuple[int, ...], Any]]:
    if config.model_type == "qwen2":
        yield gguf_qwen2.gguf_name(name), shape, lambda rows: rows
        return
    cut = 3 if name.endswith("W_pack.weight") else 1
    for part in gguf_baichuan.parts(name, config):
        yield part.name, (shape[0] // cut, *shape[1:]), part.transform


def _describe_baichuan(writer: Any, folder: Path, config: Any) -> None:
    from healgpt.models.baichuan.sentencepiece_baichuan import read_model
    from healgpt.models.baichuan.tokenization_baichuan import default_template

    try:
        pieces = read_model(folder / "tokenizer.model")
    except ValueError as error:
        raise DataError(f"{error}") from error
    gguf_baichuan.write_architecture(writer, config)
    gguf_baichuan.write_tokenizer(writer, pieces, config, chat_template(folder) or default_template(pieces))


def _describe_source(writer: Any, folder: Path, recipe: str, licence: str) -> None:
    card = model_card(folder)
    writer.add_type("model")
    writer.add_name(card.get("model_name") or folder.resolve().name)
    if licence or card.get("license"):
        writer.add_license(licence or card["license"])
    if card.get("base_model"):
        writer.add_base_model_count(1)
        writer.add_base_model_name(0, card["base_model"].rsplit("/", 1)[-1])
        if "/" in card["base_model"]:
            writer.add_base_model_repo_url(0, f"https://huggingface.co/{card['base_model']}")
    writer.add_languages(["zh", "en"])
    writer.add_file_type(gguf_quants.file_type(recipe))
    writer.add_quantization_version(2)


def model_card(folder: Path) -> dict[str, str]:
    """Return the plain `key: value` lines at the head of the folder's README.md, empty without one.

    A `base_model` that is a path of some machine is reduced to its last part.
    """
    try:
        lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, str] = {}
    if not lines or lines[0].strip() != "---":
        return {}
    for line in lines[1:]:
        if line.strip() == "---":
            break
        key, colon, value = line.partition(":")
        if colon and value.strip() and not key.startswith((" ", "-")):
            found[key.strip()] = value.strip().strip("\"'")
    if "base_model" in found:
        found["base_model"] = portable(found["base_model"])
    return found


def portable(name: str) -> str:
    """Return a model's name without the folders of one machine: `owner/name` stays, a path keeps its last part."""
    looks_like_path = name.startswith(("/", "~", ".")) or "\\" in name or name[1:2] == ":" or name.count("/") > 1
    return name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] if looks_like_path else name


def chat_template(folder: Path) -> str | None:
    """Return the chat template of a folder, from `chat_template.jinja` or tokenizer_config.json; None without one."""
    place = folder / "chat_template.jinja"
    if place.is_file():
        return place.read_text(encoding="utf-8")
    told = _json(folder / "tokenizer_config.json").get("chat_template")
    if isinstance(told, list):
        told = next((item.get("template") for item in told if item.get("name") == "default"), None)
    return told if isinstance(told, str) else None


def special_ids(folder: Path, config: Any) -> dict[str, int | None]:
    """Return the ids of the tokens that begin, end and pad a text: the tokenizer's word first, then the network's."""
    described = _json(folder / "tokenizer_config.json")
    known = {item["content"]: item["id"] for item in _json(folder / "tokenizer.json").get("added_tokens", [])}
    found: dict[str, int | None] = {}
    for name in ("bos", "eos", "pad"):
        told = described.get(f"{name}_token")
        text = told.get("content") if isinstance(told, dict) else told
        number = known.get(text, getattr(config, f"{name}_token_id", None))
        found[name] = number[0] if isinstance(number, list) else number
    return found


def _json(place: Path) -> dict[str, Any]:
    if not place.is_file():
        return {}
    try:
        data: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{place} 不是合法的 JSON。请重新下载这个文件。") from error
    return data
