"""Where the interview stands, folded away under the last answer: what was said, denied and asked, and what may fit."""

from collections.abc import Sequence

import streamlit as st

from healgpt.consult.interview import State
from healgpt.schema import Message
from healgpt.web import engine, strings
from healgpt.web.markup import plain


def show(model: str, messages: Sequence[Message]) -> None:
    """Draw the state after the last user turn of `messages`; nothing without a complaint, a graph or an open engine."""
    doctor = engine.opening(model)
    if not doctor.done() or doctor.exception() is not None:
        return
    state = doctor.result().interview(messages)
    if state is not None and (state.stated or state.denied):
        with st.expander(strings.INTERVIEW.format(count=len(state.stated)), icon=":material/checklist:"):
            st.html(panel(state))


def panel(state: State) -> str:
    """Return `state` as HTML made of escaped text only."""
    rows = [
        (strings.INTERVIEW_STATED, _names(state.stated)),
        (strings.INTERVIEW_DENIED, _names(state.denied)),
        (strings.INTERVIEW_ASKING, "<br>".join(map(plain, state.questions))),
    ]
    body = "".join(f'<tr><th scope="row">{name}</th><td>{text}</td></tr>' for name, text in rows if text)
    return (
        f'<div class="hg-scroll" tabindex="0" role="region" aria-label="{strings.INTERVIEW_CAPTION}" lang="zh-CN">'
        f'<table class="hg-facts"><caption>{strings.INTERVIEW_CAPTION}</caption><tbody>{body}</tbody></table>'
        f"{_likely(state)}</div>"
    )


def _names(names: Sequence[str]) -> str:
    return plain(strings.INTERVIEW_JOIN.join(names))


def _likely(state: State) -> str:
    if not state.likely:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in strings.INTERVIEW_HEAD)
    rows = "".join(
        f"<tr><td>{plain(one.name)}</td><td>{plain(one.words)}</td><td>{_names(one.fits)}</td>"
        f"<td>{plain(one.department or strings.INTERVIEW_NO_DEPARTMENT)}</td></tr>"
        for one in state.likely
    )
    return (
        f'<table class="hg-facts"><caption>{strings.INTERVIEW_LIKELY}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )
