"""From the name of a drug product to its active ingredient: dosage forms, release forms and salts taken off."""

import re
from collections.abc import Callable

_FORM = re.compile(
    r"(?:缓释|肠溶|分散|控释|咀嚼|泡腾|口腔崩解|口崩|口含|双释放|干混悬|混悬|口服|外用|阴道|滴|含|软|微丸|薄膜衣|糖衣|吸入|鼻用|眼用|速释)*"
    r"(?:胶囊|胶丸|片|颗粒|注射液|滴眼液|滴耳液|滴鼻液|口服液|溶液|糖浆|软膏|乳膏|霜|凝胶|栓|滴丸|丸|散|合剂|气雾剂|喷雾剂|粉雾剂|"
    r"混悬液|混悬剂|混悬|贴膏|贴片|贴|滴剂|冲剂|搽剂|洗剂|洗液|膏|粉针|针|眼膏|酊|含漱液|吸入剂|埋植剂)剂?(?:（[^）]*）)*$"
)
_LEAD = re.compile(r"^(?:注射用|外用|吸入用|口服)")
_SALTS = (
    "盐酸", "硫酸", "磷酸", "枸橼酸", "马来酸", "重酒石酸", "酒石酸", "富马酸", "甲磺酸", "氢溴酸",
    "乳酸", "苯磺酸", "琥珀酸", "硝酸", "醋酸", "丙酸", "门冬氨酸", "乳糖酸", "葡萄糖酸", "氢氧化", "苯甲酸",
)  # fmt: skip
# without their acid these would be another substance
_WHOLE = frozenset(
    {"硝酸甘油", "硝酸异山梨酯", "单硝酸异山梨酯", "乳酸菌素", "丙酸氟替卡松", "丙酸倍氯米松", "枸橼酸铋钾"}
)


def stem(product: str) -> str:
    """Return a product name without its dosage form: 注射用阿莫西林钠 -> 阿莫西林钠; "" for a bare form."""
    bare = _LEAD.sub("", product)
    return _FORM.sub("", bare) if len(bare) > 2 else ""


def ingredient(product: str, attested: Callable[[str], bool]) -> str | None:
    """Return the active ingredient that a product is named after, None for brand, compound and herbal names.

    `attested(name)` says whether sources name it as an ingredient or as a treatment; a salt is taken off only where
    the base is attested too, so 盐酸二甲双胍缓释片 gives 二甲双胍 and 硝酸甘油片 stays 硝酸甘油.
    """
    name = stem(product)
    if name == product or len(name) < 2 or name.startswith(("复方", "小儿")):
        return None
    if name not in _WHOLE:
        for salt in _SALTS:
            if name.startswith(salt) and len(name) - len(salt) >= 3 and attested(name[len(salt) :]):
                name = name[len(salt) :]
                break
        if name[-1] in "钠钾" and len(name) >= 4 and attested(name[:-1]):
            name = name[:-1]
    return name if attested(name) else None
