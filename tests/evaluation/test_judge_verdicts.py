"""A judge's answer is a verdict or an error: nothing is guessed, nothing gets a default."""

import pytest

from healgpt.errors import JudgeError
from healgpt.evaluation.judges import verdicts

FOUR = {"主动性": 4, "准确性": 5, "帮助性": 3, "语言质量": 5}


@pytest.mark.parametrize(
    "text",
    [
        "主动性：4\n准确性：5\n帮助性：3\n语言质量：5",
        "```\n主动性: 4\n准确性: 5\n帮助性: 3\n语言质量: 5\n```",
        "以下是评分：\n- **主动性**：4分\n- **准确性**：5 分\n- **帮助性**：3/5\n- **语言质量**：5/5",
        "主动性：4，准确性：5，帮助性：3，语言质量：5。",
        "主动性：4 准确性：5 帮助性：3 语言质量：5",
        "语言质量：5（通顺）\n帮助性：3，没有说清下一步\n准确性：5\n主动性：4",
        "主动性：4\n主动性：4\n准确性：5\n帮助性：3\n语言质量：5",
    ],
)
def test_four_scores_are_read_however_they_are_set_out(text):
    assert verdicts.criteria(text) == FOUR


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("抱歉，我不能评价医疗内容。", "没有主动性"),
        ("这位医生问得很仔细，总体不错，值得 5 分。", "没有主动性"),
        ("主动性：医生主动询问了病史\n准确性：5\n帮助性：3\n语言质量：5", "不是一个分数"),
        ("主动性：4\n准确性：5\n语言质量：5", "没有帮助性"),
        ("主动性：6\n准确性：5\n帮助性：3\n语言质量：5", "打了 6"),
        ("主动性：0\n准确性：5\n帮助性：3\n语言质量：5", "打了 0"),
        ("主动性：-1\n准确性：5\n帮助性：3\n语言质量：5", "打了 -1"),
        ("主动性：4.5\n准确性：5\n帮助性：3\n语言质量：5", r"打了 4\.5"),
        ("主动性：4-5\n准确性：5\n帮助性：3\n语言质量：5", "不是一个分数"),
        ("主动性：4或5\n准确性：5\n帮助性：3\n语言质量：5", "不是一个分数"),
        ("主动性：4 或 5\n准确性：5\n帮助性：3\n语言质量：5", "不是一个分数"),
        ("主动性：8/10\n准确性：5\n帮助性：3\n语言质量：5", "不是一个分数"),
        ("主动性：4\n准确性：5\n帮助性：3\n语言质量：5\n主动性：2", "两个不同"),
        ("主动性：分数\n准确性：分数\n帮助性：分数\n语言质量：分数", "不是一个分数"),
        ("主动性：4\n准确性：5\n帮助性：", "不是一个分数"),
        ("", "空回答"),
    ],
)
def test_what_is_no_verdict_is_an_error_that_quotes_it(text, reason):
    with pytest.raises(JudgeError, match=reason):
        verdicts.criteria(text)


def test_yes_and_no_are_read_alone_only():
    assert verdicts.yes_or_no(" 是。\n") is True
    assert verdicts.yes_or_no("**否**") is False
    for text in ("是的，医生做到了", "不是", "无法判断", "是否", ""):
        with pytest.raises(JudgeError):
            verdicts.yes_or_no(text)


def test_a_preference_is_read_alone_only():
    assert [verdicts.side(text) for text in ("甲", "“乙”", "平。")] == ["first", "second", "tie"]
    for text in ("甲更好，乙也不错", "甲乙", "都可以", ""):
        with pytest.raises(JudgeError):
            verdicts.side(text)
