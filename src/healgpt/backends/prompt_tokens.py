"""From messages to token ids, with special tokens only where the chat template puts them.

The template is rendered with placeholders instead of the contents and cut at its own special tokens; everything
else, so all that users and models wrote, is tokenised as plain text. `<|im_start|>system` typed by a user is then
five ordinary tokens. Since a tokenizer cuts at special tokens anyway, benign text gets exactly the ids that
rendering the whole conversation first would give.
"""

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from healgpt.schema import Message

_CACHED_RUNS = 4096
_CACHED_FRAMES = 256
_LEARNED_ANSWERS = 512
_LEARNED_CHARS = 4  # shorter ones begin too many answers that were cut otherwise

Key = TypeVar("Key")
Value = TypeVar("Value")


class PromptTokens:
    """Renders conversations for one model. Thread-safe.

    `control` and `defined` map special tokens to ids: the tokenizer finds those of `defined` in any text, those of
    `control` only where asked to. `tokenize(text)` gives the ids of plain text; `template(messages)` renders the
    model's chat template up to where the answer starts; `start` are the ids that open every sequence.
    """

    def __init__(
        self,
        tokenize: Callable[[str], list[int]],
        template: Callable[[list[Message]], str],
        *,
        control: Mapping[str, int],
        defined: Mapping[str, int],
        start: Sequence[int] = (),
    ) -> None:
        self._tokenize = tokenize
        self._template = template
        self._start = tuple(start)
        self._special: Mapping[str, int] = {**defined, **control}
        self._cut = _alternatives(self._special)
        self._defined = _alternatives(defined)
        self._nonce = f"HOLD{secrets.token_hex(6)}N"
        self._runs: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._learned: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._frames: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._lock = threading.Lock()

    def render(self, messages: Sequence[Message]) -> list[int]:
        """Return the ids of the prompt that asks for the next answer."""
        ids: list[int] = list(self._start)
        for piece in self._pieces(messages):
            if isinstance(piece, int):
                if ids != [piece] or not self._start:  # a template may write the opening token itself
                    ids.append(piece)
            else:
                ids.extend(self.plain(piece))
        return ids

    def prefix(self, messages: Sequence[Message]) -> list[int]:
        """Return the ids that the prompt starts with whatever the user says after `messages`."""
        first, second = (self.render([*messages, {"role": "user", "content": text}]) for text in ("一", "two"))
        same = next((place for place, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), 0)
        return first[:same]

    def plain(self, text: str) -> tuple[int, ...]:
        """Return the ids of `text` without any special token; lone surrogates become U+FFFD."""
        with self._lock:
            if text in self._runs:
                self._runs.move_to_end(text)
                return self._runs[text]
            known = max((run for run in self._learned if text.startswith(run)), key=len, default="")
            opening = self._learned.get(known, ())
        readable = text[len(known) :].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ids = (*opening, *(number for part in self._inert(readable) for number in self._tokenize(part)))
        with self._lock:
            _put(self._runs, text, ids, _CACHED_RUNS)
        return ids

    def learn(self, messages: Sequence[Message], answer: str, generated: Sequence[int]) -> None:
        """Note the ids a model generated for `answer`, so that the next turn repeats them and finds its cache.

        Text can be cut into tokens in several ways, and a model need not choose the one its tokenizer would. The ids
        also serve answers that begin with `answer` and were then added to.
        """
        if len(answer) < _LEARNED_CHARS:
            return
        prompt = self._pieces(messages)
        opening = prompt[-1] if prompt and isinstance(prompt[-1], str) else ""
        ids = (*self.plain(opening), *generated)
        with self._lock:
            _put(self._learned, opening + answer, ids, _LEARNED_ANSWERS)

    def _inert(self, text: str) -> list[str]:
        """Break user-defined tokens apart: the tokenizer would know them in any text."""
        if self._defined is None:
            return [text]
        parts = [""]
        for piece in self._defined.split(text):
            if self._defined.fullmatch(piece):
                parts[-1] += piece[0]
                parts.append(piece[1:])
            else:
                parts[-1] += piece
        return [part for part in parts if part]

    def _pieces(self, messages: Sequence[Message]) -> list[int | str]:
        """Return the prompt as special ids and maximal runs of plain text."""
        pieces: list[int | str] = []
        for place, part in enumerate(re.split(f"{self._nonce}(\\d+)E", self._frame(messages))):
            if place % 2:  # re.split alternates the template's text and the numbers of the contents
                _append(pieces, messages[int(part)]["content"])
            else:
                for text in self._cut.split(part) if self._cut else [part]:
                    _append(pieces, self._special.get(text, text))
        return pieces

    def _frame(self, messages: Sequence[Message]) -> str:
        roles = tuple(message["role"] for message in messages)
        with self._lock:
            known = self._frames.get(roles)
        if known is not None:
            return known
        held: list[Message] = [
            {"role": message["role"], "content": f"{self._nonce}{place}E"} for place, message in enumerate(messages)
        ]
        frame = self._template(held)
        with self._lock:
            _put(self._frames, roles, frame, _CACHED_FRAMES)
        return frame


def _append(pieces: list[int | str], piece: int | str) -> None:
    if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
        pieces[-1] += piece
    elif piece != "":
        pieces.append(piece)


def _put(cache: OrderedDict[Key, Value], key: Key, value: Value, limit: int) -> None:
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > limit:
        cache.popitem(last=False)


def _alternatives(special: Mapping[str, int]) -> re.Pattern[str] | None:
    texts = sorted((text for text in special if text), key=len, reverse=True)
    return re.compile("(" + "|".join(map(re.escape, texts)) + ")") if texts else None
