"""One model asked for verdicts: greedy, within a budget, remembering what it said.

The memory is `home()/cache/judge/verdicts.jsonl`, one line a verdict, keyed by the judge's identity, the prompt's
digest and the text it was filled with. Only answers that hold a verdict are kept, so an unreadable one is asked again
in a new run. Answers are deliberately not forced into a grammar: a judge that would refuse, or rather write prose,
must be seen to do so.
"""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from healgpt import jsonl, prompts
from healgpt.backends import EngineOptions, kv_state, load
from healgpt.errors import ConfigError, DataError, JudgeError, ModelError, ModelUnavailable
from healgpt.evaluation.judges.budget import Budget
from healgpt.evaluation.run import file_digest
from healgpt.models import catalog
from healgpt.schema import ChatModel, Message, Sampling, Usage
from healgpt.settings import home

Verdict = TypeVar("Verdict")
_LOST_AFTER = 5
# what a reasoning model writes before its answer, where the server passes it on
_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
GREEDY = Sampling(temperature=0.0, top_p=1.0, top_k=1, repeat_penalty=1.0, seed=0, max_tokens=64)


class JudgeLost(Exception):
    """The judge cannot be reached at all: ends a run instead of failing every item. Its cause is the `ModelError`."""


@runtime_checkable
class LetterModel(Protocol):
    """A model that gives the probability of each letter as the first token of its answer."""

    def letter_probabilities(self, messages: Sequence[Message], letters: Sequence[str]) -> dict[str, float]: ...


class Memory:
    """Verdicts kept on disk. Thread-safe; another process may append at the same time."""

    def __init__(self, path: Path) -> None:
        """Read `path`, which need not exist. Raises `DataError` where it may not be read."""
        self._path = path
        self._lock = threading.Lock()
        self._held = _remembered(path)

    def get(self, key: str) -> str | None:
        """Return the answer kept under `key`."""
        return self._held.get(key)

    def put(self, key: str, text: str, judge: str) -> None:
        """Keep an answer. Raises `DataError` where it cannot be written."""
        with self._lock:
            if key not in self._held:
                jsonl.append(self._path, {"key": key, "judge": judge, "text": text})
                self._held[key] = text


