"""One spelling for many: the folded text has the length of the original wherever possible, and offsets back to it.

Linking and triage fold alike and differ only in the spellings of their own that they take for the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+")


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is what is matched; `offsets[i]` is where its character `i` stands in the original."""

    text: str
    offsets: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the original offsets of the non-empty folded range."""
        return self.offsets[start], self.offsets[end - 1] + 1


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    from opencc import OpenCC

    ideographs = [chr(code) for code in range(0x4E00, 0xA000)]
    simplified = OpenCC("t2s").convert("\n".join(ideographs)).split("\n")
    return {ord(old): new for old, new in zip(ideographs, simplified, strict=True) if old != new}


def spelling_table(same: Mapping[str, str]) -> dict[int, str]:
    """Map characters for `str.translate`: full width to half, capitals to small, traditional to simplified.

    The single characters of `same` come last, and hold for the simplified form of a traditional character, too.
    """
    table = {old: same.get(new, new) for old, new in _simplified().items()}
    table |= {code: chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)}
    table |= {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
    return table | {0x3000: " "} | {ord(old): new for old, new in same.items() if len(old) == 1}


def fold_with(text: str, table: Mapping[int, str]) -> Folded:
    """Return `text` spelled by `table`; invisible characters vanish, all others keep their order and place."""
    if not _INVISIBLE.search(text):
        return Folded(text.translate(table), range(len(text)))
    kept = [index for index, character in enumerate(text) if not _INVISIBLE.match(character)]
    return Folded("".join(text[index] for index in kept).translate(table), kept)
