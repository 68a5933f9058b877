"""One answer while it is being written, in a thread of its own, so that the page stays alive and only looks on.

Streamlit runs the page again at every click, and may start the new run before the old one has ended. So neither
run owns the answer: both read it. Stopping takes effect in the page at once, and in the engine at its next piece
of text, because a generator cannot be closed from outside while it computes.
"""

import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

from healgpt.errors import DataError, HealGPTError
from healgpt.schema import Alarm, Delta, Fact, Reply
from healgpt.web import strings

_log = logging.getLogger(__name__)

State = Literal["loading", "reading", "writing", "done", "stopped", "refused", "failed"]
# `ask` yields one empty Delta when the engine is ready, then what the Doctor yields
Ask = Callable[[], Generator[Delta, None, None]]
Save = Callable[[Reply | None], None]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the page shows of an answer at one moment.

    "refused" means that the question itself is wrong and nothing was saved; "failed", that the model did not
    answer. `error` holds the reason of either, or why saving failed although the answer is there.
    """

    state: State = "loading"
    text: str = ""
    alarm: Alarm | None = None
    facts: tuple[Fact, ...] = ()
    error: str = ""

    @property
    def finished(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ("done", "stopped", "refused", "failed")


class Answer:
    """An answer, written by a thread that `start` begins.

    `save` is called exactly once with the reply (None: there is no text), unless the question was refused.
    `wanted` is asked before each piece of text is taken; once it says no (a closed tab), the answer stops.
    """

    def __init__(self, ask: Ask, save: Save, *, model: str, wanted: Callable[[], bool]) -> None:
        self.started = time.monotonic()
        self._ask = ask
        self._save = save
        self._model = model
        self._wanted = wanted
        self._lock = threading.RLock()
        self._now = Snapshot()

    def start(self) -> "Answer":
        """Begin to compute."""
        threading.Thread(target=self._run, name="answer", daemon=True).start()
        return self

    def stop(self) -> None:
        """Keep what was written, save it, and compute no further. Does nothing to a finished answer."""
        with self._lock:
            if not self._now.finished:
                self._finish("stopped", self._partial())

    def snapshot(self) -> Snapshot:
        """Return the answer as it is now."""
        return self._now

    def _run(self) -> None:
        try:
            with closing(self._ask()) as deltas:
                for delta in deltas:
                    if not self._wanted():
                        self.stop()
                    if not self._take(delta):
                        return
            self._fail("failed", strings.CUT_OFF)
        except DataError as error:
            self._fail("refused", str(error))
        except HealGPTError as error:
            self._fail("failed", str(error))
        except Exception as error:  # noqa: BLE001  the edge of a thread: what is not told here, nobody would ever see
            _log.exception("answering failed")
            self._fail("failed", strings.BUG.format(kind=type(error).__name__))

    def _take(self, delta: Delta) -> bool:
        """Add one step; return False when the answer has ended."""
        with self._lock:
            if self._now.finished:
                return False
            if delta.reply is not None:
                self._finish("done", delta.reply)
                return False
            state: State = "writing" if self._now.text or delta.text else "reading"
            self._now = replace(
                self._now,
                state=state,
                text=self._now.text + delta.text,
                alarm=delta.alarm or self._now.alarm,
                facts=delta.facts or self._now.facts,
            )
            return True

    def _partial(self) -> Reply | None:
        now = self._now
        if not now.text:
            return None
        return Reply(now.text, self._model, finish_reason="cancelled", alarm=now.alarm, facts=now.facts)

    def _fail(self, state: State, reason: str) -> None:
        with self._lock:
            if self._now.finished:
                return
            if state == "refused" and not self._now.text:
                self._now = replace(self._now, state="refused", error=reason)
            else:
                self._finish("failed", self._partial(), reason)

    def _finish(self, state: State, reply: Reply | None, reason: str = "") -> None:
        """Save, then say so: the page reads the archive as soon as it sees a finished state."""
        try:
            self._save(reply)
        except HealGPTError as error:
            reason = strings.NOT_SAVED.format(reason=error)
        text = self._now.text if reply is None else reply.text
        self._now = replace(self._now, state=state, text=text, error=reason)
