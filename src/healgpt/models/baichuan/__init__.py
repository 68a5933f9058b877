"""Baichuan-7B, Baichuan-13B, Baichuan2-7B and Baichuan2-13B for current `transformers`.

After `register()`, `AutoConfig`, `AutoModelForCausalLM` and `AutoTokenizer` load folders in the original format as
any other, and no code from the folder is run, `trust_remote_code=True` or not. A model saved with `save_pretrained`
afterwards carries this code with it and works where only `transformers` is installed.
"""


def register() -> None:
    """Teach `transformers` the Baichuan family. May be called any number of times; the first call loads torch."""
    from healgpt.models.baichuan.registration import enter

    enter()
