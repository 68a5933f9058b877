"""Conversations kept on disk: one JSON Lines file each, appended to and never rewritten.

The first line is the header `{"type":"conversation","id","title","model","created"}`; every further line is one
event: a `turn` (with what the interface wants to show again), a new `title`, or a `retract` that takes back the
last `count` turns. So a crash or a full disk never loses a turn that was written before. A last line that a
crash cut short is passed over; any other broken line is an error that names it.
"""

import json
import re
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.errors import DataError
from healgpt.schema import Alarm, Fact, Message, Reply, Role

_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
_TITLE_LENGTH = 24


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as it was shown. `reply` facts stand on assistant turns only."""

    role: Role
    content: str
    at: str = ""
    model: str = ""
    finish_reason: str = ""
    tokens: int = 0
    seconds: float = 0.0
    alarm: Alarm | None = None
    facts: tuple[Fact, ...] = ()

    def message(self) -> Message:
        """Return the turn in wire form."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation with its turns, oldest first. Times are ISO 8601 with offset."""

    id: str
    title: str
    model: str
    created: str
    turns: tuple[Turn, ...] = ()

    def messages(self) -> list[Message]:
        """Return the turns in wire form."""
        return [turn.message() for turn in self.turns]


def user_turn(text: str) -> Turn:
    """Return what the user said, stamped now."""
    return Turn("user", text, at=_now())


def reply_turn(reply: Reply) -> Turn:
    """Return the answer, stamped now."""
    return Turn(
        "assistant",
        reply.text,
        at=_now(),
        model=reply.model,
        finish_reason=reply.finish_reason,
        tokens=reply.usage.completion_tokens,
        seconds=round(reply.timings.prefill_s + reply.timings.decode_s, 3),
        alarm=reply.alarm,
        facts=reply.facts,
    )


class Archive:
    """The conversations in one folder. Several processes may share it: every write is one appended line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, title: str = "", model: str = "") -> Conversation:
        """Start an empty conversation; its file appears with the header. Raises `DataError` if it cannot."""
        stamp = datetime.now().astimezone()
        conversation = Conversation(
            f"{stamp:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}", title, model, stamp.isoformat(timespec="seconds")
        )
        path = self.path(conversation.id)
        header = {"type": "conversation", "id": conversation.id, "title": title, "model": model}
        jsonl.append(path, {**header, "created": conversation.created})
        path.chmod(0o600)
        return conversation

    def path(self, conversation_id: str) -> Path:
        """Return the file of a conversation. Raises `DataError` for what is no id, so ids cannot leave the folder."""
        if not _ID.fullmatch(conversation_id):
            raise DataError(f"{conversation_id!r} 不是对话编号。编号形如 20250101-093000-1a2b3c，可用 /load 查看。")
        return self.folder / f"{conversation_id}.jsonl"

    def list(self) -> list[Conversation]:
        """Return every readable conversation, the last changed first; broken files are left where they are."""
        found = []
        for path in self.folder.glob("*.jsonl"):
            if _ID.fullmatch(path.stem):
                try:
                    found.append((path.stat().st_mtime_ns, self.load(path.stem)))
                except (DataError, OSError):
                    continue
        return [conversation for _, conversation in sorted(found, key=lambda pair: pair[0], reverse=True)]

    def load(self, conversation_id: str) -> Conversation:
        """Read one conversation. Raises `DataError` when it is missing or a line other than the last is broken."""
        path = self.path(conversation_id)
        if not path.is_file():
            raise DataError(f"没有编号为 {conversation_id} 的对话。可用 /load 查看已有的对话。")
        events = list(jsonl.parse(_whole_lines(path), str(path)))
        if not events or events[0].get("type") != "conversation":
            raise DataError(f"{path} 第 1 行不是对话的开头。请删除或修复这个文件。")
        head = events[0]
        conversation = Conversation(conversation_id, head["title"], head["model"], head["created"])
        for number, event in enumerate(events[1:], start=2):
            conversation = _apply(conversation, event, f"{path} 第 {number} 行")
        return conversation

    def append(self, conversation_id: str, turn: Turn) -> None:
        """Add a turn at the end."""
        kept = {key: value for key, value in asdict(turn).items() if value not in (None, "", (), 0, 0.0)}
        kept["content"] = turn.content
        self._event(conversation_id, {"type": "turn", **kept})

    def retract(self, conversation_id: str, count: int) -> None:
        """Take back the last `count` turns; the file keeps them for the record."""
        self._event(conversation_id, {"type": "retract", "count": count})

    def rename(self, conversation_id: str, title: str) -> None:
        """Give the conversation another title."""
        self._event(conversation_id, {"type": "title", "title": " ".join(title.split())[:80]})

    def delete(self, conversation_id: str) -> None:
        """Remove the conversation's file. Raises `DataError` when there is none."""
        try:
            self.path(conversation_id).unlink()
        except FileNotFoundError as error:
            raise DataError(f"没有编号为 {conversation_id} 的对话，无需删除。") from error
        except OSError as error:
            raise DataError(f"删不掉对话 {conversation_id}：{error.strerror}。请检查文件夹权限。") from error

    def _event(self, conversation_id: str, event: dict[str, Any]) -> None:
        path = self.path(conversation_id)
        if not path.is_file():
            raise DataError(f"没有编号为 {conversation_id} 的对话，无法写入。")
        _mend_tail(path)
        jsonl.append(path, event)


def title_of(text: str) -> str:
    """Return a title made of the first words of the first question."""
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 1] + "…"


def _apply(conversation: Conversation, event: dict[str, Any], place: str) -> Conversation:
    match event:
        case {"type": "turn", "role": "user" | "assistant", "content": str()}:
            turn = _turn(event)
            title = conversation.title or (title_of(turn.content) if turn.role == "user" else "")
            return replace(conversation, title=title, turns=(*conversation.turns, turn))
        case {"type": "title", "title": str(title)}:
            return replace(conversation, title=title)
        case {"type": "retract", "count": int(count)} if 0 < count <= len(conversation.turns):
            return replace(conversation, turns=conversation.turns[:-count])
        case _:
            raise DataError(f"{place} 不是认识的对话事件。请删除或修复这一行。")


def _turn(event: dict[str, Any]) -> Turn:
    values = {key: value for key, value in event.items() if key in Turn.__dataclass_fields__}
    if "alarm" in values:
        spans = tuple(tuple(span) for span in values["alarm"].get("spans", ()))
        values["alarm"] = Alarm(**{**values["alarm"], "spans": spans})
    if "facts" in values:
        values["facts"] = tuple(Fact(**fact) for fact in values["facts"])
    return Turn(**values)


def _whole_lines(path: Path) -> list[str]:
    """Return the lines of `path` without a last one that a crash cut short."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        raise DataError(f"读不了对话 {path}：{error.strerror}。请检查权限。") from error
    tail = lines.pop()
    if tail:
        try:
            json.loads(tail)
        except json.JSONDecodeError:
            return lines
        lines.append(tail)
    return lines


def _mend_tail(path: Path) -> None:
    """End a line that a crash cut short, by cutting it off, so that the next event starts on its own line."""
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        with path.open("r+b") as stream:
            stream.truncate(data.rfind(b"\n") + 1)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
