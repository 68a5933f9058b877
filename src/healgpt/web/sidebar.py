"""The side panel: new conversation, the list to switch, rename and delete in, model and sampling, export."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from healgpt.consult.archive import Conversation
from healgpt.consult.export import to_json, to_markdown
from healgpt.consult.grounding import graph_built
from healgpt.errors import HealGPTError
from healgpt.schema import Sampling
from healgpt.settings import load_settings
from healgpt.web import asking, engine, strings
from healgpt.web.markup import inert, plain
from healgpt.web.visit import Visit

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """What the side panel is set to."""

    model: str
    sampling: Sampling


def show(visit: Visit) -> Choice:
    """Draw the panel and return what is chosen in it."""
    with st.sidebar:
        st.html(
            f'<div class="hg-brand" lang="zh-CN"><span class="hg-mark" aria-hidden="true"></span>'
            f"<div><strong>{strings.BRAND}</strong><span>{strings.BRAND_LINE}</span></div></div>"
        )
        st.button(
            strings.NEW,
            key="new",
            icon=":material/add:",
            type="primary",
            width="stretch",
            on_click=_open,
            args=(visit, None),
        )
        _conversations(visit)
        choice = _parameters()
        _export(visit)
        if not visit.owner:
            st.caption(strings.VISITOR_NOTE)
        if not graph_built():
            st.caption(strings.NO_GRAPH_NOTE)
    return choice


def _open(visit: Visit, identifier: str | None) -> None:
    visit.current = identifier
    visit.troubles.pop(None, None)


def _conversations(visit: Visit) -> None:
    found = visit.archive.list()
    st.html(f'<h2 class="hg-label" lang="zh-CN">{strings.CONVERSATIONS}</h2>')
    if not found:
        st.caption(strings.CONVERSATIONS_NONE)
    with st.container(key="conversations", gap=None):
        for conversation in found if visit.show_all else found[:_SHOWN]:
            _row(visit, conversation)
        if len(found) > _SHOWN and not visit.show_all:
            label = strings.CONVERSATIONS_MORE.format(count=len(found))
            st.button(label, key="show_all", type="tertiary", on_click=_show_all, args=(visit,))


def _show_all(visit: Visit) -> None:
    visit.show_all = True


def _row(visit: Visit, conversation: Conversation) -> None:
    title = inert(conversation.title or strings.UNTITLED)
    current = conversation.id == visit.current
    if conversation.id in visit.answers and not current:
        title += strings.WRITING_ELSEWHERE
    with st.container(key=f"row-{'current' if current else 'other'}-{conversation.id}", gap=None):
        st.button(
            title,
            key=f"open-{conversation.id}",
            type="tertiary",
            width="stretch",
            on_click=_open,
            args=(visit, conversation.id),
        )
        if current:
            with st.container(key="row-actions", horizontal=True, gap="small"):
                for name, icon in ((strings.RENAME, "edit"), (strings.DELETE, "delete")):
                    st.button(
                        name,
                        key=f"ask-{icon}",
                        icon=f":material/{icon}:",
                        type="tertiary",
                        on_click=_want,
                        args=(visit, name, conversation),
                    )


def _want(visit: Visit, name: str, conversation: Conversation) -> None:
    visit.dialog = (name, conversation)


def show_dialog(visit: Visit) -> None:
    """Open the dialog that was asked for, in a place that does not move when the list is sorted anew."""
    wanted, visit.dialog = visit.dialog, None
    if wanted is not None:
        name, conversation = wanted
        (_rename if name == strings.RENAME else _delete)(visit, conversation)


@st.dialog(strings.RENAME)
def _rename(visit: Visit, conversation: Conversation) -> None:
    with st.form("rename_form", border=False):
        title = st.text_input(strings.RENAME_LABEL, conversation.title, max_chars=80)
        if st.form_submit_button(strings.SAVE, type="primary") and title.strip():
            _try(visit, lambda: visit.archive.rename(conversation.id, title))


@st.dialog(strings.DELETE_TITLE)
def _delete(visit: Visit, conversation: Conversation) -> None:
    st.html(f'<p class="hg-ask" lang="zh-CN">{strings.DELETE_QUESTION.format(title=plain(conversation.title))}</p>')
    with st.container(horizontal=True):
        if st.button(strings.DELETE_CONFIRM, key="delete_confirm", type="primary"):
            asking.stop(visit, conversation.id)
            _try(visit, lambda: visit.archive.delete(conversation.id))
        if st.button(strings.CANCEL, key="delete_cancel"):
            st.rerun()


def _try(visit: Visit, change: Callable[[], None]) -> None:
    try:
        change()
    except HealGPTError as error:
        visit.troubles[visit.current] = str(error)
    st.rerun()


def _parameters() -> Choice:
    settings = load_settings()
    default = engine.default_model()
    with st.expander(strings.PARAMETERS, icon=":material/tune:"):
        model = st.selectbox(strings.MODEL, engine.choices(default), format_func=engine.label, key="model")
        temperature = st.slider(
            strings.TEMPERATURE, 0.0, 1.5, settings.temperature, 0.05, help=strings.TEMPERATURE_HELP, key="temperature"
        )
        top_p = st.slider(strings.TOP_P, 0.05, 1.0, settings.top_p, 0.05, help=strings.TOP_P_HELP, key="top_p")
        longest = max(64, min(2048, settings.context // 2))
        max_tokens = st.slider(
            strings.MAX_TOKENS,
            64,
            longest,
            min(max(settings.max_tokens, 64), longest),
            32,
            help=strings.MAX_TOKENS_HELP,
            key="max_tokens",
        )
    return Choice(model, Sampling(temperature=temperature, top_p=top_p, max_tokens=max_tokens))


def _export(visit: Visit) -> None:
    conversation = visit.conversation()
    with st.expander(strings.EXPORT, icon=":material/download:"):
        if conversation is None or not conversation.turns:
            st.caption(strings.EXPORT_EMPTY)
            return
        with st.container(horizontal=True):
            for label, ending, mime, write in (
                (strings.EXPORT_MARKDOWN, "md", "text/markdown", to_markdown),
                (strings.EXPORT_JSON, "json", "application/json", to_json),
            ):
                st.download_button(
                    label,
                    write(conversation).encode("utf-8", "backslashreplace"),
                    file_name=f"healgpt-{conversation.id}.{ending}",
                    mime=mime,
                    key=f"export-{ending}",
                    on_click="ignore",
                )
