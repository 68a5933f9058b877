import tomllib
from importlib.resources import files

import pytest

from healgpt.evaluation.measures.asking import asked_items, asks_back, asks_relevant, requests
from healgpt.evaluation.measures.ground import Ground
from healgpt.knowledge.linking import open_linker

ASKING = [
    "您好，这种头痛有多久了？是突然出现的，还是慢慢加重的？",
    "您说的情况我了解了。\n\n为了帮您判断，请再告诉我：\n1. 有没有呕吐、发烧或看东西模糊？\n2. 您多大年纪？",
    "请问孩子多大了？精神怎么样？",
    "发烧吗？最高多少度？",
    "为了更好地帮助您，我需要了解一些情况：\n1. 疼痛的部位\n2. 以前有没有做过胃镜",
    "建议您提供一下最近的化验结果，这样我能判断得更准。",
    "请您详细描述一下疼痛的性质和部位。",
    "把片子发给我看看吧，把用过的药也详细说一下。",
    "我们还需要知道您是否有药物过敏史。",
    "您能告诉我更多关于症状的细节吗？",
    "你最近有没有吃过不干净的东西？",
    "除了咳嗽，您还有其他不适吗？",
    "宝宝大便什么颜色？一天几次？",
    "有没有手术史呢？",
    "在给出建议之前，我想先问一下您有没有高血压。",
    "我不清楚您的年龄和月经情况，方便的话请补充说明。",
    "另外，了解您的职业和饮酒情况也很重要。",
    "您平时抽烟喝酒吗？",
    "如果您之前做过胃镜，请告诉我结果。",
    "疼痛是持续的还是一阵一阵的？会放射到后背吗？",
]

NOT_ASKING = [
    "多喝水，注意休息。请问您还有其他问题吗？",
    "如果您还有其他不适，请随时告诉我。",
    "如果您有任何疑问或需要进一步帮助，请随时告诉我。祝您早日康复！",
    "什么是高血压？高血压是指动脉血压持续升高。",
    "**如何预防？**\n1. 少盐饮食\n2. 规律运动",
    "您可能会问：这个病能治好吗？其实多数人可以治愈。",
    "您提到的“会不会遗传给孩子？”这个问题，目前没有定论。",
    "医生会询问您的病史，例如有没有过敏、是否吃过药。",
    "就诊时请详细描述您的症状，包括疼痛部位和程度。",
    "请告知医生您的过敏史和用药情况。",
    "根据您提供的信息，可能是胃炎，还需要进一步了解病情，建议做胃镜。",
    "预约时需要提供以下个人信息：姓名、身份证号和联系方式。",
    "这样可以吗？",
    "我这样解释您明白了吗？",
    "需要我帮您介绍一下检查流程吗？",
    "难道您不想早点好起来吗？",
    "医生您好，我最近总是头疼，请问是怎么回事？",
    "孩子是否需要手术，要由医生根据检查结果决定。",
    "请注意观察孩子有没有发热、皮疹。",
    "我可以为您提供一些建议：少吃辛辣，规律作息。",
    "建议您咨询儿科医生以获取更详细的信息。",
    "希望这些信息对您有帮助，感谢您提供的资料。",
    "这些检查有助于了解您的病情。",
    "胆囊炎严重吗？这要看有没有并发症。",
]


@pytest.fixture(scope="module")
def plain() -> Ground:
    return Ground(open_linker(None).link)


@pytest.mark.parametrize("turn", ASKING)
def test_a_question_or_request_about_the_patient_asks_back(turn: str) -> None:
    assert asks_back(turn)


def test_every_question_of_the_doctors_own_interview_asks_back() -> None:
    texts = tomllib.loads((files("healgpt.consult") / "interview.toml").read_text("utf-8"))
    questions = [topic["ask"] for topic in texts["topic"]] + [
        texts[key] for key in ("duration", "age", "age_child", "age_other", "age_woman", "general")
    ]
    assert [question for question in questions if not asks_back(question)] == []


@pytest.mark.parametrize("turn", NOT_ASKING)
def test_farewells_headings_rhetoric_and_advice_ask_nothing(turn: str) -> None:
    assert requests(turn) == []


def test_repeating_the_patients_question_asks_nothing() -> None:
    assert not asks_back("慢性胃炎能不能喝牛奶吗？可以少量喝。", ["慢性胃炎能不能喝牛奶？"])


def test_a_list_after_the_request_belongs_to_it() -> None:
    passages = requests("我需要了解一些情况：\n1. 发烧多久了\n2. 有没有咳嗽\n\n多喝水。")
    assert passages == ["我需要了解一些情况：\n发烧多久了\n有没有咳嗽"]


def test_relevance_depends_on_the_case(plain: Ground) -> None:
    turn = "您有没有发热？"
    assert asks_relevant(turn, ["宝宝发热三天，咳嗽。"], [], plain)
    assert not asks_relevant(turn, ["想问隆胸手术的价格。"], [], plain)


def test_a_plea_for_any_description_is_not_relevant(plain: Ground) -> None:
    turn = "为了准确判断，请您提供更多关于症状的详细描述，例如是否有其他伴随症状。"
    assert asks_back(turn)
    assert not asks_relevant(turn, ["76岁老人乏力嗜睡"], [], plain)


def test_pain_is_not_asked_of_a_case_without_pain(plain: Ground) -> None:
    items = asked_items("请问疼痛程度如何？持续时间多长？", ["孩子揪头发"], [], plain)
    assert {item.words: item.to_the_point for item in items} == {"持续时间": True, "疼痛": False}
