"""The alarm banner: the gravest alarm wins, the number can be dialled, text is inert."""

from healgpt.schema import Alarm
from healgpt.web.banner import banner, gravest

EMERGENCY = Alarm("acs", "emergency", "心梗<b>", "……", "120", "指南")
URGENT = Alarm("fever", "urgent", "高热", "……", "", "指南")
CRISIS = Alarm("suicide", "emergency", "危机", "……", "12356 或 120", "指南")


def test_an_emergency_outlasts_a_later_urgent_alarm():
    assert gravest([None, URGENT, EMERGENCY, None, URGENT]) == EMERGENCY
    assert gravest([EMERGENCY, CRISIS]) == CRISIS
    assert gravest([URGENT, None]) == URGENT
    assert gravest([None]) is None


def test_every_number_becomes_a_link_that_dials_it():
    shown = banner(CRISIS)
    assert 'href="tel:12356"' in shown
    assert 'href="tel:120"' in shown
    assert 'role="alert"' in shown
    assert 'href="tel:120"' in banner(URGENT)


def test_the_title_is_escaped():
    assert "心梗&lt;b&gt;" in banner(EMERGENCY)
