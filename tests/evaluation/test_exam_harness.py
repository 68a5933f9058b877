"""The export asks in the harness what we ask: read back by lm-eval itself where it is installed."""

import json

import pytest

from healgpt.errors import DataError
from healgpt.evaluation.exams.harness import export_task
from healgpt.evaluation.exams.prompt import opening, turn
from healgpt.evaluation.exams.question import Question

OPTIONS = (("A", "甲"), ("B", "1"), ("C", "丙"))
SHOTS = [Question(f"s{number}", f"例{number}", OPTIONS, ("C",)) for number in range(2)]
QUESTIONS = [
    Question("1", "首选{{ x }}", OPTIONS, ("B",), subject="药学"),
    Question("2", "包括", OPTIONS, ("A", "C"), multiple=True),
    Question("3", "次选", OPTIONS[:2], ("A",)),
]


def test_single_answers_are_exported_and_others_named(tmp_path):
    made = export_task("执业 药师 2024", QUESTIONS, SHOTS, tmp_path)
    assert (made.task, made.questions, made.left_out) == ("healgpt_2024", 2, ("2",))
    lines = (tmp_path / "healgpt_2024.jsonl").read_text(encoding="utf-8").splitlines()
    first, second = map(json.loads, lines)
    assert first["text"] == turn(QUESTIONS[0])
    assert (first["letters"], first["answer"], second["letters"]) == (["A", "B", "C"], "B", ["A", "B"])
    with pytest.raises(DataError, match="没有单选题"):
        export_task("x", QUESTIONS[1:2], (), tmp_path)


def test_the_harness_builds_our_prompt(tmp_path):
    pytest.importorskip("lm_eval", reason="needs the eval extra")
    from lm_eval.tasks import TaskManager

    export_task("paper", QUESTIONS, SHOTS, tmp_path)
    loaded = TaskManager(include_path=str(tmp_path), include_defaults=False).load(["healgpt_paper"])
    task = loaded["tasks"]["healgpt_paper"]
    documents = list(task.test_docs())
    context = task.fewshot_context(
        documents[0], 2, apply_chat_template=True, fewshot_as_multiturn=True,
        chat_template=lambda messages, add_generation_prompt=True: json.dumps(messages, ensure_ascii=False),
    )  # fmt: skip
    ours = [*opening(SHOTS), {"role": "user", "content": turn(QUESTIONS[0])}]
    assert json.loads(context) == ours
    requests = task.construct_requests(documents[1], context, apply_chat_template=True, metadata=(None, None, None))
    assert [request.arguments[1] for request in requests] == ["A", "B"]
