"""Each kind of personal data in the forms people write it, and what resembles it."""

import pytest

from healgpt.privacy.checksums import identity_check_digit, is_bank_card, is_identity_number, is_old_identity_number
from healgpt.privacy.redact import redact


def found(text: str) -> list[tuple[str, str]]:
    return [(span.type, text[span.start : span.end]) for span in redact(text).spans]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("身份证 110105 19491231 002X", "ID_CARD", "110105 19491231 002X"),
        ("他是11010519491231002x", "ID_CARD", "11010519491231002x"),
        ("老身份证110105491231002", "ID_CARD", "110105491231002"),
        ("身份证号110105194912310021", "ID_CARD", "110105194912310021"),
        ("打+86 138-0013-8000", "PHONE", "+86 138-0013-8000"),
        ("座机(0571)87654321转801", "LANDLINE", "(0571)87654321转801"),
        ("卡 6228 4804 0256 4890 018", "BANK_CARD", "6228 4804 0256 4890 018"),
        ("病案号：456789", "MEDICAL_RECORD", "456789"),
        ("医保卡号A123456789", "INSURANCE", "A123456789"),
        ("社会保障号码：110105194912310021", "INSURANCE", "110105194912310021"),
        ("加我微信lina_1988", "WECHAT", "lina_1988"),
        ("QQ：123456789", "QQ", "123456789"),
        ("生日是1990-07-15", "BIRTH_DATE", "1990-07-15"),
        ("1962年11月3日出生", "BIRTH_DATE", "1962年11月3日"),
        ("粤B·D12345停着", "PLATE", "粤B·D12345"),
        ("心内科12床病人", "BED", "心内科12床"),
        ("家住东风小区8号楼", "ADDRESS", "东风小区8号楼"),
        ("老家在河北省保定市曲阳县", "ADDRESS", "河北省保定市曲阳县"),
        ("我外婆叫宋阿妹", "NAME", "宋阿妹"),
        ("李女士，35岁", "NAME", "李"),
        ("姓名:安静", "NAME", "安静"),
        ("我叫Zhang Wei", "NAME", "Zhang Wei"),
        ("诸葛云飞主任说的", "NAME", "诸葛云飞"),
        ("我老公郑凯罡头疼", "NAME", "郑凯罡"),
        ("我媽譚月娥會接", "NAME", "譚月娥"),
        ("洛桑扎西，藏族，41岁", "NAME", "洛桑扎西"),
        ("病人：Emily Wang，女", "NAME", "Emily Wang"),
        ("老大一诺没事", "NAME", "一诺"),
        ("小名糖糖，湿疹", "NAME", "糖糖"),
        ("我叫张飞，38岁", "NAME", "张飞"),
        ("收款人曾繁荣", "NAME", "曾繁荣"),
        ("保单CP20240500123", "INSURANCE", "CP20240500123"),
        ("住院號：H7719023", "MEDICAL_RECORD", "H7719023"),
        ("微信，我的是feng_yu88", "WECHAT", "feng_yu88"),
        ("加我Q：45589120", "QQ", "45589120"),
    ],
)
def test_personal_data_is_found(text: str, kind: str, value: str) -> None:
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "药品追溯码81234567890123456789，批号13812345678",
        "国药准字H20034567",
        "订单号6222021001198765432",
        "2023年5月1日开始发热，手术日期2022-11-08",
        "出生体重2.8kg",
        "卧床3天，科里有50张床位，换了两床被子",
        "血压135/85，血小板138×10^9/L",
        "尿路感染，心室肥大，右上腹区压痛",
        "北京市朝阳区中医医院挂哪个科",
        "主任医师和副主任医师有什么区别，和医生沟通",
        "阿昔洛韦可致急性肾衰竭，美罗培南，利巴韦林治疗",
        "谢谢医生，祝老人健康",
        "林黛玉得的是不是肺结核，张飞为什么脸黑",
        "帕罗西汀和华法林进行治疗",
        "孩子天天咳嗽，宝宝情绪不好",
        "医保报了8900元，社保断了12个月",
        "病理报告是：慢性炎症",
        "微信公众号上说的，用微信支付",
    ],
)
def test_lookalikes_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_check_digits() -> None:
    assert identity_check_digit("11010519491231002") == "X"
    assert is_identity_number("11010519491231002X")
    assert not is_identity_number("110105194912310021")
    assert not is_identity_number("11010519491331002X")
    assert is_old_identity_number("110105491231002")
    assert is_bank_card("6228480402564890018")
    assert not is_bank_card("6228480402564890019")
