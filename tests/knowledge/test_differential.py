import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healgpt.knowledge import graph as graphs
from healgpt.knowledge.differential import NOBODY, Differential, Finding, rules
from healgpt.knowledge.disease_matrix import open_differential
from healgpt.knowledge.disease_profile import Patient
from healgpt.knowledge.graph import KnowledgeGraph
from healgpt.knowledge.linking import open_linker

SYMPTOMS = {
    "肺炎": "发热 咳嗽 咳痰 胸痛 呼吸困难",
    "支气管炎": "咳嗽 咳痰 发热",
    "过敏性鼻炎": "鼻塞 鼻痒 流泪",
    "尿路感染": "尿频 尿急 尿痛 发热",
    "前列腺炎": "尿频 尿急 尿痛",
    "阴道炎": "尿频 尿痛 白带增多",
    "肾结石": "腰痛 血尿 尿痛",
    "小儿腹泻": "腹泻 呕吐 发热",
    "肠炎": "腹泻 腹痛 发热",
    "铊中毒": "腹痛 呕吐 腹泻 脱发",
    "肺癌": "咳嗽 咯血 消瘦 胸痛",
}
OTHERS = [
    ("肺炎", "就诊科室", "呼吸内科"),
    ("肺癌", "就诊科室", "肿瘤科"),
    ("肺癌", "高危因素", "吸烟"),
    ("过敏性鼻炎", "多发人群", "青少年"),
    *[(f"药{n}片", "适应症", "支气管炎") for n in range(30)],
]


def store(folder: Path) -> Path:
    """Build a store of what SYMPTOMS and OTHERS say, and one fact that nobody believes."""
    rows = [(disease, "症状", name, 0.95) for disease, listed in SYMPTOMS.items() for name in listed.split()]
    rows += [(*row, 0.95) for row in OTHERS] + [("肾结石", "症状", "耳鸣", 0.0)]
    keys = ("subject", "predicate", "object", "support")
    lines = [json.dumps({**dict(zip(keys, row, strict=True)), "source": "试"}, ensure_ascii=False) for row in rows]
    path = folder / "试.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    graphs.build(None, folder / "graph.sqlite", imports=[path])
    return folder / "graph.sqlite"


@pytest.fixture(scope="module")
def differential(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Differential]:
    with KnowledgeGraph(store(tmp_path_factory.mktemp("graph"))) as graph:
        yield open_differential(graph)


def present(*names: str) -> list[Finding]:
    return [Finding(name, True) for name in names]


def names(differential: Differential, findings: list[Finding], patient: Patient = NOBODY) -> list[str]:
    return [one.name for one in differential.rank(findings, patient)]


def test_what_explains_more_comes_first(differential: Differential) -> None:
    assert names(differential, present("咳嗽", "胸痛", "呼吸困难"))[0] == "肺炎"


def test_a_denied_symptom_speaks_against_what_lists_it(differential: Differential) -> None:
    found = present("尿频", "尿痛")
    assert names(differential, found, Patient(sex="female"))[0] in ("阴道炎", "尿路感染")
    denied = [*found, Finding("白带增多", False, asked=True), Finding("尿急", True, asked=True)]
    assert names(differential, denied, Patient(sex="female"))[0] == "尿路感染"


def test_what_more_drugs_are_made_for_is_thought_more_common(differential: Differential) -> None:
    assert names(differential, present("咳嗽", "咳痰"))[0] == "支气管炎"


@pytest.mark.parametrize(("sex", "last"), [("female", "前列腺炎"), ("male", "阴道炎")])
def test_the_other_sexs_diseases_come_last(differential: Differential, sex, last) -> None:
    assert names(differential, present("尿频", "尿痛"), Patient(sex=sex))[-1] == last


def test_age_decides_between_a_child_and_an_adult(differential: Differential) -> None:
    found = present("腹泻", "发热")
    assert names(differential, found, Patient(age_years=2))[0] == "小儿腹泻"
    assert names(differential, found, Patient(age_years=40))[0] == "肠炎"


