"""`model.chat(tokenizer, messages, stream=False, generation_config=None)` for any causal language model.

Two layouts of a conversation exist. Where the generation config names `user_token_id` and `assistant_token_id`, or
the model is a Baichuan, the published token layout is built from ids: `195 user 196 assistant </s> 195 user 196`
(Baichuan2 leaves the `</s>` out). Otherwise the tokenizer's chat template is used. In both, text that a user typed
can never become a control token.

This file stands alone: exported folders carry it next to their weights, and it needs `torch`, `transformers` and
nothing else. Errors are therefore `ValueError`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

Encode = Callable[[str], list[int]]

_USER_TOKEN_ID = 195
_ASSISTANT_TOKEN_ID = 196
_MAX_NEW_TOKENS = 2048
_WINDOW = 4096
_ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class Layout:
    """Token ids that frame the turns of a conversation; `close` ends an assistant turn, None where nothing does."""

    user: int
    assistant: int
    close: int | None


def chat(
    model: Any,
    tokenizer: Any,
    messages: Sequence[dict[str, str]],
    stream: bool = False,
    generation_config: Any = None,
) -> str | Iterator[str]:
    """Answer `messages`, whose last turn is the user's.

    Returns the answer, or with `stream=True` an iterator over the growing answer: each item repeats the ones
    before and adds to them, and the last equals what `stream=False` would return under the same seed. Closing the
    iterator stops the computation. A conversation too long for the model loses its oldest rounds, whole; a greeting
    before the first user turn is left out, as published.
    Nothing on the model is changed, so calls may follow each other in any order.

    Raises `ValueError` for a conversation that is empty, has a wrong role or does not end with the user.
    """
    import torch

    settings = generation_config or model.generation_config
    ids = prompt_ids(model, tokenizer, messages, settings)
    tokens = torch.tensor([ids], device=model.device)
    options = {"attention_mask": torch.ones_like(tokens), "generation_config": settings}
    if getattr(settings, "max_new_tokens", None) is None and not _bounded(settings):
        options["max_new_tokens"] = min(_MAX_NEW_TOKENS, _window(model) - len(ids))
    if stream:
        return _grow(model, tokenizer, tokens, options)
    with torch.inference_mode():
        output = model.generate(tokens, **options)
    return str(tokenizer.decode(output[0][len(ids) :], skip_special_tokens=True))


def prompt_ids(model: Any, tokenizer: Any, messages: Sequence[dict[str, str]], settings: Any = None) -> list[int]:
    """Return the token ids that `chat` gives to the model, cut to the published length: the window without
    `max_new_tokens`, but at least half the window (2,048 for the published models).
    """
    _check(messages)
    settings = settings or model.generation_config
    window = _window(model)
    new_tokens = getattr(settings, "max_new_tokens", None) or _MAX_NEW_TOKENS
    limit = max(window // 2, window - new_tokens)
    layout = _layout(model, settings)
    if layout is None:
        return _template_ids(tokenizer, messages, limit)
    special = set(tokenizer.all_special_ids) | {layout.user, layout.assistant}

    def encode(text: str) -> list[int]:
        return plain_ids(tokenizer, text, special)

    return layout_ids(encode, messages, layout, limit)


def layout_template(user: str, assistant: str, close: str) -> str:
    """Return the chat template (Jinja) of the published layout, from the spellings of its control tokens.

    `close` ends an assistant turn and is empty for Baichuan2.
    """
    return (
        "{%- for message in messages -%}"
        "{%- if message['role'] == 'system' -%}{{- message['content'] -}}"
        "{%- elif message['role'] == 'user' -%}{{- '" + user + "' + message['content'] -}}"
        "{%- elif message['role'] == 'assistant' -%}{{- '" + assistant + "' + message['content'] + '" + close + "' -}}"
        "{%- endif -%}{%- endfor -%}"
        "{%- if add_generation_prompt -%}{{- '" + assistant + "' -}}{%- endif -%}"
    )


def layout_ids(encode: Encode, messages: Sequence[dict[str, str]], layout: Layout, limit: int) -> list[int]:
    """Build the published layout: as many whole rounds from the end as fit into `limit` tokens, at least one.

    A last round that alone is too long loses its beginning, as published. A system message comes first, bare, and
    is never cut. The id of the assistant follows and is not counted.
    """
    system = [token for message in messages if message["role"] == "system" for token in encode(message["content"])]
    room = limit - len(system)
    if room < 1:
        raise ValueError(f"系统提示有 {len(system)} 个词元，超过了输入上限 {limit}。请缩短系统提示。")
    kept: list[int] = []
    for start in reversed(_round_starts(messages)):
        tokens = _round_ids(encode, messages[start:], layout)
        if kept and len(tokens) + len(kept) > room:
            break
        kept = tokens + kept
        messages = messages[:start]
        if len(kept) >= room:
            break
    return [*system, *kept[-room:], layout.assistant]


def plain_ids(tokenizer: Any, text: str, special: set[int]) -> list[int]:
    """Encode what somebody typed as ordinary text: no id of `special` comes out, whatever it spells."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    found = special.intersection(ids)
    if not found:
        return ids
    names = [str(name) for name in tokenizer.convert_ids_to_tokens(sorted(found))]
    cuts = [text.find(name) + 1 for name in names if len(name) > 1 and name in text]
    if not cuts:
        # An unknown character, or a token without a spelling: nothing to forge, so it is left out.
        return [token for token in ids if token not in special]
    cut = min(cuts)
    return plain_ids(tokenizer, text[:cut], special) + plain_ids(tokenizer, text[cut:], special)


