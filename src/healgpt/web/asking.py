"""From a question in the box to an answer being written, and from a finished answer to the conversation on disk."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import closing

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from healgpt.consult.archive import Archive, Turn, reply_turn, title_of, user_turn
from healgpt.consult.doctor import Doctor
from healgpt.consult.transcript import clean
from healgpt.errors import DataError, HealGPTError
from healgpt.schema import Delta, Message, Reply, Sampling
from healgpt.web import engine, strings
from healgpt.web.answer import Answer
from healgpt.web.visit import Plan, Visit

QUESTION_KEY = "question"
_RESTORE_LIMIT = 20_000


def ask(visit: Visit, text: str, model: str, sampling: Sampling) -> None:
    """Begin to answer `text` in the open conversation; an answer that is still being written there is stopped.

    A question that the last one never got an answer to is joined with this one: nothing the user wrote is lost,
    and turns alternate. What cannot be asked becomes a message in the page.
    """
    try:
        question = clean(text)
        stop(visit)
        conversation = visit.conversation() or visit.archive.create(title_of(question), engine.label(model))
    except HealGPTError as error:
        visit.troubles[visit.current] = str(error)
        return
    visit.current = conversation.id
    turns = conversation.turns
    unanswered = bool(turns) and turns[-1].role == "user"
    if unanswered:
        question = f"{turns[-1].content}\n{question}"
    plan = Plan(len(turns), int(unanswered), question)
    asked: Message = {"role": "user", "content": question}
    _start(visit, conversation.id, plan, [*conversation.messages()[: plan.kept], asked], (model, sampling))


def retry(visit: Visit, model: str, sampling: Sampling) -> None:
    """Answer the last question again; the old answer goes when the new one is saved."""
    stop(visit)
    conversation = visit.conversation()
    if conversation is None or not conversation.turns:
        return
    answered = conversation.turns[-1].role == "assistant"
    plan = Plan(len(conversation.turns), int(answered), "")
    _start(visit, conversation.id, plan, conversation.messages()[: plan.kept], (model, sampling))


def stop(visit: Visit, conversation_id: str | None = None) -> None:
    """Stop the answer in a conversation (the open one, if none is named) and settle it."""
    chosen = conversation_id or visit.current
    if chosen in visit.answers:
        visit.answers[chosen][1].stop()
    settle(visit)


def settle(visit: Visit) -> set[str]:
    """Hand every finished answer over to the archive's version of it; keep one that could not be saved in sight.

    Returns the conversations whose answers were still being written: what one run of the page draws must agree on
    that, although they may finish meanwhile.
    """
    writing: set[str] = set()
    for identifier, (plan, answer) in list(visit.answers.items()):
        now = answer.snapshot()
        if not now.finished:
            writing.add(identifier)
            continue
        if now.error:
            visit.troubles[identifier] = now.error
        if now.state == "refused":
            _give_back(visit, identifier, plan)
        if now.state == "refused" or not _unsaved(visit.archive, identifier, now.text):
            del visit.answers[identifier]
    return writing


def _unsaved(archive: Archive, identifier: str, text: str) -> bool:
    """Whether the conversation on disk does not end with `text`."""
    if not text:
        return False
    try:
        turns = archive.load(identifier).turns
    except DataError:
        return True
    return not turns or turns[-1].content != text


def _give_back(visit: Visit, identifier: str, plan: Plan) -> None:
    """Put a refused question back into the box, and drop the conversation that was begun for it."""
    if visit.current == identifier and 0 < len(plan.question) <= _RESTORE_LIMIT:
        st.session_state[QUESTION_KEY] = plan.question
    if plan.turns == 0:
        visit.troubles[None] = visit.troubles.pop(identifier)
        visit.archive.delete(identifier)
        if visit.current == identifier:
            visit.current = None


def _start(
    visit: Visit, identifier: str, plan: Plan, messages: Sequence[Message], choice: tuple[str, Sampling]
) -> None:
    model, sampling = choice
    visit.troubles.pop(identifier, None)
    visit.troubles.pop(None, None)
    engine.forget(model)
    archive, doctor = visit.archive, engine.opening(model)
    answer = Answer(
        lambda: _deltas(doctor, messages, sampling),
        lambda reply: _save(archive, identifier, plan, reply),
        model=engine.label(model),
        wanted=_tab_open(),
    )
    visit.answers[identifier] = (plan, answer.start())


def _deltas(doctor: "Future[Doctor]", messages: Sequence[Message], sampling: Sampling) -> Generator[Delta, None, None]:
    ready = doctor.result()
    yield Delta()
    with closing(ready.stream(messages, sampling)) as deltas:
        yield from deltas


def _save(archive: Archive, identifier: str, plan: Plan, reply: Reply | None) -> None:
    """Write the round. Raises `DataError` when the disk refuses or another tab went on with the conversation."""
    if reply is None and not plan.question:
        return
    if len(archive.load(identifier).turns) != plan.turns:
        raise DataError(strings.CHANGED_ELSEWHERE)
    if plan.retract:
        archive.retract(identifier, plan.retract)
    added: list[Turn] = [user_turn(plan.question)] if plan.question else []
    added += [] if reply is None else [reply_turn(reply)]
    for turn in added:
        archive.append(identifier, turn)


def _tab_open() -> Callable[[], bool]:
    """Return a function that says whether this run's tab is still connected."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: True
    server, session = runtime.get_instance(), context.session_id
    return lambda: server.is_active_session(session)
