"""A judge's worth against known scores: agreement to hand-computed values, and a sentence that does not flatter."""

import json
import math
from pathlib import Path

import pytest

from healgpt import jsonl, prompts
from healgpt.errors import DataError
from healgpt.evaluation.judges import calibration_words as words
from healgpt.evaluation.judges.agreement import over_cases, own_preference, paired, spearman, weighted_kappa
from healgpt.evaluation.judges.calibration import calibrate, draw, read_known
from healgpt.evaluation.judges.published import published_scores, read_scores

CMD = Path(__file__).resolve().parents[3] / "shared" / "data" / "disc_cmd"


def test_spearman_by_hand():
    assert spearman([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    # ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: covariance 4.5, variances 4.5 and 5
    assert spearman([1, 2, 2, 4], [1, 3, 2, 4]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert math.isnan(spearman([4, 4, 4], [1, 2, 3]))
    assert math.isnan(spearman([1], [1]))
    with pytest.raises(ValueError, match="against"):
        spearman([1, 2], [1])


def test_weighted_kappa_by_hand():
    assert weighted_kappa([1, 2, 5], [1, 2, 5]) == 1
    # observed squared differences 0, 1, 0, 1: mean 0.5; over all 16 pairings 25 / 16
    first, second = [1, 2, 3, 3], [1, 3, 3, 2]
    expected = sum((a - b) ** 2 for a in first for b in second) / 16
    assert weighted_kappa(first, second) == pytest.approx(1 - 0.5 / expected)
    assert weighted_kappa([4, 4, 4, 4], [5, 4, 5, 3]) == pytest.approx(0)
    assert math.isnan(weighted_kappa([5, 5], [5, 5]))


def test_both_agree_with_the_reference_library():
    stats = pytest.importorskip("scipy.stats")
    metrics = pytest.importorskip("sklearn.metrics")
    import random

    draw = random.Random(3)
    first = [draw.randint(1, 5) for _ in range(60)]
    second = [min(5, max(1, one + draw.choice((-1, 0, 0, 2)))) for one in first]
    assert spearman(first, second) == pytest.approx(stats.spearmanr(first, second).statistic)
    assert weighted_kappa(first, second) == pytest.approx(metrics.cohen_kappa_score(first, second, weights="quadratic"))


def test_intervals_treat_a_case_as_one_piece_of_evidence():
    first, second = [1.0, 2, 3, 4, 5, 6] * 5, [2.0, 1, 4, 3, 6, 5] * 5
    apart = over_cases(paired(spearman, first, second), range(30))
    together = over_cases(paired(spearman, first, second), [place % 6 for place in range(30)])
    assert apart.value == together.value
    assert together.high - together.low > apart.high - apart.low
    constant = over_cases(paired(spearman, [4.0] * 8, second[:8]), range(8))
    assert math.isnan(constant.value)
    assert math.isnan(constant.low)


def test_own_preference_compares_at_equal_reference_only():
    given, reference = [5, 5, 4, 4, 2], [5, 4, 5, 4, 1]
    own = [True, True, False, False, False]
    assert own_preference(given, reference, own)(range(5)) == 1
    # without the reference the difference would be 5 - 10/3
    assert math.isnan(own_preference([5, 4], [5, 4], [True, False])(range(2)))


def item(number, given, reference, **more):
    keys = ("proactivity", "accuracy", "helpfulness", "language", "mean")
    base = {"scores": dict.fromkeys(keys, given), "reference": dict.fromkeys(keys, reference), "failure": None}
    return {**base, "case": f"c{number}", "chars": 100 + 37 * number % 50, "groups": {"模型": "a"}, **more}


def test_a_judge_that_follows_the_reference_is_told_from_one_that_says_four_to_all():
    reference = [3 + number % 3 for number in range(30)]
    good = calibrate([item(n, score, score) for n, score in enumerate(reference)], judge="j")
    assert "可见的一致" in words.sentence(good)
    flat = calibrate([item(n, 4, score) for n, score in enumerate(reference)], judge="j")
    assert "什么也没有区分出来" in words.sentence(flat)
    assert words.table(flat)[0][1] == "—"
    assert words.as_json(flat)["rows"][0]["spearman"]["value"] is None
    reverse = calibrate([item(n, 6 - score, score) for n, score in enumerate(reference)], judge="j")
    assert "方向相反" in words.sentence(reverse)
    random = calibrate([item(n, 1 + n * 7 % 5, score) for n, score in enumerate(reference)], judge="j")
    assert "看不出这个裁判测量了什么" in words.sentence(random)


def test_a_judge_that_only_measures_length_is_called_out():
    items = [item(n, 1 + n / 10, 3 + n % 2 + n / 40, chars=100 + n) for n in range(40)]
    assert "偏爱长回答" in words.sentence(calibrate(items, judge="j"))


def test_failures_are_counted_and_a_judge_full_of_them_is_not_to_be_used():
    bad = [{"failure": "JudgeError：裁判没有…", "scores": {}, "groups": {}} for _ in range(6)]
    result = calibrate([*bad, *(item(n, n % 5, n % 5) for n in range(14))], judge="j")
    assert result.failures == {"JudgeError": 6}
    assert "70%" in words.sentence(result)
    assert "不能用" in words.sentence(calibrate(bad, judge="j"))
    assert "一段对话也没有评" in words.sentence(calibrate([], judge="j"))


def test_self_preference_is_reported_where_the_judge_is_among_the_models():
    items = [item(n, 4 + n % 2, 5, groups={"模型": "ab"[n % 2]}) for n in range(20)]
    assert calibrate(items, judge="b", own="b").own.value == 1
    assert calibrate(items, judge="j").own is None
    assert any("不适用" in line for line in words.remarks(calibrate(items, judge="j")))


def known_folder(tmp_path):
    for name in ("dialogues", "scores"):
        (tmp_path / name).mkdir()
    for model in ("x", "y"):
        talk = [{"role": "patient", "content": "疼"}, {"role": "doctor", "content": "哪里疼"}]
        rows = [{"id": f"c{number}", "model": model, "conversation": talk} for number in range(4)]
        (tmp_path / "dialogues" / f"{model}.json").write_text(json.dumps(rows))
        text = "Proactivity: 5\nAccuracy: 4\nHelpfulness: 4.5\nLinguistic Quality: 5"
        jsonl.write(tmp_path / "scores" / f"{model}.jsonl", [{"id": f"c{n}", "scores": text} for n in range(3)])
    return tmp_path / "dialogues", tmp_path / "scores"


def test_dialogues_are_matched_with_their_scores_and_drawn_over_different_cases_first(tmp_path):
    known = read_known(*known_folder(tmp_path))
    assert known.unscored == 2
    assert known.reference["x/c0"]["mean"] == 4.625
    names = draw(known, None)
    assert sorted(names) == sorted(known.dialogues)
    assert len({name.partition("/")[2] for name in names[:3]}) == 3
    assert draw(known, 2) == names[:2]


def test_both_kinds_of_scores_share_what_the_judge_reads_before_its_task():
    heads = {prompts.source(name).partition("{{dialogue}}")[0] for name in ("judge_criteria", "judge_criterion")}
    assert len(heads) == 1


def test_scores_without_dialogue_or_with_a_criterion_missing_are_told(tmp_path):
    dialogues, scores = known_folder(tmp_path)
    jsonl.append(scores / "x.jsonl", {"id": "c9", "scores": "Proactivity: 5\nAccuracy: 4\nHelpfulness: 4"})
    with pytest.raises(DataError, match="第 4 条"):
        read_known(dialogues, scores)
    text = "Proactivity: 5\nAccuracy: 4\nHelpfulness: 4\nLinguistic Quality: 4"
    jsonl.write(scores / "x.jsonl", [{"id": "c9", "scores": text}])
    with pytest.raises(DataError, match="c9"):
        read_known(dialogues, scores)
    with pytest.raises(DataError, match="同名"):
        read_known(scores, dialogues)
    jsonl.write(scores / "x.jsonl", [{"id": "c9", "scores": text}, {"id": "c9", "scores": text}])
    with pytest.raises(DataError, match="前面已经有了"):
        read_scores(scores / "x.jsonl")


@pytest.mark.shared_data
@pytest.mark.skipif(not CMD.exists(), reason="shared/data is not beside the repository")
def test_the_published_averages_come_out_exactly():
    found = published_scores(CMD / "gpt4_scores")
    assert {model: f"{one.mean:.3f}" for model, one in found.items()} == {
        "gpt-3.5-turbo": "4.862",
        "gpt-4": "4.916",
        "baichuan-chat": "4.796",
        "bianque-v2": "4.739",
        "huatuo-chat": "4.845",
        "DISC-MedLLM": "4.846",
    }
    assert found["gpt-4"].rows == 121
    assert read_known(CMD / "dialogues", CMD / "gpt4_scores").unscored == 5
