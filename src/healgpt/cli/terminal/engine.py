"""The model behind a terminal consultation: fetched if missing, opened while the user is already typing."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import Future

from healgpt.backends import EngineOptions
from healgpt.consult.doctor import Doctor, open_doctor
from healgpt.models import catalog

Open = Callable[[str, EngineOptions], Doctor]


class Engine:
    """A Doctor that opens in a thread. `changed` is called from that thread when it is ready or has failed."""

    def __init__(
        self,
        spec: str,
        options: EngineOptions,
        changed: Callable[[Exception | None], None] = lambda error: None,
        *,
        opener: Open = open_doctor,
    ) -> None:
        self.spec = spec
        self._options = options
        self._changed = changed
        self._opener = opener
        self._doctor: Future[Doctor] = Future()
        self._thread = threading.Thread(target=self._open, name="healgpt-open")
        self._thread.start()

    @property
    def label(self) -> str:
        """The model's name as a status line shows it."""
        return label(self.spec)

    @property
    def ready(self) -> bool:
        """Is the model open?"""
        return self._doctor.done() and self._doctor.exception() is None

    @property
    def failure(self) -> BaseException | None:
        """Why the model could not be opened, as far as that is known by now."""
        return self._doctor.exception() if self._doctor.done() else None

    def doctor(self) -> Doctor:
        """Wait for the Doctor. Raises what opening it raised."""
        return self._doctor.result()

    def close(self) -> None:
        """Wait for the thread and free the model. An engine that failed is closed already."""
        self._thread.join()
        if self.ready:
            self._doctor.result().close()

    def _open(self) -> None:
        try:
            self._doctor.set_result(self._opener(self.spec, self._options))
        except Exception as error:  # noqa: BLE001 - handed to `doctor()`, which raises it in the main thread
            self._doctor.set_exception(error)
            self._changed(error)
        else:
            self._changed(None)


def fetch_missing(spec: str, say: Callable[[str], None]) -> None:
    """Pull the model that `spec` names if the catalogue has it and the cache has not: the size is said first.

    Specs that are no catalogue names need nothing fetched here. Raises `ConfigError` for an unknown name,
    `ModelError` or `DataError` where the download fails; what came is kept and resumed next time.
    """
    if not named(spec):
        return
    from healgpt.cli.pull import pull_shown

    entry = catalog.find(spec)
    held = catalog.resolve(entry)
    if held.kind != "gguf" or catalog.installed(entry):
        return
    folder = catalog.path(entry).parent
    say(f"首次使用要下载模型 {held.name}（{held.size / 1e6:,.0f} MB）到 {folder}，中断后再运行会接着下。")
    pull_shown(entry.name)


def label(spec: str) -> str:
    """Return the part of `spec` that names the model: a file's name, a repository's, a server's model."""
    return re.split(r"[/\\#:]", spec.rstrip("/"))[-1]


def named(spec: str) -> bool:
    """Is `spec` a name of the catalogue, not a path, address or script?"""
    return spec.partition(":")[0] not in ("scripted", "http", "https", "hf") and not spec.lower().endswith(".gguf")
