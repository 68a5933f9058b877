"""Enter the Baichuan family into the tables of `transformers`; importing this module loads `torch`."""

# mypy: allow-untyped-calls, allow-untyped-decorators, allow-subclassing-any
# The framework types itself only in part.

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer

from healgpt.models.baichuan.configuration_baichuan import BaichuanConfig
from healgpt.models.baichuan.modeling_baichuan import BaichuanForCausalLM, BaichuanModel
from healgpt.models.baichuan.tokenization_baichuan import BaiChuanTokenizer, BaichuanTokenizer


class _FirstSpelling(BaichuanConfig):
    """Only a key, see `enter`."""


class _SecondSpelling(BaichuanConfig):
    """Only a key, see `enter`."""


def enter() -> None:
    """Do what `healgpt.models.baichuan.register` promises."""
    AutoConfig.register("baichuan", BaichuanConfig, exist_ok=True)
    AutoModel.register(BaichuanConfig, BaichuanModel, exist_ok=True)
    AutoModelForCausalLM.register(BaichuanConfig, BaichuanForCausalLM, exist_ok=True)
    # Tokenizers are found by the class name in tokenizer_config.json or in the configuration. They are filed under
    # keys of their own: filed under BaichuanConfig, `transformers` would prefer the remote code of a folder over
    # them when trust_remote_code=True.
    AutoTokenizer.register(_FirstSpelling, BaichuanTokenizer, exist_ok=True)
    AutoTokenizer.register(_SecondSpelling, BaiChuanTokenizer, exist_ok=True)
    BaichuanConfig.register_for_auto_class()
    BaichuanForCausalLM.register_for_auto_class("AutoModelForCausalLM")
    BaichuanTokenizer.register_for_auto_class("AutoTokenizer")
