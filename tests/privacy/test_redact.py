"""What someone who trusts redaction with a record would miss."""

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healgpt.privacy.kinds import PLACEHOLDER
from healgpt.privacy.redact import Redactor, redact, redact_messages
from healgpt.schema import Message


def test_same_value_gets_the_same_placeholder() -> None:
    result = redact("患者王小明，电话138-1234-5678。王小明说打13812345678也行，他妈妈叫刘桂芳。")
    assert result.text == "患者〔姓名1〕，电话〔手机号1〕。〔姓名1〕说打〔手机号1〕也行，他妈妈叫〔姓名2〕。"


def test_offsets_point_into_the_original() -> None:
    text = "住院号：00456123，病人李娜（女，30岁）"
    result = redact(text)
    assert [(span.type, text[span.start : span.end]) for span in result.spans] == [
        ("MEDICAL_RECORD", "00456123"),
        ("NAME", "李娜"),
    ]
    assert result.restore() == text


def test_placeholders_in_the_original_are_kept_apart() -> None:
    text = "〔姓名1〕和我叫王小明不是一个人"
    result = redact(text)
    assert result.text == "〔姓名1〕和我叫〔姓名2〕不是一个人"
    assert result.restore() == text


def test_a_conversation_shares_one_numbering_and_finds_a_known_name_anywhere() -> None:
    redactor = Redactor()
    first = redactor.redact("我叫陈静波，头疼")
    second = redactor.redact("昨天陈静波又吐了，问了张医生")
    assert first.text == "我叫〔姓名1〕，头疼"
    assert second.text == "昨天〔姓名1〕又吐了，问了〔姓名2〕医生"
    assert (
        redactor.restore("〔姓名1〕应当去看〔姓名2〕医生，〔姓名9〕不认识") == "陈静波应当去看张医生，〔姓名9〕不认识"
    )


def test_messages_keep_their_roles() -> None:
    messages: list[Message] = [
        {"role": "user", "content": "我叫王小明"},
        {"role": "assistant", "content": "王小明您好"},
    ]
    assert redact_messages(messages) == [
        {"role": "user", "content": "我叫〔姓名1〕"},
        {"role": "assistant", "content": "〔姓名1〕您好"},
    ]


def test_the_content_stays_in_memory() -> None:
    result = redact("我叫王小明")
    assert "王小明" not in repr(result)
    for leak in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="personal data"):
            leak(result)


def test_full_width_digits_and_letters_are_read() -> None:
    assert redact("手机１３８１２３４５６７８").text == "手机〔手机号1〕"
    assert redact("邮箱ｌｉ＠ｑｑ．ｃｏｍ").text == "邮箱〔邮箱1〕"


_PIECES = st.sampled_from(
    [
        *("我叫", "患者", "姓名：", "张", "王小明", "李娜", "欧阳", "医生", "女士", "、", "，", "和", "某", "老", "小"),
        *("13812345678", "010-88886666", "11010519491231002X", "6228480402564890018", "住院号", "医保卡号：", "床"),
        *("12", "号", "路", "小区", "栋", "单元", "室", "省", "市", "区", "县", "北京", "杭州市西湖区文三路", "家住"),
        *(
            "微信",
            "abc_123",
            "QQ",
            "生日",
            "1985年3月",
            "12日",
            "出生",
            "京A12345",
            "a@b.cn",
            "〔姓名1〕",
            "〔姓名",
            "1〕",
        ),
        *("\ue000", "\ue002", "１", "　", " ", "-", "\n", "〕", "〔地址3〕", "x", "高血压", "何首乌", "😀", "\ud800"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(_PIECES, max_size=25).map("".join), st.text(max_size=120)))
def test_any_text_survives(text: str) -> None:
    result = redact(text)
    assert result.restore() == text
    assert redact(result.text).text == result.text
    end = 0
    for span in result.spans:
        assert end <= span.start < span.end <= len(text)
        assert PLACEHOLDER.fullmatch(span.placeholder)
        end = span.end


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "a", "张", "王伟、", "路", "中山路", "@", "住院号", "12床", "我叫", "一", "小区", "6222 ", "A-1"],
)
def test_long_repetitions_finish(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    result = redact(text)
    assert result.restore() == text
