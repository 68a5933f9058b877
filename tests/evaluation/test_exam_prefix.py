"""The real 0.5B: what all questions share is computed once, and first-token probabilities are those of the letters."""

from collections.abc import Iterator

import pytest

from healgpt import prompts
from healgpt.backends import EngineOptions
from healgpt.backends.llamacpp import LlamaModel, open_llama
from healgpt.evaluation.exams.choice import Setting, scoring
from healgpt.evaluation.exams.prompt import pasted
from healgpt.evaluation.exams.question import Question
from healgpt.models import catalog
from healgpt.schema import Fact

pytestmark = pytest.mark.model

NAMES = ("阿司匹林", "对乙酰氨基酚", "地高辛", "氨氯地平", "奥美拉唑")
STEMS = (
    "可用于退热的抗血小板药是",
    "属于强心苷的是",
    "抑制胃酸分泌的是",
    "通过阻滞钙通道降压的药物是",
    "安全范围最窄的是",
)
QUESTIONS = [
    Question(str(number), stem, tuple(zip("ABCDE", NAMES, strict=True)), ("A",)) for number, stem in enumerate(STEMS)
]


@pytest.fixture(scope="module")
def model() -> Iterator[LlamaModel]:
    entry = catalog.find("qwen2.5-coder-0.5b")
    if not catalog.installed(entry):
        pytest.skip("needs the 0.5B model: healgpt pull qwen2.5-coder-0.5b")
    opened = open_llama(catalog.path(entry), EngineOptions(context=2048))
    yield opened
    opened.close()


@pytest.mark.parametrize("system", ["", "doctor"])
def test_a_question_prefills_only_its_own_tokens(model, monkeypatch, system):
    prefilled: list[int] = []
    post = model.server.post

    def noting(path, body):
        answer = post(path, body)
        if path == "/completion" and body["n_predict"] == 1:
            prefilled.append(answer["timings"]["prompt_n"])
        return answer

    monkeypatch.setattr(model.server, "post", noting)
    setting = Setting(shots=tuple(QUESTIONS[:2]), system=prompts.render("system") if system else "")
    score = scoring(model, QUESTIONS, setting)
    items = [score(question.question_id) for question in QUESTIONS[2:]]
    assert len(prefilled) == 1 + len(items)
    for question, count in zip(QUESTIONS[2:], prefilled[1:], strict=True):
        assert count <= model.count_tokens(pasted(question)) + 16
    assert all(item["on_letters"] > 0.5 for item in items)


def test_a_resumed_run_gives_the_same_probabilities(model):
    setting = Setting(shots=tuple(QUESTIONS[:2]))
    score = scoring(model, QUESTIONS, setting)
    whole = [score(question_id) for question_id in ("2", "3", "4")]
    entry = catalog.find("qwen2.5-coder-0.5b")
    again = open_llama(catalog.path(entry), EngineOptions(context=2048))
    try:
        assert scoring(again, QUESTIONS, setting)("4") == whole[-1]
    finally:
        again.close()


def test_facts_cost_their_own_tokens_only(model):
    fact = Fact("地高辛", "类别", "强心苷", "cmekg")
    item = scoring(model, QUESTIONS, Setting(find=lambda question: (fact,)))("1")
    assert item["facts"] == ["地高辛·类别：强心苷"]
    assert sum(item["probabilities"].values()) == pytest.approx(1, abs=1e-4)
