"""The conversation itself: what was said, what stands behind it, and what the reader thinks of it."""

import time
from collections.abc import Callable, Sequence

import streamlit as st

from healgpt.consult import feedback
from healgpt.consult.archive import Turn
from healgpt.errors import HealGPTError
from healgpt.schema import Alarm, Fact
from healgpt.web import banner, evidence, strings
from healgpt.web.answer import Answer, Snapshot
from healgpt.web.markup import inert, plain, unfinished
from healgpt.web.visit import Visit

_REDRAW_S = 0.25
_REASON_LIMIT = 500
# the form opens under the buttons, which on a phone is below the edge
_IN_SIGHT = """<script>
setTimeout(() => document.querySelector('[data-testid="stForm"]')?.scrollIntoView({ block: "center" }), 150)
</script>"""
_VERDICTS: tuple[tuple[feedback.Verdict, str, str], ...] = (
    ("up", strings.UP, "thumb_up"),
    ("down", strings.DOWN, "thumb_down"),
)


def show_question(text: str) -> None:
    """Draw what the user said, character for character."""
    st.html(
        f'<div class="hg-user" lang="zh-CN"><span class="hg-sr">{strings.SPEAKER_USER}：</span>'
        f'<div class="hg-said">{plain(text)}</div></div>'
    )


def show_turn(visit: Visit, index: int, turns: Sequence[Turn], retry: Callable[[], None] | None) -> None:
    """Draw the turn at `index` of the open conversation; with `retry`, the last answer can be asked for again."""
    turn = turns[index]
    if turn.role == "user":
        show_question(turn.content)
        return
    last = index == len(turns) - 1
    with st.container(key=f"doctor-{visit.current}-{index}", gap="small"):
        _speaker()
        st.markdown(inert(turn.content))
        for note in _notes(turn):
            st.caption(note)
        show_evidence(turn.facts, turn.model)
        with st.container(key=f"actions-{index}", horizontal=True, gap="small", vertical_alignment="center"):
            _verdict_buttons(visit, index, turns)
            if last and retry is not None:
                st.button(strings.RETRY, key="retry", icon=":material/refresh:", type="tertiary", on_click=retry)
        _reason_form(visit, index, turns)


def _speaker() -> None:
    st.html(
        f'<div class="hg-speaker" lang="zh-CN"><span class="hg-mark" aria-hidden="true"></span>'
        f"{strings.SPEAKER_DOCTOR}</div>"
    )


def _notes(turn: Turn) -> list[str]:
    return {"cancelled": [strings.STOPPED], "length": [strings.CUT]}.get(turn.finish_reason, [])


def show_evidence(facts: tuple[Fact, ...], model: str) -> None:
    """Draw the facts behind an answer, or say that there are none; reviewed texts of triage need none."""
    if facts:
        with st.expander(strings.EVIDENCE.format(count=len(facts)), icon=":material/fact_check:"):
            st.html(evidence.table(facts) + evidence.graph(facts, dark=st.context.theme.type == "dark"))
    elif model != "triage":
        st.html(f'<p class="hg-none" lang="zh-CN">{strings.EVIDENCE_NONE}</p>')


@st.fragment(run_every=_REDRAW_S)
def follow(answer: Answer, alarm: Alarm | None) -> None:
    """Draw an answer while it is written; the browser asks for this part again and again, the rest stands still.

    The whole page is drawn again when the answer is finished, or raises an alarm graver than `alarm`.
    """
    now = answer.snapshot()
    if now.finished or banner.gravest([alarm, now.alarm]) != alarm:
        st.rerun()
    with st.container(key="doctor-writing", gap="small"):
        _speaker()
        st.markdown(inert(unfinished(now.text)))
        st.html(_status(now, time.monotonic() - answer.started))


def _status(now: Snapshot, seconds: float) -> str:
    if now.text:
        return (
            f'<div class="hg-writing" role="status" lang="zh-CN"><i></i>'
            f'<span class="hg-sr">{strings.STATUS_WRITING}</span></div>'
        )
    state = strings.STATE_LOADING if now.state == "loading" else strings.STATE_READING
    # the seconds stand outside the live region, or a screen reader would read out every one of them
    return (
        f'<div class="hg-writing" lang="zh-CN"><i></i><span role="status">{state}</span>'
        f'<span aria-hidden="true">{strings.SECONDS_WAITED.format(seconds=int(seconds))}</span></div>'
    )


def _verdict_buttons(visit: Visit, index: int, turns: Sequence[Turn]) -> None:
    given = visit.verdicts.get((visit.current, index))
    for verdict, label, icon in _VERDICTS:
        state = "chosen" if given == verdict else "open"
        with st.container(key=f"verdict-{state}-{verdict}-{index}", width="content"):
            st.button(
                label,
                key=f"{verdict}-{visit.current}-{index}",
                icon=f":material/{icon}:",
                type="tertiary",
                on_click=_give,
                args=(visit, index, turns, verdict),
            )


def _give(visit: Visit, index: int, turns: Sequence[Turn], verdict: feedback.Verdict, reason: str = "") -> None:
    """Record a verdict at once; a reason given afterwards is a second line, and the last one counts."""
    answer = (visit.current or "", index)
    try:
        feedback.record(*answer, verdict, reason=reason, question=turns[index - 1].content, answer=turns[index].content)
    except HealGPTError as error:
        visit.troubles[visit.current] = str(error)
        return
    visit.verdicts[answer] = verdict
    visit.asking_reason = None if reason else answer
    st.toast(strings.FEEDBACK_SAVED, icon=":material/check:")


def _reason_form(visit: Visit, index: int, turns: Sequence[Turn]) -> None:
    if visit.asking_reason != (visit.current, index):
        return
    verdict = visit.verdicts[visit.current, index]
    st.html(_IN_SIGHT, unsafe_allow_javascript=True)
    with st.form(f"reason-{visit.current}-{index}-{verdict}"):
        label = strings.FEEDBACK_REASON_UP if verdict == "up" else strings.FEEDBACK_REASON_DOWN
        chosen = st.pills(label, strings.FEEDBACK_REASONS[verdict], selection_mode="multi")
        detail = st.text_input(strings.FEEDBACK_DETAIL, max_chars=_REASON_LIMIT).strip()
        st.caption(strings.FEEDBACK_NOTE)
        if st.form_submit_button(strings.FEEDBACK_SEND):
            _give(visit, index, turns, verdict, "；".join([*chosen, detail]).strip("；") or strings.FEEDBACK_NO_REASON)
            st.rerun()
