"""A self-contained Hugging Face folder from a GGUF file or another folder: weights, tokenizer, `chat`, card, licence.

What comes out runs where `transformers` is installed and this package is not. With `trust_remote_code=True` the
model has `chat` (and, for Baichuan, its whole network) from small modules in the folder; a Qwen2 folder also works
without it, natively, in `transformers`, vLLM and anything else that knows Qwen2 -- only `model.chat` is missing then.
"""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from healgpt.errors import ConfigError, DataError, ModelError
from healgpt.models import gguf_file, gguf_qwen2, gguf_source
from healgpt.models.convert import chat_template, model_card, portable
from healgpt.models.folder import DTYPES, write_code, write_texts, write_weights
from healgpt.models.gguf_file import GgufFile, Report
from healgpt.models.weights import Weights, open_folder

# How the project samples where the source has no generation_config.json.
_SETTINGS = {"do_sample": True, "temperature": 0.3, "top_p": 0.9, "top_k": 40, "repetition_penalty": 1.1}
_BUFFERS = ("rotary_emb.inv_freq", "alibi_mask", "future_mask")


@dataclass(frozen=True, slots=True)
class Source:
    """A model to be exported: `config` as config.json has it, `tokenizer` ready to be saved.

    `settings` are the fields of its generation_config.json; `origin` says in Chinese how the numbers came about.
    `pieces` is the content of `tokenizer.model` where the tokenizer cannot save it itself.
    """

    name: str
    weights: Weights
    config: dict[str, Any]
    tokenizer: Any
    settings: dict[str, Any]
    licence: str
    base: str
    origin: str
    licence_file: Path | None = None
    pieces: bytes = b""


def export(  # noqa: PLR0913 -- what the command line offers
    model: Path,
    folder: Path,
    *,
    dtype: str = "",
    licence: str = "",
    base: str = "",
    adapter: Path | None = None,
    report: Report | None = None,
) -> Path:
    """Write `model`, a GGUF file or a Hugging Face folder, into the new `folder`, tensor by tensor.

    `dtype` is one of `DTYPES`; empty keeps that of a folder and takes float16 for a quantised GGUF file. `licence`
    (SPDX) and `base` replace what the source says. Raises `ConfigError` for the dtype, `DataError` for a folder that
    is not empty or a full disk, `ModelError` for a damaged model, an unknown architecture or a missing template.
    The LoRA (PEFT folder) `adapter` is merged on the way.
    """
    if dtype and dtype not in DTYPES:
        raise ConfigError(f"没有 {dtype} 这种精度。可用的有：{'、'.join(DTYPES)}。")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} 已经存在，而且不是空文件夹。请换一个名字。")
    source = open_source(model)
    source = replace(source, licence=licence or source.licence, base=portable(base) or source.base)
    if adapter is not None:
        from healgpt.models.adapter import merged, read_adapter

        source = replace(source, weights=merged(source.weights, read_adapter(adapter)))
        source = replace(source, origin=f"{source.origin}，并入了 LoRA {adapter.resolve().name}")
    if source.tokenizer.chat_template is None:
        raise ModelError(f"{model} 没有对话模板，导出后无法对话。请换成 Instruct 或 Chat 模型。")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        _fill(source, part, dtype or source.weights.dtype, report)
        if folder.exists():
            folder.rmdir()
        part.replace(folder)
    except OSError as error:
        raise DataError(f"写不进 {folder}：{error.strerror or error}。请检查磁盘空间和权限。") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _fill(source: Source, folder: Path, dtype: str, report: Report | None) -> None:
    write_weights(source.weights, folder, dtype, report)
    source.tokenizer.save_pretrained(folder)
    if source.pieces:
        (folder / "tokenizer.model").write_bytes(source.pieces)
    config = source.config | {"dtype": dtype}
    for gone in ("_name_or_path", "torch_dtype", "auto_map", "transformers_version"):
        config.pop(gone, None)
    write_code(folder, config)
    (folder / "generation_config.json").write_text(json.dumps(source.settings, indent=2), encoding="utf-8")
    write_texts(
        folder,
        name=source.name,
        licence=source.licence,
        licence_file=source.licence_file,
        fields={"base": source.base, "dtype": dtype, "origin": source.origin, "kind": config["model_type"]},
    )


def open_source(model: Path) -> Source:
    """Open a GGUF file or a Hugging Face folder. Raises as `export` does."""
    return _from_folder(model) if model.is_dir() else _from_gguf(gguf_file.read(model))


def _from_folder(folder: Path) -> Source:
    from transformers import AutoConfig, AutoTokenizer

    from healgpt.models import baichuan
    from healgpt.models.baichuan.tokenization_baichuan import BaichuanTokenizer

    baichuan.register()
    weights = open_folder(folder)
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    try:
        kind: Any = BaichuanTokenizer if config.model_type == "baichuan" else AutoTokenizer
        tokenizer = kind.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder} 的分词器打不开：{error}") from error
    if tokenizer.chat_template is None:
        tokenizer.chat_template = chat_template(folder)
    place = folder / "generation_config.json"
    settings = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}
    licences = [path for path in sorted(folder.iterdir()) if path.name.upper().startswith("LICENSE")]
    dropped = {"lm_head.weight"} if config.tie_word_embeddings else set()
    kept = {
        name: shape for name, shape in weights.shapes.items() if name not in dropped and not name.endswith(_BUFFERS)
    }
    card, name = model_card(folder), folder.resolve().name
    return Source(
        name=card.get("model_name") or name,
        weights=replace(weights, shapes=kept),
        config=config.to_dict() | {"architectures": config.architectures},
        tokenizer=tokenizer,
        settings=settings or _settings(config.to_dict()),
        licence=card.get("license", ""),
        base=card.get("base_model") or name,
        origin="由原始权重逐个张量复制",
        licence_file=licences[0] if licences else None,
    )


def _from_gguf(opened: GgufFile) -> Source:
    config = gguf_source.config_fields(opened)
    name = str(opened.fields.get("general.name") or opened.path.stem)
    forms = sorted({tensor.form for tensor in opened.tensors.values()} - {"F32", "F16"})
    settings = _settings(config)
    pieces = b""
    if opened.architecture == "baichuan":
        settings |= {"user_token_id": 195, "assistant_token_id": 196}
        pieces = gguf_source.sentencepiece_file(opened)
        tokenizer = _baichuan_tokenizer(pieces, opened)
    else:
        tokenizer = gguf_qwen2.tokenizer(opened)
    return Source(
        name=name,
        weights=gguf_source.weights(opened),
        config=config,
        tokenizer=tokenizer,
        settings=settings,
        licence=str(opened.fields.get("general.license", "")),
        base=portable(str(opened.fields.get("general.base_model.0.name") or name)),
        origin=f"由 {'、'.join(forms)} 格式的 GGUF 还原，量化造成的误差保留在内" if forms else "由未量化的 GGUF 还原",
        pieces=pieces,
    )


def _baichuan_tokenizer(pieces: bytes, opened: GgufFile) -> Any:
    import tempfile

    from healgpt.models.baichuan.tokenization_baichuan import BaichuanTokenizer

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "tokenizer.model"
        place.write_bytes(pieces)
        built = BaichuanTokenizer(str(place), chat_template=opened.fields.get("tokenizer.chat_template"))
    built.vocab_file = None
    return built


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    ids = {name: config.get(name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    return _SETTINGS | {"max_new_tokens": 512} | {name: value for name, value in ids.items() if value is not None}
