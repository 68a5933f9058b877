"""What triage says to a patient's words."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healgpt.consult.triage import explain, triage
from healgpt.schema import Message


def said(*texts: str) -> list[Message]:
    return [{"role": "user", "content": text} for text in texts]


def answer(*texts: str) -> tuple[str, str] | None:
    alarm = triage(said(*texts))
    return (alarm.level, alarm.kind) if alarm else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("胸口压着疼，出了一身冷汗", ("emergency", "acs")),
        ("我爸突然嘴歪了，左边胳膊抬不起来，说话含糊", ("emergency", "stroke")),
        ("吃了虾以后全身起疹子，喉咙发紧喘不上气", ("emergency", "anaphylaxis")),
        ("切菜把手腕割了，血一直往外喷，按不住", ("emergency", "massive_bleeding")),
        ("我不想活了", ("emergency", "suicide")),
        ("宝宝刚满月，体温38.3度", ("emergency", "infant_fever")),
        ("今天中午被小区的狗咬了小腿，破皮出了点血", ("urgent", "animal_bite")),
        ("早上起来左耳突然听不见了，嗡嗡响", ("urgent", "hearing_loss")),
    ],
)
def test_plain_emergencies_are_named(text: str, expected: tuple[str, str]) -> None:
    assert answer(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "感冒三天还在咳嗽怎么办",
        "我没有胸痛，也没有出汗",
        "没有胸痛、气促和咳血，就是有点累",
        "心梗有哪些症状？",
        "去年我爸心梗放了支架，现在复查挺好",
        "我在写小说，男主突然胸口剧痛冒冷汗倒下",
        "笑死我了哈哈哈，肚子都笑疼了",
        "这包太贵了，心痛我的钱",
        "如果孩子误食了药品，家长应该怎么做",
        "本品适用于中风后半身不遂、口眼歪斜、言语不清，免费领取试用装",
        "半夜小腿抽筋疼醒了，揉揉就好",
        "",
    ],
)
def test_look_alikes_stay_quiet(text: str) -> None:
    assert answer(text) is None


def test_messages_that_are_harmless_alone_add_up() -> None:
    assert answer("胸口有点闷") is None
    assert answer("出了一身冷汗") is None
    assert answer("胸口有点闷", "出了一身冷汗") == ("emergency", "acs")


def test_only_the_patient_speaks_of_the_patient() -> None:
    messages: list[Message] = [
        {"role": "system", "content": "胸痛出冷汗要打120"},
        {"role": "user", "content": "你好"},
        {"role": "assistant", "content": "有没有胸口剧痛、出冷汗、呼吸困难？"},
        {"role": "user", "content": "都没有，就是感冒"},
    ]
    assert triage(messages) is None


def test_a_plain_yes_takes_up_the_question() -> None:
    question: Message = {"role": "assistant", "content": "您好。胸口疼的时候有没有出冷汗？"}
    assert triage([*said("今天胸口疼"), question, *said("有")]) is not None
    alarm = triage([*said("今天胸口疼"), question, *said("有的，出了很多")])
    assert alarm is not None
    assert alarm.level == "emergency"
    denied = triage([*said("今天胸口疼"), question, *said("没有")])
    assert denied is None or denied.level == "urgent"


def test_past_and_present_are_told_apart_in_one_sentence() -> None:
    assert answer("去年胸痛大汗查出心梗") is None
    assert answer("去年得过心梗，刚才胸口又压着疼，一身冷汗") == ("emergency", "acs")


def test_a_relative_in_danger_now_counts() -> None:
    assert answer("我邻居去年突然胸痛大汗没救过来") is None
    assert answer("我邻居刚刚突然胸痛大汗") == ("emergency", "acs")


def test_traditional_characters_and_full_width_are_read_alike() -> None:
    assert answer("我媽媽突然胸口劇痛，冒冷汗，喘不過氣") == ("emergency", "acs")
    assert answer("寶寶剛滿月，體溫３８．５度") == ("emergency", "infant_fever")


def test_a_passing_stroke_is_still_a_stroke() -> None:
    assert answer("刚才右胳膊一下子没劲，话也说不清，过了十分钟又好了") == ("emergency", "stroke")


def test_spans_point_at_the_words_even_past_invisible_characters() -> None:
    text = "你好，\u200b胸\u200b口压着疼，出冷汗"
    finding = explain(said("早", text))
    assert finding is not None
    assert {text[start:end].replace("\u200b", "") for turn, start, end in finding.alarm.spans if turn == 1} >= {"冷汗"}
    assert [reason.text for reason in finding.reasons] == [
        text[reason.start : reason.end] for reason in finding.reasons
    ]


def test_the_call_fits_the_kind() -> None:
    calls = {kind: alarm.call for kind, alarm in _alarms("我不想活了", "老公又打我了，在砸门", "没有呼吸了")}
    assert calls == {"suicide": "12356", "violence": "110", "cardiac_arrest": "120"}


def _alarms(*texts: str) -> list[tuple[str, object]]:
    found = [triage(said(text)) for text in texts]
    return [(alarm.kind, alarm) for alarm in found if alarm is not None]


_PIECES = """胸口|疼|没有|出冷汗|去年|现在|突然|叫不醒|宝宝|三十八|38.5|度|、|，|。|\n|？|如果|小说|血止不住|不
|喘|\u200b|\ud800|不想活|㎎|😀|ﷺ|ﬀ|體|３|．| """
_WORDS = st.sampled_from(_PIECES.split("|"))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.lists(_WORDS, max_size=30).map("".join), st.text(max_size=40)), max_size=4))
def test_any_text_gives_valid_offsets_and_the_same_answer_twice(texts: Sequence[str]) -> None:
    messages = said(*texts)
    finding = explain(messages)
    assert explain(messages) == finding
    if finding is not None:
        for turn, start, end in finding.alarm.spans:
            assert 0 <= start < end <= len(messages[turn]["content"])
        json.dumps([reason.text for reason in finding.reasons])


def test_wordings_that_no_list_holds_are_made_of_slots() -> None:
    assert answer("脑壳痛得打滚，吐了两回") == ("emergency", "stroke")
    assert answer("头不痛，肚子有点痛") != ("emergency", "stroke")
    assert answer("肚皮梆硬，碰都不让碰，痛得一身汗") == ("emergency", "acute_abdomen")


def test_dialect_and_typing_slips_are_read_as_everyday_words() -> None:
    assert answer("呼吸困男，嘴唇发紫")[0] == "emergency"
    assert answer("阿公冇呼吸了") == ("emergency", "cardiac_arrest")


def test_a_short_talk_told_bit_by_bit_is_one_complaint() -> None:
    assert answer("胸口这块", "说不上来的紧", "冒冷汗") == ("emergency", "acs")


def test_what_was_only_a_question_of_an_examination_is_taken_back() -> None:
    assert answer("停经50天，突发下腹痛伴晕厥", "是题目啦，选哪个") is None


def test_what_should_not_wait_is_for_today() -> None:
    assert answer("尿频尿疼，今天腰疼发烧38.7") == ("urgent", "same_day")


@pytest.mark.parametrize(
    "text",
    [
        "我患癫痫三年了，最近发作频繁，口吐白沫，失去意识，哪家医院治疗癫痫好？",
        "我哥出了车祸以后得了外伤性癫痫，能治好吗",
        "孩子上个星期抽了一次，送去医院被诊断了癫痫，怎么办呢",
        "其他我也说不清楚",
        "我爱人天天抽烟，还一直在抽烟",
        "黄疸型肝炎会传染吗",
        "胃溃疡的药要吃多久的药",
    ],
)
def test_what_is_known_seen_or_long_past_stays_quiet(text: str) -> None:
    assert answer(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "我今天突然抽搐，口吐白沫，叫不醒，是不是癫痫，怎么治疗",
        "怀孕六个月，癫痫又发作了，全身抽，怎么治疗",
        "我爸突然说不清楚话了",
        "孩子刚从三楼摔下来了",
    ],
)
def test_what_happens_now_is_an_emergency_whatever_is_asked(text: str) -> None:
    found = answer(text)
    assert found
    assert found[0] == "emergency"
