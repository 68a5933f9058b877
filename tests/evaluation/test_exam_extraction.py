"""Answers read out of free text: what was answered, and nothing where nothing was."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from healgpt.evaluation.exams.extraction import extract
from healgpt.evaluation.exams.question import Question
from healgpt.evaluation.exams.readers import read

EXPLAINED = Path(__file__).parents[3] / "shared" / "data" / "explaincpe_train.json"
OPTIONS = ("头孢噻肟钠", "B超检查", "维生素C", "3", "以上都不对")
QUESTION = Question("1", "宜选用的是", tuple(zip("ABCDE", OPTIONS, strict=True)), ("B",))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("B", "B"),
        ("B.", "B"),
        ("Ｂ", "B"),
        ("b", "B"),
        ("（B）", "B"),
        ("**B**", "B"),
        ("ABD", "ABD"),
        ("A、B、D", "ABD"),
        ("D，B和A", "ABD"),
        ("B. B超检查", "B"),
        ("B、B超检查", "B"),
        ("A头孢噻肟钠", "A"),
        ("答案：B", "B"),
        ("答案是B，不是A", "B"),
        ("答案是Ｂ。", "B"),
        ("正确答案应为 B 选项。", "B"),
        ("正确答案是**C**", "C"),
        ("答案：\nB", "B"),
        ("The answer is (B).", "B"),
        (r"所以 $\boxed{B}$", "B"),
        ("CT检查提示占位，结合病史，选B", "B"),
        ("CT检查未见异常，故选B。", "B"),
        ("A、B都不对，选C", "C"),
        ("很多人会选A，但正确答案是B", "B"),
        ("选A错误，故选B。", "B"),
        ("先排除A，不选D，应选E。", "E"),
        ("选B，因为HbA1c升高", "B"),
        ("选b", "B"),
        ("患者HbA1c偏高，建议查X线。\n\nD", "D"),
        ("B选项正确，因为它符合指南。", "B"),
        ("A项不正确，B项正确", "B"),
        ("答案是头孢噻肟钠。", "A"),
        ("维生素C", "C"),
        ("3", "D"),
        ("选ABD。", "ABD"),
        ("因此，正确的选项是A、C和D。", "ACD"),
    ],
)
def test_an_answer_is_read(text, answer):
    assert extract(text, QUESTION) == tuple(answer)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "我不知道。",
        "不选A",
        "不应选B，也不能选C",
        "答案不是A",
        "不选X",
        "选X线检查",
        "应选CT检查",
        "应选B超",
        "首选C反应蛋白",
        "建议补充维生素C",
        "患者HbA1c升高，T细胞减少，A型流感",
        "B超提示胆囊结石",
        "选F",
        "选A还是选B？",
        "选A吗",
        "选A或B",
        "若选A，则疗效不佳",
        "为什么不选A？",
        "选A是错误的",
        "A. 头孢噻肟钠：错误\nB. B超检查：正确\nC. 维生素C：错误",
        "A.头孢噻肟钠属于头孢类；B.B超用于胆囊；C.维生素C缺乏致坏血病",
        "感染时首选头孢噻肟钠",
        "Ac，表示餐前服药",
        "STB34.2~171μmol/L时为轻度黄疸。",
        "a patient with fever",
        "答案可能在指南里",
    ],
)
def test_no_answer_is_no_guess(text):
    assert extract(text, QUESTION) is None


def test_a_letter_of_the_alphabet_is_an_answer_only_where_it_is_an_option():
    short = Question("1", "题", (("A", "对"), ("B", "错")), ("A",))
    assert extract("选C", short) is None
    assert extract("错", short) == ("B",)


@given(
    some.lists(some.sampled_from([*"ABCDEFX12 \n。，、.:*不选是", "答案", "正确", "或", "超", "CT", *OPTIONS])).map(
        "".join
    )
)
def test_any_text_gives_options_or_nothing(text):
    answer = extract(text, QUESTION)
    assert answer is None or (answer and set(answer) <= set(QUESTION.letters))


@pytest.mark.shared_data
def test_explanations_written_by_people_are_read_as_their_key_or_not_at_all():
    if not EXPLAINED.exists():
        pytest.skip("needs shared/data/explaincpe_train.json beside the repository")
    said = {str(item["id"]): item["explanation"] for item in json.loads(EXPLAINED.read_text(encoding="utf-8"))}
    questions = read(EXPLAINED, "explaincpe").questions
    answers = [(extract(said[question.question_id], question), question.answer) for question in questions]
    found = [(read_as, key) for read_as, key in answers if read_as is not None]
    assert len(found) > 600
    assert sum(read_as == key for read_as, key in found) / len(found) > 0.98
