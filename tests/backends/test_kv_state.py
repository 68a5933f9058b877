"""States on disk are found when whole, never when damaged, and do not pile up."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from healgpt.backends import kv_state
from healgpt.errors import ModelUnavailable


def _writer(folder: Path, data: bytes = b"state") -> Callable[[str], object]:
    return lambda name: (folder / name).write_bytes(data)


def test_a_kept_state_is_found_again(tmp_path: Path) -> None:
    assert kv_state.keep(tmp_path, "key", 7, _writer(tmp_path))
    assert kv_state.find(tmp_path, "key", 7) == "key.bin"
    assert kv_state.find(tmp_path, "other", 7) is None
    assert kv_state.find(tmp_path, "key", 8) is None


def test_a_damaged_state_or_note_is_not_found(tmp_path: Path) -> None:
    kv_state.keep(tmp_path, "key", 7, _writer(tmp_path))
    (tmp_path / "key.bin").write_bytes(b"stale")
    assert kv_state.find(tmp_path, "key", 7) is None
    (tmp_path / "key.json").write_text("{", encoding="utf-8")
    assert kv_state.find(tmp_path, "key", 7) is None


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def fail(name: str) -> None:
        (tmp_path / name).write_bytes(b"half")
        raise ModelUnavailable("磁盘满了。")

    assert not kv_state.keep(tmp_path, "key", 7, fail)
    assert list(tmp_path.iterdir()) == []


def test_only_the_newest_states_stay(tmp_path: Path) -> None:
    for age in range(kv_state.KEPT_STATES + 3):
        kv_state.keep(tmp_path, f"key{age}", 7, _writer(tmp_path))
        os.utime(tmp_path / f"key{age}.bin", (1000 + age, 1000 + age))
    kv_state.keep(tmp_path, "last", 7, _writer(tmp_path))
    kept = {path.stem for path in tmp_path.glob("*.bin")}
    assert len(kept) == kv_state.KEPT_STATES
    assert "last" in kept
    assert "key0" not in kept
    assert {path.stem for path in tmp_path.glob("*.json")} == kept


def test_the_key_depends_on_every_part() -> None:
    parts = {"model": "a", "engine": "1", "context": 4096}
    keys = {kv_state.state_key({**parts, **change}, [1, 2]) for change in ({}, {"engine": "2"}, {"context": 2048})}
    assert len(keys | {kv_state.state_key(parts, [1, 3])}) == 4


def test_a_changed_model_file_has_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path / "home"))
    model = tmp_path / "model.gguf"
    model.write_bytes(b"one")
    first = kv_state.model_digest(model)
    assert kv_state.model_digest(model) == first
    model.write_bytes(b"three")
    assert kv_state.model_digest(model) != first
