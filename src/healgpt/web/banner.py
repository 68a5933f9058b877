"""The alarm at the top of the page: red for an emergency, amber for "today", HTML made of escaped text only."""

import re
from collections.abc import Iterable

from healgpt.schema import Alarm
from healgpt.web import strings
from healgpt.web.markup import plain

_NUMBER = re.compile(r"\d{3,12}")


def gravest(alarms: Iterable[Alarm | None]) -> Alarm | None:
    """Return the latest emergency, else the latest urgent alarm, else None."""
    found: Alarm | None = None
    for alarm in alarms:
        if alarm is not None and (found is None or alarm.level == "emergency" or found.level == "urgent"):
            found = alarm
    return found


def banner(alarm: Alarm) -> str:
    """Return the banner as HTML. `role="alert"` makes a screen reader speak it at once."""
    emergency = alarm.level == "emergency"
    line = strings.ALARM_EMERGENCY_LINE if emergency else strings.ALARM_URGENT_LINE
    calls = "".join(call_link(number) for number in _NUMBER.findall(alarm.call) or ["120"])
    label = strings.ALARM_EMERGENCY if emergency else strings.ALARM_URGENT
    return (
        f'<div class="hg-alarm hg-{alarm.level}" role="alert" lang="zh-CN">'
        f'<div class="hg-alarm-words"><strong>{label}：{plain(alarm.title)}</strong><span>{line}</span></div>'
        f'<div class="hg-alarm-calls">{calls}</div></div>'
    )


def call_link(number: str) -> str:
    """Return a link that dials `number` where the device can."""
    return f'<a class="hg-call" href="tel:{plain(number)}">{strings.ALARM_CALL.format(number=plain(number))}</a>'
