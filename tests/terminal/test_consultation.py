"""Consultations in a real terminal: answered, stopped, saved, resumed, and readable in any window."""

import json
import re
import time
from pathlib import Path

import pytest
from conftest import Terminal

from healgpt.consult.archive import Archive

pytestmark = pytest.mark.terminal

SCRIPT = [
    {"match": "慢慢说", "reply": "第一点，注意休息。" * 40, "pause_s": 0.05},
    {"match": ".", "reply": "### 颈椎病\n\n1. **休息**：每小时起来活动。\n2. 热敷，不要自行推拿。"},
]


@pytest.fixture
def chat(tmp_path: Path) -> list[str]:
    script = tmp_path / "s.jsonl"
    script.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in SCRIPT), encoding="utf-8")
    return ["-m", "healgpt.cli.main", "chat", "--model", f"scripted:{script}"]


def test_a_conversation_is_stopped_saved_and_resumed(terminal: Terminal, chat: list[str]) -> None:
    terminal.start(*chat)
    terminal.wait("就绪")
    terminal.type("什么是颈椎病", "Enter")
    screen = terminal.wait("词元/秒")
    assert "颈椎病\n\n1. 休息：每小时起来活动。\n2. 热敷，不要自行推拿。\n" in screen

    terminal.type("什么是热敷，慢慢说", "Enter")
    terminal.wait("第一点，注意休息。第一点")
    terminal.type("C-c")
    stopped = terminal.wait("说出的部分已保留")
    assert "^C" not in stopped
    terminal.type("/save 我的颈椎", "Enter")
    terminal.wait("已保存：")
    terminal.type("exit", "Enter")
    assert terminal.exit_code() == 0

    archive = Archive(terminal.home / "conversations")
    turns = archive.list()[0].turns
    assert [turn.finish_reason for turn in turns] == ["", "stop", "", "cancelled"]
    assert 0 < len(turns[3].content) < len(SCRIPT[0]["reply"])

    terminal.stop()
    terminal.start(*chat, "--resume")
    assert "什么是热敷，慢慢说" in terminal.wait("继续对话“我的颈椎”，已有 4 条")
    terminal.wait("就绪")
    terminal.type("什么是理疗", "Enter")
    terminal.wait("词元/秒\n\n问 ›")
    terminal.leave()
    assert terminal.exit_code() == 0
    assert [turn.content for turn in archive.list()[0].turns][4:] == ["什么是理疗", SCRIPT[1]["reply"]]


def test_a_second_ctrl_c_while_answering_leaves_with_what_came(terminal: Terminal, chat: list[str]) -> None:
    terminal.start(*chat)
    terminal.wait("就绪")
    terminal.type("什么是热敷，慢慢说", "Enter")
    terminal.wait("第一点，注意休息。第一点")
    terminal.leave()
    assert terminal.exit_code() == 0
    assert Archive(terminal.home / "conversations").list()[0].turns[1].content.startswith("第一点")


def test_a_closed_window_loses_nothing(terminal: Terminal, chat: list[str]) -> None:
    terminal.start(*chat)
    terminal.wait("就绪")
    terminal.type("什么是热敷，慢慢说", "Enter")
    terminal.wait("第一点，注意休息。第一点")
    terminal.stop()
    archive = Archive(terminal.home / "conversations")
    for _ in range(200):
        turns = archive.list()[0].turns
        if len(turns) == 2:
            break
        time.sleep(0.05)
    assert turns[1].content.startswith("第一点")


def test_an_emergency_is_a_red_panel_before_the_text(terminal: Terminal, chat: list[str]) -> None:
    terminal.start(*chat, TERM="xterm-256color")
    terminal.wait("就绪")
    terminal.type("我爸突然剧烈胸痛，大汗淋漓，喘不上气", "Enter")
    terminal.wait("由急症规则直接回答")
    colored = terminal.screen("-e")
    assert "\x1b[41m" in "".join(colored.split("【急症】")[0].splitlines()[-2:])
    assert colored.index("【急症】") < colored.index("由急症规则直接回答")


def test_twenty_columns_without_colour_or_utf8_locale(terminal: Terminal, chat: list[str]) -> None:
    terminal.start(*chat, width=20, NO_COLOR="1", LC_ALL="C")
    terminal.wait("问 ›")
    terminal.type("什么是颈椎病", "Enter")
    screen = terminal.wait("词元/秒")
    assert "1. 休息：每小时起来" in screen
    assert not re.search(
        r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7])m", terminal.screen("-e").split("1. 休息")[-1].split("问 ›")[0]
    )


def test_pasted_lines_are_one_question_and_an_endless_one_is_refused(terminal: Terminal, chat: list[str]) -> None:
    terminal.start(*chat)
    terminal.wait("就绪")
    for text in ("什么是颈椎病\n第二行", "我头痛三天了，" * 14_300):
        source = terminal.home.with_suffix(".txt")
        source.write_text(text, encoding="utf-8")
        terminal.tmux("load-buffer", "-b", "pasted", str(source), ";", "paste-buffer", "-p", "-b", "pasted")
        terminal.wait(text[-3:])
        terminal.type("Enter")
        terminal.wait("词元/秒" if len(text) < 100 else "太长")
    turns = Archive(terminal.home / "conversations").list()[0].turns
    assert [turn.content for turn in turns] == ["什么是颈椎病\n第二行", SCRIPT[1]["reply"]]


def test_a_model_that_cannot_be_opened_ends_with_one_sentence(terminal: Terminal) -> None:
    terminal.start("cli_demo.py", "--model", "没有这个.gguf")
    assert terminal.exit_code() == 2
    screen = terminal.screen()
    assert screen.count("错误：") == 1
    assert "没有这个.gguf" in screen


@pytest.mark.model
def test_the_real_model_answers_and_stops(terminal: Terminal) -> None:
    from healgpt.models import catalog

    entry = catalog.find("qwen2.5-coder-0.5b")
    if not catalog.installed(entry):
        pytest.skip("没有 qwen2.5-coder-0.5b；先运行 healgpt pull qwen2.5-coder-0.5b")
    terminal.start("cli_demo.py", "--model", str(catalog.path(entry)), "--max-tokens", "200")
    terminal.wait("就绪", timeout_s=120)
    terminal.type("什么是颈椎病", "Enter")
    assert re.search(r"[一-鿿]{4}", terminal.wait("词元/秒", timeout_s=120).split("什么是颈椎病")[-1])
    terminal.type("请详细说说颈椎病怎么预防", "Enter")
    begun = re.compile(r"怎么预防\s+\S{6}")
    while not begun.search(terminal.screen()):
        time.sleep(0.1)
    terminal.type("C-c")
    terminal.wait("说出的部分已保留")
