import hashlib
import io
import json
import pickle
import tarfile
from pathlib import Path

import pytest

from healgpt.cli.main import main
from healgpt.knowledge.graph import open_graph
from healgpt.models import catalog
from healgpt.models.progress import Progress

SMALL = b"model"


@pytest.fixture(autouse=True)
def _one_small_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path))
    shape = {"kind": "gguf", "title": "小", "licence": "MIT", "languages": ["zh"], "file": "tiny.gguf"}
    tiny = catalog.parse("tiny", {**shape, "size": len(SMALL), "sha256": hashlib.sha256(SMALL).hexdigest()})
    alias = catalog.parse("alias", {**shape, "base": "tiny"})
    monkeypatch.setattr(catalog, "_table", lambda: {"alias": alias, "tiny": tiny})


def install(content: bytes = SMALL) -> Path:
    place = catalog.path(catalog.find("tiny"))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def test_without_a_terminal_every_tenth_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fake(name: str, *, source: str | None, report: object) -> Path:
        assert callable(report)
        for done in range(101):
            report(Progress(done * 10**6, 100 * 10**6, 2e6, (100 - done) / 2, "download"))
        report(Progress(100 * 10**6, 100 * 10**6, 0.0, None, "notice", "换下一个来源。"))
        return Path("there")

    monkeypatch.setattr("healgpt.cli.pull.pull", fake)
    assert main(["pull", "tiny"]) == 0
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert len(lines) == 12
    assert "50%" in lines[5]
    assert "2.0 MB/s" in lines[5]
    assert "剩 25 秒" in lines[5]
    assert lines[-1] == "换下一个来源。"
    assert captured.out == "tiny 已就绪：there\n"


def test_pull_without_a_name_means_the_model_of_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = install()
    (tmp_path / "config.toml").write_text('model = "alias"\n', encoding="utf-8")
    assert main(["pull"]) == 0
    assert capsys.readouterr().out == f"alias 已就绪：{place}\n"


def test_an_interrupt_says_that_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fake(name: str, *, source: str | None, report: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr("healgpt.cli.pull.pull", fake)
    assert main(["pull", "tiny"]) == 130
    assert "从断点继续" in capsys.readouterr().err


def test_a_wrong_name_ends_in_exit_2_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pull", "tinyy"]) == 2
    assert capsys.readouterr().err == "错误：目录里没有 tinyy。是不是想用 tiny？\n"


def test_models_shows_what_is_installed_for_people_and_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "未下载" in capsys.readouterr().out
    install()
    assert main(["models"]) == 0
    assert "已下载" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    listed = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert listed["alias"]["base"] == "tiny"
    assert listed["alias"]["installed"]
    assert listed["tiny"]["size_bytes"] == len(SMALL)
    assert listed["tiny"]["memory_bytes"] > len(SMALL)


def test_a_truncated_file_shows_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    install(SMALL[:-1])
    assert main(["models"]) == 0
    assert "大小不对" in capsys.readouterr().out


def test_check_reads_the_whole_file(capsys: pytest.CaptureFixture[str]) -> None:
    install()
    assert main(["models", "check"]) == 0
    assert "tiny 完好" in capsys.readouterr().out
    install(b"m0del")
    assert main(["models", "check", "tiny"]) == 2
    assert "SHA-256" in capsys.readouterr().err


def test_rm_needs_a_yes(capsys: pytest.CaptureFixture[str]) -> None:
    place = install()
    assert main(["models", "rm", "tiny"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert place.exists()
    assert main(["models", "rm", "tiny", "--yes"]) == 0
    assert not place.exists()


def test_pulling_the_graph_leaves_a_store_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pickled = pickle.dumps({"感冒": {"临床症状及体征": ["发热", "咳嗽"], "治疗方案": ["休息"]}}, protocol=0)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("PyCMeKG-0.2.5/pyCMeKG/model/cmekg.pkl")
        member.size = len(pickled)
        archive.addfile(member, io.BytesIO(pickled))
    shape = {"kind": "graph", "title": "图", "licence": "MIT", "languages": ["zh"], "file": "graph.tar.gz"}
    entry = catalog.parse("cmekg", {**shape, "size": len(packed.getvalue())})
    monkeypatch.setattr(catalog, "_table", lambda: {"cmekg": entry})
    place = catalog.path(entry)
    place.parent.mkdir(parents=True)
    place.write_bytes(packed.getvalue())
    assert main(["pull", "cmekg"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"cmekg 已就绪：{place.parent / 'graph.sqlite'}\n"
    assert captured.err.strip()
    with open_graph() as graph:
        assert graph.resolve("感冒") == "感冒"
