"""What kind of thing a name is: from its profile as a subject, its uses as an object, and its ending."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

# the first line that matches a subject's predicates decides
_PROFILES: tuple[tuple[str, frozenset[str]], ...] = (
    ("herb", frozenset({"性味", "界", "入药部位", "科", "属", "采收时间", "采集时间"})),
    (
        "product",
        frozenset({"成份", "不良反应", "OTC类型", "商品名", "通用名", "规格", "药品类型", "批准文号", "药品监管分级"}),
    ),
    ("formula", frozenset({"组成", "出处", "功用", "方剂"})),
    (
        "disease",
        frozenset({"ICD10", "常见症状", "临床症状及体征", "常见病因", "就诊科室", "上位关系", "下位关系", "传染性"}),
    ),
    ("check", frozenset({"所属分类", "相关症状"})),
    ("product", frozenset({"适应症", "用法用量", "药物相互作用", "分类", "功能主治", "有效期", "ATC编码"})),
    ("disease", frozenset({"并发症", "相关疾病", "症状", "病因", "治疗", "检查", "鉴别诊断", "高危因素", "手术治疗"})),
    ("herb", frozenset({"主治", "功效"})),
)

_ENDINGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("department", r"(科|门诊|中心|急诊室)$"),
        (
            "product",
            r"(胶囊|颗粒|注射液|口服液|糖浆|软膏|乳膏|滴眼液|气雾剂|喷雾剂|合剂|凝胶|滴丸|栓|搽剂|洗液|混悬剂|冲剂|眼膏|贴膏"
            r"|贴片|疫苗|[素酮嗪酯钠胺平林酸定炎痛钙啶唑碱清星醇敏明利通麻汀尔宁灵康散溶释嚼腾含]片)(（[^）]*）)?$",
        ),
        (
            "check",
            r"(检查|检测|测定|试验|造影|显像|扫描|摄影|镜检|活检|培养|监测|超声|心电图|脑电图|肌电图|筛查|穿刺|B超|CT|MRI|X线|"
            r"功能测试|涂片|染色|分析|计数|评估|平片|内镜|胃镜|肠镜|血常规|尿常规|细胞学|血气|[肝肾]功能)$",
        ),
        (
            "pathogen",
            r"(杆菌|球菌|病毒|链球菌|螺旋体|支原体|衣原体|念珠菌|真菌|寄生虫|原虫|立克次体|弧菌|单胞菌|细菌)$",
        ),
        (
            "population",
            r"(人群|人|者|儿童|婴儿|幼儿|婴幼儿|新生儿|早产儿|女性|男性|妇女|孕妇|产妇|患者|青年|少年|青壮年|中年|老年|工作者|"
            r"职业|男孩|女孩|儿|岁|女|男)$",
        ),
        (
            "class",
            r"(类药物|类药|药物|抑制剂|拮抗剂|激动剂|阻滞剂|抗生素|类激素|激素|类|剂|制剂|抗炎药|抗抑郁药|抗组胺药|抗凝药|止痛药|"
            r"镇痛药|利尿药|降压药|用药)$",
        ),
        (
            "procedure",
            r"(术|疗法|治疗|切除|移植|手术|透析|护理|康复|锻炼|训练|补液|支持|复位|固定|引流|吸氧|氧疗|化疗|放疗|按摩|理疗|针灸|"
            r"放化疗|方案|置换)$",
        ),
        (
            "disease",
            r"([^发]炎|病|综合[征症]|癌|瘤|骨折|脱位|畸形|硬化|梗死|缺损|结石|息肉|囊肿|疝|结核|中毒|感染|白血病|肉瘤|癣|疣|"
            r"血症|缺乏症|增多症|狭窄|闭锁|肥大|脓肿|梗阻|衰竭|栓塞|血栓|溃疡|糖尿病|高血压|哮喘|肝炎|症)$",
        ),
        (
            "symptom",
            r"(痛|痒|胀|热|晕|吐|泻|秘|咳|喘|血|肿|麻|木|困难|障碍|不适|乏力|无力|不振|减退|减轻|消瘦|失眠|嗜睡|心悸|多汗|盗汗|"
            r"皮疹|斑|疹|水疱|丘疹|红|黄疸|发绀|苍白|震颤|抽搐|惊厥|昏迷|休克|眩晕|耳鸣|失禁|减少|增多|异常|受限|紊乱|模糊|迟缓|"
            r"感|音|征|尿|痰|涕|泪|汗|寒|渴|干|苦|臭|悸|闷|促|急|频|呕|呃|瘫|聋|盲|僵|硬|酸|冷|脱发|畏光|潮红|气短|嘶哑)$",
        ),
    )
)

# readings of a disease name as a symptom of another disease: a sign one can feel or see, not a diagnosis
_SIGN = re.compile(
    r"(痛|痒|胀|发热|晕|吐|泻|秘|咳嗽|喘|血|肿|麻木|困难|障碍|乏力|无力|不振|消瘦|失眠|嗜睡|心悸|汗|皮疹|黄疸|震颤|抽搐|惊厥|"
    r"昏迷|休克|耳鸣|失禁|频|急|潴留|气|口干|瘫|偏瘫|耳聋|失聪|失明|弱视|脾大|肝大|积液|腹水|肥胖|肥胖症|谵妄|痴呆|抑郁|焦虑|"
    r"抑郁症|焦虑症|高血压|低血压|心律失常|早搏|蜘蛛痣|闭经|不孕|不孕症|流产|早产|早泄|阳痿|脱发|萎缩|下垂|突出|震颤|"
    r"瘙痒症|荨麻疹|湿疹|红斑|血糖症|钾血症|钙血症|钠血症|发作|斜视|畏寒|鼻塞|包块|睡眠障碍)$"
)
_NEVER_SYMPTOM = re.compile(r"(癌|瘤|综合[征症]|骨折|中毒|[^发]炎|结核|硬化|畸形|息肉|梅毒|肝炎|炎症|术|型|疾病|病)$")

# the kind that a raw predicate suggests for its object
_USES: dict[str, str] = {
    "常见症状": "symptom", "临床症状及体征": "symptom", "相关症状": "symptom", "不良反应": "symptom",
    "主要症状": "symptom",
    "并发症": "disease", "相关疾病": "disease", "鉴别诊断": "disease", "上位关系": "disease", "下位关系": "disease",
    "检查": "check", "实验室检查": "check", "影像学检查": "check", "辅助检查": "check", "术前准备_必检项目": "check",
    "就诊科室": "department", "多发群体": "population", "常见发病部位": "site", "发病部位": "site", "转移部位": "site",
    "成份": "ingredient", "药物相互作用": "ingredient", "药物治疗": "ingredient", "组成": "herb", "商品名": "product",
    "相关药物": "product", "治疗": "procedure", "手术治疗": "procedure", "辅助治疗": "procedure", "分类": "class",
    "症状": "symptom", "治疗药物": "ingredient", "适应症": "disease",
}  # fmt: skip


def of_profile(name: str, predicates: Iterable[str]) -> str:
    """Return the kind of a subject from the predicates it has; "unknown" when they decide nothing.

    A name that plainly says what it is (…胶囊, …检查) wins over a profile that contradicts it.
    """
    present = set(predicates)
    ending = of_ending(name)
    if ending in ("check", "product", "department") and "ICD10" not in present:
        return ending
    for kind, marks in _PROFILES:
        if present & marks:
            return kind
    return ending


def of_ending(name: str) -> str:
    """Return the kind that the ending of `name` suggests, "unknown" when it suggests none."""
    for kind, pattern in _ENDINGS:
        if pattern.search(name):
            return kind
    return "unknown"


def of_uses(name: str, uses: Mapping[str, int]) -> str:
    """Return the kind of a name that is no subject, from how often each raw predicate has it as its object.

    The ending counts like five uses, so that 腺苷脱氨酶测定 stays a check however it is used.
    """
    votes: Counter[str] = Counter()
    for predicate, count in uses.items():
        kind = _USES.get(predicate)
        if kind:
            votes[kind] += count
    ending = of_ending(name)
    if ending != "unknown":
        votes[ending] += 5
    return votes.most_common(1)[0][0] if votes else "unknown"


def fits_symptom(name: str, kind: str) -> float:
    """Return how well `name` reads as something a patient feels or shows: 1 yes, 0 open, -1 no."""
    if _SIGN.search(name):
        return 1.0
    if _NEVER_SYMPTOM.search(name):
        return -1.0
    if kind == "symptom":
        # sources call many things symptoms; the ending must agree for full belief
        return 1.0 if of_ending(name) == "symptom" else 0.3
    return 0.0 if kind == "unknown" else -0.5 if kind == "disease" else -1.0
