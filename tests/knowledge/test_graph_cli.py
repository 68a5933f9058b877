import json
from pathlib import Path

import pytest

from healgpt.cli.main import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("院内.jsonl").write_text(
        '{"subject":"感冒","predicate":"症状","object":"咳嗽","support":0.97}\n'
        '{"subject":"感冒","predicate":"别称","object":"伤风着凉"}\n'
        '{"subject":"感冒","predicate":"症状","object":"性格改变样"}\n',
        "utf-8",
    )
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["kg", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_graph_is_imported_looked_at_and_exported(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "import", "院内.jsonl", "--source", "市一院")
    assert code == 0
    assert "3" in out
    code, out, _ = run(capsys, "show", "感冒", "--json")
    assert code == 0
    assert json.loads(out) == {
        "subject": "感冒", "predicate": "症状", "object": "咳嗽", "source": "市一院", "support": 0.97,
    }  # fmt: skip
    assert "咳嗽" in run(capsys, "show", "感冒")[1]
    assert "感冒" in run(capsys, "show", "咳嗽", "-r", "常见于")[1]
    assert "性格改变样" not in run(capsys, "show", "感冒")[1]
    assert "性格改变样" in run(capsys, "show", "感冒", "--all")[1]
    assert "别称" in run(capsys, "show", "感冒", "--raw")[1]
    assert "感冒" in run(capsys, "search", "感")[1]
    assert json.loads(run(capsys, "stats", "--json")[1])["triples"] == 3
    assert "市一院" in run(capsys, "stats")[1]
    assert run(capsys, "export", "out.jsonl")[0] == 0
    assert json.loads(Path("out.jsonl").read_text("utf-8"))["object"] == "咳嗽"


def test_without_a_graph_one_line_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "感冒")
    assert (code, out) == (2, "")
    assert "healgpt pull cmekg" in err
    assert err.count("\n") == 1


def test_an_unknown_name_is_answered_with_near_ones(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "import", "院内.jsonl")
    code, _, err = run(capsys, "show", "感")
    assert code == 2
    assert "感冒" in err


def test_a_bad_file_is_refused_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("坏.csv").write_text("感冒,症状,咳嗽\n感冒\n", "utf-8")
    code, _, err = run(capsys, "import", "坏.csv")
    assert code == 2
    assert "坏.csv 第 2 行" in err
