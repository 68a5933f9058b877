"""Cuts what a patient wrote, or a record of a patient, into sentences and clauses that can be told one by one."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

# a clause that begins with as many characters of another says the same
_SAME_START = 8
_LONG_CLAUSE = 24
_SHORTEST_FACT = 4
_SPACE = re.compile(r"[ \t\u3000\xa0]+")
_SENTENCE_END = re.compile(r"(?<=[。！？!?；;…])|\n+")
_CLAUSE_END = re.compile(r"[，,。！？!?；;…~～]+|(?<![0-9a-zA-Z])\.|\.(?![0-9])")


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a case that can be told alone: `sentence` is the number of the one it stands in, `label` its field."""

    text: str
    sentence: int
    label: str = ""


@cache
def rules() -> dict[str, Any]:
    """Return patient.toml: labels, slots, and every phrase that is not the case's."""
    path = files("healgpt.evaluation.consultations") / "patient.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def sentences(text: str) -> tuple[str, ...]:
    """Split a text at the ends of sentences, at lines, at known labels, and at the blank after a title; none twice."""
    text = _label_pattern().sub(lambda match: f"\n{match[1]}：", text.replace("\r", "\n"))
    parts: list[str] = []
    for line in _SENTENCE_END.split(text):
        parts += _SPACE.split(line.strip()) if _title(line) else [_SPACE.sub(" ", line)]
    kept = (part.strip(" ，,。；;：:") for part in parts)
    return tuple(dict.fromkeys(part for part in kept if re.search(r"[\w一-鿿]", part)))


def clauses(told: tuple[str, ...]) -> tuple[Clause, ...]:
    """Return what of the sentences of a case can be told: no greetings, no fillers, no requests for help."""
    found: list[Clause] = []
    for number, sentence in enumerate(told):
        label, _, value = sentence.partition("：")
        row = rules()["labels"].get(label)
        if row is None or not value.strip():
            found += [Clause(text, number) for text in _told(sentence)]
        elif label in rules()["asking_labels"]:
            continue
        elif "slot" in row:
            found.append(Clause(_labelled(row, value.strip()), number, label))
        else:
            found += [Clause(text, number) for text in _told(value)]
    return tuple(clause for place, clause in enumerate(found) if not _told_elsewhere(clause.text, place, found))


def _told_elsewhere(text: str, place: int, found: Sequence[Clause]) -> bool:
    """Tell whether a longer clause begins like this one, or an earlier one is the same: titles repeat the story."""
    return any(
        clause.text.startswith(text[:_SAME_START]) and (len(clause.text), -other) > (len(text), -place)
        for other, clause in enumerate(found)
        if other != place
    )


def _title(line: str) -> bool:
    """Blanks part Chinese texts only; those of Latin words and figures stay."""
    return bool(re.search(r"[一-鿿?？。][ \t\u3000\xa0]+[一-鿿]", line))


@cache
def _label_pattern() -> re.Pattern[str]:
    names = sorted(rules()["labels"], key=len, reverse=True)
    return re.compile(rf"({'|'.join(map(re.escape, names))})[ \t]*[:：]\s*")


def _labelled(row: Mapping[str, str], value: str) -> str:
    """Return the field as a patient says it."""
    value = re.sub(r"（\d{4}-\d\d-\d\d填写）|【[^】]*】[:：]?", "", value).strip(" ，,。；;")
    if re.fullmatch(r"无|没有|没|否|暂无", value) and "none" in row:
        return row["none"]
    return row.get("say", "{value}").format(value=value)


def _told(sentence: str) -> list[str]:
    kept: list[str] = []
    story, _, asking = sentence.partition("请问")
    bracketed = re.sub(r"（[^）]*）", lambda match: re.sub("[，,]", "、", match[0]), story)
    for part in _CLAUSE_END.split(bracketed):
        for text in _cut(part):
            bare = re.sub(rules()["leading"], "", text.strip(" ：:“”\"'、")).strip()
            if not bare or re.fullmatch(rules()["filler"], bare):
                continue
            fact = _fact_of_request(bare) if _is_request(bare) else bare
            if len(fact) > 1 or fact in {"男", "女"}:
                kept.append(fact)
    return kept or [match[0] for match in [re.search(rules()["request_age"], asking)] if match]


def _cut(text: str) -> list[str]:
    """Cut a run that its writer never punctuated before its connectives."""
    return re.split(rf"(?={rules()['connectives']})", text) if len(text) > _LONG_CLAUSE else [text]


def _is_request(text: str) -> bool:
    return bool(re.search(rules()["request"], text)) and not re.search(rules()["no_request"], text)


def _fact_of_request(text: str) -> str:
    """Return what a question takes for granted: 小孩脚麻 of 小孩脚麻是怎么回事; else an age; else nothing."""
    left = re.sub(rules()["request_tail"], "", text)
    whole = left != text and len(left) >= _SHORTEST_FACT and not re.search(rules()["request_head"], left)
    if whole and not _is_request(left):
        return left
    age = re.search(rules()["request_age"], text)
    return age[0] if age else ""
