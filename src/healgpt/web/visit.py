"""What one browser tab holds: its conversations' folder, the one that is open, and the answers being written.

On the machine itself the folder is the user's own, shared with the terminal. Anyone who comes over the network
gets a folder of their own that lives as long as the tab: no visitor ever sees another's conversations.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from healgpt.consult.archive import Archive, Conversation
from healgpt.consult.feedback import Verdict
from healgpt.errors import DataError
from healgpt.settings import home, load_settings
from healgpt.web.answer import Answer

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")


@dataclass(frozen=True, slots=True)
class Plan:
    """What saving an answer does to the conversation, which held `turns` turns when it was asked.

    The last `retract` turns go, then `question` is added (empty: it stands there already), then the answer.
    """

    turns: int
    retract: int
    question: str

    @property
    def kept(self) -> int:
        """How many of the saved turns are shown above the answer."""
        return self.turns - self.retract


@dataclass(slots=True)
class Visit:
    """The state of one tab. `current` is None while nothing has been asked in a new conversation."""

    archive: Archive
    owner: bool
    current: str | None = None
    answers: dict[str, tuple[Plan, Answer]] = field(default_factory=dict)
    troubles: dict[str | None, str] = field(default_factory=dict)
    verdicts: dict[tuple[str | None, int], Verdict] = field(default_factory=dict)
    # the answer whose verdict was just given and may still get a reason
    asking_reason: tuple[str | None, int] | None = None
    # the dialog that was just asked for, and about which conversation
    dialog: tuple[str, Conversation] | None = None
    show_all: bool = False
    # keeps a visitor's folder until the tab's session is dropped; None for the owner
    scratch: tempfile.TemporaryDirectory[str] | None = None

    def conversation(self) -> Conversation | None:
        """Return the open conversation as it is on disk; one that was deleted elsewhere is closed."""
        if self.current is None:
            return None
        try:
            return self.archive.load(self.current)
        except DataError as error:
            self.troubles[None] = str(error)
            self.current = None
            return None


def visit() -> Visit:
    """Return this tab's state, begun at its first run. Raises `ConfigError` for broken settings."""
    if "visit" not in st.session_state:
        st.session_state["visit"] = _begin()
    held: Visit = st.session_state["visit"]
    return held


def _begin() -> Visit:
    if _at_home() and load_settings().save_conversations:
        begun = Visit(Archive(home() / "conversations"), owner=True)
    else:
        scratch = tempfile.TemporaryDirectory(prefix="healgpt-", ignore_cleanup_errors=True)
        begun = Visit(Archive(Path(scratch.name)), owner=False, scratch=scratch)
    wanted = st.query_params.get("c")
    if wanted and any(conversation.id == wanted for conversation in begun.archive.list()):
        begun.current = wanted
    return begun


def _at_home() -> bool:
    """Whether the browser runs on this machine; behind a proxy nobody does, since all look the same there."""
    return st.context.ip_address is None and not any(name in st.context.headers for name in _FORWARDED)
