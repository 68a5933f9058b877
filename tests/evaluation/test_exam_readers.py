"""Exam files in the formats of their makers, quirks included, and what is said of a file that does not fit."""

import json

import pytest

from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.exams.readers import read


@pytest.fixture
def paper(tmp_path):
    def write(items, form, name="exam.json", **options):
        path = tmp_path / name
        path.write_text(items if isinstance(items, str) else json.dumps(items, ensure_ascii=False), encoding="utf-8")
        return read(path, form, **options)

    return write


def explaincpe(**changes):
    return {"id": 1, "question": "首选", "options": ["甲", "乙", "丙"], "answer": "B", "explanation": "略"} | changes


def test_explaincpe_keeps_options_of_one_character(paper):
    (question,) = paper([explaincpe(options=["1", "β", "三"])], "explaincpe").questions
    assert question.options == (("A", "1"), ("B", "β"), ("C", "三"))
    assert (question.question_id, question.answer, question.multiple) == ("1", ("B",), False)


@pytest.mark.parametrize("answer", ["AB", "B,A", "A、B", ["A", "B"], ["AB"], "ａb", "A和B"])
def test_answers_stand_as_text_or_list(paper, answer):
    (question,) = paper([explaincpe(answer=answer)], "explaincpe").questions
    assert question.answer == ("A", "B")
    assert question.multiple


def test_options_lose_letters_only_where_all_carry_their_own(paper):
    first, second = paper(
        [explaincpe(options=["A. 甲", "B．乙", "C、丙"]), explaincpe(id=2, options=["A 族链球菌", "甲", "乙"])],
        "explaincpe",
    ).questions
    assert [text for _, text in first.options] == ["甲", "乙", "丙"]
    assert second.options[0] == ("A", "A 族链球菌")


def test_mlec_qa_groups_by_subset_and_type(paper):
    item = {
        "qid": "7",
        "qtype": "B1型题",
        "qtext": "题",
        "qimage": "",
        "options": {"A": "甲", "B": "乙"},
        "answer": "A",
    }
    (question,) = paper([item], "mlec-qa", name="PublicHealth_test.json").questions
    assert (question.subject, question.kind, question.question_id) == ("公共卫生", "B1型题", "7")


def test_neep_is_read_as_mlec_qa_or_plain_and_its_x_type_has_several_answers(paper):
    first, second = paper(
        [
            {
                "qid": 1,
                "qtype": "X型题",
                "qtext": "题",
                "options": {"A": "甲", "B": "乙", "C": "丙"},
                "answer": ["A", "C"],
            },
            {"id": 2, "question": "题", "A": "甲", "B": "乙", "answer": "B", "subject": "生理"},
        ],
        "neep",
    ).questions
    assert (first.multiple, first.answer) == (True, ("A", "C"))
    assert (second.letters, second.subject) == (("A", "B"), "生理")


def test_cmb_leaves_out_empty_options_and_takes_answers_from_their_own_file(paper, tmp_path):
    item = {
        "id": 3, "exam_type": "医师考试", "exam_class": "执业医师", "exam_subject": "口腔", "question": "题",
        "question_type": "多项选择题", "option": {"A": "甲", "B": "0", "C": "丙", "D": "", "E": None},
    }  # fmt: skip
    key = tmp_path / "key.json"
    key.write_text('[{"id": 3, "answer": "AC"}]', encoding="utf-8")
    (question,) = paper([item], "cmb", answers=key).questions
    assert question.letters == ("A", "B", "C")
    assert (question.answer, question.multiple, question.subject) == (("A", "C"), True, "执业医师")
    with pytest.raises(DataError, match=r"第 1 题.*缺少字段 answer"):
        paper([item], "cmb")
    with pytest.raises(DataError, match="D 不是这道题的选项"):
        paper([item | {"answer": "D"}], "cmb")
    key.write_text('[{"id": 4, "answer": "AC"}]', encoding="utf-8")
    with pytest.raises(DataError, match="答案文件里没有答案"):
        paper([item], "cmb", answers=key)


