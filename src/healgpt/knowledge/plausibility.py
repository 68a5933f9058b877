"""What medicine and the habits of the sources say against a single claim, whatever its witnesses: a table of rules."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from healgpt.knowledge import drugs
from healgpt.knowledge.relations import Relation

_FEMALE = re.compile(
    r"月经|经期|痛经|闭经|子宫|卵巢|阴道|外阴|妊娠|孕|产后|分娩|哺乳|白带|宫颈|输卵管|更年期|盆腔炎|女"
)
_MALE = re.compile(r"前列腺|睾丸|阴茎|阴囊|附睾|精索|精囊|包皮|龟头|阳痿|早泄|遗精|射精|男")
_CAUSE = re.compile(
    r"(感染|遗传|因素|外伤|损伤|缺乏|过敏|吸烟|饮酒|肥胖|突变|缺陷|异常|压迫|刺激|接触史|中毒|免疫|炎|病毒|菌|肿瘤|劳损|退行性变"
    r"|畸形|梗阻|缺血|史|不足|过度|障碍|堵塞|反流|紊乱|不良|不洁|疲劳|受凉|素质|反应|减退|增高|手术|药物)$"
)
# package inserts of antibiotics name germs whose names contain an illness: 流感嗜血杆菌, 溶血性链球菌, 肺炎链球菌
_ANTIBIOTIC = re.compile(r"霉素|沙星|头孢|西林|培南|磺胺|硝唑|四环素|环素|抗生素|先锋|舒巴坦|他唑巴坦|卡星|米星|菌素")
_GERM_NAMED = frozenset({"流感", "溶血症", "病毒感染", "感冒", "发热", "疼痛", "癌", "贫血", "肿瘤"})
# where a drug is used, not what it is used for: 休克时肾灌注不足, 外科手术前, 中毒引起的昏迷
_SCENES = frozenset({"休克", "中毒", "昏迷", "手术", "烧伤", "创伤", "外伤", "年老体弱", "惊厥", "过敏性休克", "水肿"})
# a drug for the second is not one for the first, which its insert names as a danger
_CONTRARY = {"低血糖症": ("糖尿病", "高血糖症"), "低血压": ("高血压",), "出血": ("血栓形成", "深静脉血栓")}
_DOSING = re.compile(
    r"服|外用|涂|注射|滴|一次|[一每]日|\d\s*m?g|克|毫升|片|粒|丸|袋|煎|敷|含|吸入|贴|洗|栓|阴道|泡|冲|嚼"
)
_TREATING = re.compile(
    r"治|疗|术|药|剂|素|移植|切除|锻炼|护理|戒|控制|补|支持|引流|复位|固定|休息|饮食|按摩|针|灸|透析|吸氧|输|运动|减|避免|停"
    r"|冲洗|修复"
)
_CATALOGUE = re.compile(r"特指|疾患|归类|和其他|及其他|所致的|有关的|^[\"“]")
_EFFECT = re.compile(
    r"^(止[痛血咳泻痒吐汗带]|活血|清热|解毒|祛[风湿痰寒]|利[尿湿水]|补[肾气血肝脾虚]|健脾|散[瘀结寒]|消[肿炎食]|舒[筋肝]|养[血阴心]"
    r"|益气|化[痰瘀湿]|通[经络便淋]|温[中经肾]|润[肺肠燥]|生津|安神|明目|开窍|平肝|理气)"
)
_HALF_THE_HOSPITAL = frozenset({"内科", "外科", "中西医结合科", "中医科"})


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim as the rules see it; `listed` holds the subject's objects under the same relation, one a line."""

    subject: str
    subject_kind: str
    relation: Relation
    value: str
    listed: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Adds `weight` (log-odds) where `applies`, for the named relations or, without names, for all but texts."""

    weight: float
    applies: Callable[[Claim], object]
    relations: frozenset[str] = frozenset()


def _rule(weight: float, relations: str, applies: Callable[[Claim], object]) -> Rule:
    return Rule(weight, applies, frozenset(relations.split()))


def _wrong_sex(claim: Claim) -> bool:
    female, male = _FEMALE.search, _MALE.search
    return bool((female(claim.subject) and male(claim.value)) or (male(claim.subject) and female(claim.value)))


def _hot_and_cold(claim: Claim) -> bool:
    """Raw and prepared forms of a herb are mixed under one name: neither nature can be told to anyone."""
    cold, hot = "[寒凉]", "[温热]"
    return any(
        re.search(one, claim.value) and re.search(other, claim.listed) for one, other in ((cold, hot), (hot, cold))
    )


_ANY: tuple[Rule, ...] = (
    _rule(-4.0, "", _wrong_sex),
    # a brand that could not be led back to one drug
    _rule(-0.8, "", lambda c: c.subject_kind == "product" and drugs.stem(c.subject) == c.subject),
    _rule(-2.0, "并发症 症状 相关疾病", lambda c: c.value in c.subject),  # 肩部骨折 → 骨折 tells nothing
    _rule(-2.0, "鉴别诊断", lambda c: c.subject in c.value),
    _rule(-2.0, "分型 相关疾病 并发症", lambda c: _CATALOGUE.search(c.value) or _CATALOGUE.search(c.subject)),
    _rule(-5.0, "适应症", lambda c: any(f"\n{other}\n" in c.listed for other in _CONTRARY.get(c.value, ()))),
    _rule(-4.0, "适应症", lambda c: c.value in _GERM_NAMED and _ANTIBIOTIC.search(c.subject)),
    _rule(-2.0, "适应症", lambda c: c.value in _SCENES),
    _rule(-3.0, "性味", _hot_and_cold),
    _rule(-2.5, "用法用量", lambda c: not _DOSING.search(c.value) or "见说明书" in c.value),
    _rule(+0.8, "病因", lambda c: len(c.value) >= 3 and _CAUSE.search(c.value)),
    _rule(-0.8, "病因", lambda c: c.value.endswith("性")),
    _rule(-1.2, "治疗方式", lambda c: not _TREATING.search(c.value)),
    _rule(-1.5, "主治", lambda c: _EFFECT.search(c.value)),
    _rule(-1.5, "就诊科室", lambda c: c.value in _HALF_THE_HOSPITAL),
)

_NAMES: tuple[Rule, ...] = (
    _rule(-4.0, "", lambda c: c.relation.values and c.value not in c.relation.values),
    _rule(-0.8, "", lambda c: c.relation.form == "phrase" and re.search(r"等(?!级)", c.value)),
    _rule(-1.5, "", lambda c: re.search(r"[a-z]{4,}", c.value)),
    _rule(-0.8, "", lambda c: c.relation.form == "entity" and len(c.value) > 9),
    _rule(-1.0, "", lambda c: re.search(r"[，。：；]|\d{3,}", c.value)),
    _rule(-3.0, "", lambda c: len(c.value) == 1 and c.relation.name not in ("成份", "发病部位", "性味")),
    _rule(
        -2.0,
        "",
        lambda c: (
            c.relation.form == "entity" and c.relation.name != "检查" and not re.search("[\u4e00-\u9fff]{2}", c.value)
        ),
    ),
)

_TEXTS: tuple[Rule, ...] = (_rule(-1.5, "", lambda c: len(c.value) < 3 or c.value.count("：") > 3),)


def weight(claim: Claim) -> float:
    """Return the log-odds that all rules together add to `claim`, mostly below 0."""
    rules = _ANY + (_TEXTS if claim.relation.form == "text" else _NAMES)
    return sum(
        rule.weight
        for rule in rules
        if (not rule.relations or claim.relation.name in rule.relations) and rule.applies(claim)
    )
