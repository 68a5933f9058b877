"""Take the screenshots of the page: `python docs/images/make_screenshots.py [--model SPEC]`.

The page runs on a fresh home folder beside the user's models, with whatever model is named; nothing is staged but
the questions. Needs Chromium and a CJK font, as the browser tests do.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from healgpt import settings
from healgpt.models import catalog

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
QUESTION = "颈椎病有哪些症状，要做哪些检查？"
FOLLOW_UP = "平时怎么保养？"
EMERGENCY = "我爸突然胸痛，大汗淋漓，喘不上气"
PATIENCE_MS = 180_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="healgpt-mini")
    spec = parser.parse_args().model
    if ":" not in spec and not spec.endswith(".gguf"):
        spec = str(catalog.verify(catalog.find(spec)))
    with tempfile.TemporaryDirectory() as home, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        if (settings.home() / "graphs").is_dir():  # with evidence, where the graph was pulled
            (Path(home) / "graphs").symlink_to(settings.home() / "graphs")
        flags = [f"--server.port={port}", "--server.headless=true", "--server.address=127.0.0.1"]
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ROOT / "web_demo.py"), *flags],
            cwd=ROOT,
            env={**os.environ, "HEALGPT_HOME": home, "HEALGPT_MODEL": spec},
            stdout=subprocess.DEVNULL,
        )
        try:
            take(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()
            server.wait()


def take(url: str) -> None:
    wait(url)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"])
        asked: list[str] = []
        for name, width, height, scheme in (
            ("wide-light", 1440, 900, "light"),
            ("wide-dark", 1440, 900, "dark"),
            ("narrow-light", 390, 844, "light"),
            ("narrow-dark", 390, 844, "dark"),
        ):
            page = open_page(browser, url, width, height, scheme)
            shoot(page, f"web-start-{name}")
            for view, questions in (("answer", (QUESTION, FOLLOW_UP)), ("emergency", (EMERGENCY,))):
                if len(asked) < 2:
                    page = open_page(browser, url, width, height, scheme)
                    for question in questions:
                        ask(page, question)
                    asked.append(page.url)
                # the same conversation at every size: the address holds it
                page = open_page(browser, asked[view == "emergency"], width, height, scheme)
                page.locator(".hg-said").first.wait_for()
                page.wait_for_timeout(1_000)
                shoot(page, f"web-{view}-{name}")
        browser.close()


def wait(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):  # noqa: S310  an address of this machine
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the page did not start")


def open_page(browser: Browser, url: str, width: int, height: int, scheme: str) -> Page:
    size = {"width": width, "height": height}
    page = browser.new_context(viewport=size, color_scheme=scheme, locale="zh-CN").new_page()
    page.goto(url)
    page.get_by_placeholder("描述您的不适或问题").wait_for()
    page.wait_for_timeout(1_000)
    return page


def ask(page: Page, question: str) -> None:
    said = page.locator(".hg-said").count()
    box = page.get_by_placeholder("描述您的不适或问题")
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".hg-said")).to_have_count(said + 1, timeout=PATIENCE_MS)
    page.get_by_role("button", name="重新回答").wait_for(timeout=PATIENCE_MS)
    page.wait_for_timeout(1_000)


def shoot(page: Page, name: str) -> None:
    page.screenshot(path=HERE / f"{name}.png")
    sys.stdout.write(f"docs/images/{name}.png\n")


if __name__ == "__main__":
    main()
