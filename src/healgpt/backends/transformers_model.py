"""Any causal language model of `transformers`: correct everywhere, fast only on a GPU."""

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from healgpt.backends import EngineOptions
from healgpt.backends.machine import MIB, free_bytes, physical_cores
from healgpt.backends.prompt_tokens import PromptTokens
from healgpt.errors import ModelError, ModelRefused, ModelUnavailable
from healgpt.schema import Delta, FinishReason, Message, Reply, Sampling, Timings, Usage

_EXTRA = 'pip install "healgpt[train]"'


class TransformersModel:
    """A `ChatModel` over a loaded model and its tokenizer. Answers one conversation at a time; others wait.

    Nothing is cached between turns, and a stop is noticed after the current token, so not while the prompt is read.
    """

    def __init__(self, model: Any, tokenizer: Any, *, name: str, window: int) -> None:
        self.name = name
        self.window = window
        self._model = model
        self._tokenizer = tokenizer
        self._lock = threading.Lock()
        self._letters: dict[tuple[str, ...], dict[str, list[int]]] = {}
        # the tokenizer finds added tokens in any text, special or not
        added = {str(token): number for number, token in tokenizer.added_tokens_decoder.items()}
        self.prompt = PromptTokens(self._tokenize, self._template, control={}, defined=added)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` is as plain text, exactly."""
        return len(self.prompt.plain(text))

    def complete(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """Return the finished answer. Raises as `stream` does."""
        with closing(self.stream(messages, sampling)) as deltas:
            for delta in deltas:
                if delta.reply is not None:
                    return delta.reply
        raise ModelUnavailable(f"{self.name} 没有说完就停了。请重试。")  # `stream` ends with a reply or raises

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Delta, None, None]:
        """Yield the answer as it is written, then the reply. Closing the generator stops the computation.

        Raises `ModelRefused` where the conversation fills the window or its roles do not suit the chat template,
        `ModelUnavailable` where memory runs out.
        """
        prompt = self.prompt.render(messages)
        room = self.window - len(prompt)
        if room < 1:
            raise ModelRefused(f"对话有 {len(prompt)} 个词元，超过了 {self.window} 的窗口。请缩短内容或新开对话。")
        tokens: SimpleQueue[Any] = SimpleQueue()
        stopped = threading.Event()
        limit = min(sampling.max_tokens, room)
        with self._lock:
            worker = threading.Thread(target=self._generate, args=(prompt, sampling, limit, tokens, stopped))
            worker.start()
            try:
                yield from self._read(tokens, sampling.stop, limit, len(prompt))
            finally:
                stopped.set()
                worker.join()

    def letter_probabilities(self, messages: Sequence[Message], letters: Sequence[str]) -> dict[str, float]:
        """Return the probability that the answer's first token is each of `letters`, spaces around it ignored.

        Taken from the full distribution before any sampling, so they add up to 1 or less. Raises as `stream` does.
        """
        import torch

        prompt = self.prompt.render(messages)
        if len(prompt) >= self.window:
            raise ModelRefused(f"对话有 {len(prompt)} 个词元，超过了 {self.window} 的窗口。请缩短内容或新开对话。")
        tokens = self._letter_tokens(tuple(letters))
        with self._lock, torch.inference_mode():
            ids = torch.tensor([prompt], device=self._model.device)
            # shape (1, 1, vocabulary)
            logits = self._model(input_ids=ids, use_cache=False, logits_to_keep=1).logits
            shares = torch.softmax(logits[0, -1].float(), dim=-1)
            return {letter: float(shares[numbers].sum()) for letter, numbers in tokens.items()}

    def _letter_tokens(self, letters: tuple[str, ...]) -> dict[str, list[int]]:
        if letters not in self._letters:
            texts = self._tokenizer.batch_decode([[number] for number in range(len(self._tokenizer))])
            self._letters[letters] = {
                letter: [number for number, text in enumerate(texts) if text.strip() == letter] for letter in letters
            }
        return self._letters[letters]

    def close(self) -> None:
        """Free the memory of the model."""
        self._model = None

    def _tokenize(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _template(self, messages: list[Message]) -> str:
        from jinja2 import TemplateError

        try:
            return str(self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        except (TemplateError, ValueError) as error:
            raise ModelRefused(f"{self.name} 的对话模板不接受这段对话：{error}") from error

    def _generate(
        self, prompt: list[int], sampling: Sampling, limit: int, tokens: "SimpleQueue[Any]", stopped: threading.Event
    ) -> None:
        """Put every generated id into `tokens`, then None, or the exception that ended the run."""
        import torch
        from transformers import StoppingCriteriaList

        try:
            if sampling.seed is not None:
                torch.manual_seed(sampling.seed)
            ids = torch.tensor([prompt], device=self._model.device)
            self._model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=limit,
                repetition_penalty=sampling.repeat_penalty,
                **_drawing(sampling),
                stopping_criteria=StoppingCriteriaList([_Halt(stopped)]),
                streamer=_TokenStreamer(tokens),
            )
            tokens.put(None)
        except BaseException as error:  # noqa: BLE001 -- whatever ends the thread is raised where the tokens are read
            tokens.put(error)

    def _read(
        self, tokens: "SimpleQueue[Any]", stops: tuple[str, ...], limit: int, prompt: int
    ) -> Generator[Delta, None, None]:
        start, first = time.perf_counter(), 0.0
        ids: list[int] = []
        shown, reason = "", ""
        ends = self._ends()
        while not reason:
            token = tokens.get()
            first = first or time.perf_counter()
            if isinstance(token, BaseException):
                raise _trouble(token, self.name) from token
            if token is None or token in ends:
                reason = "length" if token is None and len(ids) >= limit else "stop"
            else:
                ids.append(token)
            whole = self._tokenizer.decode(ids, skip_special_tokens=True)
            text, met = _readable(whole, stops, final=bool(reason))
            reason = "stop" if met else reason
            if len(text) > len(shown):
                yield Delta(text=text[len(shown) :])
                shown = text
        ended: FinishReason = "length" if reason == "length" else "stop"
        usage = Usage(prompt_tokens=prompt, completion_tokens=len(ids))
        timings = Timings(prefill_s=first - start, decode_s=time.perf_counter() - first)
        yield Delta(reply=Reply(shown, self.name, ended, usage, timings))

    def _ends(self) -> set[int]:
        told = self._model.generation_config.eos_token_id
        ends = told if isinstance(told, list) else [told]
        return {end for end in (*ends, self._tokenizer.eos_token_id) if end is not None}


class _Halt:
    """A stopping criterion that fires once `stopped` is set."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        """Return one flag for every row of `input_ids`, shaped (batch, length)."""
        import torch

        return torch.full((input_ids.shape[0],), self._stopped.is_set(), device=input_ids.device, dtype=torch.bool)


class _TokenStreamer:
    """Hands on generated ids; the first call brings the prompt, which is not handed on."""

    def __init__(self, tokens: "SimpleQueue[Any]") -> None:
        self._tokens = tokens
        self._prompt_seen = False

    def put(self, value: Any) -> None:
        """Take the next ids, shaped (batch,)."""
        if self._prompt_seen:
            for token in value.reshape(-1).tolist():
                self._tokens.put(token)
        self._prompt_seen = True

    def end(self) -> None:
        """Nothing is held back."""


def open_transformers(source: str, options: EngineOptions) -> TransformersModel:
    """Load the model and tokenizer of a Hugging Face id or local folder, in 32 bits where there is no GPU.

    Code that lies beside the weights is never run. Raises `ModelError` where the extra is not installed, nothing
    loads, the chat template is missing or memory is too small; `ModelUnavailable` where the hub cannot be reached.
    """
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise ModelError(f"运行 hf: 模型需要 torch 和 transformers。请先运行 {_EXTRA}。") from error
    from healgpt.models import baichuan, checkpoint

    baichuan.register()
    if Path(source).is_dir():
        checkpoint.check(Path(source))
    on_gpu = torch.cuda.is_available()
    if not on_gpu:
        _check_memory(source)
        torch.set_num_threads(options.threads or physical_cores())
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        precision = "auto" if on_gpu else torch.float32
        model: Any = AutoModelForCausalLM.from_pretrained(source, dtype=precision, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise ModelError(f"装不进模型 {source}：{_first_line(error)} 请检查名字、文件和网络。") from error
    if not tokenizer.chat_template:
        raise ModelError(f"{source} 没有对话模板，不能用来问诊。请换成 Instruct 或 Chat 模型。")
    trained = getattr(model.config, "max_position_embeddings", None) or options.context
    model.eval().to("cuda" if on_gpu else "cpu")
    return TransformersModel(model, tokenizer, name=source, window=min(options.context, trained))


def _drawing(sampling: Sampling) -> dict[str, Any]:
    if sampling.temperature <= 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {
        "do_sample": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
    }


def _readable(whole: str, stops: tuple[str, ...], *, final: bool) -> tuple[str, bool]:
    """Return what of `whole` may be shown, and whether a stop text ends it.

    Half a character (U+FFFD at the end) and what may yet become a stop text wait for the next token.
    """
    met = min((place for stop in stops if stop and (place := whole.find(stop)) >= 0), default=-1)
    if met >= 0:
        return whole[:met], True
    if final:
        return whole, False
    text = whole.rstrip("\ufffd")
    held = max((size for stop in stops for size in range(1, len(stop)) if text.endswith(stop[:size])), default=0)
    return text[: len(text) - held], False


def _trouble(error: BaseException, name: str) -> BaseException:
    import torch

    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return ModelUnavailable(f"{name} 的内存用完了。请缩短对话，或换一个小些的模型。")
    return error


def _check_memory(source: str) -> None:
    files = [path for kind in ("*.safetensors", "*.bin") for path in Path(source).glob(kind)]
    needed, free = 2 * sum(path.stat().st_size for path in files), free_bytes()  # 16 bits on disk, 32 in memory
    if needed > free:
        raise ModelError(
            f"内存不够：{source} 约需 {needed / MIB:,.0f} MiB，现在可用 {free / MIB:,.0f} MiB。"
            "请换一个小些的模型，或先量化成 GGUF。"
        )


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
