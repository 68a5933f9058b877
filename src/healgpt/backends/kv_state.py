"""The system prompt's key-value state on disk, so that a new conversation does not compute it again.

A state is two files: `<key>.bin`, written by the engine, and `<key>.json` with its length in tokens and its sha256.
The key covers everything the state depends on; the sum tells a damaged file from a good one, because the engine
would load flipped bits without a word and answer nonsense.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from healgpt.errors import DataError, ModelError
from healgpt.settings import home

KEPT_STATES = 8
_BLOCK = 1 << 20


def folder() -> Path | None:
    """Return the folder of the states, made where missing; None where nothing can be written."""
    place = home() / "cache" / "kv"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return place if os.access(place, os.W_OK) else None


def state_key(parts: Mapping[str, object], tokens: Sequence[int]) -> str:
    """Return the name of the state of `tokens` under `parts`: model, adapter, engine version, cache settings."""
    text = json.dumps([sorted((key, str(value)) for key, value in parts.items()), list(tokens)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def find(place: Path, key: str, tokens: int) -> str | None:
    """Return the file name of an undamaged state of so many tokens, or None."""
    data, note = place / f"{key}.bin", place / f"{key}.json"
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        if told != {"tokens": tokens, "sha256": _digest(data)}:
            return None
        os.utime(data)  # its age counts from the last use
    except (OSError, ValueError):
        return None
    return data.name


def keep(place: Path, key: str, tokens: int, write: Callable[[str], object]) -> bool:
    """Let `write(file name)` make the state `key` in `place`, and drop the oldest beyond `KEPT_STATES`.

    Returns whether it is there; a full disk or a failed write leaves nothing behind and is no error, since the
    state only saves time.
    """
    scratch = f"{key}.{os.getpid()}.part"
    try:
        write(scratch)
        note = place / f"{scratch}.json"
        note.write_text(json.dumps({"tokens": tokens, "sha256": _digest(place / scratch)}), encoding="utf-8")
        (place / scratch).replace(place / f"{key}.bin")
        note.replace(place / f"{key}.json")
    except (OSError, ModelError):
        for rest in place.glob(f"{scratch}*"):
            with contextlib.suppress(OSError):
                rest.unlink()
        return False
    _prune(place)
    return True


def model_digest(path: Path) -> str:
    """Return the sha256 of a model file, remembered by path, size and time of change in `home()/cache`.

    Computing it takes about a second a gigabyte. Raises `DataError` where the file cannot be read.
    """
    try:
        stat = path.stat()
        mark = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
        note = home() / "cache" / "sha256" / hashlib.sha256(mark.encode()).hexdigest()[:32]
        with contextlib.suppress(OSError):
            return note.read_text(encoding="ascii")
        digest = _digest(path)
    except OSError as error:
        raise DataError(f"读不了 {path}：{error.strerror}。请检查权限。") from error
    with contextlib.suppress(OSError):  # a read-only home only costs the time again
        note.parent.mkdir(parents=True, exist_ok=True)
        scratch = note.with_suffix(f".{os.getpid()}.part")
        scratch.write_text(digest, encoding="ascii")
        scratch.replace(note)
    return digest


def _digest(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def _prune(place: Path) -> None:
    with contextlib.suppress(OSError):  # another process may be pruning too
        states = sorted(place.glob("*.bin"), key=lambda state: state.stat().st_mtime, reverse=True)
        for state in states[KEPT_STATES:]:
            state.unlink(missing_ok=True)
            state.with_suffix(".json").unlink(missing_ok=True)