def _round_starts(messages: Sequence[dict[str, str]]) -> list[int]:
    return [index for index, message in enumerate(messages) if message["role"] == "user"]


def _round_ids(encode: Encode, messages: Sequence[dict[str, str]], layout: Layout) -> list[int]:
    ids: list[int] = []
    for message in messages:
        if message["role"] == "user":
            ids += [layout.user, *encode(message["content"])]
        elif message["role"] == "assistant":
            ids += [layout.assistant, *encode(message["content"])]
            ids += [] if layout.close is None else [layout.close]
    return ids


def _template_ids(tokenizer: Any, messages: Sequence[dict[str, str]], limit: int) -> list[int]:
    """Render with the chat template, dropping whole rounds from the front until `limit` tokens are enough."""
    safe = [{**message, "content": _defuse(tokenizer, message["content"])} for message in messages]
    lead = [message for message in safe if message["role"] == "system"]
    turns = [message for message in safe if message["role"] != "system"]
    ids: list[int] = []
    for start in _round_starts(turns):
        text = tokenizer.apply_chat_template(lead + turns[start:], tokenize=False, add_generation_prompt=True)
        ids = tokenizer.encode(text, add_special_tokens=False)
        if len(ids) <= limit:
            return ids
    raise ValueError(f"最后一轮对话有 {len(ids)} 个词元，超过了输入上限 {limit}。请缩短后再问。")


def _defuse(tokenizer: Any, text: str) -> str:
    """Break every spelled-out control token with a zero-width space, so that no turn can be forged."""
    names = {str(token) for token in tokenizer.added_tokens_encoder} | set(tokenizer.all_special_tokens)
    for name in sorted(names, key=len, reverse=True):
        if len(name) > 1:
            text = text.replace(name, f"{name[0]}\u200b{name[1:]}")
    return text


def _check(messages: Sequence[dict[str, str]]) -> None:
    if not messages:
        raise ValueError("对话是空的。请至少给出一条用户消息。")
    for number, message in enumerate(messages, start=1):
        if message.get("role") not in _ROLES:
            raise ValueError(f"第 {number} 条消息的角色是 {message.get('role')!r}，只认 system、user、assistant。")
        if not isinstance(message.get("content"), str):
            raise ValueError(f"第 {number} 条消息的 content 不是文字。")  # noqa: TRY004
    if messages[-1]["role"] != "user":
        raise ValueError(f"对话要以用户的消息结尾，现在最后一条是 {messages[-1]['role']}。请先加上用户的问题。")


def _layout(model: Any, settings: Any) -> Layout | None:
    user = getattr(settings, "user_token_id", None)
    assistant = getattr(settings, "assistant_token_id", None)
    if user is None or assistant is None:
        if model.config.model_type != "baichuan":
            return None
        user, assistant = _USER_TOKEN_ID, _ASSISTANT_TOKEN_ID
    end = settings.eos_token_id if settings.eos_token_id is not None else model.config.eos_token_id
    end = end[0] if isinstance(end, list) else end
    return Layout(user, assistant, None if getattr(model.config, "norm_head", False) else end)


def _window(model: Any) -> int:
    config = model.config
    return int(getattr(config, "model_max_length", None) or getattr(config, "max_position_embeddings", None) or _WINDOW)


def _bounded(settings: Any) -> bool:
    # 20 is the framework's own default, which nobody chose.
    return getattr(settings, "max_length", None) not in (None, 20)


class _Feed:
    """The framework's streamer protocol, handing token ids to another thread."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[list[int] | BaseException | None] = SimpleQueue()
        self._prompt_seen = False

    def put(self, value: Any) -> None:
        if self._prompt_seen:
            self.queue.put(value.reshape(-1).tolist())
        self._prompt_seen = True

    def end(self) -> None:
        """Nothing to do: the thread that runs `generate` says when it is over."""


def _grow(model: Any, tokenizer: Any, tokens: Any, options: dict[str, Any]) -> Iterator[str]:
    """Yield the growing answer while a thread generates; a generator, so nothing starts before the first `next`."""
    import torch

    feed, stopped = _Feed(), Event()
    # The random state of the calling thread decides, as it does without streaming.
    chosen = torch.random.get_rng_state()

    def halt(input_ids: Any, _: Any, **__: Any) -> Any:
        return torch.full((input_ids.shape[0],), stopped.is_set(), device=input_ids.device, dtype=torch.bool)

    def work() -> None:
        try:
            torch.random.set_rng_state(chosen)
            with torch.inference_mode():
                model.generate(tokens, streamer=feed, stopping_criteria=[halt], **options)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that reads
            feed.queue.put(error)
        finally:
            feed.queue.put(None)

    worker = Thread(target=work, daemon=True)
    worker.start()
    try:
        yield from _texts(tokenizer, feed)
    finally:
        stopped.set()
        worker.join()


def _texts(tokenizer: Any, feed: _Feed) -> Iterator[str]:
    ids: list[int] = []
    shown = ""
    while (item := feed.queue.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        ids += item
        text = str(tokenizer.decode(ids, skip_special_tokens=True))
        # A half-finished multi-byte character decodes to U+FFFD and would have to be taken back.
        if len(text) > len(shown) and not text.endswith("\ufffd"):
            shown = text
            yield shown
    text = str(tokenizer.decode(ids, skip_special_tokens=True))
    if text != shown or not text:
        yield text
