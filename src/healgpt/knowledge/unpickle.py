"""Read the CMeKG dictionary from the `PyCMeKG` source archive without running anything that it contains.

The archive holds one protocol-0 pickle: `{subject: {predicate: [object, ...]}}` of plain strings. A pickle may name
any callable, so the unpickler here refuses every global and every persistent id, and the shape is checked after
loading. Nothing of the package is imported or installed.
"""

import pickle
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from healgpt.errors import DataError

MEMBER = "pyCMeKG/model/cmekg.pkl"
MAX_BYTES = 256 * 2**20


class _PlainUnpickler(pickle.Unpickler):
    """Builds dicts, lists, strings and numbers; anything that needs a name from a module is refused."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"引用了 {module_name}.{global_name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError(f"引用了外部对象 {pid!r}")


def load_plain(stream: IO[bytes], place: str) -> Any:
    """Return the object pickled in `stream`; `place` names it in errors.

    Raises `DataError` for a pickle that refers to any class or function, and for a damaged one.
    """
    try:
        return _PlainUnpickler(stream).load()
    except pickle.UnpicklingError as error:
        raise DataError(f"{place} 不是纯数据的 pickle：{error}。为安全起见没有读取，请换用官方来源的文件。") from error
    # a damaged pickle surfaces as whatever the broken opcode trips over; each of these means "not readable"
    except (EOFError, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise DataError(f"{place} 已损坏，读不出来（{type(error).__name__}）。请重新下载。") from error


def read_triples(archive: Path) -> Iterator[tuple[str, str, str]]:
    """Yield `(subject, predicate, object)` of the CMeKG dictionary inside `archive` (a `.tar.gz`) or of a bare `.pkl`.

    Raises `DataError` when the file is missing, is no archive, lacks the dictionary, or is not of the known shape.
    """
    graph = _load(archive)
    if not isinstance(graph, dict):
        raise DataError(f"{archive} 里的图谱应是字典，实际是 {type(graph).__name__}。请确认下载的是 PyCMeKG 0.2.5。")
    for subject, predicates in graph.items():
        if not isinstance(subject, str) or not isinstance(predicates, dict):
            raise _wrong_shape(archive, subject)
        for predicate, objects in predicates.items():
            if not isinstance(predicate, str) or not isinstance(objects, list):
                raise _wrong_shape(archive, subject)
            for value in objects:
                if not isinstance(value, str):
                    raise _wrong_shape(archive, subject)
                yield subject, predicate, value


def _wrong_shape(archive: Path, subject: object) -> DataError:
    return DataError(f"{archive} 中 {subject!r} 一项不是“谓词 → 字符串列表”的形式。请确认下载的是 PyCMeKG 0.2.5。")


def _load(archive: Path) -> Any:
    try:
        if archive.suffix == ".pkl":
            with archive.open("rb") as stream:
                return load_plain(stream, str(archive))
        with tarfile.open(archive) as bundle:
            member = next((item for item in bundle if item.isfile() and item.name.endswith(MEMBER)), None)
            if member is None:
                raise DataError(f"{archive} 里没有 {MEMBER}。请确认下载的是 PyCMeKG 0.2.5 的源码包。")
            if member.size > MAX_BYTES:
                raise DataError(f"{archive} 里的图谱有 {member.size} 字节，超过上限 {MAX_BYTES}。请确认文件来源。")
            content = bundle.extractfile(member)
            if content is None:
                raise DataError(f"{archive} 里的 {MEMBER} 没有内容。请重新下载。")
            with content:
                return load_plain(content, f"{archive}:{member.name}")
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{archive} 不是完整的 tar.gz 压缩包（{error}）。请重新下载。") from error
    except OSError as error:
        raise DataError(
            f"读不了 {archive}：{error.strerror or error}。请先运行 healgpt pull cmekg，或检查路径。"
        ) from error
