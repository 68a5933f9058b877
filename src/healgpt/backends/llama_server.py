"""llama.cpp's server inside this process, spoken to over loopback HTTP.

xllamacpp can also be called directly, but that way a request cannot be cancelled before its first token, slots can
be neither saved nor restored, and text cannot be tokenised. Closing the connection of a request is the engine's own
sign to stop computing it. The port is chosen by the system, bound to 127.0.0.1 and locked with a random key.
"""

import contextlib
import json
import os
import secrets
import shlex
import socket
import threading
from collections.abc import Generator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from healgpt.backends import engine_program
from healgpt.errors import ModelError, ModelRefused, ModelUnavailable
from healgpt.settings import load_settings

# The engine looks for cancelled requests between batches only: 256 tokens are 2 s of a 0.5B model on two cores.
# Larger batches gain nothing there (docs/lab-book.md).
BATCH_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Plan:
    """How the engine is started. `context` counts tokens a slot; `states` is the folder of saved slots, if any."""

    model: Path
    threads: int
    context: int
    slots: int
    cache_ram_mib: int
    states: Path | None = None
    adapter: Path | None = None


class LlamaServer:
    """One loaded model and its HTTP port. Thread-safe; `close` frees the memory."""

    def __init__(self, plan: Plan) -> None:
        """Load the model, which takes seconds. Raises `ModelError` where the engine refuses the file."""
        self._key = secrets.token_urlsafe(24)
        self._server: Any = _start(plan, self._key)
        self._port = int(self._server.listening_address.rsplit(":", 1)[1])
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send one request and return the parsed answer. Raises as `events` does."""
        with self._connection() as connection:
            response = self._send(connection, path, body)
            return json.loads(response.read())

    def events(self, path: str, body: dict[str, Any]) -> Generator[dict[str, Any], None, None]:
        """Yield the events of a streamed request; closing the iterator cancels it in the engine.

        Raises `ModelRefused` for a request that the engine rejects, `ModelUnavailable` where it failed or was
        closed.
        """
        with self._connection() as connection:
            response = self._send(connection, path, {**body, "stream": True})
            try:
                while line := response.readline():
                    if line.startswith(b"data: ") and not line.startswith(b"data: [DONE]"):
                        yield _checked(json.loads(line[6:]))
                    elif line.startswith(b"error: "):
                        raise _refusal(json.loads(line[7:]), 500)
            except (OSError, HTTPException) as error:
                raise ModelUnavailable(f"推理引擎中断了回答（{error}）。请重试。") from error

    def close(self) -> None:
        """Stop the engine and free its memory; requests under way end with `ModelUnavailable`.

        Their connections go first: the engine's end waits for every request that somebody still listens to.
        """
        with self._lock:
            server, self._server = self._server, None
            for line in self._open:
                _hang_up(line)
        if isinstance(server, engine_program.EngineProgram):
            server.close()
        del server  # the destructor joins the engine's threads

    @contextlib.contextmanager
    def _connection(self) -> Generator[HTTPConnection, None, None]:
        connection = HTTPConnection("127.0.0.1", self._port)
        with self._lock:
            if self._server is None:
                raise ModelUnavailable("推理引擎已经关闭。请重新打开模型。")
            try:
                connection.connect()
            except OSError as error:
                raise ModelUnavailable(f"推理引擎没有响应（{error}）。请重试。") from error
            line = connection.sock  # the connection forgets it once the response has begun
            self._open.add(line)
        try:
            yield connection
        finally:
            with self._lock:
                self._open.discard(line)
            connection.close()

    def _send(self, connection: HTTPConnection, path: str, body: dict[str, Any]) -> HTTPResponse:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            if response.status == 200:
                return response
            detail = json.loads(response.read() or b"{}")
        except (OSError, HTTPException, json.JSONDecodeError) as error:
            raise ModelUnavailable(f"推理引擎没有响应（{error}）。请重试。") from error
        raise _refusal(detail, response.status)


def _hang_up(line: socket.socket) -> None:
    """End both directions of a connection that another thread may be reading from; it sees the end at once."""
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    if "error" in event:
        raise _refusal(event, 500)
    return event


def _refusal(detail: dict[str, Any], status: int) -> ModelError:
    error = detail.get("error", detail)
    message = str(error.get("message", error))
    if error.get("type") == "exceed_context_size_error":
        return ModelRefused(
            f"对话有 {error.get('n_prompt_tokens')} 个词元，超过了 {error.get('n_ctx')} 的窗口。"
            "请缩短内容、新开对话或增大 --context。"
        )
    if status < 500:
        return ModelRefused(f"推理引擎拒绝了请求：{message}")
    return ModelUnavailable(f"推理引擎出错：{message}。请重试。")


def _start(plan: Plan, key: str) -> Any:
    # The engine's threads wait for each other at every layer. By default they spin, and where another program needs
    # the same cores each wait costs a whole time slice: measured 6 to 40 times slower. A short spin keeps the speed
    # of an idle machine (docs/lab-book.md). Read once, when the library is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    settings = load_settings()
    if settings.engine:
        return _program(plan, key, settings.engine, settings.engine_flags)
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(plan.model)
    params.n_ctx = plan.context * plan.slots
    params.n_parallel = plan.slots
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.cache_ram_mib = plan.cache_ram_mib
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = plan.threads
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = False
    params.verbosity = -1  # nothing of the engine's log reaches the terminal
    params.warmup = False  # the system prompt is the warm-up
    params.fit_params = False  # never shrink the context that was asked for
    if plan.states is not None:
        params.slot_save_path = f"{plan.states}/"
    if plan.adapter is not None:
        adapter = xllamacpp.CommonAdapterLoraInfo()
        adapter.path, adapter.scale = str(plan.adapter), 1.0
        params.lora_adapters = [adapter]
    try:
        return xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"引擎装不进模型 {plan.model}：{error}") from error


def _program(plan: Plan, key: str, program: str, flags: str) -> engine_program.EngineProgram:
    """Start the user's own program with what the package's engine would be set to; `flags` come last and win."""
    threads, batch = str(plan.threads), str(BATCH_TOKENS)
    asked = ["-m", str(plan.model), "-c", str(plan.context * plan.slots), "-np", str(plan.slots)]
    asked += ["-t", threads, "-tb", threads, "-b", batch, "-ub", batch, "--cache-ram", str(plan.cache_ram_mib)]
    asked += ["--no-warmup", "--fit", "off"]
    if plan.states is not None:
        asked += ["--slot-save-path", f"{plan.states}/"]
    if plan.adapter is not None:
        asked += ["--lora", str(plan.adapter)]
    return engine_program.EngineProgram(Path(program).expanduser(), [*asked, *shlex.split(flags)], key)
