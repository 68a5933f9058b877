"""The published subset runs as soon as its files are there, and only with the right ones."""

import json
from pathlib import Path

import pytest

from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.exams.collection import open_collection, read_config

SHIPPED = Path(__file__).parents[2] / "configs" / "eval" / "published_subset.toml"


def write(folder, name, count):
    item = {"qtype": "A1型题", "qtext": "题", "options": {"A": "甲", "B": "乙"}, "answer": "A"}
    questions = [item | {"qid": str(number)} for number in range(count)]
    (folder / name).write_text(json.dumps(questions, ensure_ascii=False), encoding="utf-8")


def test_the_published_subset_has_the_published_counts(tmp_path):
    _, parts = read_config(SHIPPED)
    counts = {part.file.removesuffix(".json"): part.count for part in parts}
    assert counts == {
        "Clinic": 336, "CWM": 268, "PublicHealth": 185, "Stomatology": 264, "TCM": 309, "NEEP": 270,
    }  # fmt: skip
    for part in parts:
        write(tmp_path, part.file, part.count)
    exam = open_collection(SHIPPED, tmp_path)
    assert len(exam.questions) == 1362 + 270
    assert len({question.question_id for question in exam.questions}) == 1632
    assert {question.subject for question in exam.questions} == {part.subject for part in parts}
    assert len(open_collection(SHIPPED, tmp_path, limit=9).questions) == 9


def test_wrong_counts_say_found_and_wanted_and_missing_files_are_all_named(tmp_path):
    write(tmp_path, "Clinic.json", 335)
    with pytest.raises(DataError, match=r"CWM\.json、PublicHealth\.json.*NEEP\.json"):
        open_collection(SHIPPED, tmp_path)
    for part in read_config(SHIPPED)[1][1:]:
        write(tmp_path, part.file, part.count)
    with pytest.raises(DataError, match=r"有 335 题.*写的是 336 题"):
        open_collection(SHIPPED, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"\nparts = []', "是不是想写 part"),
        ('name = "x"\npart = []', "一个 part 也没有"),
        ('name = "x"\n[[part]]\nfile = "a"\nformat = "mlec-qa"\nsubject = "s"', "缺少 count"),
        ('name = "x"\n[[part]]\nfile = "a"\nformat = "mlec"\nsubject = "s"\ncount = 1', "可用的是"),
        ('name = "x"\n[[part]]\nfile = "a"\nformat = "cmb"\nsubject = "s"\ncount = "1"', "应是 int"),
        ("name =", "不是合法的 TOML"),
    ],
)
def test_a_configuration_that_does_not_fit_says_where(tmp_path, text, said):
    path = tmp_path / "exam.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_config(path)
