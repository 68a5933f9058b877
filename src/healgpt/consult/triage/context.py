"""Whether a concept that was found is said of someone now: negation, past, knowledge, fiction, idiom, course.

Scopes are clauses (up to a comma or space), sentences, or the message; no cue acts over more than `_REACH`
characters, so a text of any length costs linear time.
"""

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args

from healgpt.consult.triage.patterns import Hit

Cue = Literal[
    "idiom",  # says something else: 笑死我了, 心痛钱
    "aside",  # looks like another cue and is none: 不停, 不知道, 要不要去医院
    "deny",  # negates the rest of its clause, enumerations included: 没有, 否认
    "not",  # negates what follows at once: 不, 没
    "denied",  # negates what stands before it, at the end of a clause: 发烧倒没有
    "past",  # long ago: 去年, 病史
    "earlier",  # some time ago, unless something sudden follows: 以前, 之前
    "now",  # now, or a concrete recent moment: 刚才, 今天
    "plea",  # asks for help, which is as good as now, but for a doctor's visit told before: 怎么办
    "knowledge",  # asks or tells what an illness is like: 有哪些症状
    "hypothetical",  # 如果, 万一: the rest of the sentence
    "feared",  # 怕孩子, 会导致: the rest of the clause
    "fiction",  # novels, films, examinations, homework: the whole message
    "reality",  # takes fiction back: 说真的
    "hearsay",  # 新闻里说
    "chronic",  # for months, again and again
    "sudden",  # began or worsened now
    "resolved",  # is over: 现在好了
    "seen",  # a doctor has already looked: 去医院检查, 确诊
]
CUES: tuple[str, ...] = get_args(Cue)
STATUSES = frozenset(
    {"negated", "past", "knowledge", "hypothetical", "fiction", "hearsay", "chronic", "resolved", "seen"}
)

