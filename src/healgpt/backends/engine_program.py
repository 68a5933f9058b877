"""A `llama-server` program of the user's own in place of the engine in the package: built for a GPU, or for this CPU.

The package's engine is llama.cpp compiled for any x86 processor with AVX2. Whoever has a build with CUDA, Vulkan,
Metal or AVX-512 names it in `config.toml` (`engine = "/…/llama-server"`, further arguments in `engine_flags`) and
keeps everything else: caches, cancellation and counts go through the same HTTP interface.
"""

import hashlib
import os
import socket
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from healgpt.errors import ConfigError, ModelError

_LOAD_S = 600


class EngineProgram:
    """A running program, its port bound to 127.0.0.1 and locked with `key`. It ends with this object."""

    def __init__(self, program: Path, arguments: Sequence[str], key: str) -> None:
        """Start `program` and wait until its model is loaded.

        Raises `ConfigError` where there is no such program and `ModelError`, with the last words of its log, where
        it ends or does not get ready.
        """
        port = _free_port()
        self.listening_address = f"http://127.0.0.1:{port}"
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the program writes to it
        # the key goes through the environment: arguments can be read by every user of the machine
        environment = {**os.environ, "LLAMA_API_KEY": key}
        command = [str(program), *arguments, "--host", "127.0.0.1", "--port", str(port)]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT, env=environment
            )
        except OSError as error:
            raise ConfigError(
                f"启动不了 config.toml 里的推理引擎 {program}：{error.strerror}。"
                "请改正 engine，或删掉这一项用自带的引擎。"
            ) from error
        self.close = weakref.finalize(self, _end, process)
        self._wait(process, port)

    def _wait(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        limit = time.monotonic() + _LOAD_S
        while time.monotonic() < limit:
            if process.poll() is not None:
                raise ModelError(f"推理引擎一启动就退出了（{process.returncode}）：{self._last_words()}")
            if _ready(port):
                return
            time.sleep(0.05)
        self.close()
        raise ModelError(f"推理引擎 {_LOAD_S} 秒内没有装好模型：{self._last_words()}")

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return " / ".join(lines[-3:])


def identity(program: str) -> str:
    """Return what tells one build from another: states saved by one must not be restored by the other."""
    try:
        found = Path(program).expanduser().stat()
    except OSError as error:
        raise ConfigError(
            f"config.toml 里的推理引擎 {program} 打不开：{error.strerror}。请改正或删掉 engine。"
        ) from error
    return hashlib.sha256(f"{program} {found.st_size} {found.st_mtime_ns}".encode()).hexdigest()[:16]


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
