import importlib
import subprocess
import sys

import pytest

from healgpt.cli.main import COMMANDS, main


def test_the_overview_lists_every_command(capsys):
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name, capsys):
    assert main([name, "--help"]) == 0
    assert f"healgpt {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_typer_app(name):
    assert hasattr(importlib.import_module(COMMANDS[name][0]), "app")


def test_a_misspelt_command_is_one_line_with_the_nearest_name(capsys):
    assert main(["chta"]) == 2
    assert "chat" in capsys.readouterr().err


def test_an_error_is_one_line_and_exit_code_2():
    done = subprocess.run(
        [sys.executable, "-m", "healgpt.cli.main", "ask", "--model", "没有这个模型", "头疼"],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    message = done.stderr.decode()
    assert done.returncode == 2
    assert message.startswith("错误：")
    assert len(message.splitlines()) == 1