_CLAUSE_BREAK = re.compile(r"[,!?;:。\n\r\t ]|(?<!\d)\.|\.(?!\d)")
_SENTENCE_BREAK = re.compile(r"[!?;。\n]")
_ENUMERATION = re.compile(r"^.{0,3}(?:[、/和或及与跟]|也没|也无|还有).{0,4}$")
_TURN = re.compile(r"[但却而只就可]|不过|突然|忽然|现在|一直")
# what may stand between 经常 and 突然
_LIGHT = re.compile("[会就都还是又要的]{0,3}")
_REACH = 60
_MISTAKABLE = ("deny", "not", "knowledge", "seen", "earlier", "past", "chronic", "resolved")
# a concept that spells out one of these does not take its meaning away: 没有呼吸 is no denial, 怎么治 is a question
_KEPT = tuple(set(CUES) - {"aside", "deny", "not", "denied", "past", "earlier", "chronic"})
_DENY_REACH, _DENY_LIST_REACH, _NOT_REACH = 8, 30, 2


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept in its place: `clause` and `sentence` are numbered within the message, `statuses` say what is off."""

    hit: Hit
    clause: int
    sentence: int
    statuses: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Scene:
    """One message: breaks of its text, and the cues by name in order, with the places where they begin."""

    text: str
    clause_breaks: list[int]
    sentence_breaks: list[int]
    cues: dict[str, list[Hit]]
    starts: dict[str, list[int]]
    every_start: list[int]

    def clause(self, place: int) -> int:
        return bisect.bisect_right(self.clause_breaks, place)

    def sentence(self, place: int) -> int:
        return bisect.bisect_right(self.sentence_breaks, place)

    def near(self, cue: Cue, hit: Hit, *, scope: Literal["clause", "sentence"]) -> Sequence[Hit]:
        """Return the cues of that name in the clause or sentence of `hit`, at most `_REACH` characters away."""
        found = self.window(cue, hit.start - _REACH, hit.end + _REACH)
        if not found:
            return ()
        number = self.clause if scope == "clause" else self.sentence
        here = number(hit.start)
        return [cue_hit for cue_hit in found if number(cue_hit.start) == here]

    def window(self, cue: Cue, start: int, end: int) -> Sequence[Hit]:
        """Return the cues of that name that begin within `[start, end]`."""
        starts = self.starts.get(cue)
        if not starts:
            return ()
        first = bisect.bisect_left(starts, start)
        return self.cues[cue][first : bisect.bisect_right(starts, end, lo=first)]

    def speaks_near(self, hit: Hit) -> bool:
        """Whether any cue can act on `hit`, fiction aside; most of a very long text has none."""
        first = bisect.bisect_left(self.every_start, hit.start - _REACH)
        return first < len(self.every_start) and self.every_start[first] <= hit.end + _REACH

    def has(self, cue: Cue, hit: Hit, *, scope: Literal["clause", "sentence"]) -> bool:
        return bool(self.near(cue, hit, scope=scope))


def judge(text: str, hits: Sequence[Hit]) -> list[Mention]:
    """Split the hits of one folded message into cues and concepts, and say of each concept what is off with it."""
    idioms = [hit for hit in hits if hit.concept == "idiom"]
    concepts = _outside([hit for hit in hits if hit.concept not in CUES], idioms)
    cues: dict[str, list[Hit]] = {}
    asides = [hit for hit in hits if hit.concept == "aside"]
    free = _outside([hit for hit in hits if hit.concept in CUES], concepts, keep=_KEPT)
    checked = _outside([hit for hit in free if hit.concept in _MISTAKABLE], asides)
    others = [hit for hit in free if hit.concept not in (*_MISTAKABLE, "aside")]
    for hit in sorted([*checked, *others], key=_start):
        cues.setdefault(hit.concept, []).append(hit)
    _settle(text, cues)
    starts = {name: [hit.start for hit in found] for name, found in cues.items()}
    every_start = sorted(chain.from_iterable(starts.values()))
    scene = _Scene(text, _places(_CLAUSE_BREAK, text), _places(_SENTENCE_BREAK, text), cues, starts, every_start)
    mentions: list[Mention] = []
    denied_before: Hit | None = None
    for hit in concepts:
        near = scene.speaks_near(hit)
        statuses = _statuses(scene, hit) if near or scene.cues.get("fiction") else set()
        if (near and _is_negated(scene, hit)) or (denied_before and _continues(scene, denied_before, hit)):
            statuses.add("negated")
            denied_before = hit
        mentions.append(Mention(hit, scene.clause(hit.start), scene.sentence(hit.start), frozenset(statuses)))
    return mentions


def _settle(text: str, cues: dict[str, list[Hit]]) -> None:
    """Take 突然 of 经常会突然 for what it is, nothing sudden; count pleas among the cues of now."""
    often = {hit.end for hit in cues.get("chronic", ())}
    cues["sudden"] = [
        hit
        for hit in cues.get("sudden", ())
        if not any(hit.start - gap in often and _LIGHT.fullmatch(text, hit.start - gap, hit.start) for gap in range(4))
    ]
    cues["now"] = sorted([*cues.get("now", ()), *cues.get("plea", ())], key=_start)


def _start(hit: Hit) -> int:
    return hit.start


def _places(pattern: re.Pattern[str], text: str) -> list[int]:
    return [match.end() for match in pattern.finditer(text)]


def _outside(hits: list[Hit], covers: list[Hit], keep: Sequence[str] = ()) -> list[Hit]:
    """Drop the hits that lie wholly inside a cover, but never those named in `keep`."""
    covers = sorted(covers, key=lambda cover: cover.start)
    reach: list[int] = []
    for cover in covers:
        reach.append(max(cover.end, reach[-1] if reach else 0))
    kept = []
    for hit in hits:
        last = bisect.bisect_right(covers, hit.start, key=lambda cover: cover.start)
        inside = last > 0 and reach[last - 1] >= hit.end and hit.concept not in keep
        if not inside:
            kept.append(hit)
    return kept


def _is_negated(scene: _Scene, hit: Hit) -> bool:
    for cue in scene.near("deny", hit, scope="clause"):
        between = scene.text[cue.end : hit.start]
        reach = _DENY_LIST_REACH if "、" in between else _DENY_REACH
        if cue.end <= hit.start and len(between) <= reach and not _TURN.search(between):
            return True
    for cue in scene.near("not", hit, scope="clause"):
        if 0 <= hit.start - cue.end <= _NOT_REACH:
            return True
    return any(cue.start >= hit.end for cue in scene.near("denied", hit, scope="clause"))


def _continues(scene: _Scene, before: Hit, hit: Hit) -> bool:
    """Whether `hit` goes on with the enumeration of something denied: 没有胸痛、气短和咳血."""
    between = scene.text[before.end : hit.start]
    return len(between) <= 8 and bool(_ENUMERATION.match(between)) and not _TURN.search(between)


def _statuses(scene: _Scene, hit: Hit) -> set[str]:
    now = scene.has("now", hit, scope="sentence")
    statuses = set()
    if _is_past(scene, hit):
        statuses.add("past")
    now_here = scene.has("now", hit, scope="clause")
    if (not now and scene.has("knowledge", hit, scope="sentence")) or (
        not now_here and scene.has("knowledge", hit, scope="clause")
    ):
        statuses.add("knowledge")
    if any(cue.start < hit.start for cue in scene.near("hypothetical", hit, scope="sentence")):
        statuses.add("hypothetical")
    if any(cue.start < hit.start for cue in scene.near("feared", hit, scope="clause")):
        statuses.add("hypothetical")
    if scene.has("hearsay", hit, scope="sentence"):
        statuses.add("hearsay")
    if scene.cues.get("fiction") and not any(cue.end <= hit.start for cue in scene.cues.get("reality", [])):
        statuses.add("fiction")
    if _is_chronic(scene, hit):
        statuses.add("chronic")
    if _is_resolved(scene, hit):
        statuses.add("resolved")
    if _is_seen(scene, hit):
        statuses.add("seen")
    return statuses


def _is_past(scene: _Scene, hit: Hit) -> bool:
    """A word for long ago holds over its clause and until the end of its sentence or until a word for now.

    A vaguer one (之前) also gives way to a word for something sudden.
    """
    if scene.has("now", hit, scope="clause"):
        return False
    nows = scene.near("now", hit, scope="sentence")
    if any(_holds(scene, cue, hit, nows) for cue in scene.near("past", hit, scope="sentence")):
        return True
    starts = [*nows, *scene.near("sudden", hit, scope="sentence")]
    return any(_holds(scene, cue, hit, starts) for cue in scene.near("earlier", hit, scope="clause"))


def _holds(scene: _Scene, cue: Hit, hit: Hit, starts: Sequence[Hit]) -> bool:
    if any(cue.start <= start.start <= hit.start for start in starts):
        return False
    return cue.end <= hit.start or scene.clause(cue.start) == scene.clause(hit.start)


def _is_chronic(scene: _Scene, hit: Hit) -> bool:
    if not scene.has("chronic", hit, scope="sentence"):
        return False
    if not (scene.has("sudden", hit, scope="sentence") or scene.has("now", hit, scope="sentence")):
        here = scene.clause(hit.start)
        return any(abs(scene.clause(cue.start) - here) <= 1 for cue in scene.near("chronic", hit, scope="sentence"))
    return scene.has("chronic", hit, scope="clause") and not (
        scene.has("sudden", hit, scope="clause") or scene.has("now", hit, scope="clause")
    )


def _is_seen(scene: _Scene, hit: Hit) -> bool:
    """A visit told after the symptom covers it, unless the patient then goes on about now."""
    visits = scene.window("seen", hit.end, hit.end + _REACH)
    if not visits:
        return False
    after = visits[0].end
    pleas = scene.window("plea", after, after + _REACH)
    nows = [cue for cue in scene.window("now", after, after + _REACH) if cue not in pleas]
    return not (nows or scene.window("sudden", after, after + _REACH))


def _is_resolved(scene: _Scene, hit: Hit) -> bool:
    """A word for over acts back on its own clause and the one before."""
    here = scene.clause(hit.start)
    return any(
        cue.start >= hit.end and scene.clause(cue.start) - here <= 1
        for cue in scene.near("resolved", hit, scope="sentence")
    )
