"""What a measure needs to know of a case."""

from dataclasses import dataclass
from typing import Protocol


class Case(Protocol):
    """A case that a dialogue is held about: `facts` are its sentences, `reference` its own answer, often empty."""

    @property
    def id(self) -> str: ...

    @property
    def department(self) -> str: ...

    @property
    def question(self) -> str: ...

    @property
    def facts(self) -> tuple[str, ...]: ...

    @property
    def reference(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PlainCase:
    """A case in memory."""

    id: str
    department: str = ""
    question: str = ""
    facts: tuple[str, ...] = ()
    reference: str = ""
