"""Replies read from a file instead of a model: for tests and documentation only.

The script is JSON Lines, one reply a line:

    {"match": "头痛|头晕", "reply": "多久了？", "pause_s": 0.02}
    {"reply": "好的，请继续说。"}
    {"match": "断网", "error": "服务器没有响应。"}

Lines with `match` are tried first, top to bottom, as a regular expression searched in the last user message; they
answer as often as they match. Lines without `match` are used up in order. `pause_s` is slept before every piece, so
that a test has time to stop the answer; `error` raises `ModelUnavailable` after `reply` (if any) was streamed.
"""

import re
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from healgpt import jsonl
from healgpt.errors import DataError, ModelRefused, ModelUnavailable
from healgpt.schema import Delta, FinishReason, Message, Reply, Sampling, Timings, Usage

_KEYS = {"match": str, "reply": str, "error": str, "pause_s": (int, float)}
_PIECE_CHARS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One reply of the script."""

    reply: str = ""
    match: re.Pattern[str] | None = None
    error: str = ""
    pause_s: float = 0.0


class ScriptedModel:
    """A `ChatModel` whose answers are written down beforehand. One character counts as one token."""

    def __init__(self, lines: Sequence[Line], *, name: str = "scripted", window: int = 4096) -> None:
        self.name = name
        self.window = window
        self._matched = [line for line in lines if line.match]
        self._ordered = iter([line for line in lines if not line.match])
        self._lock = threading.Lock()

    def count_tokens(self, text: str) -> int:
        """Return the number of characters, since a script has no tokenizer."""
        return len(text)

    def complete(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """Return the scripted reply whole. Raises as `stream` does."""
        for delta in self.stream(messages, sampling):
            if delta.reply:
                return delta.reply
        raise ModelUnavailable("脚本没有给出回答。")  # `stream` always ends with a reply

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Delta, None, None]:
        """Yield the scripted reply in pieces of a few characters, cut at `sampling.max_tokens` characters.

        Raises `ModelRefused` when no line is left, `ModelUnavailable` where the script says `error`.
        """
        line = self._choose(messages)
        text = line.reply[: sampling.max_tokens]
        start = time.perf_counter()
        for place in range(0, len(text), _PIECE_CHARS):
            time.sleep(line.pause_s)
            yield Delta(text=text[place : place + _PIECE_CHARS])
        if line.error:
            raise ModelUnavailable(line.error)
        reason: FinishReason = "length" if len(text) < len(line.reply) else "stop"
        prompt = sum(len(message["content"]) for message in messages)
        yield Delta(
            reply=Reply(
                text=text,
                model=self.name,
                finish_reason=reason,
                usage=Usage(prompt_tokens=prompt, completion_tokens=len(text)),
                timings=Timings(decode_s=time.perf_counter() - start),
            )
        )

    def _choose(self, messages: Sequence[Message]) -> Line:
        asked = next((message["content"] for message in reversed(messages) if message["role"] == "user"), "")
        for line in self._matched:
            if line.match and line.match.search(asked):
                return line
        with self._lock:
            following = next(self._ordered, None)
        if following is None:
            raise ModelRefused(f"脚本里没有能回答“{asked[:30]}”的回复了。请在脚本中补一行。")
        return following


def open_scripted(path: Path) -> ScriptedModel:
    """Read the script at `path`. Raises `DataError` naming file and line where it is not as described above."""
    lines = [_line(item, f"{path} 第 {number} 条") for number, item in enumerate(jsonl.read(path), start=1)]
    if not lines:
        raise DataError(f'脚本 {path} 里一条回复也没有。请至少写一行 {{"reply": "…"}}。')
    return ScriptedModel(lines, name=f"scripted:{path.name}")


def _line(item: dict[str, object], place: str) -> Line:
    for key, value in item.items():
        if key not in _KEYS or not isinstance(value, _KEYS[key]):  # type: ignore[arg-type]
            raise DataError(f"脚本 {place}的 {key} 不对。只能有 {'、'.join(_KEYS)}，pause_s 是数字，其余是文字。")
    if "reply" not in item and "error" not in item:
        raise DataError(f"脚本 {place}既没有 reply 也没有 error。请补上一个。")
    try:
        pattern = re.compile(str(item["match"])) if "match" in item else None
    except re.error as error:
        raise DataError(f"脚本 {place}的 match 不是合法的正则表达式：{error}。") from error
    pause = item.get("pause_s", 0.0)
    return Line(
        reply=str(item.get("reply", "")),
        match=pattern,
        error=str(item.get("error", "")),
        pause_s=float(pause) if isinstance(pause, int | float) else 0.0,
    )
