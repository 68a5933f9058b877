from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healgpt.consult.transcript import TEMPLATE_TOKENS, Evidence, clean, fit, render, render_turn
from healgpt.errors import DataError
from healgpt.schema import Fact, Message

FACT = Fact("颈椎病", "检查", "颈椎X线", "CMeKG", 0.9)


def talk(*texts: str) -> list[Message]:
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(texts)]


def evidence_for(messages):
    return Evidence(facts=(FACT,), task="（简短回答。）") if "颈椎" in messages[-1]["content"] else Evidence()


@given(st.lists(st.text(alphabet="颈椎痛好ab", min_size=1, max_size=12), min_size=1, max_size=9))
def test_each_turn_only_appends_to_the_last(texts):
    messages = talk(*texts)
    if len(messages) % 2 == 0:
        messages.pop()
    whole = render(messages, evidence_for)
    for end in range(1, len(messages), 2):
        assert render(messages[:end], evidence_for) == whole[:end]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=25), st.integers(70, 300))
def test_fitting_drops_whole_rounds_and_grows_by_appending_until_the_next_drop(sizes, budget):
    wire = talk(*("x" * size for size in sizes))
    if len(wire) % 2 == 0:
        wire.pop()
    starts = []
    for end in range(1, len(wire) + 1, 2):
        kept = fit(wire[:end], budget, len)
        assert kept[0]["role"] == "user"
        assert kept == wire[end - len(kept) : end]
        assert sum(len(m["content"]) + TEMPLATE_TOKENS for m in kept) <= budget
        starts.append(end - len(kept))
    assert starts == sorted(starts)


def test_a_drop_takes_half_so_that_the_next_turns_only_append():
    wire = talk(*["x" * 20] * 21)
    starts = [(end - len(fit(wire[:end], 300, len))) for end in range(1, 22, 2)]
    drops = sum(a != b for a, b in pairwise(starts))
    assert drops <= 3


def test_a_last_turn_that_cannot_fit_is_refused_with_its_size():
    with pytest.raises(DataError, match="太长"):
        fit(talk("x" * 5000), 4000, len)


def test_evidence_is_numbered_for_citation_and_the_question_stays_first():
    text = render_turn("颈椎疼", Evidence(facts=(FACT,), task="（简短回答。）"))
    assert text.startswith("颈椎疼\n")
    assert "[1] 颈椎病·检查：颈椎X线" in text
    assert text.endswith("（简短回答。）")
    assert render_turn("颈椎疼", Evidence()) == "颈椎疼"


@pytest.mark.parametrize("text", ["", "   \n\t", "\x00\x07", "\ud800", "\u200b\u200d", "😀😀", "？？！"])
def test_nothing_readable_is_refused(text):
    with pytest.raises(DataError, match="没有读到文字"):
        clean(text)


def test_control_characters_and_surrogates_go_and_the_words_stay():
    assert clean("头\x00疼\ud800三天\x1b[31m了") == "头疼三天[31m了"
    assert clean("😀头疼") == "😀头疼"


@given(st.text(max_size=200))
def test_cleaning_gives_encodable_text_and_is_idempotent(text):
    try:
        once = clean(text)
    except DataError:
        return
    once.encode("utf-8")
    assert clean(once) == once


@pytest.mark.parametrize("roles", [["assistant"], ["user", "user"], ["user", "assistant"], ["system", "user"], []])
def test_turns_out_of_order_are_refused(roles):
    with pytest.raises(DataError, match="消息"):
        render([{"role": role, "content": "嗯"} for role in roles], evidence_for)
