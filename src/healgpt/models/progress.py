"""How far a download is: what `pull` reports, measured over the last seconds."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["waiting", "download", "verify", "notice", "done"]

_WINDOW_S = 5.0
_INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of `pull`. Bytes count the finished file, so `done_bytes` may start above 0 after an interrupt.

    `stage` "waiting": another process downloads the same file and `done_bytes` follows it; "notice": `note`
    carries a Chinese sentence for the user and the numbers are as before. `seconds_left` is None while unknown.
    """

    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    seconds_left: float | None
    stage: Stage
    note: str = ""


class Meter:
    """Turns byte counts into `Progress` reports, at most ten a second.

    Whatever `report` raises goes through: raising is how a caller cancels a download.
    """

    def __init__(self, total: int, report: Callable[[Progress], None] | None) -> None:
        self._total = total
        self._report = report
        self._done = 0
        self._stage: Stage | None = None
        self._samples: deque[tuple[float, int]] = deque()
        self._said_at = 0.0

    def at(self, done: int, stage: Stage = "download") -> None:
        """Report that `done` bytes are there."""
        now = time.monotonic()
        if stage != self._stage or done < self._done:
            self._samples.clear()
            self._stage = stage
        elif now - self._said_at < _INTERVAL_S:
            self._done = done
            return
        self._done = done
        self._samples.append((now, done))
        while now - self._samples[0][0] > _WINDOW_S and len(self._samples) > 2:
            self._samples.popleft()
        self._said_at = now
        self._say("")

    def notice(self, note: str) -> None:
        """Tell the user something once."""
        stage, self._stage = self._stage, "notice"
        self._say(note)
        self._stage = stage

    def _say(self, note: str) -> None:
        if self._report is None:
            return
        speed = self._speed()
        left = (self._total - self._done) / speed if speed > 0 else None
        self._report(Progress(self._done, self._total, speed, left, self._stage or "download", note))

    def _speed(self) -> float:
        if len(self._samples) < 2:
            return 0.0
        (start, first), (end, last) = self._samples[0], self._samples[-1]
        return (last - first) / (end - start) if end > start else 0.0
