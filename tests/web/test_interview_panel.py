"""The interview panel: what was said, denied and asked, and what may fit, escaped and named no diagnosis."""

from healgpt.consult.interview import State
from healgpt.consult.likely import Likely
from healgpt.web import strings
from healgpt.web.interview_panel import panel

LIKELY = (Likely("颈椎病", "有可能", ("头晕", "<b>麻木</b>"), "骨科"), Likely("贫血", "不能排除", ("头晕",)))
STATE = State("ask", 1, ("头晕", "<i>恶心</i>"), ("发热",), LIKELY, ("有没有耳鸣？", "多久了？"))


def test_what_is_known_and_asked_is_told():
    shown = panel(STATE)
    assert shown.index("头晕、") < shown.index("发热") < shown.index("有没有耳鸣？<br>多久了？") < shown.index("颈椎病")
    assert strings.INTERVIEW_NO_DEPARTMENT in shown


def test_nothing_becomes_html():
    shown = panel(STATE)
    assert "&lt;i&gt;恶心&lt;/i&gt;" in shown
    assert "&lt;b&gt;麻木&lt;/b&gt;" in shown


def test_candidates_are_never_called_a_diagnosis():
    assert "不是诊断" in panel(STATE)
    assert "可能相关" not in panel(State("advise", 2, ("头晕",), (), (), ()))
