"""Reads the answer out of free text, and says so when there is none: an abstention is honest, a guess is not.

A letter counts only where someone answers with it: alone, before its option, after "答案是" or "选" and the like. So
the letters of CT, B超, 维生素C and HbA1c never count, nor do those of "不选A" and "A不对". Ways of answering are tried
from the most to the least explicit, and the first that is met decides; where it names two different answers, none was
given.
"""

import re
import unicodedata
from collections.abc import Iterator

from healgpt.evaluation.exams.question import Question

# characters looked back at for a denial
_REACH = 12
_LINK = r"[、,;/&\s]|和|及|与"
# between "答案" and the letter
_FILLER = r"(?:[\s:*_\"'“”「」『』(\[【<《{]|是|为|应|该|当|就|即|会|选项|选择|选|项|最可能|可能|最佳|is|option)*"
_NOT_BEFORE = re.compile(
    r"(?:不|别|勿|未|没|非|错|误|若|如果|假如|要是|为什么|为何|怎么|能否|是否|该不该)"
    r"(?:是|能|要|应|该|可|以|会|宜|再|建议|直接|单独)*$"
)
_NOT_AFTER = re.compile(r"\s*(?:选项|项)?\s*(?:也|都|均|就)?(?:是|为)?\s*(?:[不错误没吗么或?]|还是|的话)")
# what may follow an answered letter; any other Chinese character makes it part of a word (B超, A型, C反应蛋白)
_AFTER = re.compile(
    r"\s*(?:$|[^\w\s]|_|\n|选项|项|[是为因吧更最而即这其比才较呢哦]|正确|作为|对$|对[,。;!])|\s+(?=\D)", re.M
)
_MARK = r"[*_#>\-\s(\[【\"'“「]*"
_ENDMARK = r"[*_\s)\]】\"'”」。.!,;:]*"

_FINAL = re.compile(rf"(?:故|因此|所以|综上|最终|最后|总之)[^。;\n]{{0,15}}?(?:答案|选){_FILLER}")
_ANSWER = re.compile(
    rf"(?:答案|(?:正确|最佳|合适)的?(?:选项|选择)|(?:不?正确|错误)的(?:说法|叙述|描述|一项)?是|answer|boxed){_FILLER}",
    re.I,
)
_CHOICE = re.compile(r"选(?:择|定)?[\s:*_\"'“”「」『』(\[【]*(?:是|为|了)?[\s:*_\"'“(\[【]*")


def extract(text: str, question: Question) -> tuple[str, ...] | None:
    """Return the letters that `text` answers `question` with, in the order of its options; None where it gives none.

    Several letters are returned as they were given, also where only one is right. A letter that is no option is no
    answer.
    """
    reader = _Reader(text, question)
    for way in (
        reader.whole,
        reader.final,
        reader.stated,
        reader.lines,
        reader.chosen,
        reader.affirmed,
        reader.opening,
    ):
        found = {answer for answer in way() if answer}
        if found:
            return found.pop() if len(found) == 1 else None
    return reader.named()