def test_cmexam_as_csv_text_or_keyed_list(paper):
    rows = ('题一,"A 甲\n续行\nB 2",B,略', '题二,"A 甲\nB 乙",,略', '题三,"A 甲\nB 乙",AB,略')
    table = "\n".join(("Question,Options,Answer,Explanation", *rows))
    found = paper(table, "cmexam", name="test.csv")
    assert [question.question_id for question in found.questions] == ["1", "3"]
    assert found.unanswered == ("2",)
    assert found.questions[0].options == (("A", "甲\n续行"), ("B", "2"))
    assert found.questions[1].multiple
    line = {"Question": "题", "Options": [{"key": "A", "value": "甲"}, {"key": "B", "value": "乙"}], "Answer": "A"}
    (question,) = paper(json.dumps(line, ensure_ascii=False), "cmexam", name="test.jsonl").questions
    assert question.options[1] == ("B", "乙")


def test_ceval_and_cmmlu_tables_one_subject_a_file(tmp_path):
    (tmp_path / "physician_val.csv").write_text("id,question,A,B,C,D,answer\n0,题,甲,乙,丙,丁,C\n", encoding="utf-8")
    (tmp_path / "anatomy.csv").write_text(",Question,A,B,C,D,Answer\n0,素,B,C,P450,AA3,B\n", encoding="utf-8")
    anatomy, physician = read(tmp_path, "ceval").questions
    assert (anatomy.subject, anatomy.question_id, anatomy.options[0]) == ("anatomy", "anatomy-0", ("A", "B"))
    assert (physician.subject, physician.answer) == ("physician", ("C",))
    assert read(tmp_path / "anatomy.csv", "cmmlu").questions[0].answer == ("B",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"answer": "D"}, "D 不是这道题的选项（选项是 A、B、C）"),
        ({"answer": ""}, "没有答案"),
        ({"answer": "BB"}, "重复的字母"),
        ({"answer": 1}, "应是字母"),
        ({"options": []}, "只有 0 个选项"),
        ({"options": ["甲", " ", "丙"]}, "选项 B 是空的"),
        ({"options": {"A": "甲", "a": "乙"}}, "两个选项 A"),
        ({"options": {"甲": "甲", "B": "乙"}}, "不是字母"),
        ({"options": 3}, "应是列表、字典或分行的文字"),
        ({"question": " "}, "没有题干"),
    ],
)
def test_a_bad_question_is_named_with_file_item_reason_and_mend(paper, changes, said):
    with pytest.raises(DataError) as caught:
        paper([explaincpe(), explaincpe(id="x9", **changes)], "explaincpe")
    assert said in str(caught.value)
    assert "exam.json 第 2 题（编号 x9）" in str(caught.value)
    assert "请" in str(caught.value)


def test_a_foreign_schema_repeated_ids_and_broken_files(paper):
    with pytest.raises(DataError, match=r"第 1 题.*缺少字段 qtext.*--format"):
        paper([explaincpe()], "mlec-qa")
    with pytest.raises(DataError, match=r"第 2 题（编号 1）的编号和第 1 题重复"):
        paper([explaincpe(), explaincpe()], "explaincpe")
    with pytest.raises(DataError, match="不是合法的 JSON"):
        paper('[{"id": 1,]', "explaincpe")
    with pytest.raises(DataError, match="一道题也没有"):
        paper("[]", "explaincpe")
    with pytest.raises(DataError, match="应是一个 JSON 对象"):
        paper("[1]", "explaincpe")
    with pytest.raises(DataError, match="最外层是一个对象"):
        paper('{"data":\n[]}', "explaincpe")


def test_json_lines_under_the_name_of_json(paper):
    stem = "一行\u2028两段"
    lines = "\n".join(json.dumps(explaincpe(id=number, question=stem), ensure_ascii=False) for number in range(3))
    assert len(paper(lines, "explaincpe").questions) == 3
    assert len(paper(json.dumps(explaincpe()), "explaincpe").questions) == 1
    with pytest.raises(ConfigError, match="explaincpe"):
        paper([], "nothing")
