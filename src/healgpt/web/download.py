"""The page for a model that is not on this machine: what it is, a button that fetches it, and how far it is."""

import logging
import threading
from dataclasses import dataclass

import streamlit as st

from healgpt.errors import HealGPTError
from healgpt.models import catalog
from healgpt.models.catalog import Entry
from healgpt.models.progress import Progress
from healgpt.models.pull import pull
from healgpt.web import strings
from healgpt.web.markup import inert, plain

_log = logging.getLogger(__name__)
_REDRAW_S = 0.5


class Download:
    """One pull in a thread; every tab that looks at the same model sees the same one. Closing tabs does not end it."""

    def __init__(self, name: str) -> None:
        self.progress: Progress | None = None
        self.error = ""
        self._thread = threading.Thread(target=self._run, args=(name,), name="pull", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def _run(self, name: str) -> None:
        try:
            pull(name, report=self._report)
        except HealGPTError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001  the edge of a thread: what is not told here, nobody would ever see
            _log.exception("pulling %s failed", name)
            self.error = strings.BUG.format(kind=type(error).__name__)

    def _report(self, progress: Progress) -> None:
        self.progress = progress


@dataclass(slots=True)
class _Desk:
    """The downloads of this server, by name."""

    jobs: dict[str, Download]
    lock: threading.Lock


@st.cache_resource(show_spinner=False)
def _desk() -> _Desk:
    return _Desk({}, threading.Lock())


def show(entry: Entry) -> None:
    """Draw the page; it goes on to the conversation by itself when the model is there."""
    held = catalog.resolve(entry)
    facts = (
        (strings.PULL_SIZE, megabytes(held.size)),
        (strings.PULL_LICENSE, held.licence),
        (strings.PULL_PLACE, str(catalog.path(entry))),
    )
    rows = "".join(f"<dt>{label}</dt><dd>{plain(value)}</dd>" for label, value in facts)
    st.html(
        f'<section class="hg-pull" lang="zh-CN"><h1>{strings.PULL_TITLE}</h1>'
        f"<p>{strings.PULL_LINE.format(name=plain(entry.name))}</p><dl>{rows}</dl></section>"
    )
    _progress(entry, held.size)


@st.fragment(run_every=_REDRAW_S)
def _progress(entry: Entry, size: int) -> None:
    job = _desk().jobs.get(entry.name)
    if catalog.installed(entry) and not (job and job.running):
        st.rerun()
    if job is not None and job.running:
        now = job.progress
        share = min(1.0, now.done_bytes / now.total_bytes) if now and now.total_bytes else 0.0
        st.progress(share, _line(now))
        st.caption(strings.PULL_KEEP)
        return
    if job is not None and job.error:
        st.error(inert(strings.PULL_FAILED.format(reason=job.error)), icon=":material/error:")
    label = strings.PULL_AGAIN if job else strings.PULL_BUTTON.format(size=megabytes(size))
    st.button(label, key="pull", type="primary", icon=":material/download:", on_click=_begin, args=(entry.name,))


def _begin(name: str) -> None:
    desk = _desk()
    with desk.lock:
        job = desk.jobs.get(name)
        if job is None or not job.running:
            desk.jobs[name] = Download(name)


def _line(now: Progress | None) -> str:
    if now is None:
        return strings.PULL_STARTING
    if now.note:
        return inert(now.note)
    line = strings.PULL_PROGRESS.format(
        stage=strings.PULL_STAGES[now.stage], done=megabytes(now.done_bytes), total=megabytes(now.total_bytes)
    )
    if now.stage == "download" and now.bytes_per_s > 0 and now.seconds_left is not None:
        line += strings.PULL_SPEED.format(speed=megabytes(now.bytes_per_s), left=_duration(now.seconds_left))
    return line


def megabytes(count: float) -> str:
    """Return a number of bytes as people read it, in steps of 1000."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return strings.DURATION_SECONDS.format(seconds=whole)
    return strings.DURATION_MINUTES.format(minutes=whole // 60, seconds=whole % 60)
