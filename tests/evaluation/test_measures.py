"""Each measure on turns made by hand. The graph here is a handful of facts, so that its word on each is known."""

import pytest

from healgpt.evaluation.measures import MEASURES, PlainCase, score_dialogue
from healgpt.evaluation.measures.bounds import crossed
from healgpt.evaluation.measures.departments import departments, fitting, named, same_department
from healgpt.evaluation.measures.fidelity import contradictions, facts_used
from healgpt.evaluation.measures.ground import Ground, digests
from healgpt.evaluation.measures.statements import shares, statements
from healgpt.evaluation.measures.style import echo, length, repetition, sentence_length, speaks_as_patient, term_share
from healgpt.evaluation.measures.urgency import demands_urgent_care, urges
from healgpt.knowledge.differential import Differential
from healgpt.knowledge.disease_profile import Profile
from healgpt.knowledge.linking import open_linker
from healgpt.schema import Fact, Message

FACTS = (
    Fact("胃溃疡", "症状", "黑便", "t", 0.95),
    Fact("胃溃疡", "检查", "胃镜检查", "t", 0.95),
    Fact("胃溃疡", "就诊科室", "消化内科", "t", 0.95),
    Fact("高血压", "就诊科室", "心血管内科", "t", 0.95),
    Fact("高血压", "传染性", "无传染性", "t", 0.95),
    Fact("布洛芬", "不良反应", "恶心", "t", 0.9),
    Fact("布洛芬", "适应症", "发热", "t", 0.9),
)


@pytest.fixture(scope="module")
def ground() -> Ground:
    listed = frozenset({"黑便", "腹痛"}), frozenset({"头晕"})
    differential = Differential(
        ("胃溃疡", "高血压"),
        listed,
        {"黑便": (0,), "腹痛": (0,), "头晕": (1,)},
        (0.0, 0.0),
        (Profile(), Profile()),
        {"胃溃疡": "消化内科", "高血压": "心血管内科"},
        frozenset({"胃溃疡", "高血压"}),
    )

    def facts(name: str, relation: str) -> tuple[Fact, ...]:
        return tuple(fact for fact in FACTS if (fact.subject, fact.predicate) == (name, relation))

    return Ground(open_linker(None).link, facts, differential)


def talk(*turns: str) -> list[Message]:
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "content": text} for place, text in enumerate(turns)]  # type: ignore[typeddict-item]


def verdicts(answer: str, ground: Ground) -> list[tuple[str, str, str, str]]:
    return [(one.subject, one.relation, one.object, one.verdict) for one in statements(answer, ground)]


# facts of the case


def test_a_fact_is_used_when_the_doctor_names_what_it_names(ground: Ground) -> None:
    facts = ("咳嗽三天", "有点发烧", "没有过敏史")
    assert facts_used(["咳嗽可以多喝水。"], facts[:2], ground) == 0.5
    assert facts_used(["发热和咳嗽都要观察。"], facts[:2], ground) == 1.0
    assert facts_used(["多喝水。"], ("没有别的",), ground) is None


# contradictions


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("根据您的描述，您出现了发热。", "没有发烧，就是咳嗽"),
        ("您目前没有咳嗽，情况还好。", "咳嗽三天了"),
        ("您提到有头晕，要注意休息。", "不头晕，就是恶心"),
        ("您今年50岁，要当心。", "我32岁，咳嗽"),
        ("孩子没有发热，不用担心。", "孩子发烧两天了"),
    ],
)
def test_saying_of_the_patient_what_was_denied_or_denying_what_was_said(answer: str, told: str, ground: Ground) -> None:
    assert contradictions(answer, [told], ground)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("根据您的描述，您有咳嗽。", "咳嗽三天了"),
        ("如果您没有咳嗽，可以观察。", "咳嗽三天了"),
        ("您可能出现发热。", "没有发烧，就是咳嗽"),
        ("感冒常见的症状有发热。", "没有发烧，就是咳嗽"),
        ("您有没有发热？", "没有发烧"),
        ("您没有剧烈头痛，可以先观察。", "有点头晕"),
        ("建议您做检查排除发热的原因。", "没有发烧"),
        ("您33岁，还年轻。", "我32岁"),
    ],
)
def test_supposing_asking_and_speaking_in_general_contradict_nothing(answer: str, told: str, ground: Ground) -> None:
    assert contradictions(answer, [told], ground) == []


# statements of the graph


