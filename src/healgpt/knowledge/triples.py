"""The raw currency of the graph: one statement of one source."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Triple:
    """One raw statement of a source; `support` is given only where the source itself says how far it may be trusted."""

    subject: str
    predicate: str
    object: str
    source: str
    support: float | None = None
