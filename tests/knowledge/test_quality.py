import pytest
from hypothesis import given
from hypothesis import strategies as st

from healgpt.knowledge import drugs, kinds, normalise, quality
from healgpt.knowledge.assembly import assemble
from healgpt.knowledge.relations import schema
from healgpt.knowledge.triples import Triple


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("心悸等", ("心悸",)),
        ("恶心、呕吐", ("恶心", "呕吐")),
        ("恶心和呕吐", ("恶心", "呕吐")),
        ("皮肤瘙痒等。血尿", ("皮肤瘙痒", "血尿")),
        ("胸痛（chest pain）", ("胸痛",)),
        ("肝脏肿大（4岁以下", ("肝脏肿大",)),
        ("初发性或维持性睡眠障碍［失眠症］", ("失眠",)),
        ("咽—扁桃体炎", ("咽-扁桃体炎",)),
        ("ＣＴ检查", ("CT检查",)),
        ("如喷嚏", ("打喷嚏",)),
        ("体型中等", ("体型中等",)),
        ("头晕[1]", ("头晕",)),
        ("敏感", ()),
        ("等", ()),
        ("", ()),
    ],
)
def test_debris_is_cleaned_off_values(raw: str, clean: tuple[str, ...]) -> None:
    assert normalise.values(raw, "entity") == clean


def test_doses_and_sentences_of_an_insert_are_not_cut_up() -> None:
    assert normalise.values("口服，一次1—2粒，一日2次", "text") == ("口服，一次1～2粒，一日2次",)


def test_words_that_only_substring_matching_makes_are_stopped_where_they_arise() -> None:
    assert normalise.values("麻疹", "entity", "不良反应") == ()
    assert normalise.values("麻疹", "entity", "并发症") == ("麻疹",)


@given(st.text(max_size=60))
def test_tidying_twice_is_tidying_once(text: str) -> None:
    once = normalise.tidy(text)
    assert normalise.tidy(once) == once


@given(st.text(alphabet="心悸（）()等、，。；[]【】-—1ａA 如伴", max_size=30))
def test_values_never_keep_half_a_bracket_or_an_edge(text: str) -> None:
    for value in normalise.values(text, "entity"):
        assert value.count("（") == value.count("）")
        assert value == value.strip(" 、，。；")


@pytest.mark.parametrize(
    ("product", "base"),
    [
        ("阿莫西林胶囊", "阿莫西林"),
        ("阿司匹林肠溶片", "阿司匹林"),
        ("盐酸二甲双胍缓释片", "二甲双胍"),
        ("注射用阿莫西林钠", "阿莫西林"),
        ("布洛芬混悬滴剂", "布洛芬"),
        ("硝酸甘油片", "硝酸甘油"),
        ("氯化钠注射液", "氯化钠"),
        ("复方甘草片", None),
        ("小儿感冒颗粒", None),
        ("六味地黄丸", None),
    ],
)
def test_products_are_named_after_their_ingredient(product: str, base: str | None) -> None:
    known = {"阿莫西林", "阿司匹林", "二甲双胍", "布洛芬", "硝酸甘油", "甘油", "氯化钠", "氯化", "甘草"} - {"氯化"}
    assert drugs.ingredient(product, known.__contains__) == base


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("颈椎病", "disease"),
        ("阿莫西林胶囊", "product"),
        ("血常规检查", "check"),
        ("骨科", "department"),
        ("大肠杆菌", "pathogen"),
        ("老年人", "population"),
        ("头痛", "symptom"),
        ("胃切除术", "procedure"),
    ],
)
def test_endings_tell_kinds(name: str, kind: str) -> None:
    assert kinds.of_ending(name) == kind


def supports(*rows: tuple[str, str, str]) -> dict[tuple[str, str, str], float]:
    made = assemble([Triple(*row, source="试") for row in rows], schema())
    return {key: support for key, (_, support) in made.facts.items()}


def test_support_lies_between_nought_and_one_and_grows_with_witnesses() -> None:
    one = supports(("颈椎病", "常见症状", "头晕"))
    two = supports(("颈椎病", "常见症状", "头晕"), ("颈椎病", "临床症状及体征", "头晕"))
    key = ("颈椎病", "症状", "头晕")
    assert 0 < one[key] < two[key] < 1


def test_a_piece_of_a_sibling_is_believed_less() -> None:
    others = [(f"病{n}病", "常见症状", "胸闷憋气") for n in range(5)]
    made = supports(
        *others, ("甲病", "常见症状", "胸闷憋气"), ("甲病", "常见症状", "胸闷"), ("乙病", "常见症状", "胸闷")
    )
    assert made["甲病", "症状", "胸闷"] < made["乙病", "症状", "胸闷"]


def test_the_wrong_sex_counts_against_a_fact() -> None:
    made = supports(("前列腺炎", "并发症", "子宫内膜炎"), ("前列腺炎", "并发症", "附睾炎"))
    assert made["前列腺炎", "并发症", "子宫内膜炎"] < 0.2 < made["前列腺炎", "并发症", "附睾炎"]


def test_what_no_peer_shares_is_believed_less_than_what_peers_share() -> None:
    rows = [(f"{site}骨折", "就诊科室", "骨科") for site in ("股骨", "胫骨", "肱骨", "尺骨", "桡骨", "锁骨")]
    rows += [(f"{site}骨折", "并发症", "骨不连症") for site in ("股骨", "胫骨", "肱骨", "尺骨", "桡骨")]
    rows += [(f"{site}病", "并发症", "乳房病") for site in ("甲", "乙", "丙", "丁")]
    rows += [("锁骨骨折", "并发症", "骨不连症"), ("锁骨骨折", "并发症", "乳房病")]
    made = supports(*rows)
    assert made["锁骨骨折", "并发症", "骨不连症"] > made["锁骨骨折", "并发症", "乳房病"]


def test_a_diagnosis_is_no_symptom() -> None:
    made = supports(("颈椎病", "常见症状", "肿瘤病"), ("颈椎病", "常见症状", "头晕"))
    assert made["颈椎病", "症状", "肿瘤病"] < 0.1 < made["颈椎病", "症状", "头晕"]


def test_influenza_is_no_indication_of_an_antibiotic() -> None:
    made = supports(("头孢克洛胶囊", "适应症", "流感"), ("感冒灵胶囊", "适应症", "流感"))
    assert made["头孢克洛胶囊", "适应症", "流感"] < 0.2 < made["感冒灵胶囊", "适应症", "流感"]


def test_a_source_that_vouches_for_a_fact_is_believed() -> None:
    made = assemble([Triple("某病", "预防", "勤洗手", "院内", 0.99)], schema())
    assert made.facts["某病", "预防", "勤洗手"][1] == 0.99


def test_every_relation_reads_both_ways_and_no_name_means_two_things() -> None:
    rules = schema()
    assert 25 <= len(rules.relations) <= 32
    for relation in rules.relations.values():
        known = set(rules.kinds) | {"any"}
        assert relation.subjects <= known
        assert relation.objects <= known
        assert rules.inverses[relation.inverse] is relation
        assert relation.inverse == relation.name or relation.inverse not in rules.relations


def test_affinity_of_an_unknown_subject_is_neutral() -> None:
    context = quality.survey([("甲病", "症状", "头晕")], {})
    assert quality.affinity(("甲病", "症状", "头晕"), context) == 0.0
