"""The word lists of `lexicon.toml`, read once at first use."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Surnames by how safely they mark a name, given-name characters, ordinary words, and region names.

    `loose` surnames are everyday words too (高, 黄, 于) and need more evidence than `plain` ones (王, 赵); `rare` ones
    are words first of all (门, 初) and need the most.
    `frequent` given-name characters fill ordinary sentences too, so they prove little; `elements` build Tibetan,
    Mongolian, Uyghur and Yi names, `transcribed` characters foreign ones; `common_given` are given names that no
    character of theirs shows (建国); `no_given_names` are words whose characters look like one (朋友).
    `bad_left` maps a surname to the characters that make another word with it (紧 before 张).
    """

    compound: frozenset[str]
    plain: frozenset[str]
    loose: frozenset[str]
    rare: frozenset[str]
    given: frozenset[str]
    not_given: frozenset[str]
    safe_left: frozenset[str]
    public_figures: frozenset[str]
    frequent: frozenset[str]
    elements: frozenset[str]
    transcribed: frozenset[str]
    common_given: frozenset[str]
    no_given_names: frozenset[str]
    fictional: frozenset[str]
    doubled_words: frozenset[str]
    regions: tuple[str, ...]
    words: frozenset[str]
    bad_left: dict[str, str]

    def has_word_at(self, text: str, start: int) -> bool:
        """Tell whether an ordinary word that begins like a name (高血压, 何首乌) starts there."""
        words = self.words
        return text[start : start + 2] in words or text[start : start + 3] in words or text[start : start + 4] in words


@cache
def lexicon() -> Lexicon:
    """Return the lists that ship with the package."""
    table = tomllib.loads(resources.files("healgpt.privacy").joinpath("lexicon.toml").read_text(encoding="utf-8"))

    def characters(name: str) -> frozenset[str]:
        return frozenset("".join(table[name].split()))

    def words(name: str) -> frozenset[str]:
        return frozenset(table[name].split())

    return Lexicon(
        compound=words("compound_surnames"),
        plain=characters("plain_surnames"),
        loose=characters("loose_surnames"),
        rare=characters("rare_surnames"),
        given=characters("given"),
        not_given=characters("not_given"),
        safe_left=characters("safe_left"),
        public_figures=words("public_figures"),
        frequent=characters("frequent"),
        elements=words("elements"),
        transcribed=characters("transcribed"),
        common_given=words("common_given"),
        no_given_names=words("no_given_names"),
        fictional=words("fictional"),
        doubled_words=words("doubled_words"),
        # longest first, so that 张家港 wins over a shorter name in a pattern
        regions=tuple(sorted(words("provinces") | words("cities"), key=lambda name: (-len(name), name))),
        words=words("words"),
        bad_left=table["bad_left"],
    )
