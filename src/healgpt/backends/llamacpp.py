"""GGUF models through llama.cpp: checked before loading, cached between turns, stopped when nobody listens."""

import contextlib
import math
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from healgpt.backends import EngineOptions, engine_program, kv_state
from healgpt.backends.gguf_header import Header, inspect
from healgpt.backends.llama_server import BATCH_TOKENS, LlamaServer, Plan
from healgpt.backends.machine import MIB, free_bytes, physical_cores
from healgpt.backends.prompt_tokens import PromptTokens
from healgpt.errors import ConfigError, ModelError
from healgpt.schema import Delta, FinishReason, Message, Reply, Sampling, Timings, Usage
from healgpt.settings import load_settings

_LIKELY_TOKENS = 256


class LlamaModel:
    """A `ChatModel` over one GGUF file. Any number of threads may call it; `slots` of them are computed at once.

    Turns of one conversation reuse each other's key-value cache as long as earlier messages stay as they were.
    """

    def __init__(self, server: LlamaServer, header: Header, plan: Plan, *, name: str) -> None:
        self.name = name
        self.window = plan.context
        self.server = server
        self._plan = plan
        self._header = header
        self.prompt = PromptTokens(
            self._tokenize,
            self._template,
            control=header.control,
            defined=header.defined,
            start=self._start_tokens(),
        )

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` is as plain text, exactly."""
        return len(self.prompt.plain(text))

    def complete(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """Return the finished answer. Raises as `stream` does."""
        with closing(self.stream(messages, sampling)) as deltas:
            for delta in deltas:
                if delta.reply is not None:
                    return delta.reply
        raise ModelError(f"模型 {self.name} 没有说完就停了。请重试。")

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Delta, None, None]:
        """Yield the answer token by token, then the reply. Closing the generator stops the computation.

        Even greedy answers need not repeat word for word: the engine's sums depend on how much of the prompt was
        cached. While the prompt is being read, the engine notices a stop within one batch (about 2 s on two cores).
        Raises `ModelRefused` where the conversation exceeds the window, `ModelUnavailable` where the engine fails.
        """
        prompt = self.prompt.render(messages)
        pieces: list[str] = []
        tokens: list[int] = []
        with closing(self.server.events("/completion", {"prompt": prompt, **_wire(sampling)})) as events:
            for event in events:
                tokens.extend(event.get("tokens", ()))
                if event.get("content"):
                    pieces.append(event["content"])
                    yield Delta(text=event["content"])
                if event.get("stop"):
                    text = "".join(pieces)
                    self._learn(messages, text, tokens)
                    yield Delta(reply=_reply(event, text, self.name))
                    return
        raise ModelError(f"模型 {self.name} 没有说完就停了。请重试。")

    def letter_probabilities(self, messages: Sequence[Message], letters: Sequence[str]) -> dict[str, float]:
        """Return the probability that the answer's first token is each of `letters`, spaces around it ignored.

        Taken from the model's full distribution before any sampling, so they add up to 1 or less. Raises as
        `stream` does.
        """
        prompt = self.prompt.render(messages)
        found: dict[str, float] = {}
        for asked in (_LIKELY_TOKENS, self._header.vocabulary):
            body = {"prompt": prompt, "n_predict": 1, "n_probs": asked, "cache_prompt": True}
            choice = self.server.post("/completion", body)["completion_probabilities"][0]
            found = dict.fromkeys(letters, 0.0)
            for token in choice["top_logprobs"]:
                letter = token["token"].strip()
                if letter in found:
                    found[letter] += math.exp(token["logprob"])
            if all(found.values()):
                break
        return found

    def warm(self, system: str) -> Literal["restored", "built", "unsaved"]:
        """Put the state of the system prompt into every slot, from disk where possible.

        Says where it came from: "restored" from disk, "built" and kept for the next time, or "unsaved" where the
        disk does not take it. Call it before the first conversation, not during one.
        """
        tokens = self.prompt.prefix([{"role": "system", "content": system}])
        if not tokens:
            return "unsaved"
        place, key = self._plan.states, kv_state.state_key(self._identity(), tokens)
        if place is not None and (name := kv_state.find(place, key, len(tokens))) and self._restore(name, len(tokens)):
            return "restored"
        self.server.post("/completion", {"prompt": tokens, "n_predict": 0, "id_slot": 0, "cache_prompt": True})
        if place is None or not kv_state.keep(place, key, len(tokens), self._save):
            return "unsaved"
        self._restore(f"{key}.bin", len(tokens), first=1)
        return "built"

    def prepare(self, messages: Sequence[Message]) -> threading.Thread:
        """Compute the state of a conversation that ends with an answer, in the background, while the user reads.

        Worth it where the answer holds more than the model wrote. A turn that comes earlier waits for it, and loses
        nothing. Returns the thread; a failure only means that nothing was saved.
        """

        def compute() -> None:
            with contextlib.suppress(ModelError):
                tokens = self.prompt.prefix(messages)
                self.server.post("/completion", {"prompt": tokens, "n_predict": 0, "cache_prompt": True})

        thread = threading.Thread(target=compute, daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Stop the engine and free its memory."""
        self.server.close()

    def _identity(self) -> Mapping[str, object]:
        adapter = self._plan.adapter
        return {
            "model": kv_state.model_digest(self._plan.model),
            "adapter": kv_state.model_digest(adapter) if adapter else "",
            "engine": _engine(),
            "batch": BATCH_TOKENS,
            "cache": "f16",
            "context": self._plan.context,
            "slots": self._plan.slots,
        }

    def _restore(self, name: str, tokens: int, first: int = 0) -> bool:
        for slot in range(first, self._plan.slots):
            try:
                answer = self.server.post(f"/slots/{slot}?action=restore", {"filename": name})
            except ModelError:
                return False  # a state that this engine does not take is built again
            if answer["n_restored"] != tokens:
                return False
        return True

    def _save(self, name: str) -> None:
        self.server.post("/slots/0?action=save", {"filename": name})

    def _learn(self, messages: Sequence[Message], text: str, tokens: list[int]) -> None:
        """Note which tokens `text` came from; the last ones may hold a stop text or half a character."""
        for end in range(len(tokens), max(len(tokens) - 4, 0), -1):
            known = self.server.post("/detokenize", {"tokens": tokens[:end]})["content"]
            if known and text.startswith(known):
                self.prompt.learn(messages, known, tokens[:end])
                return

    def _tokenize(self, text: str) -> list[int]:
        body = {"content": text, "add_special": False, "parse_special": False}
        return list(self.server.post("/tokenize", body)["tokens"])

    def _template(self, messages: list[Message]) -> str:
        return str(self.server.post("/apply-template", {"messages": messages})["prompt"])

    def _start_tokens(self) -> list[int]:
        return list(self.server.post("/tokenize", {"content": "", "add_special": True})["tokens"])


def open_llama(
    path: Path, options: EngineOptions, *, name: str | None = None, adapter: Path | None = None
) -> LlamaModel:
    """Check and load the GGUF file at `path`, with a LoRA `adapter` in GGUF form where one is given.

    Raises `ModelError` for a missing, damaged or foreign file, one without chat template, or too little memory;
    `ConfigError` for a context that the model was not trained for.
    """
    header = inspect(path)
    if not header.chat_template:
        raise ModelError(f"{path} 里没有对话模板，不能用来问诊。请换成带 Instruct 或 Chat 的模型文件。")
    if not (header.layers and header.kv_width and header.vocabulary):
        raise ModelError(f"{path} 没有写明层数、注意力头或词表，可能已损坏。请删除后重新下载。")
    if header.trained_context and options.context > header.trained_context:
        raise ConfigError(f"{path.name} 最多支持 {header.trained_context} 个词元。请把 --context 改小。")
    if options.context < 1 or options.slots < 1:
        raise ConfigError("context 和 slots 都应是正整数。")
    _check_memory(path, header, options)
    plan = Plan(
        model=path,
        threads=options.threads or physical_cores(),
        context=options.context,
        slots=options.slots,
        cache_ram_mib=options.cache_ram_mib,
        states=kv_state.folder(),
        adapter=adapter,
    )
    try:
        server = LlamaServer(plan)
    except ModelError as error:
        raise ModelError(
            f"装不进模型 {path}（架构 {header.architecture}）。可能是引擎不支持这种架构，或文件内容不一致；"
            "请换一个文件，或升级 xllamacpp 后再试。"
        ) from error
    return LlamaModel(server, header, plan, name=name or path.stem)


def needed_bytes(header: Header, options: EngineOptions) -> int:
    """Estimate the memory of a loaded model in bytes.

    File (mapped, but read whole) + the copy of its repacked matrices + 16-bit keys and values for every slot + the
    conversations kept beside the slots + 170 MiB for buffers and the program, as measured on two Qwen files.
    """
    caches = 2 * header.layers * header.kv_width * 2 * options.context * options.slots
    return header.size + header.repacked + caches + (options.cache_ram_mib + 170) * MIB


def _check_memory(path: Path, header: Header, options: EngineOptions) -> None:
    needed, free = needed_bytes(header, options), free_bytes()
    if needed > free:
        raise ModelError(
            f"内存不够：{path.name} 约需 {needed / MIB:,.0f} MiB，现在可用 {free / MIB:,.0f} MiB。"
            "请关掉别的程序、减小 --context，或换一个小些的模型。"
        )


def _engine() -> str:
    """Return which engine computes, as the key of a saved state has to tell them apart."""
    if program := load_settings().engine:
        return engine_program.identity(program)
    import xllamacpp

    return str(xllamacpp.__version__)


def _wire(sampling: Sampling) -> dict[str, Any]:
    """Return the engine's names for `sampling`; its own further samplers are off."""
    return {
        "n_predict": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": 0.0,
        "repeat_penalty": sampling.repeat_penalty,
        "seed": -1 if sampling.seed is None else sampling.seed,
        "stop": list(sampling.stop),
        "cache_prompt": True,
        "return_tokens": True,
    }


def _reply(event: Mapping[str, Any], text: str, name: str) -> Reply:
    timings = event["timings"]
    reason: FinishReason = "length" if event["stop_type"] == "limit" else "stop"
    return Reply(
        text=text,
        model=name,
        finish_reason=reason,
        usage=Usage(
            prompt_tokens=timings["cache_n"] + timings["prompt_n"],
            cached_tokens=timings["cache_n"],
            completion_tokens=timings["predicted_n"],
        ),
        timings=Timings(prefill_s=timings["prompt_ms"] / 1000, decode_s=timings["predicted_ms"] / 1000),
    )
