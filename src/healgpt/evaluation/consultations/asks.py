"""Finds what a doctor's turn asks the patient: the questions, not the polite ends, and not the headings of advice."""

import re
from collections.abc import Sequence

_PIECE = re.compile(r"[^。！!？?；;\n]+[。！!？?；;]?|\n")
_MARK = re.compile(r"[？?]\s*$")
# a question of advice literature, or an offer, seeks nothing from the patient
_NOT_ASKED = re.compile(
    r"^(?:[#*\d.、）)（(\s]*)(?:如何|怎么|怎样|什么是|为什么|为何|哪些|何时)|(?:还有|有)(?:什么|没有|任何|其他|别的).{0,8}"
    r"(?:问题|疑问|需要.{0,4}帮|想(?:问|了解))|(?:我|有什么)(?:能|可以)(?:为您|帮)|可以帮(?:助)?(?:您|你)|需要我|"
    r"(?:明白|清楚|理解)了?(?:吗|么)|您看(?:可以|行)|对(?:吗|吧)[？?]?$|好(?:吗|么)[？?]?$|^(?:如果|若|假如)"
)
_REQUEST = re.compile(
    r"请(?:您|你)?(?:先|再|能|尽量|务必|详细地?|具体地?|进一步|继续|简单)*(?:告诉(?:我|一下)|描述|说明|说说|说一下|提供|补充|介绍|回答|讲)|"
    r"(?:我|我们)(?:还)?(?:想|需要|要)(?:进一步|再|先)?(?:知道|了解|询问|问)|需要(?:您|你)(?:提供|告诉|描述)|"
    r"(?:您|你)(?:能|可以|可否|能否|能不能)(?:详细)?(?:告诉我|描述|说说|提供)|麻烦(?:您|你)?(?:说|描述|提供|告诉)"
)
_TO_OTHERS = re.compile(
    r"告诉(?:您的|你的)?(?:医生|大夫|家人)|(?:向|给)(?:您的)?(?:医生|专业).{0,6}(?:描述|提供|说明|咨询)|"
    r"(?:咨询|看诊|就诊|就医|看病)(?:医生|专家)?(?:时|的时候)|(?:以便|帮助|有助于|方便)(?:医生|大夫)|医生(?:会|可能会)(?:问|询问)"
)
_LISTED = re.compile(r"^\s*(?:\d+[.、）)]|[-*•（(]\s*\d*)")


def questions(turn: str, said: Sequence[str] = ()) -> list[str]:
    """Return the parts of a doctor's `turn` that ask the patient for something, in order; often none.

    A part ends with a question mark, or requests (请告诉我, 我需要了解); after a request with a colon, the list that
    follows belongs to it. Headings such as 如何预防？, offers such as 还有其他问题吗？ and conditions do not
    count, nor does what repeats the patient's own words in `said`.
    """
    own = _bare("\n".join(said))
    found: list[str] = []
    listing = False
    for line in turn.splitlines():
        if not line.strip():
            continue
        if listing and _LISTED.match(line):
            found.append(line.strip())
            continue
        listing = False
        for piece in map(str.strip, _PIECE.findall(line)):
            if _asks(piece) and _bare(piece) not in own:
                found.append(piece)
                listing = line.rstrip().endswith(("：", ":"))
    return found


def _bare(text: str) -> str:
    return re.sub(r"\W", "", text)


def _asks(piece: str) -> bool:
    if _TO_OTHERS.search(piece) or _NOT_ASKED.search(piece):
        return False
    return bool(_MARK.search(piece) or _REQUEST.search(piece))
