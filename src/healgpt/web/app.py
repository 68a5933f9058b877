"""The consultation page. Everything it does is a call on the package; this module only says what stands where."""

import json
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from healgpt.consult.archive import Turn
from healgpt.errors import HealGPTError
from healgpt.web import asking, banner, dialogue, download, engine, interview_panel, sidebar, strings
from healgpt.web.banner import call_link
from healgpt.web.markup import inert
from healgpt.web.sidebar import Choice
from healgpt.web.visit import Visit, visit

_MARK = Path(__file__).with_name("mark.svg")
_STYLE = Path(__file__).with_name("style.css")
_SCRIPT = Path(__file__).with_name("labels.js")


def main() -> None:
    """Draw the page once; Streamlit calls this again at every click."""
    st.set_page_config(strings.PAGE_TITLE, page_icon=_MARK, layout="centered")
    st.html(_STYLE)
    labels = json.dumps(strings.LABELS, ensure_ascii=False)
    st.html(f"<script>({_SCRIPT.read_text('utf-8')})({labels})</script>", unsafe_allow_javascript=True)
    try:
        _page()
    except HealGPTError as error:
        st.error(inert(strings.TROUBLE.format(reason=error)), icon=":material/error:")


def _page() -> None:
    here = visit()
    writing = here.current in asking.settle(here)
    with st.container():
        sidebar.show_dialog(here)
    choice = sidebar.show(here)
    _remember(here)
    entry = engine.missing(choice.model)
    if entry is not None:
        download.show(entry)
        with st.bottom:
            _disclaimer()
        return
    alarm_place = st.empty()
    log = st.container(key="log")
    _ask_box(here, choice, writing=writing)
    with log:
        _log(here, choice, alarm_place, writing=writing)


def _remember(here: Visit) -> None:
    """Keep the open conversation in the address, so that reloading the page comes back to it."""
    if here.current is None:
        st.query_params.pop("c", None)
    elif st.query_params.get("c") != here.current:
        st.query_params["c"] = here.current


def _log(here: Visit, choice: Choice, alarm_place: DeltaGenerator, *, writing: bool) -> None:
    """Draw the saved turns, then the answer that is being written or could not be saved.

    An answer that ended since this run began is still `writing`: `follow` draws the page again.
    """
    plan, answer = here.answers.get(here.current or "", (None, None))
    # read after `writing` is known: a round that is saved meanwhile is cut off by `kept` and drawn by `follow`
    conversation = here.conversation()
    turns: tuple[Turn, ...] = conversation.turns if conversation else ()
    shown = turns[: plan.kept] if plan is not None and writing else turns
    alarms = [turn.alarm for turn in shown]
    if answer is not None:
        alarms.append(answer.snapshot().alarm)
    alarm = banner.gravest(alarms)
    if alarm is not None:
        alarm_place.html(banner.banner(alarm))
    retry = partial(asking.retry, here, choice.model, choice.sampling)
    for index in range(len(shown)):
        dialogue.show_turn(here, index, shown, None if writing else retry)
    # beside an alarm nothing may speak of harmless causes
    if conversation and alarm is None and not writing and turns and turns[-1].role == "assistant":
        interview_panel.show(choice.model, conversation.messages()[:-1])
    if plan is not None and plan.question:
        dialogue.show_question(plan.question)
    if answer is None and not turns:
        _welcome(here, choice)
    if answer is not None and writing:
        dialogue.follow(answer, alarm)
    elif answer is not None:
        st.markdown(inert(answer.snapshot().text))
    _troubles(here, choice, unanswered=answer is None and bool(turns) and turns[-1].role == "user")


def _welcome(here: Visit, choice: Choice) -> None:
    st.html(
        f'<section class="hg-welcome" lang="zh-CN"><h1>{strings.WELCOME}</h1><p>{strings.WELCOME_LINE}</p>'
        f'<p class="hg-first-aid">{strings.WELCOME_EMERGENCY} {call_link("120")}</p>'
        f'<h2 class="hg-label">{strings.SUGGESTIONS_LABEL}</h2></section>'
    )
    with st.container(key="suggestions", horizontal=True):
        for number, (topic, question) in enumerate(strings.SUGGESTIONS):
            st.button(
                f"**{topic}**  \n{question}",
                key=f"suggestion-{number}",
                wrap=True,
                on_click=asking.ask,
                args=(here, question, choice.model, choice.sampling),
            )


def _troubles(here: Visit, choice: Choice, *, unanswered: bool) -> None:
    """Say what went wrong here, and offer the way on."""
    opening = engine.opening(choice.model)
    broken = opening.exception() if opening.done() else None
    trouble = here.troubles.get(here.current)
    if broken is not None:
        reason = str(broken) if isinstance(broken, HealGPTError) else strings.BUG.format(kind=type(broken).__name__)
        st.error(inert(strings.ENGINE_FAILED.format(reason=reason)), icon=":material/error:")
        st.button(strings.ENGINE_RETRY, key="engine_retry", on_click=engine.forget, args=(choice.model,))
    elif trouble:
        st.error(inert(trouble), icon=":material/error:")
    if unanswered and broken is None:
        if not trouble:
            st.caption(strings.UNANSWERED)
        st.button(
            strings.RETRY_UNANSWERED,
            key="retry",
            icon=":material/refresh:",
            on_click=asking.retry,
            args=(here, choice.model, choice.sampling),
        )


def _ask_box(here: Visit, choice: Choice, *, writing: bool) -> None:
    """Draw what is always in sight at the bottom: stop, the box, the disclaimer."""
    if writing:
        with st.bottom:
            st.button(strings.STOP, key="stop", icon=":material/stop_circle:", on_click=asking.stop, args=(here,))
    # outside `st.bottom`: only a box that Streamlit puts there itself makes the page follow the answer down
    st.chat_input(
        strings.QUESTION_BOX,
        key=asking.QUESTION_KEY,
        on_submit=lambda: asking.ask(here, st.session_state[asking.QUESTION_KEY], choice.model, choice.sampling),
    )
    with st.bottom:
        _disclaimer()


def _disclaimer() -> None:
    number = strings.DISCLAIMER_CALL
    st.html(
        f'<p class="hg-disclaimer" role="note" lang="zh-CN">{strings.DISCLAIMER} '
        f'<a href="tel:{number}">{number}</a></p>'
    )


if __name__ == "__main__":
    main()
