"""When a difference is called real, when it is not, and which two runs may be compared at all."""

import json
import math

import pytest
from sample_runs import answers, plan, subject, write

from healgpt.cli.main import main
from healgpt.errors import ConfigError
from healgpt.evaluation.comparison import compare
from healgpt.evaluation.comparison_words import conclusion, sentence, side_remarks, to_markdown
from healgpt.evaluation.gate import gate
from healgpt.evaluation.permutation import sign_flip
from healgpt.evaluation.run import Measure


@pytest.fixture
def pair(tmp_path):
    """Two runs of 200 questions: the second has 40 right that the first has not, and loses 5."""
    first = write(tmp_path / "甲", subject(), plan(), answers(set(range(80))))
    second = write(tmp_path / "乙", subject("乙"), plan(), answers(set(range(5, 120))))
    return first, second


def test_a_real_difference_is_called_real_with_its_direction(pair):
    compared = compare(*pair)
    right = next(test for test in compared.tests if test.key == "right")
    assert right.method == "mcnemar"
    assert right.difference.value == pytest.approx(35 / 200)
    assert right.verdict == "second_better"
    assert right.visible == pytest.approx(2.8016 * math.sqrt(45 / 200 - (35 / 200) ** 2) / math.sqrt(200), rel=0.01)
    assert "差别是真的，乙（裸模型）更好" in sentence(right, compared)
    assert "乙（裸模型）更好的有 1 项（答对）" in conclusion(compared)
    assert [test.verdict for test in compare(pair[1], pair[0]).tests] == ["first_better", "same"]


def test_noise_is_not_a_difference_and_the_sentence_says_what_could_be_seen(tmp_path):
    first = write(tmp_path / "a", subject(), plan(), answers(set(range(60)), 120))
    second = write(tmp_path / "b", subject("乙"), plan(), answers(set(range(8, 70)), 120))
    compared = compare(first, second)
    words = sentence(compared.tests[0], compared)
    assert "看不出真差别" in words
    assert "120 例能看出 0.10 的差别" in words
    assert "不能说" in conclusion(compared)


def test_many_tests_are_corrected_together_but_not_for_those_that_cannot_differ(tmp_path):
    measures = {f"m{place}": Measure(f"指标{place}") for place in range(12)}
    rows = [dict.fromkeys(measures, 0.0) for _ in range(100)]
    # m0 gains 7, m1 to m9 gain one and lose one, m10 and m11 stay as they are
    gains = [{f"m{key}" for key in range(10) if place == 50 + key or (key == 0 and place < 7)} for place in range(100)]
    better = [{key: float(key in gains[place]) for key in measures} for place in range(100)]
    for key in range(1, 10):
        rows[80 + key][f"m{key}"] = 1.0
    made = plan(measures=measures)
    compared = compare(write(tmp_path / "a", subject(), made, rows), write(tmp_path / "b", subject("乙"), made, better))
    first = compared.tests[0]
    assert first.p == pytest.approx(2 / 2**8)
    assert first.corrected == pytest.approx(10 * 2 / 2**8)
    assert "一共比了 10 项" in sentence(first, compared)
    assert first.verdict == "unclear"
    assert compared.tests[-1].verdict == "same"
    assert "另有 2 项逐例完全相同" in conclusion(compared)


def test_three_items_never_prove_anything_however_equal_their_differences(tmp_path):
    made = plan(measures={"words": Measure("字数", "lower", share=False)})
    first = write(tmp_path / "a", subject(), made, [{"words": 10.0 + place} for place in range(3)])
    second = write(tmp_path / "b", subject("乙"), made, [{"words": 5.0 + place} for place in range(3)])
    compared = compare(first, second)
    assert compared.tests[0].p == pytest.approx(0.25)
    assert "区间虽不含 0，不同的例太少" in sentence(compared.tests[0], compared)
    assert "3 例太少" in sentence(compared.tests[0], compared)


def test_flipping_signs_is_exact_for_few_and_close_for_many_differences():
    assert sign_flip([]) == 1
    assert sign_flip([0.0, 0.0]) == 1
    assert sign_flip([1.0, 1.0, 1.0, 0.0]) == pytest.approx(2 / 8)
    # all flips of 1, 2, 3, 4 whose sum is at least as far from zero as 1 + 2 - 3 + 4
    assert sign_flip([1.0, 2.0, -3.0, 4.0]) == pytest.approx(10 / 16)
    few = [0.1 * (place % 5 + 1) * (1 if place % 3 else -1) for place in range(13)]
    assert sign_flip([*few, *few]) == pytest.approx(sign_flip([*few, *few], seed=1), abs=0.02)
    assert sign_flip([1.0] * 40) == pytest.approx(1 / 10_001)


