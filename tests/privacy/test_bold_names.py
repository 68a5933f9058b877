"""Names are believed beside words of people and offices; the same words before ordinary sentences stay."""

import pytest

from healgpt.privacy.redact import redact


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("投诉人沙金华，反映排队太久", "沙金华"),
        ("患者住院，由其子金成浩代述病史", "金成浩"),
        ("术者钟毅，术后恢复良好", "钟毅"),
        ("随访对象：季风，失访", "季风"),
        ("检查医师：褚", "褚"),
        ("投诉柳医生，看病不到两分钟", "柳"),
        ("我家老高喝多了", "老高"),
        ("阿珍婶做的粥", "阿珍"),
        ("晓峰他爸昨天胸口闷", "晓峰"),
        ("美琪，你妈血压又上来了", "美琪"),
        ("丽萍，你爸明天出院", "丽萍"),
        ("王刚，请到3诊室就诊", "王刚"),
        ("请费凡到收费处", "费凡"),
        ("今天门诊：周敏 感冒；吴江 复查", "周敏"),
    ],
)
def test_a_name_beside_a_word_of_people_is_found(text: str, name: str) -> None:
    shown = [text[span.start : span.end] for span in redact(text).spans if span.type == "NAME"]
    assert any(name.endswith(found) or found.endswith(name) for found in shown)


@pytest.mark.parametrize(
    "text",
    [
        "患者平素体健，患者曾于外院就诊",
        "家属陪同就诊，家属要求转院",
        "通知家属签字，联系医生复诊",
        "专家号预约满了，预约成功后请准时到",
        "医生安慰了很久，主任查房说可以出院",
        "我的朋友说她可能患了糖尿病",
        "病人方可出院，患者易出汗",
        "阿姨说阿司匹林饭后吃",
        "体检血压高，药费、检查费怎么报",
        "可以用微信或者支付宝。",
    ],
)
def test_an_ordinary_sentence_stays(text: str) -> None:
    assert not redact(text).spans


def test_a_bare_date_in_a_record_is_a_birthday_and_a_visit_is_not() -> None:
    assert [span.type for span in redact("签约居民建档：1966-03-15，女，高血压").spans] == ["BIRTH_DATE"]
    assert not redact("手术日期：1998-03-15，女，高血压").spans
