import pytest

from healgpt import jsonl
from healgpt.errors import DataError


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "a.jsonl"
    items = [{"text": "头疼\n三天"}, {"text": "\ud800"}, {"n": 1.5}]
    assert jsonl.write(path, items) == 3
    assert list(jsonl.read(path)) == items


@pytest.mark.parametrize(("line", "reason"), [("{", "JSON"), ("[1]", "对象")])
def test_a_bad_line_is_named(tmp_path, line, reason):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":1}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"第 3 行.*{reason}"):
        list(jsonl.read(path))


def test_other_encodings_and_missing_files_are_named(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes("{'头疼'}".encode("gb18030"))
    with pytest.raises(DataError, match="UTF-8"):
        list(jsonl.read(path))
    with pytest.raises(DataError, match=r"none\.jsonl"):
        list(jsonl.read(tmp_path / "none.jsonl"))


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.jsonl"
    jsonl.write(path, [{"a": 1}])

    def broken():
        yield {"a": 2}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        jsonl.write(path, broken())
    assert list(jsonl.read(path)) == [{"a": 1}]
    assert list(tmp_path.iterdir()) == [path]
