"""Which facts over the threshold may reach a patient: those that something besides their own source line bears out.

The support score orders facts; it cannot know that 硫辛酸 treats the neuropathy of diabetes and not diabetes, or that
nobody can look up the dose of a herb known in one county. So a fact must also pass the test of its relation here:
several predicates or package inserts agree, or a second opinion does (corroboration.toml: which symptoms, causes,
treatments and uses go with which names), and it must be neither vague nor a heading nor about the use of a controlled
drug. What fails stays in the graph and is shown by `healgpt kg show`, with the reason as its mark.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from healgpt.knowledge import kinds
from healgpt.knowledge.opinions import opinions

Key = tuple[str, str, str]

# reason -> what `healgpt kg show` says
REASONS = {
    "catalogue": "目录或民间草药资料",
    "label": "说明书内容，以手中药品的说明书为准",
    "controlled": "管制药品",
    "vague": "过于含糊",
    "alone": "没有旁证",
}
# relations that are looked up, not told: doses belong to the insert in hand, the rest is catalogue
_REFERENCE = {
    "用法用量": "label", "性味": "catalogue", "相关疾病": "catalogue", "检查相关症状": "catalogue",
}  # fmt: skip
_OF_DISEASES = frozenset(
    [
        "症状",
        "病因",
        "高危因素",
        "检查",
        "并发症",
        "鉴别诊断",
        "分型",
        "治疗方式",
        "预防",
        "多发人群",
        "发病部位",
        "传播途径",
        "传染性",
    ]
)
_USES = frozenset({"适应症", "主治", "用法用量", "药物类别", "功效"})
_HERB = frozenset({"功效"})
_SHARED_SENTENCE, _SHARED_STORAGE, _SHARED_GROUP, _SHARED_RISK = 3, 10, 5, 3
_COMMON_EFFECT = 30
# support of a department from which diseases like this one go there too (quality.affinity over 0)
_LIKE_ITS_PEERS = 0.932
_COMPOUND = re.compile(r"^复方|联合|加曲|/|^[氨双三]?.{0,3}(?:美|麻|敏|黄|咖|酚).{0,2}片$|维C|葡萄糖|氯化钠")
# too little by itself, or a measurement: 出血 of which organ, 血管扩张
_NO_EFFECT = re.compile(
    r"^(?:出血|血管扩张|栓塞|血栓形成|弱视|肿胀|渗出|压痛|气胸|痴呆|青光眼|舌肿|胃胀|血肿|触痛|麻痹|红肿)$|^血|酸$"
)
_AGE_OR_SEX = re.compile(r"^\D*(?:小儿|儿童|婴|新生儿|青|中年|老年|孕|产|女|男|妇)\D*$")
_HISTOLOGY = re.compile(
    r"(?:鳞状细胞|腺|小细胞|大细胞|移行细胞|未分化|囊腺|导管|小叶|黏液腺|乳头状|滤泡状?|髓样|鳞|腺鳞)癌"
)
_ORGANS = "心肝脾肺肾脑胃肠眼耳鼻喉咽皮胰胆"
_ACTION = re.compile(
    r"疫苗|接种|戒[烟酒]|洗手|手卫生|隔离|控制|减轻|减肥|运动|锻炼|避免|减少|防护|防晒|安全套|避孕套|口罩|饮食|消毒|灭|驱|筛查|体检"
    r"|远离|不吸|限酒|卫生|蚊"
)
# drugs whose inserts list what they were tried with and do not interact with: the lists read like interactions
_SAYS_NONE = re.compile(
    r"非那雄胺|奥利司他|胸腺|阿卡波糖|坦洛新|坦索罗辛|氨溴索|西替利嗪|沙坦|孟鲁司特|兰索拉唑|泮托拉唑|雷贝拉唑|氨氯地平|瑞格列奈"
    r"|那格列奈|格列酮|列汀|多奈哌齐|莫沙必利|司琼|曲普坦|二甲双胍|非索非那定|氯雷他定|奥司他韦|加巴喷丁|拉坦|塞来昔布|美洛昔康"
)
# drugs known for changing others, or being changed by them
_INTERACTING = re.compile(
    r"华法林|双香豆素|抗凝|地高辛|洋地黄|强心苷|苯妥英|卡马西平|苯巴比妥|丙戊酸|利福平|酮康唑|伊曲康唑|氟康唑|伏立康唑|红霉素|克拉霉素"
    r"|西咪替丁|茶碱|环孢素|他克莫司|锂|单胺氧化酶|丙磺舒|甲氨蝶呤|甲氨喋呤|阿司匹林|水杨酸|氨基糖苷|呋塞米|铁|抗酸|利尿|巴比妥"
    r"|三环|肾上腺皮质激素|糖皮质激素|胰岛素|磺酰脲|降糖|β受体阻滞|β阻滞|奎尼丁|胺碘酮|维拉帕米|地尔硫|氯霉素|保泰松|抗组胺|麻醉|肌松"
    r"|四环素|喹诺酮|沙星|两性霉素|顺铂|强利尿|非甾体|抗胆碱|阿托品|左旋多巴|普萘洛尔|硝酸|西沙必利|特非那定|他汀|秋水仙碱|肝素"
)
_QUALIFIED = re.compile(r"抗高血压药|药物控制|轻度高血压|^旅行史$|^职业史$")
_FINDING = re.compile(r"(?:痛|血尿|水肿|咯血|发热|呕吐|腹泻|昏迷|抽搐|瘙痒|包块|症状|不良|障碍|出血)$")


class Witnessed(Protocol):
    """What is asked of a claim's evidence."""

    witnesses: set[str]
    sources: set[str]
    products: int
    of: int
    given: float | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What single claims are held against: how often a value occurs, whose product a product is, who states what."""

    claims: Mapping[Key, Witnessed]
    scores: Mapping[Key, float]
    kind_of: Mapping[str, str]
    frequency: Counter[tuple[str, str]]
    ingredient: dict[str, str]
    values: dict[tuple[str, str], list[str]]


def survey(claims: Mapping[Key, Witnessed], scores: Mapping[Key, float], kind_of: Mapping[str, str]) -> Survey:
    """Return the statistics of `claims`."""
    values: dict[tuple[str, str], list[str]] = defaultdict(list)
    ingredient: dict[str, str] = {}
    for (subject, relation, value), evidence in claims.items():
        values[subject, relation].append(value)
        if relation == "成份" and "药名" in evidence.witnesses:
            ingredient[subject] = value
    frequency = Counter((relation, value) for _, relation, value in claims)
    return Survey(claims, scores, kind_of, frequency, ingredient, values)


def held_back(
    claims: Mapping[Key, Witnessed], scores: Mapping[Key, float], kind_of: Mapping[str, str], threshold: float
) -> dict[Key, str]:
    """Return why each claim over `threshold` that may not reach a patient may not, as a key of `REASONS`.

    `claims` are all claims, those under the threshold too: they are the company that a fact is judged by. A fact that
    its source vouches for itself (`given`) or that two sources state passes, unless a controlled drug's use.
    """
    known = survey(claims, scores, kind_of)
    found: dict[Key, str] = {}
    for key in (key for key in claims if scores[key] >= threshold):
        reason = _reason(key, known)
        evidence = claims[key]
        if reason and (reason == "controlled" or (evidence.given is None and len(evidence.sources) < 2)):
            found[key] = reason
    return found


def _reason(key: Key, known: Survey) -> str:
    subject, relation, value = key
    patterns = opinions().patterns
    if relation in _USES and patterns["controlled"].search(subject + known.ingredient.get(subject, "")):
        return "controlled"
    if relation == "治疗方式" and patterns["controlled"].search(value):
        return "controlled"
    if relation in _REFERENCE:
        return _REFERENCE[relation]
    kind = known.kind_of.get(subject)
    if kind == "herb" and not (relation in _HERB and subject in opinions().herbs):
        return "catalogue"
    if kind == "formula" and subject not in opinions().herbs:
        return "catalogue"
    if patterns["vague"].search(value):
        return "vague"
    if relation in _OF_DISEASES and patterns["headings"].search(subject):
        return "vague"
    test = _TESTS.get(relation)
    return "" if test is None or test(key, known) else "alone"


def _symptom(key: Key, known: Survey) -> bool:
    subject, _, value = key
    return value not in subject and opinions().agree("symptom", subject, value)


def _use(key: Key, known: Survey) -> bool:
    """A use counts where it goes with the drug, the place it is put and, for a product, with its ingredient."""
    subject, relation, value = key
    if relation == "主治" and known.kind_of.get(subject) != "product":
        return False
    if relation == "主治" or (known.kind_of.get(subject) == "product" and subject not in known.ingredient):
        return opinions().agree("named", subject, value)
    drug = known.ingredient.get(subject, subject)
    if _COMPOUND.search(subject) or not opinions().agree("indication", drug, value):
        return False
    return all(fits.search(value) for form, fits in opinions().routes if form.search(subject))


def _effect(key: Key, known: Survey) -> bool:
    """An adverse reaction counts where it is a common one and the inserts of two makers have it."""
    subject, relation, value = key
    if (
        known.frequency[relation, value] < _COMMON_EFFECT
        or _NO_EFFECT.search(value)
        or kinds.fits_symptom(value, known.kind_of.get(value, "")) < 0
    ):
        return False
    drug = known.ingredient.get(subject, subject)
    pooled = known.claims.get((drug, relation, value))
    return pooled is not None and pooled.products >= 2 and pooled.products / pooled.of >= 0.3


def _interaction(key: Key, known: Survey) -> bool:
    """An interaction counts where two inserts state it, or those of both drugs do."""
    subject, relation, value = key
    drug = known.ingredient.get(subject, subject)
    if known.kind_of.get(value) not in ("ingredient", "class", "product") or _SAYS_NONE.search(drug):
        return False
    if drug[-2:] == value[-2:]:  # of one family: 交叉过敏, not an interaction
        return False
    if (value, relation, drug) in known.claims:
        return True
    pooled = known.claims.get((drug, relation, value))
    agreed = pooled is not None and pooled.products >= 2 and pooled.products / pooled.of >= 0.5
    return agreed and bool(_INTERACTING.search(drug) or _INTERACTING.search(value))


def _sentence(key: Key, known: Survey) -> bool:
    """A sentence of an insert counts where other inserts have it word for word."""
    return known.frequency[key[1], key[2]] >= _SHARED_SENTENCE or known.claims[key].products >= 2


def _contraindication(key: Key, known: Survey) -> bool:
    subject = key[0]
    return subject in known.ingredient or known.kind_of.get(subject) == "ingredient" or _sentence(key, known)


def _cause(key: Key, known: Survey) -> bool:
    return opinions().agree("cause", key[0], key[2])


def _risk(key: Key, known: Survey) -> bool:
    """A risk that the table of causes speaks of must agree with it; others count where several diseases have them."""
    if any(row.value and row.value.search(key[2]) for row in opinions().tables["cause"]):
        return _cause(key, known)
    if known.kind_of.get(key[2]) in ("ingredient", "product", "class") or _QUALIFIED.search(key[2]):
        return False
    return known.frequency[key[1], key[2]] >= _SHARED_RISK


def _treatment(key: Key, known: Survey) -> bool:
    return opinions().agree("treatment", key[0], key[2])


def _prevention(key: Key, known: Survey) -> bool:
    if "苗" in key[2] and not opinions().spread["spreading"].search(key[0]):
        return False
    return bool(_ACTION.search(key[2]))


def _check(key: Key, known: Survey) -> bool:
    return opinions().agree("check", key[0], key[2])


def _department(key: Key, known: Survey) -> bool:
    """Where the disease's name says the organ, the department must treat it; a department of one organ likewise."""
    subject, _, value = key
    if value in ("内科", "外科"):  # half the hospital
        return False
    tables = opinions().tables
    wanted = [row for row in tables["goes_to"] if row.concerns(subject)]
    if wanted and not any(row.value and row.value.search(value) for row in wanted):
        return False
    own = [row for row in tables["treats"] if row.value and row.value.search(value)]
    if own and not any(row.concerns(subject) for row in own):
        return False
    young = bool(re.search("儿科|小儿", value) and re.search("小儿|儿童|婴|新生儿|先天", subject))
    agreed = len(known.claims[key].witnesses) >= 2
    return bool(wanted) or young or agreed or known.scores[key] >= _LIKE_ITS_PEERS


