"""The nouns that every room of HealGPT shares. Plain data, no behaviour, no heavy imports."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypedDict, runtime_checkable

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "cancelled"]


class Message(TypedDict):
    """One turn in OpenAI wire form: the only conversation currency from the CLI to the loss mask."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a reply is drawn. `temperature=0` is greedy; `seed=None` lets the engine choose."""

    temperature: float = 0.3
    top_p: float = 0.9
    top_k: int = 40
    max_tokens: int = 512
    repeat_penalty: float = 1.1
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One triple of a knowledge graph. `support` in [0, 1] says how far it may be trusted."""

    subject: str
    predicate: str
    object: str
    source: str
    support: float = 1.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """What triage found before any model spoke.

    `level` "emergency" means hospital now, "urgent" means today. `text` is the reviewed advice shown first;
    `spans` are character offsets `(turn, start, end)` of the words that raised it, `turn` counting messages.
    """

    kind: str
    level: Literal["emergency", "urgent"]
    title: str
    text: str
    call: str
    source: str
    spans: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one reply. `prompt_tokens - cached_tokens` were prefilled."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds spent before the first token and on the rest, as the engine counts them."""

    prefill_s: float = 0.0
    decode_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished answer."""

    text: str
    model: str
    finish_reason: FinishReason = "stop"
    usage: Usage = field(default_factory=Usage)
    timings: Timings = field(default_factory=Timings)
    alarm: Alarm | None = None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """One step of a streamed answer.

    A plain model yields deltas with `text` and a last one with `reply`, whose text is the concatenation.
    A `Doctor` first yields one with `alarm` and `facts`, so that a banner stands before the model speaks.
    """

    text: str = ""
    alarm: Alarm | None = None
    facts: tuple[Fact, ...] = ()
    reply: Reply | None = None


@runtime_checkable
class ChatModel(Protocol):
    """Anything that answers a conversation. Closing the iterator of `stream` stops the computation.

    `window` is the number of tokens that prompt and answer share; `count_tokens` may estimate, but never low
    by more than a tenth.
    """

    @property
    def name(self) -> str: ...

    @property
    def window(self) -> int: ...

    def count_tokens(self, text: str) -> int: ...

    def complete(self, messages: Sequence[Message], sampling: Sampling) -> Reply: ...

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Delta, None, None]: ...


@dataclass(frozen=True, slots=True)
class Record:
    """One raw item of a corpus with its provenance: `source` names the corpus, `record_id` the item."""

    record_id: str
    source: str
    text: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """One supervised conversation with provenance, in the published data set's schema."""

    sample_id: str
    source: str
    conversation: tuple[Message, ...]
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that made no sample, and why."""

    record_id: str
    source: str
    reason: str
    detail: str = ""
