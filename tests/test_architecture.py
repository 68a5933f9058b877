"""Promises about the package as a whole: importing is free, the overview is fast, the public names stay."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "streamlit", "xllamacpp", "openai", "fastapi", "ray", "typer", "numpy", "rich")
LIGHT = (
    "healgpt",
    "healgpt.schema",
    "healgpt.cli.main",
    "healgpt.backends",
    "healgpt.consult.doctor",
    "healgpt.consult.archive",
    "healgpt.models.catalog",
)


def loaded_after(module: str) -> list[str]:
    probe = f"import {module}, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return eval(done.stdout)


@pytest.mark.parametrize("module", LIGHT)
def test_importing_loads_nothing_heavy(module):
    assert loaded_after(module) == []


def test_the_overview_loads_nothing_heavy():
    probe = (
        "from healgpt.cli.main import main; import sys; main(['--help']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
