"""Consultation in the terminal: `python cli_demo.py`. The same as `healgpt chat`; takes the same flags."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from healgpt.cli.main import run

if __name__ == "__main__":
    sys.argv.insert(1, "chat")
    run()
