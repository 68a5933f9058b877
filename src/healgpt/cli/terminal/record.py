"""The conversation of a terminal session: held in memory, kept in step with its file.

Memory is the truth. `save` brings the file in line, and can be called again after a full disk or a read-only
folder was mended: nothing that was said is lost as long as the session lives, and no line that was written
before is touched.
"""

from dataclasses import replace

from healgpt.consult.archive import Archive, Conversation, Turn, title_of
from healgpt.errors import DataError
from healgpt.schema import Message


class Record:
    """Turns in memory and how many of them the file holds. Without `archive` nothing is written."""

    def __init__(self, archive: Archive | None, model: str) -> None:
        self.archive = archive
        self._model = model
        self._title = ""
        self._saved: Conversation | None = None
        self._written = 0  # turns the file holds
        self._kept = 0  # of these, how many still stand in memory
        self.turns: list[Turn] = []

    @property
    def id(self) -> str:
        """The conversation's number, empty as long as there is no file."""
        return self._saved.id if self._saved else ""

    @property
    def place(self) -> str:
        """Where the file lies, empty as long as there is none."""
        return str(self.archive.path(self._saved.id)) if self.archive and self._saved else ""

    @property
    def unsaved(self) -> int:
        """Turns that only this session knows."""
        return len(self.turns) - self._kept

    def messages(self) -> list[Message]:
        """Return the conversation in wire form."""
        return [turn.message() for turn in self.turns]

    def conversation(self) -> Conversation:
        """Return the conversation as it stands in memory, for export."""
        first = next((turn for turn in self.turns if turn.role == "user"), None)
        title = self._title or (title_of(first.content) if first else "")
        if self._saved:
            return replace(self._saved, title=title, turns=tuple(self.turns))
        return Conversation("未保存", title, self._model, first.at if first else "", tuple(self.turns))

    def add(self, turn: Turn) -> None:
        """Put a turn at the end, in memory."""
        self.turns.append(turn)

    def cut(self, length: int) -> None:
        """Take back all turns after the first `length`, in memory."""
        del self.turns[length:]
        self._kept = min(self._kept, length)

    def name(self, title: str) -> None:
        """Give the conversation a title. Raises `DataError` as `save` does."""
        self.save()
        self._title = title
        if self.archive and self._saved:
            self.archive.rename(self._saved.id, title)

    def open(self, conversation: Conversation) -> None:
        """Go on with a conversation of the archive."""
        self._saved, self._title = conversation, conversation.title
        self.turns = list(conversation.turns)
        self._written = self._kept = len(self.turns)

    def save(self) -> None:
        """Write what the file lacks. Raises `DataError` when it cannot; what was written stays."""
        if self.archive is None or not (self.turns or self._saved):
            return
        try:
            if self._saved is None:
                self._saved = self.archive.create(model=self._model)
            if self._written > self._kept:
                self.archive.retract(self._saved.id, self._written - self._kept)
                self._written = self._kept
            for turn in self.turns[self._kept :]:
                self.archive.append(self._saved.id, turn)
                self._kept += 1
                self._written += 1
        except OSError as error:
            raise DataError(
                f"写不进 {self.archive.folder}：{error.strerror or error}。请检查权限和磁盘空间。"
            ) from error
