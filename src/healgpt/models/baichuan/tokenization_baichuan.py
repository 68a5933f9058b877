"""The Baichuan tokenizer: SentencePiece BPE from `tokenizer.model`, run by the fast `tokenizers` backend.

This file travels with exported folders, so it imports nothing of this package but its own siblings.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators, allow-subclassing-any
# The framework types itself only in part.

from pathlib import Path
from shutil import copyfile
from typing import Any

from transformers import AddedToken
from transformers.tokenization_utils_tokenizers import TokenizersBackend

from .chat_baichuan import layout_template
from .sentencepiece_baichuan import CONTROL, USER_DEFINED, SentencePieceModel, build_tokenizer, read_model

_USER_ID, _ASSISTANT_ID = 195, 196
_BAICHUAN2_PIECES = 125_696


def default_template(model: SentencePieceModel) -> str | None:
    """Return the chat template of the published layout, or None where ids 195 and 196 are ordinary text.

    Only the vocabulary tells a Baichuan2 (which leaves `</s>` out between turns) from its predecessor here.
    """
    if len(model.pieces) <= _ASSISTANT_ID:
        return None
    user, assistant = model.pieces[_USER_ID], model.pieces[_ASSISTANT_ID]
    if {user.kind, assistant.kind} - {CONTROL, USER_DEFINED}:
        return None
    close = "" if len(model.pieces) == _BAICHUAN2_PIECES else model.pieces[model.eos_id].text
    return layout_template(user.text, assistant.text, close)


class BaichuanTokenizer(TokenizersBackend):
    """Same ids as `sentencepiece` on the same file; digits split and rare characters fall back to bytes there.

    `tokenizer.model` is read where it exists, because a `tokenizer.json` beside it may come from a converter that
    got spaces wrong; a folder with only `tokenizer.json` (as saved by this class) loads too. No token is put in
    front of a text unless `add_bos_token` asks for it, as in every published Baichuan configuration. Padding uses
    `<unk>` (id 0) unless a padding token is named. Raises `ValueError` where both files are missing or unreadable.
    """

    vocab_files_names = {"vocab_file": "tokenizer.model", "tokenizer_file": "tokenizer.json"}  # noqa: RUF012
    model_input_names = ["input_ids", "attention_mask"]  # noqa: RUF012
    padding_side = "left"

    def __init__(
        self,
        vocab_file: str | None = None,
        tokenizer_file: str | None = None,
        unk_token: str | AddedToken = "<unk>",  # noqa: S107
        bos_token: str | AddedToken = "<s>",  # noqa: S107
        eos_token: str | AddedToken = "</s>",  # noqa: S107
        **kwargs: Any,
    ) -> None:
        if vocab_file is not None:
            model = read_model(Path(vocab_file))
            kwargs["tokenizer_object"] = build_tokenizer(model)
            if kwargs.get("chat_template") is None:
                kwargs["chat_template"] = default_template(model)
        elif tokenizer_file is not None:
            kwargs["tokenizer_file"] = tokenizer_file
        else:
            raise ValueError(
                "文件夹里既没有 tokenizer.model 也没有 tokenizer.json，无法建立 Baichuan 分词器。"
                "请从模型的发布页补上 tokenizer.model。"
            )
        for unused in ("sp_model_kwargs", "legacy", "use_fast"):
            kwargs.pop(unused, None)
        kwargs["clean_up_tokenization_spaces"] = False
        kwargs.setdefault("add_bos_token", False)
        kwargs.setdefault("add_eos_token", False)
        if kwargs.get("pad_token") is None:
            kwargs["pad_token"] = unk_token
        # The published tokenizer_config.json marks them `single_word`, by which `了</s>` would not end a turn here.
        named = {
            "unk_token": unk_token,
            "bos_token": bos_token,
            "eos_token": eos_token,
            "pad_token": kwargs.pop("pad_token"),
        }
        super().__init__(**{name: str(token) for name, token in named.items()}, **kwargs)
        self.vocab_file = vocab_file

    @classmethod
    def convert_to_native_format(cls, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """Hand the file names through: the framework's own conversion changes ids around spaces."""
        kwargs.pop("trust_remote_code", None)
        return kwargs

    @classmethod
    def _patch_mistral_regex(cls, tokenizer: Any, *_: Any, **__: Any) -> Any:
        # The framework asks the hub about every vocabulary above 100,000 entries; Baichuan2 is no Mistral.
        return tokenizer

    def _save_pretrained(self, save_directory: Any, file_names: tuple[str, ...], *args: Any, **kwargs: Any) -> Any:
        # The framework writes tokenizer.json alone; converters to other formats want the original file too.
        saved = super()._save_pretrained(save_directory, file_names, *args, **kwargs)
        return (*saved, *self.save_vocabulary(save_directory))

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> Any:
        """Copy `tokenizer.model` into `save_directory` where there is one; return the paths written."""
        if self.vocab_file is None or not Path(self.vocab_file).is_file():
            return ()
        target = Path(save_directory) / f"{filename_prefix + '-' if filename_prefix else ''}tokenizer.model"
        if Path(self.vocab_file).resolve() != target.resolve():
            copyfile(self.vocab_file, target)
        return (str(target),)


class BaiChuanTokenizer(BaichuanTokenizer):
    """The same tokenizer under the spelling that Baichuan-7B was published with."""