class Judge:
    """A model that gives verdicts. `identity` must change whenever its weights do. Any number of threads.

    With `probe` the first call is preceded by a tiny one outside the budget, so that a wrong key or address ends the
    run before any item fails; so do five calls in a row that found the judge unavailable.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        identity: str,
        memory: Memory | None,
        budget: Budget,
        probe: bool = False,
        max_tokens: int = GREEDY.max_tokens,
    ) -> None:
        self.model = model
        self.sampling = replace(GREEDY, max_tokens=max_tokens)
        self.name = model.name
        self.identity = identity
        self.budget = budget
        self._memory = memory
        self._probe = probe
        self._unavailable = 0
        self._lock = threading.Lock()

    def ask(self, prompt: str, read: Callable[[str], Verdict], **variables: str) -> Verdict:
        """Return what `read` makes of the model's answer to the filled `prompt`.

        Raises `JudgeError` from `read`, `ModelError` where the model fails, `BudgetSpent` and `JudgeLost`.
        """
        text = prompts.render(prompt, **variables)
        messages: list[Message] = [{"role": "user", "content": text}]

        def answer() -> tuple[str, Usage]:
            reply = self.model.complete(messages, self.sampling)
            return _THOUGHT.sub("", reply.text), reply.usage

        return self._recall("written", prompt, text, answer, read)

    def expect(self, prompt: str, letters: Sequence[str], **variables: str) -> dict[str, float]:
        """Return the probability of each of `letters` as the answer's first token.

        Raises as `letters`, `JudgeError` where less than half of the probability lies
        on the letters (the model would have said something else), and as `ask`.
        """
        model = self.letters()
        text = prompts.render(prompt, **variables)
        messages: list[Message] = [{"role": "user", "content": text}]

        def answer() -> tuple[str, Usage]:
            found = model.letter_probabilities(messages, letters)
            return json.dumps(found), Usage(prompt_tokens=self.model.count_tokens(text), completion_tokens=1)

        return self._recall("expected:" + "".join(letters), prompt, text, answer, _likely)

    def letters(self) -> LetterModel:
        """Return the model as one that tells letter probabilities. Raises `ConfigError` where it cannot."""
        if not isinstance(self.model, LetterModel):
            raise ConfigError(f"{self.name} 给不出首个词元的概率。请改用 --scoring written，或换成本机的 GGUF 模型。")
        return self.model

    def _recall(
        self,
        kind: str,
        prompt: str,
        text: str,
        answer: Callable[[], tuple[str, Usage]],
        read: Callable[[str], Verdict],
    ) -> Verdict:
        key = _key(self.identity, kind, prompts.digest(prompt), text)
        held = self._memory.get(key) if self._memory else None
        if held is not None:
            self.budget.remember()
            return read(held)
        said = self._spend(self.model.count_tokens(text) + self.sampling.max_tokens, answer)
        verdict = read(said)
        if self._memory:
            self._memory.put(key, said, self.name)
        return verdict

    def _spend(self, room: int, answer: Callable[[], tuple[str, Usage]]) -> str:
        self.budget.reserve(room)
        usage = Usage()
        try:
            self._reach()
            said, usage = answer()
        except ModelUnavailable as error:
            self._unavailable += 1
            if self._unavailable >= _LOST_AFTER:
                raise JudgeLost from error
            raise
        finally:
            self.budget.settle(room, usage)
        self._unavailable = 0
        return said

    def _reach(self) -> None:
        with self._lock:
            if not self._probe:
                return
            try:
                self.model.complete([{"role": "user", "content": "ping"}], replace(GREEDY, max_tokens=1))
            except ModelError as error:
                raise JudgeLost from error
            self._probe = False

    def close(self) -> None:
        """Free the model, where it holds anything."""
        closing = getattr(self.model, "close", None)
        if closing is not None:
            closing()


def open_judge(
    spec: str,
    *,
    budget: Budget | None = None,
    options: EngineOptions | None = None,
    remember: bool = True,
    max_tokens: int = GREEDY.max_tokens,
) -> Judge:
    """Open the judge that `spec` names; `remember=False` neither reads nor writes the memory.

    `max_tokens` bounds one answer; a verdict needs few, a reasoning model thousands before it.
    Raises as `backends.load` does.
    """
    options = options or EngineOptions()
    model = load(spec, replace(options, cache_ram_mib=min(options.cache_ram_mib, 256)))
    memory = Memory(home() / "cache" / "judge" / "verdicts.jsonl") if remember else None
    remote = spec.partition(":")[0] in ("http", "https")
    return Judge(
        model,
        identity=identity(spec),
        memory=memory,
        budget=budget or Budget(),
        probe=remote,
        max_tokens=max_tokens,
    )


def identity(spec: str) -> str:
    """Return what names the judge's weights: spec and, where there is a file, its sha256."""
    kind, _, rest = spec.partition(":")
    if kind in ("http", "https", "hf"):
        return spec
    if kind == "scripted":
        return f"{spec} {file_digest(Path(rest))}"
    if spec.lower().endswith(".gguf"):
        files: list[Path | None] = [Path(spec).expanduser()]
    else:
        entry = catalog.find(spec)
        files = [catalog.path(entry), catalog.adapter(entry)]
    return " ".join([spec, *(kv_state.model_digest(file) for file in files if file is not None and file.is_file())])


def _likely(text: str) -> dict[str, float]:
    found = {str(letter): float(share) for letter, share in json.loads(text).items()}
    if sum(found.values()) < 0.5:
        raise JudgeError(f"裁判多半不会只答{'、'.join(found)}中的一个（合计概率 {sum(found.values()):.2f}）。")
    return found


def _key(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


def _remembered(path: Path) -> dict[str, str]:
    """Return the answers kept in `path`; a line that a crash cut off only costs its call again."""
    held: dict[str, str] = {}
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise DataError(f"读不了裁判的记忆 {path}：{error.strerror}。请检查权限，或加 --no-cache。") from error
    for line in data.split(b"\n"):
        try:
            item = json.loads(line)
            held[str(item["key"])] = str(item["text"])
        except (ValueError, KeyError, TypeError):
            continue
    return held
