"""How the page's server is started, and that both ways to start it look the same."""

import sys
from pathlib import Path

import pytest

from healgpt.errors import ConfigError
from healgpt.web import engine, launch

ROOT = Path(__file__).resolve().parents[2]


def test_both_commands_use_the_same_theme_and_settings():
    beside_demo = (ROOT / ".streamlit" / "config.toml").read_text("utf-8")
    assert beside_demo == (launch.PAGE.parent / ".streamlit" / "config.toml").read_text("utf-8")
    assert "gatherUsageStats = false" in beside_demo


def test_the_server_listens_where_it_was_told_to():
    line = launch.command(host="127.0.0.1", port=8888, browser=False)
    assert line[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert {"--server.address=127.0.0.1", "--server.port=8888", "--server.headless=true"} <= set(line)


def test_a_wrong_port_is_one_sentence():
    with pytest.raises(ConfigError, match="端口 99999"):
        launch.serve(model=None, host="127.0.0.1", port=99999, browser=False)


def test_the_model_comes_from_the_environment_before_the_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path))
    monkeypatch.delenv("HEALGPT_MODEL", raising=False)
    assert engine.default_model() == "healgpt-mini"
    (tmp_path / "config.toml").write_text('model = "qwen2.5-coder-0.5b"\n', encoding="utf-8")
    assert engine.default_model() == "qwen2.5-coder-0.5b"
    monkeypatch.setenv("HEALGPT_MODEL", "x.gguf")
    assert engine.default_model() == "x.gguf"


def test_only_installed_models_are_offered_and_a_missing_one_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path))
    assert engine.choices("scripted:a.jsonl") == ["scripted:a.jsonl"]
    assert engine.missing("scripted:a.jsonl") is None
    missing = engine.missing("healgpt-mini")
    assert missing is not None
    assert missing.name == "healgpt-mini"
    with pytest.raises(ConfigError, match="healgpt-mini"):
        engine.missing("healgpt-mni")


def test_a_model_is_shown_without_folders_and_addresses():
    assert engine.label("scripted:/home/me/a.jsonl") == "a.jsonl"
    assert engine.label("/home/me/m.gguf") == "m.gguf"
    assert engine.label("https://10.0.0.1/v1#qwen") == "qwen"
    assert engine.label("healgpt-mini") == "healgpt-mini"