def test_a_poisoning_needs_an_exposure(differential: Differential) -> None:
    found = present("腹痛", "呕吐", "腹泻")
    share = {one.name: one.share for one in differential.rank(found)}["铊中毒"]
    exposed = {one.name: one.share for one in differential.rank(found, Patient(exposed=True))}["铊中毒"]
    assert exposed > 20 * share


def test_cancers_are_ranked_but_never_shown(differential: Differential) -> None:
    assert [one.shown for one in differential.rank(present("咯血", "消瘦")) if one.name == "肺癌"] == [False]


def test_nothing_stated_means_nothing_ranked_and_nothing_to_ask(differential: Differential) -> None:
    assert differential.rank([]) == []
    assert differential.rank([Finding("发热", False)]) == []
    assert differential.next_items([]) == []


def test_a_fact_under_the_threshold_counts_for_nothing(differential: Differential) -> None:
    assert differential.symptoms("耳鸣") == ()


def test_what_splits_the_candidates_is_asked_and_what_is_known_is_not(differential: Differential) -> None:
    items = differential.next_items(present("尿频", "尿痛"))
    assert {"尿急", "白带增多"} & {item.name for item in items[:2]}
    assert not {"尿频", "尿痛"} & {item.name for item in items}
    again = differential.next_items(present("尿频", "尿痛"), asked=[item.name for item in items])
    assert not {item.name for item in items} & {item.name for item in again}


def test_no_men_are_asked_for_vaginal_discharge(differential: Differential) -> None:
    items = differential.next_items(present("尿频", "尿痛"), Patient(sex="male"), most=10)
    assert "白带增多" not in {item.name for item in items}


def test_what_a_small_child_cannot_tell_is_not_asked(differential: Differential) -> None:
    items = differential.next_items(present("咳嗽", "发热"), Patient(age_years=1), most=10)
    assert items
    assert "胸痛" not in {item.name for item in items}


def test_an_everyday_word_reaches_the_name_that_diseases_list(differential: Differential) -> None:
    assert differential.symptoms("气促") == ("呼吸困难",)
    assert differential.symptoms("右下腹痛") == ("腹痛",)
    assert differential.symptoms("尿频尿急尿痛") == ("尿频", "尿急", "尿痛")
    assert differential.symptoms("月球") == ()


def test_who_denies_high_fever_may_still_have_fever(differential: Differential) -> None:
    assert differential.symptoms("高热") == ("发热",)
    assert differential.symptoms("高热", present=False) == ()
    assert differential.symptoms("右下腹痛", present=False) == ()


FINDINGS = st.lists(
    st.builds(
        Finding, st.sampled_from(sorted({*" ".join(SYMPTOMS.values()).split(), "病史：吸烟", "无"})), st.booleans()
    )
)
PATIENTS = st.builds(
    Patient, st.none() | st.floats(0, 120), st.sampled_from([None, "male", "female"]), st.booleans(), st.booleans()
)


@given(findings=FINDINGS, patient=PATIENTS)
def test_shares_are_shares_and_gains_fall(differential: Differential, findings, patient) -> None:
    ranked = differential.rank(findings, patient)
    assert not ranked or sum(one.share for one in ranked) == pytest.approx(1)
    assert all(one.fits for one in ranked)
    items = differential.next_items(findings, patient)
    assert all(item.gain_bits > 0 for item in items)
    assert len({item.name for item in items}) == len(items) <= 3


def test_every_symptom_that_is_asked_is_a_patients_word() -> None:
    assert not [words for words in rules()["ask"].values() if len(words) > 9 or "？" in words]


@pytest.mark.kg
def test_the_whole_graph_ranks_what_everybody_would_expect() -> None:
    with graphs.open_graph() as graph:
        differential = open_differential(graph)
        linker = open_linker(graph)
    assert not [name for name in rules()["ask"] if name not in differential.carriers]
    assert linker.known
    first = {one.name for one in differential.rank(present("尿频", "尿急", "尿痛"), Patient(30, "female"))[:5]}
    assert {"尿道炎", "尿路感染"} <= first
    assert "糖尿病" in {one.name for one in differential.rank(present("多尿", "口渴", "消瘦"), Patient(50))[:3]}
