"""Asking an exam: both scorers, orders, shots, and what is refused."""

import json

import pytest

from healgpt.backends.scripted import Line, ScriptedModel
from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.exams.choice import Setting, plan, scoring
from healgpt.evaluation.exams.exam import draw, open_exam
from healgpt.evaluation.exams.prompt import opening, origin, rotated, turn
from healgpt.evaluation.exams.question import Question
from healgpt.evaluation.exams.shots import draw_shots, refuse_leaks, refuse_same_file
from healgpt.evaluation.exams.summary import as_json, mean_of, summarise
from healgpt.evaluation.stats import wilson
from healgpt.schema import Fact

OPTIONS = (("A", "甲"), ("B", "乙"), ("C", "丙"), ("D", "丁"))
QUESTION = Question("1", "首选", OPTIONS, ("B",), subject="药学", kind="单选")
SEVERAL = Question("2", "包括", OPTIONS, ("A", "C"), multiple=True, subject="药学", kind="X型题")


class Favouring:
    """Likes letter A, and the option 乙 a little less."""

    name, window = "favouring", 4096

    def __init__(self):
        self.asked = []

    def letter_probabilities(self, messages, letters):
        text = messages[-1]["content"]
        self.asked.append(messages)
        liked = dict.fromkeys(letters, 0.05)
        liked["A"] += 0.30
        liked[next(letter for letter in letters if f"{letter}. 乙" in text)] += 0.20
        return liked


