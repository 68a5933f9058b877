import pytest
from hypothesis import given
from hypothesis import strategies as st

from healgpt.consult.limits import Gate, check, guarded, repair
from healgpt.schema import Fact


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("可以口服布洛芬，每次0.2克，每日三次。", "dose"),
        ("阿莫西林胶囊一次两粒，一天三次。", "dose"),
        ("建议服用奥美拉唑20mg，每天一次。", "dose"),
        ("对乙酰氨基酚按10-15mg/kg给孩子吃。", "dose"),
        ("二甲双胍每日3次，饭后服用。", "dose"),
        ("您得了胃溃疡，需要治疗。", "certain_diagnosis"),
        ("可以确诊为颈椎病。", "certain_diagnosis"),
        ("你这肯定是肺炎。", "certain_diagnosis"),
        ("血压正常了就可以停药。", "stop_medicine"),
        ("建议立即停用降压药。", "stop_medicine"),
        ("根据《中国高血压防治指南》（2017年版），可以献血。", "made_up_source"),
        ("作为一名医生，我建议您休息。", "role_confusion"),
        ("毫无疑问是糖尿病，准备治疗吧。", "certain_diagnosis"),
        ("这就是典型的胃溃疡。", "certain_diagnosis"),
        ("您的情况绝对不是癌症。", "certain_diagnosis"),
        ("不用去医院检查了，休息就好。", "certain_diagnosis"),
        ("降压药可以停了。", "stop_medicine"),
        ("以后不用再吃降糖药。", "stop_medicine"),
        ("直接把激素停掉，改用中药。", "stop_medicine"),
        ("曲马多在网上就能买到。", "controlled_drug"),
        ("我给您开一张病假条，休息三天。", "certificate"),
        ("代码如下：import os", "off_topic"),
        ("我的系统规则是这样写的：先追问。", "prompt_leak"),
        ("多休息多休息多休息多休息。", "repetition"),
        ("布洛芬吃一颗就行。", "dose"),
        ("阿司匹林每天吃半片。", "dose"),
        ("（用一段大白话回答，不列清单）好的。", "prompt_leak"),
        ("泰诺林按体重给，10公斤给3.2毫升。", "dose"),
        ("沙丁胺醇喷两下，必要时每四小时一次。", "dose"),
        ("您就是肾虚，毋庸置疑。", "certain_diagnosis"),
        ("毫无疑问，这是肺癌晚期。", "certain_diagnosis"),
        ("除了心绞痛，不会是别的，一定是心绞痛。", "certain_diagnosis"),
        ("阿司匹林伤胃，您今天开始就不要吃了。", "stop_medicine"),
        ("血糖5.6很好，降糖药可以撤了。", "stop_medicine"),
        ("可以吃利他林，找代购从国外寄就行。", "controlled_drug"),
        ("您可以这样写：本院患者头痛待查，建议病休两周。", "certificate"),
        ("上面的系统设定要求我：只回答医学问题。", "prompt_leak"),
        ("根据您的八字，今年财运旺。", "off_topic"),
        ("1.感冒 2.感冒 3.感冒", "repetition"),
        ("多喝水，注意休息，多喝水，注意休息，多喝水，注意休息。", "repetition"),
    ],
)
def test_a_crossed_limit_is_found_and_mended(text, kind):
    assert kind in {violation.kind for violation in check(text)}
    assert kind not in {violation.kind for violation in check(repair(text))}


@pytest.mark.parametrize(
    "text",
    [
        "每天喝水1500毫升左右。",
        "每日食盐不超过5克。",
        "体温超过38.5℃时请就医。",
        "空腹血糖高于7.0mmol/L时要复查。",
        "空腹血糖低于126mg/dl。",
        "每天运动30分钟，每周五次。",
        "用药请按说明书，不要自行停药。",
        "不能随意停药或减量。",
        "请不要擅自停用降压药。",
        "目前不能确诊，要检查才知道。",
        "可能是胃炎，建议挂消化内科。",
        "温水坐浴每天两次，每次15分钟。",
        "早晚各刷牙一次。",
        "一天拉几次？大便里有没有血？",
        "是否停药请咨询您的医生。",
        "服药后请留意有没有皮疹。",
        "建议每年体检一次。",
        "我不能给您开病假条，请找接诊的医生。",
        "地西泮是处方药，要由医生评估后开具。",
        "请不要自己换药或减量。",
        "不要突然停用激素，停药要听医生安排。",
        "需要做胃镜才能确定是不是胃溃疡。",
        "糖尿病就是血糖长期偏高的一种病。",
        "止咳药请在药师指导下使用。",
        "好好休息，慢慢来。",
        "每天两片全麦面包，牛奶500毫升。",
        "您现在吃的是哪种药，多少毫克，一天几次？",
        "如果出现皮疹，请立即停药并就医。",
        "普通感冒一般不用吃抗生素。",
        "不能完全排除骨折，要拍片。",
        "我不能告诉您怎么买到曲马多。",
        "我不能透露内部设定，但可以聊聊您的身体。",
        "月经不规则说明内分泌可能有波动。",
        "发热要就医，胸痛要就医，呼吸困难也要就医。",
    ],
)
def test_harmless_sentences_stay_to_the_letter(text):
    assert check(text) == []
    assert repair(text) == text


def test_a_dose_that_a_given_fact_states_may_be_repeated():
    fact = Fact("布洛芬片", "用法用量", "口服，每次0.2克，每日三次", "CMeKG")
    assert check("口服，每次0.2克，每日三次", [fact]) == []


def test_only_the_dose_goes_and_the_medicine_stays():
    assert repair("可以口服布洛芬，每次0.2克，每日三次。多喝水。").startswith("可以口服布洛芬，（用量请遵医嘱")
    assert repair("可以口服布洛芬，每次0.2克，每日三次。多喝水。").endswith("。多喝水。")


def test_a_sentence_said_again_and_again_is_cut():
    text = "请及时到医院就诊检查。" * 8
    assert repair(text) == "请及时到医院就诊检查。" * 2


@given(st.text(alphabet="每日3次0.2克口服，。停药可以您得了胃炎《》\n x", max_size=80), st.integers(1, 9))
def test_pieces_give_the_same_answer_as_the_whole(text, size):
    pieces = [text[place : place + size] for place in range(0, len(text), size)]
    assert "".join(guarded(pieces, Gate())) == repair(text)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("年龄我先不说了，别的我不太清楚。", ""),
        ("我感觉自己颈椎非常不舒服，每天都头痛。", "每天都头痛。"),
        ("听到您头痛三天，我很抱歉。", "听到您头痛三天，我很抱歉。"),
        ("我理解您的担心，孩子发烧确实让人着急。", "我理解您的担心，孩子发烧确实让人着急。"),
    ],
)
def test_the_sentence_before_the_questions_is_not_in_the_patients_voice(said: str, shown: str) -> None:
    gate = Gate(acknowledging=True)
    assert (gate.feed(said) + gate.finish()).strip("。") == shown.strip("。")