def _type(key: Key, known: Survey) -> bool:
    """A type counts where two predicates say so and the names are kin: codes put 气管食管瘘 under 脓胸."""
    subject, _, value = key
    if len(known.claims[key].witnesses) >= 2:
        return subject[-1] in value or subject in value
    return "癌" in subject and bool(_HISTOLOGY.fullmatch(value))


def _management(key: Key, known: Survey) -> bool:
    return key[0] in known.ingredient


def _class(key: Key, known: Survey) -> bool:
    evidence = known.claims[key]
    if re.search(r"其[他它]|保健品|/|药物$|用药$", key[2]):
        return False
    return evidence.products >= 3 or len(evidence.witnesses) >= 2


def _group(key: Key, known: Survey) -> bool:
    """A group counts where several diseases have it and it is one of age, sex or childbirth, not of habit."""
    return known.frequency[key[1], key[2]] >= _SHARED_GROUP and bool(_AGE_OR_SEX.search(key[2]))


def _complication(key: Key, known: Survey) -> bool:
    return opinions().agree("complication", key[0], key[2])


def _site(key: Key, known: Survey) -> bool:
    """A site counts where the disease is called after it."""
    site = key[2].rstrip("部脏道管")
    return site in key[0] or (site[:1] in _ORGANS and site[:1] in key[0])


