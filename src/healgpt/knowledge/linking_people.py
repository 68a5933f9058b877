"""Whom a message speaks of: the patient or a relative, with age, sex and pregnancy where they are said."""

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Sex = Literal["male", "female"]

_DIGITS = {
    "零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "半": 0.5,
}  # fmt: skip
_COUNT = r"(\d+(?:\.\d+)?|[一二两三四五六七八九十半]+)"
# word -> (whom, sex); longer words first
_RELATIONS: tuple[tuple[str, str, Sex | None], ...] = (
    ("丈母娘|岳母|婆婆|老妈|母亲|妈妈|我妈|俺妈|阿妈|他妈", "母亲", "female"),
    ("老丈人|岳父|公公|老爸|父亲|爸爸|我爸|俺爸|阿爸|老爷子|爹", "父亲", "male"),
    ("爷爷|姥爷|外公|祖父", "祖父", "male"),
    ("奶奶|姥姥|外婆|祖母|老太太", "祖母", "female"),
    ("老公|丈夫|男朋友|对象|男友", "配偶", "male"),
    ("老婆|妻子|媳妇|女朋友|女友|爱人", "配偶", "female"),
    ("儿子|男宝宝?|男孩|小男孩|男婴", "孩子", "male"),
    ("女儿|闺女|女宝宝?|女孩|小女孩|女婴|千金", "孩子", "female"),
    ("宝宝|宝贝|孩子|小孩儿?|婴儿|新生儿|小朋友|幼儿|小儿|娃娃?|孙子|孙女|外甥|侄子", "孩子", None),
    ("[表堂]?(?:哥哥?|弟弟?)(?!们)|我哥|我弟", "兄弟姐妹", "male"),
    ("[表堂](?:姐姐?|妹妹?)|姐姐|我姐|妹妹|我妹", "兄弟姐妹", "female"),
    (
        "老人家?|长辈|亲戚|朋友|同事|同学|室友|家人|邻居|舅舅|叔叔|阿姨|姑姑|姑妈|姑父|姨妈家|婶婶|大伯父?|伯母",
        "他人",
        None,
    ),
)
_RELATION = re.compile("|".join(f"(?P<r{n}>{words})" for n, (words, _, _) in enumerate(_RELATIONS)))
_SELF = re.compile(
    r"(?<![a-z])我(?!们?家?(?:的)?(?:妈|爸|爷|奶|婆|公|哥|弟|姐|妹|儿|女|孩|宝|娃|媳|老|对象|朋|同|姥|丈|岳|外|父|母|男|小孩))|本人|自己"
)
_YEARS = re.compile(
    rf"{_COUNT}(?:周)?岁(?:半)?|(?:年龄|今年|年纪)[:：是]?{_COUNT}(?=岁|周岁|了|[,。 ]|$)|"
    rf"(?<=[妈爸奶爷姥婆公]){_COUNT}(?=了|多岁|岁)"
)
_MONTHS = re.compile(
    rf"{_COUNT}个?(?:多)?月(?:大|的?(?:宝|孩|婴|娃|小))|(?:宝宝|孩子|婴儿|娃|小孩|宝贝|儿子|女儿){_COUNT}个(?:多|半)?月"
)
_MALE = re.compile(r"(?<![一-鿿])男(?![孩宝婴友朋科人])|男性|先生|前列腺|阴茎|睾丸|早泄|阳痿|遗精|包皮|精子")
_FEMALE = re.compile(
    r"(?<![一-鿿子])女(?![孩宝婴友朋儿人])|女性|女士|月经|例假|姨妈|怀孕|孕期|哺乳|白带|阴道|子宫|卵巢|宫颈|备孕|产后|孕妇"
)
_PREGNANT = re.compile(
    r"(?<![没未不])(?:怀孕|怀了|孕期|孕妇|孕\d|孕[一二三四五六七八九十]|有身孕|妊娠|早孕|孕晚期|孕早期|怀着)(?!.{0,3}(?:吗|么|可能))"
)
_DOUBTED_PREGNANCY = re.compile(
    r"(?:备孕|是不是|会不会|可能|怀疑|想|没有?|不|能|好|容易|怎么|影响).{0,3}(?:怀孕|怀上|孕)|怀孕(?:吗|么|的可能|几率)"
)


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a message is about; `who` is 本人 for the writer. None where nothing was said."""

    who: str = "本人"
    age_years: float | None = None
    sex: Sex | None = None
    pregnant: bool = False


def whose(text: str, places: Sequence[int]) -> list[str]:
    """Return whom the mention at each of `places` belongs to: the last person named before it.

    `text` is folded. Before any person is named, it is the first one of the message, unless the writer speaks of
    themself; without any, it is the writer.
    """
    marks = _people(text)
    first = marks[0][1] if marks else "本人"
    starts = [start for start, _ in marks]
    found = []
    for place in places:
        named = bisect.bisect_right(starts, place)
        found.append(marks[named - 1][1] if named else first)
    return found


def _people(text: str) -> list[tuple[int, str]]:
    marks = [(match.start(), _RELATIONS[int((match.lastgroup or "r0")[1:])][1]) for match in _RELATION.finditer(text)]
    for match in _SELF.finditer(text):
        tail = text[match.end() : match.end() + 6]
        # "我想问一下，我妈…" and "我家孩子" speak of someone else
        if not _RELATION.search(tail) and not re.match(r"想|要|该|问|带|家|们|担心|怕|发现|看", tail):
            marks.append((match.start(), "本人"))
    return sorted(marks)


def person(text: str) -> Person:
    """Return the person that the folded message `text` is mostly about."""
    related = _RELATION.search(text)
    relation = _RELATIONS[int((related.lastgroup or "r0")[1:])] if related else None
    sex: Sex | None = relation[2] if relation else None
    who = relation[1] if relation else "本人"
    if sex is None:
        sex = "male" if _MALE.search(text) else "female" if _FEMALE.search(text) else None
    pregnant = bool(_PREGNANT.search(text)) and not _DOUBTED_PREGNANCY.search(text) and sex != "male"
    return Person(who, _age(text), "female" if pregnant else sex, pregnant)


def _age(text: str) -> float | None:
    years = _YEARS.search(text)
    if years:
        return _number(next(group for group in years.groups() if group))
    months = _MONTHS.search(text)
    if months:
        value = _number(next(group for group in months.groups() if group))
        return None if value is None else round(value / 12, 2)
    return None


def _number(text: str) -> float | None:
    """Return the value of digits or of a Chinese numeral below a hundred."""
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text) if float(text) < 130 else None
    tens, ten, ones = text.partition("十")
    if ten:
        return float((_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0))
    return float(_DIGITS[text]) if text in _DIGITS else None
