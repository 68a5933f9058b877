"""One spelling for many: the folded text has the length of the original wherever possible, and offsets back to it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# Everyday spellings that mean the same to a reader; the patterns are folded with the same table.
_SAME = {"疼": "痛", "得": "的", "她": "他", "它": "他", "您": "你", "涨": "胀", "蛰": "蜇", "咀": "嘴", "℃": "度"}
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+")


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is what the patterns see; `offsets[i]` is where its character `i` stands in the original."""

    text: str
    offsets: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the original offsets of the non-empty folded range."""
        return self.offsets[start], self.offsets[end - 1] + 1


@lru_cache(maxsize=1)
def _table() -> dict[int, str]:
    """Map single characters: full width to half, capitals to small, traditional to simplified, `_SAME` last."""
    from opencc import OpenCC

    ideographs = [chr(code) for code in range(0x4E00, 0xA000)]
    simplified = OpenCC("t2s").convert("\n".join(ideographs)).split("\n")
    table = {ord(old): _SAME.get(new, new) for old, new in zip(ideographs, simplified, strict=True) if old != new}
    table |= {code: chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)}
    table |= {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
    return table | {0x3000: " "} | {ord(old): new for old, new in _SAME.items()}


def fold(text: str) -> Folded:
    """Return `text` in one spelling. Invisible characters vanish; everything else keeps its place."""
    if not _INVISIBLE.search(text):
        return Folded(text.translate(_table()), range(len(text)))
    kept = [index for index, character in enumerate(text) if not _INVISIBLE.match(character)]
    return Folded("".join(text[index] for index in kept).translate(_table()), kept)
