"""An answer in its thread: saved once, stopped at once, honest about what went wrong."""

import threading
import time

from healgpt.errors import DataError, ModelUnavailable
from healgpt.schema import Alarm, Delta, Reply
from healgpt.web.answer import Answer

ALARM = Alarm("fever", "urgent", "高热", "……", "120", "指南")


def finished(answer):
    end = time.monotonic() + 5
    while not answer.snapshot().finished:
        assert time.monotonic() < end
        time.sleep(0.005)
    return answer.snapshot()


def start(ask, saved, wanted=lambda: True, save=None):
    return Answer(ask, save or saved.append, model="m", wanted=wanted).start()


def test_the_reply_of_the_doctor_replaces_what_was_streamed():
    saved = []

    def ask():
        yield Delta()
        yield Delta(alarm=ALARM)
        yield Delta(text="草稿")
        yield Delta(reply=Reply("定稿", "m", alarm=ALARM))

    now = finished(start(ask, saved))
    assert (now.state, now.text, now.alarm, now.error) == ("done", "定稿", ALARM, "")
    assert [reply.text for reply in saved] == ["定稿"]


def test_stopping_saves_the_part_and_closes_the_stream():
    saved, closed, gate = [], threading.Event(), threading.Event()

    def ask():
        try:
            yield Delta(alarm=ALARM)
            yield Delta(text="一半")
            gate.wait(5)
            yield Delta(text="多余")
        finally:
            closed.set()

    answer = start(ask, saved)
    while not answer.snapshot().text:
        time.sleep(0.005)
    answer.stop()
    assert answer.snapshot().state == "stopped"
    gate.set()
    assert closed.wait(5)
    assert [(reply.text, reply.finish_reason, reply.alarm) for reply in saved] == [("一半", "cancelled", ALARM)]


def test_nobody_listening_stops_it():
    saved, open_tab = [], [True]

    def ask():
        for number in range(100):
            if number == 3:
                open_tab[0] = False
            yield Delta(text=str(number))

    now = finished(start(ask, saved, wanted=lambda: open_tab[0]))
    assert (now.state, now.text) == ("stopped", "012")


def test_a_refused_question_is_not_saved_but_a_failed_one_is():
    def refused():
        yield Delta()
        raise DataError("太长")

    def failed():
        yield Delta(text="开头")
        raise ModelUnavailable("断了")

    def buggy():
        yield Delta()
        raise KeyError("x")

    saved = []
    now = finished(start(refused, saved))
    assert (now.state, now.error, saved) == ("refused", "太长", [])
    now = finished(start(failed, saved))
    assert (now.state, now.error, saved[0].text) == ("failed", "断了", "开头")
    now = finished(start(buggy, saved))
    assert now.state == "failed"
    assert "KeyError" in now.error
    assert saved[1] is None


def test_an_answer_that_cannot_be_saved_stays_with_the_reason():
    def ask():
        yield Delta(reply=Reply("答案", "m"))

    def full(reply):
        raise DataError("磁盘已满。")

    now = finished(start(ask, [], save=full))
    assert (now.state, now.text) == ("done", "答案")
    assert "磁盘已满" in now.error


def test_a_stream_without_an_end_is_a_failure():
    assert finished(start(lambda: iter_of(Delta(text="半句")), [])).state == "failed"


def iter_of(*deltas):
    yield from deltas
