"""The page over a Doctor that finds the same facts for every question."""

from healgpt.backends import load
from healgpt.consult.doctor import Doctor
from healgpt.consult.transcript import Evidence
from healgpt.schema import Fact
from healgpt.web import app, engine

FACTS = (
    Fact("颈椎病", "症状", "颈肩疼痛", "CMeKG", 0.93),
    Fact("颈椎病", "检查", "颈椎 X 线正侧位片", "CMeKG", 0.97),
    Fact("紧张性头痛", "诱因", "<b>长时间</b>低头", "CMeKG", 0.81),
)
engine.open_doctor = lambda spec, options: Doctor(load(spec, options), retrieve=lambda messages: Evidence(FACTS))
app.main()
