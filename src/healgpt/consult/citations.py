"""Citations in an answer: `[n]` points at fact n of its turn, and one that points nowhere is taken out.

Works on a stream: what may become a citation is held back until it is decided, at most a dozen characters.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# [1] [1,2] [1、2] ［1］ 【1】, also as models write it: [1] [2]
_OPEN, _CLOSE = r"\[［【", r"\]］】"
_BODY = r"\d{1,3}(?:\s*[,，、;；\-–~]\s*\d{1,3})*"
CITATION = re.compile(rf"[{_OPEN}]\s*(?:参考)?(?:资料)?({_BODY})\s*[{_CLOSE}]")
_UNDECIDED = re.compile(rf"\s*[{_OPEN}][\s\d,，、;；\-–~参考资料]{{0,12}}$")
_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?\n]*(?:\s*[\[［【][\d,，、 ]+[\]］】])*")


class CitationFilter:
    """Takes an answer piece by piece and gives it back without citations of facts that were not given.

    `given` facts are numbered from 1. Citations that stay are written `[1]`, one a bracket.
    """

    def __init__(self, given: int) -> None:
        self._given = given
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what is decided of the answer up to and including `text`."""
        whole = self._held + text
        undecided = _UNDECIDED.search(whole)
        cut = undecided.start() if undecided else len(whole)
        self._held = whole[cut:]
        return keep_given(whole[:cut], self._given)

    def close(self) -> str:
        """Return what was still held back: a bracket that never became a citation."""
        rest, self._held = self._held, ""
        return keep_given(rest, self._given)


def keep_given(text: str, given: int) -> str:
    """Return `text` with only those citations that point at one of `given` facts."""
    return CITATION.sub(lambda match: "".join(f"[{number}]" for number in numbers(match[1]) if number <= given), text)


def numbers(body: str) -> list[int]:
    """Return the fact numbers in the inside of a bracket, in order and without repeats; a range is spelled out."""
    found: dict[int, None] = {}
    for part in re.split(r"[,，、;；]", body):
        ends = [int(end) for end in re.findall(r"\d+", part)]
        if len(ends) == 2 and 0 < ends[0] <= ends[1] <= ends[0] + 20:
            found.update(dict.fromkeys(range(ends[0], ends[1] + 1)))
        else:
            found.update(dict.fromkeys(ends))
    return [number for number in found if number > 0]


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """One sentence of an answer that cites, without its brackets, and the numbers it cites.

    `following` is the sentence after it where the brackets stand between both: models write them on either side.
    """

    text: str
    numbers: tuple[int, ...]
    following: str = ""


def cited_sentences(answer: str) -> list[CitedSentence]:
    """Return the sentences of `answer` that cite something; a citation after the full stop belongs before it."""
    found: list[CitedSentence] = []
    sentences = [match[0] for match in _SENTENCE.finditer(answer)]
    for sentence, after in zip(sentences, [*sentences[1:], ""], strict=True):
        cited: dict[int, None] = {}
        for citation in CITATION.finditer(sentence):
            cited.update(dict.fromkeys(numbers(citation[1])))
        if cited:
            between = sentence.rstrip()[-1] in "]］】" and not sentence.endswith("\n")
            following = CITATION.sub("", after).strip() if between else ""
            found.append(CitedSentence(CITATION.sub("", sentence).strip(), tuple(cited), following))
    return found


def uncited(answer: str, given: Sequence[object]) -> list[int]:
    """Return the numbers of the given facts that `answer` never cites."""
    cited = {number for sentence in cited_sentences(answer) for number in sentence.numbers}
    return [number for number in range(1, len(given) + 1) if number not in cited]