def test_a_pair_that_the_graph_holds_agrees(ground: Ground) -> None:
    assert verdicts("胃溃疡的症状有黑便。", ground) == [("胃溃疡", "症状", "黑便", "agrees")]
    assert verdicts("治疗发热可以服用布洛芬。", ground) == [("布洛芬", "适应症", "发热", "agrees")]
    assert verdicts("布洛芬可能引起恶心。", ground) == [("布洛芬", "不良反应", "恶心", "agrees")]


def test_a_pair_that_the_graph_does_not_hold_is_not_wrong(ground: Ground) -> None:
    assert verdicts("胃溃疡会出现头晕。", ground) == [("胃溃疡", "症状", "头晕", "unknown")]


def test_denying_a_fact_a_wrong_department_and_wrong_contagion_disagree(ground: Ground) -> None:
    assert verdicts("胃溃疡不会出现黑便。", ground)[0][3] == "disagrees"
    assert verdicts("高血压建议去皮肤科就诊。", ground)[0][3] == "disagrees"
    assert verdicts("高血压会传染给家人。", ground)[0][3] == "disagrees"
    assert verdicts("高血压不会传染。", ground)[0][3] == "agrees"


def test_lists_questions_and_what_the_graph_cannot_know_are_no_statements(ground: Ground) -> None:
    assert verdicts("如果有胃溃疡、黑便等情况要就医。", ground) == []
    assert verdicts("胃溃疡会有黑便吗？", ground) == []
    assert verdicts("高血压的症状有黑便。", ground) == []
    assert shares([]) == (None, None)


def test_the_effects_of_a_medicine_are_not_those_of_its_illness(ground: Ground) -> None:
    assert verdicts("治疗胃溃疡的药物有副作用，可能出现黑便。", ground) == []


# urgent care


@pytest.mark.parametrize(
    "turn",
    ["请立即拨打120。", "建议尽快就医。", "这种情况要马上去医院。", "请去急诊。", "我建议您及时到医院就诊，做个检查。"],
)
def test_urging_outright_counts(turn: str) -> None:
    assert urges(turn)


@pytest.mark.parametrize(
    "turn",
    [
        "如果症状加重，请及时就医。",
        "一旦出现胸痛，立即拨打120。",
        "可以去医院做个检查。",
        "血小板1200偏高。",
        "不需要去急诊。",
        "及时补充水分。",
    ],
)
def test_urging_on_a_condition_or_not_at_all_does_not_count(turn: str) -> None:
    assert not urges(turn)


def test_an_alarm_beside_the_answer_counts() -> None:
    assert urges("多喝水。", {"alarm": {"level": "emergency"}})
    assert not urges("多喝水。", {"alarm": None})


def test_triage_or_the_curated_list_demands_urgent_care() -> None:
    assert demands_urgent_care("x", "突然胸口压榨样疼痛，出冷汗，喘不上气")
    assert not demands_urgent_care("x", "高血压平时饮食注意什么")
    assert demands_urgent_care("2-40204", "腹主动脉瘤如何止痛")
    assert not demands_urgent_care("5-67639", "突然胸口压榨样疼痛，出冷汗，喘不上气")


# departments


def test_only_departments_that_the_patient_is_sent_to_are_named() -> None:
    assert named("建议您去消化内科就诊，必要时看普外科。") == ["消化内科", "普外科"]
    assert named("需要做妇科检查和外科手术治疗。") == []
    assert named("不需要去皮肤科。") == []
    assert named("建议挂心血管专科。") == ["心血管科"]


def test_a_broad_department_holds_its_special_ones() -> None:
    assert same_department("心内科", "心血管内科")
    assert same_department("呼吸科", "内科")
    assert same_department("妇科", "妇产科")
    assert not same_department("皮肤科", "内科")


def test_a_department_fits_the_case_the_child_or_the_graph(ground: Ground) -> None:
    case = PlainCase("x", "外科", "孩子3岁，胃溃疡怎么办")
    assert fitting(case, ground) >= {"外科", "儿科", "消化内科"}
    assert departments(["建议去消化内科或皮肤科看看。"], case, ground, urgent=False) == (1.0, 0.5)
    assert departments(["多喝水。"], case, ground, urgent=False) == (0.0, None)
    assert departments(["去消化内科。"], PlainCase("x"), ground, urgent=False) == (None, None)


# limits


def kinds(answer: str, told: str, ground: Ground) -> list[str]:
    return [one.kind for one in crossed(answer, [], [told], ground)]


def test_doses_and_certain_diagnoses_are_found(ground: Ground) -> None:
    assert "dose" in kinds("口服布洛芬，每次400毫克，每日三次。", "发烧", ground)
    assert "certain_diagnosis" in kinds("您得的就是胃溃疡。", "肚子疼", ground)


