"""One terminal consultation: questions in, answers shown and kept, until the user leaves."""

import signal
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from healgpt.cli.terminal.engine import Engine
from healgpt.cli.terminal.reader import Reader
from healgpt.cli.terminal.record import Record
from healgpt.cli.terminal.view import View
from healgpt.consult.archive import Archive, Conversation, reply_turn, user_turn
from healgpt.consult.transcript import clean
from healgpt.errors import DataError
from healgpt.schema import Alarm, Delta, Fact, Reply, Sampling


@dataclass
class Session:
    """The state of a terminal consultation. `open_engine` opens another model for `/model`."""

    engine: Engine
    open_engine: Callable[[str], Engine]
    archive: Archive
    record: Record
    view: View
    reader: Reader
    sampling: Sampling
    streaming: bool = True
    listed: tuple[Conversation, ...] = ()


class StopSignal:
    """While it is entered, Ctrl-C is counted; it raises `KeyboardInterrupt` only inside `raising`.

    So an answer can be stopped while the model computes, but never between two pieces of book-keeping.
    """

    def __init__(self) -> None:
        self.count = 0
        self._raise = False
        self._before: Any = None

    def __enter__(self) -> "StopSignal":
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Let Ctrl-C raise in here; one that came before raises at once."""
        self._raise = True
        try:
            if self.count:
                raise KeyboardInterrupt
            yield
        finally:
            self._raise = False

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self._raise:
            self._raise = False
            raise KeyboardInterrupt


@dataclass
class Draft:
    """An answer as it comes."""

    text: str = ""
    alarm: Alarm | None = None
    facts: tuple[Fact, ...] = ()
    reply: Reply | None = None
    stopped: bool = False

    def take(self, delta: Delta) -> None:
        """Add one step."""
        self.text += delta.text
        self.alarm = delta.alarm or self.alarm
        self.facts = delta.facts or self.facts
        self.reply = delta.reply or self.reply

    def whole(self, model: str) -> Reply:
        """Return the reply, or what came before it was stopped."""
        return self.reply or Reply(self.text, model, "cancelled", alarm=self.alarm, facts=self.facts)


def ask(session: Session, question: str) -> Reply | None:
    """Answer `question`, show and keep the answer, and return it; None where Ctrl-C came before its first word.

    The question is saved before the model computes. Whatever ends the answer, what has come is kept; a
    question without any answer is taken back. Raises `HealGPTError` where there is no answer to give, and
    `KeyboardInterrupt` for a second Ctrl-C.
    """
    text = _readable(session, question)
    record = session.record
    if record.turns and record.turns[-1].role == "user":  # left unanswered by a crash
        record.cut(len(record.turns) - 1)
    before = len(record.turns)
    draft, start = Draft(), time.perf_counter()
    reply = None
    with StopSignal() as stop:
        try:
            _stream(session, text, draft, stop)
        finally:
            if draft.text or draft.reply:
                reply = draft.whole(session.engine.spec)
                record.add(reply_turn(reply))
            else:
                record.cut(before)
            try:
                _finish(session, draft, reply, time.perf_counter() - start)
            finally:
                save(session)
    if stop.count > 1:
        raise KeyboardInterrupt
    return reply


def _readable(session: Session, question: str) -> str:
    """Return the question as the model reads it, and say so where characters were taken out."""
    text = clean(question)
    unreadable = sum(
        sign == "\ufffd" or (sign not in "\r\n\t" and unicodedata.category(sign) in ("Cc", "Cs", "Co"))
        for sign in question
    )
    if unreadable:
        session.view.note(f"已去掉 {unreadable} 个无法识别的字符。")
    return text


def _stream(session: Session, text: str, draft: Draft, stop: StopSignal) -> None:
    view = session.view
    try:
        view.wait("思考中…" if session.engine.ready else "正在载入模型…")
        with stop.raising():
            doctor = session.engine.doctor()
        view.wait("思考中…")
        messages = [*session.record.messages(), user_turn(text).message()]
        with closing(doctor.stream(messages, session.sampling)) as deltas:
            for number in range(2**31):
                with stop.raising():
                    delta = next(deltas, None)
                if delta is None:
                    return
                if number == 0:  # the question was accepted
                    session.record.add(user_turn(text))
                    save(session)
                draft.take(delta)
                _show(session, delta)
    except KeyboardInterrupt:
        draft.stopped = True


def _show(session: Session, delta: Delta) -> None:
    if delta.alarm and not delta.reply:
        session.view.alarm(delta.alarm)
        if not session.streaming:
            session.view.wait("思考中…")
    if delta.text and session.streaming:
        session.view.write(delta.text)


def _finish(session: Session, draft: Draft, reply: Reply | None, seconds: float) -> None:
    """Show what streaming left out, then the figures."""
    view = session.view
    if reply is None:
        if draft.stopped:
            view.note("已停止，这个问题没有发出。按 ↑ 可以取回修改，再按一次 Ctrl-C 退出。")
        return
    shown = draft.text if session.streaming else ""
    if reply.text.startswith(shown):
        view.write(reply.text[len(shown) :])
    else:
        view.finish("")
        view.note("这段回答核对后有改动，以下面为准：")
        view.write(reply.text)
    note = ""
    if reply.finish_reason == "length" and reply.usage.completion_tokens >= session.sampling.max_tokens:
        note = "回答达到长度上限而中断。输入“继续”可以接着说，或用 --max-tokens 放宽。"
    if draft.stopped:
        note = "已停止，说出的部分已保留。再按一次 Ctrl-C 退出。"
    view.finish(figures(reply, seconds), note)


def figures(reply: Reply, seconds: float) -> str:
    """Return the line under an answer: how many tokens, how long, how fast, how much evidence."""
    if reply.model == "triage":
        return "由急症规则直接回答"
    parts = []
    if reply.usage.completion_tokens:
        parts.append(f"{reply.usage.completion_tokens} 词元")
    parts.append(f"{seconds:.1f} 秒")
    if reply.usage.completion_tokens and reply.timings.decode_s > 0:
        parts.append(f"{reply.usage.completion_tokens / reply.timings.decode_s:.0f} 词元/秒")
    if reply.facts:
        parts.append(f"依据 {len(reply.facts)} 条，/facts 查看")
    return " · ".join(parts)


def save(session: Session) -> bool:
    """Bring the file in line with the session; say so once where that is impossible."""
    try:
        session.record.save()
    except DataError as error:
        session.view.warn(f"没能保存：{error}对话仍在本次会话里；解决后输入 /save 重试，或用 /export 存到别处。")
        return False
    return True


def retry(session: Session) -> Reply | None:
    """Ask the last question again and put the new answer in place of the old one; a fixed seed counts up."""
    record = session.record
    last = max((index for index, turn in enumerate(record.turns) if turn.role == "user"), default=None)
    if last is None:
        raise DataError("还没有可以重新回答的问题。")
    taken = record.turns[last:]
    record.cut(last)
    if session.sampling.seed is not None:
        session.sampling = replace(session.sampling, seed=session.sampling.seed + 1)
    try:
        return ask(session, taken[0].content)
    finally:
        if len(record.turns) == last:  # no new answer: the old one stands
            for turn in taken:
                record.add(turn)
            save(session)
