"""A file that is being downloaded: bytes in order, hashed as they come, kept across interrupts."""

import hashlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

_BLOCK = 1 << 20


class Partial:
    """The growing `place`; `done` counts the bytes it holds and never exceeds `size`.

    The bytes of one file are the same whatever the source, so a download may go on from another source.
    Opening keeps what an earlier run left. Every `OSError` goes through to the caller.
    """

    def __init__(self, place: Path, size: int) -> None:
        self._stream: BinaryIO = place.open("r+b" if place.exists() else "w+b")
        self._hash = hashlib.sha256()
        self._hashed = 0
        self.size = size
        self.done = min(place.stat().st_size, size)

    def __enter__(self) -> "Partial":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def keep(self, length: int) -> None:
        """Drop everything after the first `length` bytes; the next write goes there."""
        if length < self._hashed:
            self._hash, self._hashed = hashlib.sha256(), 0
        self._stream.truncate(length)
        self.done = length

    def write(self, block: bytes) -> None:
        """Append `block`. Raises `ValueError` when the file would grow past its size."""
        if self.done + len(block) > self.size:
            raise ValueError(f"{self.done + len(block)} > {self.size}")
        self._catch_up()
        self._stream.seek(self.done)
        self._stream.write(block)
        self._hash.update(block)
        self.done += len(block)
        self._hashed = self.done

    def finish(self) -> str:
        """Flush to disk and return the sha256 in hex of all bytes."""
        self._catch_up()
        self._stream.flush()
        return self._hash.hexdigest()

    def _catch_up(self) -> None:
        """Hash the bytes that an earlier run left."""
        self._stream.seek(self._hashed)
        while self._hashed < self.done:
            block = self._stream.read(min(_BLOCK, self.done - self._hashed))
            if not block:
                raise OSError(f"{self._stream.name} is shorter than it was")
            self._hash.update(block)
            self._hashed += len(block)
