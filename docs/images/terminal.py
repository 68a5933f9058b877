"""Draw docs/images/terminal.svg from a real consultation: `python docs/images/terminal.py [MODEL]` (needs tmux).

The answer is the model's own; greedy, so that the same model draws the same picture. Default: healgpt-mini.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from healgpt import settings

COLUMNS, ROWS = 84, 46
QUESTIONS = ("我感觉自己颈椎非常不舒服，每天睡醒都会头痛", "三个月了，我35岁，没有呕吐和手麻，没吃药")
SOCKET = f"healgpt-picture-{os.getpid()}"
# what stands under a finished answer
_DONE = re.compile(r"\d 词元 ·|由急症规则")


def tmux(*arguments: str) -> str:
    command = ["tmux", "-L", SOCKET, "-f", os.devnull, *arguments]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def screen(*options: str) -> str:
    return tmux("capture-pane", "-p", "-S", "-300", *options)


def consult(model: str, home: str) -> Text:
    """Hold the consultation and return the screen with its colours."""
    flags = f"--model {model} --temperature 0 --seed 1"
    line = f"HEALGPT_HOME={home} LC_ALL=C.UTF-8 TERM=xterm-256color {sys.executable} -m healgpt.cli.main chat {flags}"
    tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), line)
    try:
        wait(lambda text: "就绪" in text)
        for number, question in enumerate(QUESTIONS, start=1):
            tmux("send-keys", question, "Enter")
            wait(lambda text, number=number: len(_DONE.findall(text)) >= number)
        return Text.from_ansi(screen("-e").rstrip())
    finally:
        subprocess.run(["tmux", "-L", SOCKET, "kill-server"], check=False)


def wait(done) -> None:
    end = time.monotonic() + 180
    while not done(screen()):
        if time.monotonic() > end:
            raise SystemExit("模型没有在 180 秒内答完。")
        time.sleep(0.2)


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else "healgpt-mini"
    with tempfile.TemporaryDirectory() as folder:  # the picture's conversation is nobody's
        (Path(folder) / "models").symlink_to(settings.home() / "models")
        picture = consult(model, folder)
    lines = [line for line in picture.split("\n") if "急症拨打 120 ·" not in line.plain]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(line, soft_wrap=True)
    console.save_svg(str(Path(__file__).with_name("terminal.svg")), title="healgpt chat")


if __name__ == "__main__":
    main()