def test_letters_are_normalised_and_the_likeliest_is_picked():
    item = scoring(Favouring(), [QUESTION], Setting())("1")
    assert item["picked"] == "A"
    assert item["scores"] == {"right": 0, "p_right": pytest.approx(0.25 / 0.7, abs=1e-6)}
    assert sum(item["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert item["on_letters"] == pytest.approx(0.7)
    assert item["groups"] == {"科目": "药学", "题型": "单选"}


def test_all_cyclic_orders_remove_the_liking_for_a_letter():
    model = Favouring()
    item = scoring(model, [QUESTION], Setting(orders=9))("1")
    assert len(model.asked) == 4
    assert (item["picked"], item["scores"]["right"]) == ("B", 1)
    assert item["probabilities"]["A"] == item["probabilities"]["C"]


def test_a_rotated_question_asks_the_same():
    turned = rotated(QUESTION, 1)
    assert turned.options == (("A", "乙"), ("B", "丙"), ("C", "丁"), ("D", "甲"))
    assert turned.answer == ("A",)
    assert origin(QUESTION, "A", 1) == "B"
    assert rotated(SEVERAL, 3).answer == ("B", "D")


def test_several_answers_are_scored_by_letters_only_where_their_number_is_told():
    item = scoring(Favouring(), [SEVERAL], Setting())("2")
    assert item["scores"] == {"right": None, "p_right": None}
    assert "多选题" in item["not_scorable"]
    told = Question("3", "选两项", OPTIONS, ("A", "B"), multiple=True, choose=2)
    item = scoring(Favouring(), [told], Setting())("3")
    assert (item["picked"], item["scores"]["right"]) == ("AB", 1)


@pytest.mark.parametrize(
    ("said", "picked", "right", "abstained"),
    [("CT提示结石，选B。", "B", 1, 0), ("我不清楚。", None, 0, 1), ("不选B", None, 0, 1), ("A", "A", 0, 0)],
)
def test_generated_answers_are_read_and_silence_is_no_answer(said, picked, right, abstained):
    item = scoring(ScriptedModel([Line(said)]), [QUESTION], Setting(scorer="generate"))("1")
    assert item["picked"] == picked
    assert item["scores"] == {"right": right, "abstained": abstained}
    assert item["reply"] == said


def test_several_answers_are_scored_by_what_was_written():
    item = scoring(ScriptedModel([Line("A、C")]), [SEVERAL], Setting(scorer="generate"))("2")
    assert (item["picked"], item["scores"]["right"]) == ("AC", 1)


def test_a_model_that_hides_its_probabilities_is_refused_with_the_way_out():
    with pytest.raises(ConfigError, match="--scorer generate"):
        scoring(ScriptedModel([]), [QUESTION], Setting())


def test_what_is_shared_comes_first_and_facts_follow_the_question():
    fact = Fact("乙", "适应症", "发热", "cmekg")
    shot = Question("s", "例题", OPTIONS, ("D",))
    before = opening([shot], system="你是…", find=lambda question: (fact,))
    assert [message["role"] for message in before] == ["system", "user", "assistant"]
    assert before[-1]["content"] == "D"
    assert "乙·适应症：发热" in before[1]["content"]
    asked = turn(QUESTION, (fact,))
    assert asked.index("首选") < asked.index("D. 丁") < asked.index("[1] 乙·适应症：发热") < asked.index("答案")
    assert "多项" in turn(SEVERAL)
    assert "参考资料" not in turn(QUESTION)


def test_shots_never_come_from_the_test(tmp_path):
    test, copy, other = tmp_path / "test.json", tmp_path / "copy.json", tmp_path / "train.json"
    for path in (test, copy):
        path.write_text("[1]", encoding="utf-8")
    other.write_text("[2]", encoding="utf-8")
    for same in (test, copy):
        with pytest.raises(ConfigError, match="泄题"):
            refuse_same_file(same, test)
    refuse_same_file(other, test)
    with pytest.raises(DataError, match="示例题 s1 的题干也在考题里"):
        refuse_leaks([Question("s1", " 首 选（ ）", OPTIONS, ("A",)), SEVERAL], [QUESTION])
    with pytest.raises(ConfigError, match="只有 1 道"):
        draw_shots([QUESTION, SEVERAL], 2, seed=0, single=True)
    assert draw_shots([QUESTION, SEVERAL], 2, seed=0, single=False) == draw_shots(
        [QUESTION, SEVERAL], 2, seed=0, single=False
    )


def test_a_seed_draws_the_same_questions_in_the_order_of_the_paper(tmp_path):
    items = [{"id": place, "question": f"题{place}", "options": ["甲", "乙"], "answer": "A"} for place in range(50)]
    path = tmp_path / "paper 一.json"
    path.write_text(json.dumps(items), encoding="utf-8")
    exam = open_exam(path, "explaincpe", limit=5, seed=3)
    places = [int(question.question_id) for question in exam.questions]
    assert places == sorted(places)
    assert exam.questions == open_exam(path, "explaincpe", limit=5, seed=3).questions
    assert exam.questions != open_exam(path, "explaincpe", limit=5, seed=4).questions
    assert exam.name == "choice-paper-一"
    assert draw([QUESTION], 9, 0) == [QUESTION]


def test_bare_and_doctor_have_one_plan():
    bare = plan("choice-x", Setting(), {"x": "1"}, {"limit": None})
    doctor = plan("choice-x", Setting(system="你是…", find=lambda question: ()), {"x": "1"}, {"limit": None})
    assert bare == doctor
    assert plan("choice-x", Setting(scorer="generate"), {"x": "1"}, {"limit": None}) != bare


def item(right, subject, answer="A", picked="A", options=4, **more):
    return {
        "scores": {"right": right}, "groups": {"科目": subject, "题型": "单选"}, "answer": answer, "picked": picked,
        "options": options, **more,
    }  # fmt: skip


def test_summary_tells_micro_from_macro_and_leaves_out_what_has_no_score():
    items = [
        *[item(1, "大科")] * 8, *[item(0, "小科", options=5)] * 2,
        item(None, "小科", multiple=True), {"scores": {}, "groups": {}, "failure": "ModelUnavailable：停"},
    ]  # fmt: skip
    found = summarise(items)
    assert (found.micro.interval.value, found.micro.interval.n) == (0.8, 10)
    assert found.macro.interval.value == 0.5
    assert found.micro.chance == pytest.approx((8 / 4 + 2 / 5) / 10)
    assert (found.not_scorable, found.failed, found.abstained) == (1, 1, None)
    assert as_json(found)["subjects"]["小科"]["n"] == 2
    assert summarise([item(1, "x", answer="AB", multiple=True, choose=None)]).micro.chance == 1 / 15
    assert summarise([item(1, "x", answer="AB", multiple=True, choose=2)]).micro.chance == 1 / 6
    assert as_json(summarise([]))["micro"]["accuracy"] is None


def test_the_interval_of_a_mean_is_narrower_than_those_of_its_parts():
    parts = [wilson(30, 100), wilson(60, 100)]
    mean = mean_of(parts)
    assert mean.value == pytest.approx(0.45)
    assert mean.low < 0.45 < mean.high
    assert mean.high - mean.low < min(part.high - part.low for part in parts)
    assert mean_of(parts[:1]).low == pytest.approx(parts[0].low)
