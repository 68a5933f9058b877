"""The commands end to end on a small model: what they print, what they write, how they refuse."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("gguf")
from qwen2_samples import write_qwen2

from healgpt.cli.main import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_qwen2(tmp_path / "model")


def test_convert_export_and_quantize(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, small = tmp_path / "whole.gguf", tmp_path / "small.gguf"
    assert main(["convert", str(folder), str(whole), "--kind", "F16"]) == 0
    assert "已写好" in capsys.readouterr().out
    assert main(["export", str(whole), str(tmp_path / "back")]) == 0
    assert (tmp_path / "back" / "modeling_chat.py").is_file()
    capsys.readouterr()
    assert main(["quantize", str(whole), str(small), "--kind", "q8_0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bytes"] == small.stat().st_size
    assert 0 <= told["drift"]["kl"] < 0.3
    assert told["decode_per_s"] > 0


def test_quantize_out_of_bounds_is_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quantize", str(folder), str(tmp_path / "q.gguf"), "--max-kl", "0"]) == 2
    assert "没有写出文件" in capsys.readouterr().err
    assert not (tmp_path / "q.gguf").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["convert", "没有的模型", "x.gguf"], "没有的模型"),
        (["convert", "/没有/的/文件.gguf", "x.gguf"], "没有找到"),
        (["convert", "{folder}", "x.bin"], "healgpt export"),
        (["export", "cmekg", "x"], "图谱"),
        (["models", "fit", "baichuan-13"], "baichuan-13b-chat"),
        (["models", "fit", "baichuan-7b", "--gpu", "很大"], "24GB"),
    ],
)
def test_mistakes_end_in_one_line(
    arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.format(folder=folder) for argument in arguments]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith("错误：")
    assert words in message


def test_fit_prints_where_each_form_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "fit", "baichuan-13b-chat", "--gpu", "24GB", "--gpus", "4", "--ram", "64GB"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "2 张卡" in lines["fp16"]
    assert "1 张卡" in lines["int4"]
