"""A real terminal, driven through tmux: what is typed and what stands on the screen."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Terminal:
    """One tmux server with one window. `home` is HEALGPT_HOME of what runs in it."""

    socket: str
    home: Path

    def tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self.socket, "-f", os.devnull, *arguments]
        return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout

    def start(self, *command: str, width: int = 80, height: int = 30, **environment: str) -> None:
        """Run a Python command in a new window; an empty value unsets a variable."""
        given = {"HEALGPT_HOME": str(self.home), "LC_ALL": "C.UTF-8", "NO_COLOR": "", **environment}
        words = ["env", "-u", "NO_COLOR", *(f"{key}={value}" for key, value in given.items() if value)]
        # tmux sometimes forgets the status of a window's program, so the shell writes it down
        self._status.unlink(missing_ok=True)
        program = shlex.join([*words, sys.executable, *command])
        line = f"cd {shlex.quote(str(ROOT))}; {program}; echo $? > {shlex.quote(str(self._status))}"
        self.tmux(
            "new-session", "-d", "-x", str(width), "-y", str(height), line, ";", "set", "-g", "remain-on-exit", "on"
        )

    def type(self, *keys: str) -> None:
        """Send text or named keys such as Enter and C-c."""
        self.tmux("send-keys", *keys)

    def screen(self, *options: str) -> str:
        """Return everything that was printed, scrolled-off lines included."""
        return self.tmux("capture-pane", "-p", "-S", "-500", *options)

    def wait(self, text: str, timeout_s: float = 60.0) -> str:
        """Return the screen once `text` stands on it."""
        end = time.monotonic() + timeout_s
        while text not in (screen := self.screen()):
            assert time.monotonic() < end, f"{text!r} did not appear:\n{screen}"
            time.sleep(0.05)
        return screen

    def exit_code(self, timeout_s: float = 60.0) -> int:
        """Wait for the program to end and return its exit code."""
        end = time.monotonic() + timeout_s
        while not (self._status.exists() and (status := self._status.read_text())):
            assert time.monotonic() < end, f"still running:\n{self.screen()}"
            time.sleep(0.05)
        return int(status)

    @property
    def _status(self) -> Path:
        return self.home.parent / "exit-status"

    def leave(self) -> None:
        """Press Ctrl-C as an impatient user does, until the program is gone."""
        for _ in range(40):
            self.tmux("send-keys", "C-c")
            time.sleep(0.5)
            if self._status.exists():
                return

    def stop(self) -> None:
        """End the server and wait until it is gone, so that another may take its name."""
        gone = ["tmux", "-L", self.socket, "kill-server"]
        while subprocess.run(gone, check=False, capture_output=True).returncode == 0:
            time.sleep(0.05)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("没有 tmux；make test 会装好它")
    item = Terminal(f"healgpt-{os.getpid()}-{time.monotonic_ns()}", tmp_path / "home")
    yield item
    item.stop()
