"""Text to entities: what a message names, in the graph's words, with what is said of it.

Longest match over an Aho-Corasick automaton (names and aliases of the graph, the authored lexicon), patterns for
split words, and parts of the body joined with what they do; then status, person, duration and severity by rule.
Offsets are those of the original text, whatever was folded before matching.
"""

import bisect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.knowledge.linking_people import Person, person, whose
from healgpt.knowledge.linking_scope import Hit, Scope, Status, durations, severities, statuses
from healgpt.knowledge.linking_words import Target, fold, lexicon, rules, surfaces, words

# a message is read up to here; a longer one is a document
LONGEST_MESSAGE = 20_000

_GAP = (
    r"(?:里面?|上|部|这[里儿边]|那[里儿边]|周围|附近|一直|老是|老|总是|总|经常|常常|有时候?|偶尔|突然|忽然|"
    r"还是|就|也|都|又|还|很|好|"
    r"特别|非常|十分|有点儿?|有些|有|隐隐约约|隐隐|阵阵|"
    r"一阵阵?的?|时不时的?|真的|太|更|越来越|稍微|微微|略微?|感觉|觉得|会|开始|"
    r"今天|昨天|昨晚|最近|"
    r"两侧|两边|左边|右边|[一两三四五六七几]+天|火辣辣的?|钻心地?的?|一跳一跳的?|的|得|地|了|着|是|在){0,4}"
)
# 疼不疼 asks and says nothing
_ASKED = re.compile(r"([痛痒晕咳吐肿胀麻烧])不\1")
_NOT_GAP = (
    r"(?:也|都|已经|现在|就|倒|又|再|还)*(?:不怎么|不太|不再|不|没有|没再|没|无)(?:再|会|觉得|感觉)?"
    r"(?:怎么|特别|很|太)?"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that a message names: characters `[start, end)` of the original, which read `text`.

    `status` "present" covers what is asked about, too. `who` is 本人 or a relation word (母亲, 孩子 …); `duration`
    is in the writer's words; `severity` is "mild", "severe" or "".
    """

    start: int
    end: int
    text: str
    name: str
    kind: str
    status: Status = "present"
    who: str = "本人"
    duration: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True)
class Linker:
    """The automaton over all surfaces. Immutable, so any number of threads may share it."""

    automaton: Any
    known: frozenset[str]

    def link(self, text: str) -> list[Mention]:
        """Return what `text` names, in order and without overlaps. Nothing found is an empty list."""
        folded = fold(text[:LONGEST_MESSAGE])
        hits = self._hits(folded.text)
        if not hits:
            return []
        scope = Scope(folded.text, hits)
        told = zip(
            hits,
            statuses(scope, hits),
            whose(folded.text, [hit.start for hit in hits]),
            durations(scope, hits),
            severities(scope, hits),
            strict=True,
        )
        found = []
        for hit, status, who, duration, severity in told:
            start, end = folded.span(hit.start, hit.end)
            found.append(Mention(start, end, text[start:end], hit.name, hit.kind, status, who, duration, severity))
        return found

    def _hits(self, text: str) -> list[Hit]:
        """Return the longest surfaces from left to right, none of them inside a shadowing word."""
        candidates: list[Hit] = []
        shadows: list[tuple[int, int]] = []
        for last, (length, target) in self.automaton.iter(text):
            start = last + 1 - length
            if target is None:
                shadows.append((start, last + 1))
            elif _whole(text, start, last + 1):
                candidates.append(Hit(start, last + 1, target.name, target.kind))
        candidates += _patterns(text)
        candidates += _compositions(text)
        shadows += [match.span() for match in _ASKED.finditer(text)]
        candidates = _unshadowed(candidates, sorted(shadows))
        chosen: list[Hit] = []
        for hit in sorted(candidates, key=lambda hit: (hit.start, -hit.end)):
            if not chosen or hit.start >= chosen[-1].end:
                chosen.append(hit)
        return chosen


def open_linker(graph: KnowledgeGraph | None) -> Linker:
    """Return a linker over the names of `graph` and the lexicon; about a second for the whole of CMeKG.

    Without a graph only the lexicon is known. The graph is not needed afterwards.
    """
    import ahocorasick

    table = surfaces(graph)
    automaton = ahocorasick.Automaton()
    for surface, target in table.items():
        automaton.add_word(surface, (len(surface), target))
    for word in words("shadow"):
        if word not in table:
            automaton.add_word(word, (len(word), None))
    automaton.make_automaton()
    return Linker(automaton, frozenset(target.name for target in table.values()))


def about(text: str) -> Person:
    """Return the person that `text` is about, with age, sex and pregnancy where they are said."""
    return person(fold(text[:LONGEST_MESSAGE]).text)


def _whole(text: str, start: int, end: int) -> bool:
    """Latin letters and digits are matched as whole words only: CT in CTX is not meant."""
    first, last = text[start], text[end - 1]
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (
        (first.isascii() and first.isalnum() and before.isascii() and before.isalpha())
        or (last.isascii() and last.isalnum() and after.isascii() and after.isalpha())
    )


def _unshadowed(hits: Sequence[Hit], shadows: Sequence[tuple[int, int]]) -> list[Hit]:
    """Drop the hits that lie in a shadow or overlap one in part; a name that holds all of a shadow stays."""
    longest = max((high - low for low, high in shadows), default=0)
    kept = []
    for hit in hits:
        first = bisect.bisect_left(shadows, (hit.start - longest, 0))
        last = bisect.bisect_left(shadows, (hit.end, 0))
        near = shadows[first:last]
        if all(high <= hit.start or (hit.start <= low and high <= hit.end) for low, high in near):
            kept.append(hit)
    return kept


@cache
def _pattern_table() -> tuple[tuple[re.Pattern[str], Target], ...]:
    return tuple((re.compile(row["match"]), Target(row["name"], row["kind"])) for row in rules()["pattern"])


def _patterns(text: str) -> Iterator[Hit]:
    for pattern, target in _pattern_table():
        for match in pattern.finditer(text):
            yield Hit(match.start(), match.end(), target.name, target.kind)


@cache
def _bodies() -> tuple[re.Pattern[str], Mapping[str, Mapping[str, str]], Mapping[str, str]]:
    """Return the pattern `part gap feeling`, what each part may feel, and which feeling each word is."""
    sites = {fold(word).text: row["feels"] for row in rules()["site"] for word in row["words"].split()}
    feelings = {fold(word).text: key for key, listed in rules()["feelings"].items() for word in listed.split()}

    def alternatives(table: Sequence[str]) -> str:
        return "|".join(map(re.escape, sorted(table, key=len, reverse=True)))

    pattern = re.compile(
        rf"(?P<site>{alternatives(list(sites))})(?:(?P<no>{_NOT_GAP})|{_GAP})(?P<feeling>{alternatives(list(feelings))})"
    )
    return pattern, sites, feelings


def _compositions(text: str) -> Iterator[Hit]:
    pattern, sites, feelings = _bodies()
    anywhere: Mapping[str, str] = rules()["anywhere"]
    for match in pattern.finditer(text):
        feeling = feelings[match["feeling"]]
        name = sites[match["site"]].get(feeling, anywhere.get(feeling, ""))
        if name:
            known = lexicon().get(fold(name).text)
            kind = known.kind if known else "symptom"
            yield Hit(match.start(), match.end(), name, kind, denied=match["no"] is not None)
