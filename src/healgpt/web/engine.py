"""The engines that all tabs share: each model is opened once, in a thread, and kept by Streamlit's resource cache."""

import os
import re
import threading
from concurrent.futures import Future

import streamlit as st

from healgpt.backends import EngineOptions
from healgpt.consult.doctor import Doctor, open_doctor
from healgpt.models import catalog
from healgpt.models.catalog import Entry
from healgpt.settings import Settings, load_settings


def default_model() -> str:
    """Return the spec that `HEALGPT_MODEL` or the settings name. Raises `ConfigError` for broken settings."""
    return os.environ.get("HEALGPT_MODEL", "").strip() or load_settings().model


def choices(default: str) -> list[str]:
    """Return the specs a visitor may choose: the default and the installed models of the catalogue.

    Nothing else, because a spec may name any file or address that the server can reach.
    """
    installed = [entry.name for entry in catalog.entries() if entry.kind == "gguf" and catalog.installed(entry)]
    return list(dict.fromkeys([default, *installed]))


def label(spec: str) -> str:
    """Return a short name for `spec` to show and to export: no folders of this machine, no address of a server."""
    if "://" in spec:
        return spec.rpartition("#")[2]
    return re.split(r"[/\\]", spec)[-1] if spec.startswith("scripted:") or spec.lower().endswith(".gguf") else spec


def missing(spec: str) -> Entry | None:
    """Return the catalogue's entry for `spec` when it can be pulled and has not been, else None.

    Raises `ConfigError` with the nearest name for a name that the catalogue does not know.
    """
    if ":" in spec or spec.lower().endswith(".gguf"):
        return None
    entry = catalog.find(spec)
    return entry if entry.kind == "gguf" and not catalog.installed(entry) else None


def opening(spec: str) -> "Future[Doctor]":
    """Return the Doctor over `spec`, begun to open by whichever tab came first."""
    return _open(spec)


def forget(spec: str) -> None:
    """Drop an attempt to open `spec` that failed, so that the next `opening` begins anew."""
    attempt = _open(spec)
    if attempt.done() and attempt.exception() is not None:
        _open.clear(spec)


# no more than two models in memory; one that is evicted lives on until its last answer has ended
@st.cache_resource(show_spinner=False, max_entries=2)
def _open(spec: str) -> "Future[Doctor]":
    result: Future[Doctor] = Future()
    options = engine_options(load_settings())
    # a daemon, unlike the threads of an executor: Ctrl-C must not wait for a model to load
    threading.Thread(target=_resolve, args=(result, spec, options), name="engine", daemon=True).start()
    return result


def _resolve(result: "Future[Doctor]", spec: str, options: EngineOptions) -> None:
    try:
        result.set_result(open_doctor(spec, options))
    except Exception as error:  # noqa: BLE001  whatever it is, the page that waits for the future shows it
        result.set_exception(error)


def engine_options(settings: Settings) -> EngineOptions:
    """Return the engine's part of the settings."""
    return EngineOptions(settings.threads or None, settings.context, settings.slots, settings.cache_ram_mib)
