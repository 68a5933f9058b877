"""JSON Lines in and out: streamed reading with exact error places, appends that survive a crash."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from healgpt.errors import DataError


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of `path`, one a line; blank lines are skipped.

    Raises `DataError` with file, line, reason and mend for a line that is no JSON object.
    """
    try:
        with path.open(encoding="utf-8-sig") as stream:
            yield from parse(stream, str(path))
    except OSError as error:
        raise DataError(f"读不了文件 {path}：{error.strerror}。请检查路径和权限。") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} 不是 UTF-8 编码（第 {error.start} 字节）。请先转成 UTF-8 再读。") from error


def parse(lines: Iterable[str], place: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of `lines`; `place` names them in errors."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{place} 第 {number} 行不是合法的 JSON：{error.msg}（第 {error.colno} 列）。请修正这一行。"
            ) from error
        if not isinstance(item, dict):
            raise DataError(f"{place} 第 {number} 行应是一个 JSON 对象，实际是 {type(item).__name__}。请修正这一行。")
        yield item


def dump(item: dict[str, Any]) -> str:
    """Return `item` as one line of JSON without its newline, Chinese kept readable, lone surrogates escaped."""
    line = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        line = json.dumps(item, ensure_ascii=True, separators=(",", ":"))
    return line


def append(path: Path, item: dict[str, Any]) -> None:
    """Append one object as one line in one write, so that a crash leaves whole lines only.

    Raises `DataError` when the disk is full or the folder may not be written; earlier lines stay as they were.
    """
    data = (dump(item) + "\n").encode("utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as stream:
            start = stream.tell()
            try:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            except OSError:
                stream.truncate(start)
                raise
    except OSError as error:
        raise DataError(f"写不进 {path}：{error.strerror}。已有内容未受影响，请检查磁盘空间和权限。") from error


def write(path: Path, items: Iterable[dict[str, Any]]) -> int:
    """Write all `items` to `path`, whole or not at all; return how many."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.part")
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8", newline="\n") as stream:
            count = _write_lines(stream, items)
        scratch.replace(path)
    except OSError as error:
        raise DataError(f"写不进 {path}：{error.strerror}。原文件未受影响，请检查磁盘空间和权限。") from error
    finally:
        scratch.unlink(missing_ok=True)
    return count


def _write_lines(stream: TextIO, items: Iterable[dict[str, Any]]) -> int:
    count = 0
    for item in items:
        stream.write(dump(item) + "\n")
        count += 1
    return count