class _Reader:
    """One text and the letters it may answer with; each public method yields the answers given in one way."""

    def __init__(self, text: str, question: Question) -> None:
        self._text = unicodedata.normalize("NFKC", text).strip()
        self._letters = question.letters
        self._options = {letter: _bare(option) for letter, option in question.options}
        sign = f"[{''.join(self._letters)}]"
        self._run = re.compile(rf"(?<![A-Za-z0-9])({sign}(?:(?:{_LINK})*{sign})*)(?![A-Za-z0-9])", re.I)
        self._single = re.compile(rf"(?<![A-Za-z0-9])({sign})", re.I)
        self._listed = re.compile(rf"(?<![A-Za-z0-9])({sign})[.、:)]", re.I)

    def whole(self) -> Iterator[tuple[str, ...] | None]:
        """The text is nothing but letters."""
        yield self._alone(self._text)

    def final(self) -> Iterator[tuple[str, ...] | None]:
        """A conclusion: 故选B, 综上，答案是B."""
        return self._after(_FINAL)

    def stated(self) -> Iterator[tuple[str, ...] | None]:
        """答案是B, 正确选项为B, answer: B, \\boxed{B}."""
        return self._after(_ANSWER)

    def lines(self) -> Iterator[tuple[str, ...] | None]:
        """A line is nothing but letters."""
        return (self._alone(line) for line in self._text.splitlines())

    def chosen(self) -> Iterator[tuple[str, ...] | None]:
        """选B, 选择B."""
        return self._after(_CHOICE)

    def affirmed(self) -> Iterator[tuple[str, ...] | None]:
        """B正确, B选项是对的."""
        told = re.compile(r"\s*(?:选项|项)?\s*(?:是|才是|为)?\s*(?:正确|对的|最佳|最合适)")
        for match in self._run.finditer(self._text):
            if told.match(self._text, match.end()) and not self._denied(match.start()):
                yield self._given(match[1])

    def opening(self) -> Iterator[tuple[str, ...] | None]:
        """Lines that start with an option's letter; options listed one by one are no answer."""
        if len({match[1].upper() for match in self._listed.finditer(self._text)}) > 1:
            return
        for line in self._text.splitlines():
            start = re.compile(_MARK).match(line)
            match = self._match(line, start.end() if start else 0)
            if match is None:
                continue
            rest = line[match.end() :]
            marked = re.match(r"\**\s*[.:)\]】]|\**\s*$|\**[,。;]", rest) or (match[1].isupper() and rest[:1].isspace())
            if marked or self._continues(match[1], rest):
                yield self._given(match[1])

    def named(self) -> tuple[str, ...] | None:
        """Return the one option whose words are the whole text."""
        found = [letter for letter, option in self._options.items() if option and option == _bare(self._text)]
        return (found[0],) if len(found) == 1 else None

    def _after(self, phrase: re.Pattern[str]) -> Iterator[tuple[str, ...] | None]:
        for said in phrase.finditer(self._text):
            if self._denied(said.start()):
                continue
            match = self._match(self._text, said.end())
            rest = self._text[match.end() :] if match else self._text[said.end() :]
            if match is None:
                yield self._quoted(rest) if phrase is not _CHOICE else None  # 首选阿司匹林 is a statement of fact
            elif not _NOT_AFTER.match(rest) and (_AFTER.match(rest) or self._continues(match[1], rest)):
                yield self._given(match[1])

    def _denied(self, place: int) -> bool:
        return bool(_NOT_BEFORE.search(self._text[max(0, place - _REACH) : place]))

    def _match(self, text: str, start: int) -> re.Match[str] | None:
        """Match the letters at `start`; one before its own option's words is not joined with letters of those."""
        match = self._run.match(text, start)
        first = self._single.match(text, start)
        return first if first and self._continues(first[1], text[first.end() :]) else match

    def _alone(self, text: str) -> tuple[str, ...] | None:
        start = re.compile(_MARK).match(text)
        match = self._run.match(text, start.end() if start else 0)
        return self._given(match[1]) if match and re.compile(_ENDMARK).fullmatch(text, match.end()) else None

    def _continues(self, run: str, rest: str) -> bool:
        """Tell whether the words of the option follow its letter: B头孢噻肟钠, B、头孢噻肟钠."""
        option = self._options.get(run.upper(), "")
        return bool(option) and _bare(rest).startswith(option)

    def _quoted(self, rest: str) -> tuple[str, ...] | None:
        """Return the option whose words follow 答案是, up to the end of the clause."""
        clause = _bare(re.split(r"[,。;!\n]", rest.strip(), maxsplit=1)[0])
        found = [letter for letter, option in self._options.items() if option and option == clause]
        return (found[0],) if len(found) == 1 else None

    def _given(self, run: str) -> tuple[str, ...] | None:
        if run != run.upper() and run != run.lower():
            return None  # "Ac" is an abbreviation
        return tuple(letter for letter in self._letters if letter in run.upper())


def _bare(text: str) -> str:
    """Return `text` without blanks and marks at either end, in one width and case."""
    return unicodedata.normalize("NFKC", text).strip(" \t\r\n*_.,;:。、!\"'“”「」()[]【】").casefold()
