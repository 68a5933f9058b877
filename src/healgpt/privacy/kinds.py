"""The kinds of personal data, their Chinese labels, and how a placeholder is written and recognised.

While detecting, every placeholder and every span already found is one private-use character (`mask`), so that a
detector sees the same text whether it looks at an original after masking or at a text that was redacted before.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "NAME",
    "ID_CARD",
    "PHONE",
    "LANDLINE",
    "BANK_CARD",
    "MEDICAL_RECORD",
    "INSURANCE",
    "ADDRESS",
    "EMAIL",
    "WECHAT",
    "QQ",
    "BIRTH_DATE",
    "PLATE",
    "BED",
]

LABELS: dict[Kind, str] = {
    "NAME": "姓名",
    "ID_CARD": "身份证号",
    "PHONE": "手机号",
    "LANDLINE": "座机号",
    "BANK_CARD": "银行卡号",
    "MEDICAL_RECORD": "病历号",
    "INSURANCE": "医保号",
    "ADDRESS": "地址",
    "EMAIL": "邮箱",
    "WECHAT": "微信号",
    "QQ": "QQ号",
    "BIRTH_DATE": "出生日期",
    "PLATE": "车牌号",
    "BED": "床位",
}
KIND_OF_LABEL: dict[str, Kind] = {label: kind for kind, label in LABELS.items()}
MASKS: dict[Kind, str] = {kind: chr(0xE000 + number) for number, kind in enumerate(LABELS)}
NAME_MASK = MASKS["NAME"]
NUMBER_MASKS = "".join(MASKS[kind] for kind in ("PHONE", "LANDLINE", "ID_CARD", "BANK_CARD", "MEDICAL_RECORD"))

# at most 9 digits: what a redactor writes stays far below, and longer runs of digits are text
PLACEHOLDER = re.compile(f"〔({'|'.join(LABELS.values())})([1-9][0-9]{{0,8}})〕")


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch `[start, end)` of the examined text that a detector takes for `kind`."""

    start: int
    end: int
    kind: Kind


def placeholder(kind: Kind, number: int) -> str:
    """Return what stands in the redacted text, such as 〔姓名1〕."""
    return f"〔{LABELS[kind]}{number}〕"
