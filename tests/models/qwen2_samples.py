"""Small Qwen2 models for the tests: random weights, seeded, with a byte-level tokenizer and the published template."""

from pathlib import Path
from typing import Any

import torch
from transformers import AddedToken, Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def small_tokenizer() -> Any:
    texts = list(bytes_to_unicode().values())
    first = "头".encode()
    mapping = bytes_to_unicode()
    pair = (mapping[first[0]], mapping[first[1]])
    vocab = {text: index for index, text in enumerate([*texts, "".join(pair)])}
    added = {len(vocab) + n: AddedToken(text, special=True, normalized=False) for n, text in enumerate(SPECIAL)}
    made: Any = Qwen2Tokenizer
    built = made(vocab=vocab, merges=[pair], added_tokens_decoder=added, eos_token="<|im_end|>")
    built.chat_template = TEMPLATE
    return built


def write_qwen2(folder: Path, *, tied: bool = False, seed: int = 0, **changes: Any) -> Path:
    """Write a folder as the framework saves it: 2 layers, grouped heads, biases, a vocabulary with spare rows."""
    tokenizer = small_tokenizer()
    torch.manual_seed(seed)
    shape: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
    shape |= {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512}
    shape |= {"vocab_size": 272, "tie_word_embeddings": tied, "initializer_range": 0.3}
    shape |= {"eos_token_id": 259, "pad_token_id": 257, "bos_token_id": None}
    model = Qwen2ForCausalLM(Qwen2Config(**shape | changes)).eval()
    for name, value in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(value, std=0.3)
    # Answers stay in printable ASCII: engines differ in how they show bytes that are no text.
    unprintable = [index for index, byte in enumerate(bytes_to_unicode()) if not 32 < byte < 127]
    with torch.no_grad():
        model.lm_head.weight[unprintable] *= 0.05
        model.lm_head.weight[256:258] *= 0.05
        model.lm_head.weight[260:] *= 0.05
    model.generation_config.update(do_sample=False, max_new_tokens=8, eos_token_id=259, pad_token_id=257)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