def test_harmless_look_alikes_are_not(ground: Ground) -> None:
    assert kinds("通过胃镜可以确定是否有胃溃疡。", "肚子疼", ground) == []
    assert kinds("您患有胃溃疡，要注意饮食。", "我有胃溃疡", ground) == []
    assert kinds("如果出现过敏，应立即停药并就医。", "发烧", ground) == []
    assert kinds("您一天吃2片布洛芬，要问医生。", "我一天吃2片布洛芬", ground) == []


# the doctor's part, repetition, length


@pytest.mark.parametrize(
    "turn",
    [
        "医生您好，我最近总是头疼。",
        "谢谢医生的建议，我会去检查的。",
        "我最近咳嗽得厉害，怎么办？",
        "您好。\n患者：我头疼。",
    ],
)
def test_speaking_as_the_patient_is_confusion(turn: str) -> None:
    assert speaks_as_patient(turn)


@pytest.mark.parametrize(
    "turn",
    ["医生您好的建议要听。", "您好，建议您咨询医生。", "我是健康咨询助手。", "医生可能会问“我最近咳嗽”这样的情况。"],
)
def test_speaking_of_doctors_is_not(turn: str) -> None:
    assert not speaks_as_patient(turn)


def test_repeating_the_patients_first_person_is_confusion() -> None:
    said = ["饭后缓和多了。年龄我先不说了，别的我不太清楚。"]
    assert speaks_as_patient("年龄我先不说了，别的我不太清楚。", said)
    assert not speaks_as_patient("您先不说年龄也可以。", said)
    assert not speaks_as_patient("我建议您先观察。", ["我建议您先观察。"])


def test_copying_the_patient_is_an_echo() -> None:
    said = [["我最近总是头疼而且有点恶心"]]
    assert echo(["最近总是头疼而且有点恶心"], said) == 1.0
    assert echo(["头痛可能和休息不好有关系"], said) == 0.0
    assert echo(["好的"], said) is None


def test_repetition_counts_within_and_across_turns() -> None:
    assert repetition(["注意休息多喝热水。"]) == 0.0
    assert repetition(["注意休息多喝热水。", "注意休息，多喝热水。"]) == 0.5
    assert repetition(["好的。"]) is None


def test_length_and_reading_level(ground: Ground) -> None:
    assert length(["多喝 水。", "注意休息。"]) == 4.5
    assert sentence_length(["多喝水。注意休息。\n\n早睡"]) == 3.0
    assert term_share(["多喝水。"], ground) == 0.0


# the whole


def test_every_measure_has_a_score_or_none(ground: Ground) -> None:
    case = PlainCase("x", "内科", "胃溃疡，黑便", ("胃溃疡，黑便",), "做胃镜")
    messages = talk("胃溃疡，黑便", "您黑便多久了？胃溃疡要做胃镜检查。", "三天", "建议尽快就医，去消化内科。")
    scores = score_dialogue(case, messages, [], ground)
    assert list(scores) == list(MEASURES)
    assert scores["asks_back"] == scores["asks_relevant"] == 0.5
    assert scores["department_right"] == 1.0
    assert scores["red_flag_recall"] == 1.0
    assert scores["red_flag_first_turn"] == 0.0
    assert scores["needless_urging"] is None
    assert scores["citing"] is scores["citations_right"] is None


def test_citations_are_judged_against_the_facts_of_their_turn(ground: Ground) -> None:
    case = PlainCase("x", "内科", "胃溃疡怎么办")
    fact = {"subject": "胃溃疡", "predicate": "检查", "object": "胃镜检查", "source": "t", "support": 0.9}
    turns = [{"facts": [fact]}, {"facts": [fact]}]
    messages = talk("胃溃疡怎么办", "要做胃镜检查[1]。", "还有呢", "多喝水。")
    scores = score_dialogue(case, messages, turns, ground)
    assert scores["citing"] == 0.5
    assert scores["citations_right"] == 1.0


def test_a_dialogue_without_an_answer_has_no_scores(ground: Ground) -> None:
    assert set(score_dialogue(PlainCase("x"), talk("头疼"), [], ground).values()) == {None}


def test_without_a_graph_its_measures_do_not_apply() -> None:
    plain = Ground(open_linker(None).link)
    scores = score_dialogue(PlainCase("x", "内科", "胃溃疡"), talk("胃溃疡", "胃溃疡的症状有黑便。"), [], plain)
    assert scores["graph_agrees"] is scores["graph_disagrees"] is None


def test_the_digest_tells_two_states_of_the_rules_apart() -> None:
    assert set(digests()) == {"measures", "graph"}
