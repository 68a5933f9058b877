"""The indexes of a test that training texts are held against; their size is that of the test."""

from collections.abc import Iterable, Sequence
from typing import Any

from healgpt.errors import ConfigError
from healgpt.evaluation.contamination_files import TestItem, TrainingRecord

# 32 bands of 4: of pairs at Jaccard 0.7 all but 0.02 % become candidates, at 0.6 all but 1.2 %
_PERMUTATIONS, _BANDS = 128, 32
_SHINGLE = 3
_SEED = 1
# an item shorter than this occurs inside other texts by chance, so only a text equal to it counts
_LEAST_CHARS = 8


class GramIndex:
    """Which items hold each n-gram. `sizes` counts the different ones of each item; 0 means that it has none."""

    def __init__(self, items: Sequence[TestItem], n: int) -> None:
        self.n = n
        self.sizes: list[int] = []
        self._items: dict[str, tuple[int, ...]] = {}
        for number, item in enumerate(items):
            own = {gram for part in item.parts for gram in self._grams(part)}
            self.sizes.append(len(own))
            for gram in own:
                self._items[gram] = (*self._items.get(gram, ()), number)

    def hits(self, text: str) -> dict[int, set[str]]:
        """Return the n-grams of `text` that items hold, by item."""
        found: dict[int, set[str]] = {}
        for gram in self._items.keys() & self._grams(text):
            for item in self._items[gram]:
                found.setdefault(item, set()).add(gram)
        return found

    def _grams(self, text: str) -> set[str]:
        n = self.n
        return {text[place : place + n] for place in range(len(text) - n + 1)}


class ShortIndex:
    """The items too short for an n-gram: found where one record holds all their parts, or a text equal to them."""

    def __init__(self, items: Sequence[TestItem], numbers: Iterable[int]) -> None:
        import ahocorasick

        self._whole: dict[str, list[int]] = {}
        self._parts: dict[int, frozenset[str]] = {}
        self._by_longest: dict[str, list[int]] = {}
        self._automaton = ahocorasick.Automaton()
        for number in numbers:
            item = items[number]
            if len(item.text) < _LEAST_CHARS:
                self._whole.setdefault(item.text, []).append(number)
                continue
            self._parts[number] = frozenset(item.parts)
            self._by_longest.setdefault(max(item.parts, key=len), []).append(number)
            for part in item.parts:
                self._automaton.add_word(part, part)
        if self._parts:
            self._automaton.make_automaton()

    def hits(self, record: TrainingRecord) -> dict[int, tuple[str, str]]:
        """Return the items that `record` holds, each with the place and text that holds its longest part."""
        found: dict[int, tuple[str, str]] = {}
        places: dict[str, tuple[str, str]] = {}
        for inside, text in record.texts:
            found.update(dict.fromkeys(self._whole.get(text, ()), (inside, text)))
            if self._parts:
                for _, part in self._automaton.iter(text):
                    places.setdefault(part, (inside, text))
        for part, place in places.items():
            for number in self._by_longest.get(part, ()):
                if self._parts[number] <= places.keys():
                    found[number] = place
        return found


class NearIndex:
    """The items' trigram sketches, asked for candidates; the similarity told is computed from the sets."""

    def __init__(self, items: Sequence[TestItem], threshold: float) -> None:
        try:
            from rensa import RMinHashLSH
        except ImportError as error:
            raise ConfigError("查相近的文本需要 rensa。请运行 pip install 'healgpt[eval]'。") from error

        self._threshold = threshold
        self._sets = [frozenset(shingles(item.text)) for item in items]
        self._lsh = RMinHashLSH(threshold, _PERMUTATIONS, _BANDS)
        for number, held in enumerate(self._sets):
            self._lsh.insert(number, _sketch(held))
        sizes = [len(held) for held in self._sets]
        # a set much smaller or larger than all items cannot be that similar to any
        self._least, self._most = threshold * min(sizes), max(sizes) / threshold

    def like(self, text: str) -> list[tuple[int, float]]:
        """Return the items at least as similar to `text` as the threshold, with their exact Jaccard similarity."""
        if len(text) - _SHINGLE + 1 < self._least:
            return []
        asked = shingles(text)
        if not self._least <= len(asked) <= self._most:
            return []
        likely = ((number, jaccard(self._sets[number], asked)) for number in self._lsh.query(_sketch(asked)))
        return [(number, similarity) for number, similarity in likely if similarity >= self._threshold]


def jaccard(first: frozenset[str] | set[str], second: frozenset[str] | set[str]) -> float:
    """Return the size of the intersection over that of the union; 0 for two empty sets."""
    shared = len(first & second)
    union = len(first) + len(second) - shared
    return shared / union if union else 0.0


def shingles(text: str) -> set[str]:
    """Return the character trigrams of a normalised text; a shorter text is its own only one."""
    return {text[place : place + _SHINGLE] for place in range(max(1, len(text) - _SHINGLE + 1))}


def _sketch(tokens: Iterable[str]) -> Any:
    from rensa import RMinHash

    sketch = RMinHash(_PERMUTATIONS, _SEED)
    sketch.update(list(tokens))
    return sketch
