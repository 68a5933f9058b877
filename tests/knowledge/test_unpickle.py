import io
import os
import pickle
import tarfile
from pathlib import Path

import pytest

from healgpt.errors import DataError
from healgpt.knowledge.unpickle import MEMBER, load_plain, read_triples

GRAPH = {"感冒": {"常见症状": ["咳嗽", "流涕"], "就诊科室": ["呼吸内科"]}}


def archive_of(folder: Path, payload: bytes, member: str = f"PyCMeKG-0.2.5/{MEMBER}") -> Path:
    path = folder / "PyCMeKG-0.2.5.tar.gz"
    with tarfile.open(path, "w:gz") as bundle:
        entry = tarfile.TarInfo(member)
        entry.size = len(payload)
        bundle.addfile(entry, io.BytesIO(payload))
    return path


def test_the_dictionary_of_the_archive_becomes_triples(tmp_path: Path) -> None:
    path = archive_of(tmp_path, pickle.dumps(GRAPH, protocol=0))
    assert list(read_triples(path)) == [
        ("感冒", "常见症状", "咳嗽"),
        ("感冒", "常见症状", "流涕"),
        ("感冒", "就诊科室", "呼吸内科"),
    ]


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("pickle-was-executed",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_names_a_function_is_refused_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    monkeypatch.chdir(tmp_path)
    path = archive_of(tmp_path, pickle.dumps({"感冒": Runs()}, protocol=protocol))
    with pytest.raises(DataError, match="不是纯数据"):
        list(read_triples(path))
    assert not (tmp_path / "pickle-was-executed").exists()


def test_even_a_harmless_builtin_is_refused() -> None:
    with pytest.raises(DataError, match="不是纯数据"):
        load_plain(io.BytesIO(b"cbuiltins\nset\n(tR."), "测试")


def test_persistent_ids_are_refused() -> None:
    with pytest.raises(DataError, match="外部对象"):
        load_plain(io.BytesIO(b"Psecret\n."), "测试")


@pytest.mark.parametrize("cut", [1, 7, 40, -1])
def test_a_damaged_pickle_is_a_clear_error(tmp_path: Path, cut: int) -> None:
    path = archive_of(tmp_path, pickle.dumps(GRAPH, protocol=0)[:cut])
    with pytest.raises(DataError, match=r"损坏|不是纯数据"):
        list(read_triples(path))


@pytest.mark.parametrize(
    "content",
    [["感冒"], {"感冒": "咳嗽"}, {"感冒": {"症状": "咳嗽"}}, {"感冒": {"症状": [1]}}, {1: {"症状": ["咳嗽"]}}],
)
def test_another_shape_is_refused_by_name(tmp_path: Path, content: object) -> None:
    path = archive_of(tmp_path, pickle.dumps(content, protocol=0))
    with pytest.raises(DataError, match="确认下载的是"):
        list(read_triples(path))


def test_what_is_missing_or_no_archive_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="healgpt pull cmekg"):
        list(read_triples(tmp_path / "无.tar.gz"))
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"not a tar")
    with pytest.raises(DataError, match="压缩包"):
        list(read_triples(broken))
    with pytest.raises(DataError, match="没有"):
        list(read_triples(archive_of(tmp_path, b"x", "别的/文件.txt")))
