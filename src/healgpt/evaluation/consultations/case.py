"""One case that a patient is played from, and the texts it is cut into."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from healgpt.errors import DataError


@dataclass(frozen=True, slots=True)
class Case:
    """What one patient knows and asks.

    `question` opens the dialogue. `facts` are all sentences that the patient may tell, in the case's own words, those
    of the question included; a field of the source reads 标签：值. `reference` is the source's own answer, which no
    patient and no doctor is shown; empty where there is none. `intent` is what is asked, where the source labels that.
    """

    id: str
    source: str
    question: str
    facts: tuple[str, ...]
    department: str = ""
    reference: str = ""
    intent: str = ""

    @property
    def groups(self) -> dict[str, str]:
        """Return what the report groups by; only what the source says."""
        found = {"科室": self.department, "意图": self.intent}
        return {name: value for name, value in found.items() if value}


def to_item(case: Case) -> dict[str, Any]:
    """Return the case as it is kept beside its dialogue."""
    return {**asdict(case), "facts": list(case.facts)}


def from_item(item: dict[str, Any], place: str) -> Case:
    """Read a case back from an item of a run. Raises `DataError`, naming `place`, where the item holds none."""
    held = item.get("case") or {}
    try:
        return Case(**{**held, "facts": tuple(held["facts"])})
    except (TypeError, KeyError) as error:
        raise DataError(
            f"{place} 没有完整的病例（case）：{error}。请用 healgpt eval consult 重新跑这次评测。"
        ) from error


def refuse_repeats(cases: Sequence[Case], place: str) -> None:
    """Raise `DataError` where two cases share an id."""
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise DataError(f"{place} 有两个病例的编号都是 {case.id}。请改掉其中一个。")
        seen.add(case.id)
