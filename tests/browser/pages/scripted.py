"""The page over scripted replies word for word: what a Doctor adds to or takes from an answer is tested elsewhere.

Triage and the refusal of overlong questions are the Doctor's own; the word 依据 in a question brings facts.
"""

from contextlib import closing
from dataclasses import replace

from healgpt.backends import load
from healgpt.consult.doctor import Doctor
from healgpt.consult.triage import triage
from healgpt.schema import Delta, Fact
from healgpt.web import app, engine

FACTS = (
    Fact("颈椎病", "症状", "颈肩疼痛", "CMeKG", 0.93),
    Fact("颈椎病", "检查", "颈椎 X 线正侧位片", "CMeKG", 0.97),
    Fact("紧张性头痛", "诱因", "<b>长时间</b>低头", "CMeKG", 0.81),
)


class Scripted:
    def __init__(self, spec, options):
        self.doctor = Doctor(load(spec, options))

    def interview(self, messages):
        return self.doctor.interview(messages)

    def stream(self, messages, sampling):
        self.doctor.wire(messages, sampling.max_tokens)
        alarm = triage(messages)
        if alarm is not None:
            yield from self.doctor.stream(messages, sampling)
            return
        facts = FACTS if "依据" in messages[-1]["content"] else ()
        yield Delta(facts=facts)
        with closing(self.doctor.model.stream(messages, sampling)) as deltas:
            for delta in deltas:
                yield delta if delta.reply is None else replace(delta, reply=replace(delta.reply, facts=facts))


engine.open_doctor = Scripted
app.main()