def _differential(key: Key, known: Survey) -> bool:
    """A disease to be told apart counts where the subject is one illness and the other is of its place."""
    subject, _, value = key
    if known.kind_of.get(value) != "disease" or _FINDING.search(value) or subject == "食物中毒":
        return False
    return not re.search("肺癌|尘肺", subject) or bool(re.search("肺|结核|结节病|瘤|癌", value))


def _route_of_spread(key: Key, known: Survey) -> bool:
    return opinions().agree("way", key[0], key[2])


def _contagious(key: Key, known: Survey) -> bool:
    subject, _, value = key
    if value == "无传染性":
        return not opinions().spread["infectious"].search(subject)
    return bool(opinions().spread["spreading"].search(subject))


def _storage(key: Key, known: Survey) -> bool:
    return known.frequency[key[1], key[2]] >= _SHARED_STORAGE


_TESTS: dict[str, Callable[[Key, Survey], bool]] = {
    "症状": _symptom,
    "适应症": _use,
    "主治": _use,
    "不良反应": _effect,
    "药物相互作用": _interaction,
    "注意事项": _sentence,
    "禁忌": _contraindication,
    "病因": _cause,
    "高危因素": _risk,
    "治疗方式": _treatment,
    "预防": _prevention,
    "检查": _check,
    "就诊科室": _department,
    "分型": _type,
    "处方管理": _management,
    "药物类别": _class,
    "多发人群": _group,
    "并发症": _complication,
    "鉴别诊断": _differential,
    "发病部位": _site,
    "传播途径": _route_of_spread,
    "传染性": _contagious,
    "贮藏": _storage,
}
