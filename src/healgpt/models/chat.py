"""`chat` for causal language models, importable without `torch`; exports copy its file, `SOURCE`, beside the weights.

The code lives with the Baichuan port because `transformers` saves a model's own modules from one folder only.
"""

from pathlib import Path

from healgpt.models.baichuan.chat_baichuan import chat, prompt_ids

SOURCE = Path(__file__).parent / "baichuan" / "chat_baichuan.py"

__all__ = ["SOURCE", "chat", "prompt_ids"]
