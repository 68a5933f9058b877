"""Opens what is evaluated: a model alone, or the same model inside the Doctor."""

from typing import Literal

from healgpt.backends import EngineOptions, kv_state, load
from healgpt.consult.doctor import open_doctor
from healgpt.errors import ConfigError
from healgpt.evaluation.run import Subject
from healgpt.models import catalog
from healgpt.schema import ChatModel


def open_subject(
    spec: str, system: Literal["bare", "doctor"], options: EngineOptions | None = None
) -> tuple[ChatModel, Subject]:
    """Return the model that answers, and how a manifest names it. Raises as `backends.load` does.

    "bare" answers without any system prompt of ours; "doctor" with triage, graph facts and the interview.
    """
    options = options or EngineOptions()
    model: ChatModel = open_doctor(spec, options) if system == "doctor" else load(spec, options)
    return model, Subject(spec=spec, name=model.name, system=system, sha256=_digest(spec))


def _digest(spec: str) -> str:
    """Return the sha256 of a catalogue model's file; models from elsewhere are named by their spec alone."""
    if ":" in spec or spec.lower().endswith(".gguf"):
        return ""
    try:
        path = catalog.verify(catalog.find(spec))
    except ConfigError:
        return ""
    return kv_state.model_digest(path) if path.is_file() else ""