def test_items_that_failed_in_either_are_left_out_and_counted(tmp_path):
    rows = answers(set(range(10)), 40)
    first = write(tmp_path / "a", subject(), plan(), rows)
    second = write(tmp_path / "b", subject("乙"), plan(), [None] * 20 + rows[20:])
    compared = compare(first, second)
    assert compared.left_out == {"choice-x": 20}
    assert compared.tests[0].difference.n == 20
    assert compared.tests[0].difference.value == 0
    assert "有 20 例" in side_remarks(compared)[0]
    failed = compared.tests[-1]
    assert (failed.measure.label, failed.verdict) == ("没有做成的", "first_better")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"settings": {"shots": 5}}, "设置（shots）"),
        ({"inputs": {"x.json": "zz"}}, r"题目文件（x\.json）"),
        ({"prompts": {"exam": "cd", "judge": "1"}}, "提示词（judge）"),
    ],
)
def test_runs_with_other_plans_are_refused_with_the_reason(tmp_path, changed, reason):
    first = write(tmp_path / "a", subject(), plan(), answers({1}, 5))
    second = write(tmp_path / "b", subject("乙"), plan(**changed), answers({1}, 5))
    with pytest.raises(ConfigError, match=reason):
        compare(first, second)


def test_scores_of_older_rules_are_refused_with_the_way_out(tmp_path):
    first = write(tmp_path / "a", subject(), plan(inputs={"measures": "1"}), answers({1}, 5))
    second = write(tmp_path / "b", subject("乙"), plan(inputs={"measures": "2"}), answers({1}, 5))
    with pytest.raises(ConfigError, match="healgpt eval score"):
        compare(first, second)


def test_other_items_and_runs_without_a_common_task_are_refused(tmp_path):
    first = write(tmp_path / "a", subject(), plan(), answers({1}, 5))
    with pytest.raises(ConfigError, match="题目"):
        compare(first, write(tmp_path / "b", subject("乙"), plan(), answers({1}, 6)))
    with pytest.raises(ConfigError, match="没有共同的任务"):
        compare(first, write(tmp_path / "c", subject("乙"), plan("choice-y"), answers({1}, 5)))
    with pytest.raises(ConfigError, match="不是两次都有"):
        compare(first, first, tasks=["consult"])


def test_bare_and_doctor_differ_in_the_doctors_prompts_alone(tmp_path):
    first = write(tmp_path / "a", subject(), plan(), answers({1}, 5))
    doctor = plan(prompts={"exam": "cd", "system": "1"}, settings={"shots": 0, "slots": 4})
    second = write(tmp_path / "b", subject("甲", "doctor"), doctor, answers({1, 2}, 5))
    compared = compare(first, second)
    assert (compared.first, compared.second) == ("甲（裸模型）", "甲（Doctor）")
    assert "system" in compared.remarks[0]
    other = plan(prompts={"exam": "cd", "system": "2"})
    third = write(tmp_path / "c", subject("甲", "doctor"), other, answers({1, 2}, 5))
    with pytest.raises(ConfigError, match="--new-prompts"):
        compare(second, third)
    assert compare(second, third, new_prompts=True).tests


def test_recorded_dialogues_had_another_patient_and_that_must_be_accepted(tmp_path):
    ours = plan("consult-x", settings={"patient": "rules", "rounds": 3}, prompts={"patient_rules": "1", "system": "2"})
    theirs = plan("consult-x", settings={"patient": "recorded", "left_out": []}, prompts={})
    first = write(tmp_path / "a", subject("旧", "recorded"), theirs, answers({1}, 5))
    second = write(tmp_path / "b", subject("新", "doctor"), ours, answers({1, 2}, 5))
    with pytest.raises(ConfigError, match="--other-patient"):
        compare(first, second)
    assert any("患者不同" in line for line in compare(first, second, other_patient=True).remarks)


def test_the_gate_closes_for_a_real_fall_and_stays_open_for_noise(pair, tmp_path):
    first, second = pair
    assert gate(second, first).passed
    closed = gate(first, second)
    assert not closed.passed
    assert "答对" in closed.reasons[0]
    assert gate(first, second, tolerance=0.2).passed
    short = write(tmp_path / "短", subject("丙"), plan(), answers(set(range(5, 121))))
    assert gate(short, second).passed


def test_the_gate_closes_where_a_task_is_missing_or_more_items_fail(pair, tmp_path):
    first, second = pair
    write(second, subject("乙"), plan("choice-y"), answers({1}, 5))
    assert any("choice-y" in reason for reason in gate(first, second).reasons)
    rows = answers(set(range(5, 120)))
    failing = write(tmp_path / "c", subject("丙"), plan(), [None] * 50 + rows[50:])
    reasons = gate(failing, second, tasks=["choice-x"]).reasons
    assert any("没有做成的" in reason for reason in reasons)


def test_the_commands_print_sentences_json_and_markdown_and_exit_by_the_gate(pair, capsys):
    first, second = map(str, pair)
    assert main(["eval", "compare", first, second]) == 0
    assert "结论：一共比了 1 项" in capsys.readouterr().out
    assert main(["eval", "compare", first, second, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tests"][0]["verdict"] == "second_better"
    assert main(["eval", "compare", first, second, "--markdown"]) == 0
    assert capsys.readouterr().out.strip() == to_markdown(compare(*pair)).strip()
    assert main(["eval", "gate", second, "--baseline", first]) == 0
    assert main(["eval", "gate", first, "--baseline", second, "--json"]) == 1
    assert main(["eval", "gate", first, "--baseline", first + "x"]) == 2
