"""A real Chromium on a real server: one server a script of replies, one browser for all tests, one context a test."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = Path(__file__).parent / "pages"
SLOW = "".join(f"第{number}点：注意休息，多喝水。" for number in range(1, 21))
REPLIES = [
    {"match": "慢慢说", "reply": SLOW, "pause_s": 0.03},
    {"match": "断网", "error": "服务器没有响应。请稍后再试。"},
    {
        "match": "注入",
        "reply": '<script>window.hacked = 1</script><img src="http://127.0.0.1:9/a.png" onerror="window.hacked = 1">'
        "![图](http://127.0.0.1:9/b.png) [点我](javascript:window.hacked=1) https://example.invalid/c $x^2$ :red[红]",
    },
    {
        "match": ".",
        "reply": "谢谢您的描述。**多久了**？\n\n- 有没有发热？\n- 多大年纪？\n\n请挂**骨科**。",
        "pause_s": 0.02,
    },
]


@dataclass(frozen=True)
class Site:
    """A running server and the home folder behind it."""

    url: str
    home: Path

    def conversations(self) -> list[list[dict[str, object]]]:
        """Return the events of every saved conversation, the last changed first."""
        files = sorted((self.home / "conversations").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
        return [[json.loads(line) for line in path.read_text("utf-8").splitlines()] for path in reversed(files)]


def chromium_path() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture(scope="module")
def browser():
    path = chromium_path()
    if path is None:
        pytest.skip("没有 Chromium；make test 会装好它")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=15_000)
    quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as driver:
        running = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-sync", *quiet]
        )
        yield running
        running.close()


@contextmanager
def serve(page: Path, home: Path, model: str) -> Iterator[Site]:
    """Run `page` with its own home folder; the server ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # under coverage the server counts too; it writes its figures when it is told to end
    measured = ["-m", "coverage", "run", f"--rcfile={ROOT / 'pyproject.toml'}"] if "COVERAGE_RUN" in os.environ else []
    flags = [f"--server.port={port}", "--server.headless=true", "--server.address=127.0.0.1"]
    log = home / "server.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, *measured, "-m", "streamlit", "run", str(page), *flags],
            cwd=ROOT,
            env={**os.environ, "HEALGPT_HOME": str(home), "HEALGPT_MODEL": model},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{url}/_stcore/health", process, log)
        yield Site(url, home)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            assert process.poll() is None, log.read_text("utf-8", "replace")
            time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8", "replace"))


def scripted(folder: Path) -> str:
    """Write the replies and return the spec that reads them."""
    path = folder / "replies.jsonl"
    path.write_text("\n".join(json.dumps(reply, ensure_ascii=False) for reply in REPLIES), encoding="utf-8")
    return f"scripted:{path}"


@pytest.fixture(scope="module")
def site(browser, tmp_path_factory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("home")
    with serve(PAGES / "scripted.py", home, scripted(home)) as running:
        yield running


@pytest.fixture
def open_page(browser, request) -> Iterator[Callable[..., object]]:
    """Return a function that opens an address in a new context; arguments are those of `Browser.new_context`."""
    contexts = []

    def opened(url: str, **options: object):
        contexts.append(
            browser.new_context(**{"viewport": {"width": 1280, "height": 860}, "locale": "zh-CN"} | options)
        )
        contexts[-1].set_default_timeout(15_000)
        page = contexts[-1].new_page()
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
