"""Read, obey or answer, until the user leaves."""

from healgpt.cli.terminal.commands import Leave, obey
from healgpt.cli.terminal.session import Session, ask, save
from healgpt.errors import HealGPTError


def run(session: Session, *, interactive: bool) -> int:
    """Serve one session and return its exit code: 0, or 2 where a question from a pipe went unanswered.

    On a terminal a Ctrl-C that stopped nothing, or one after the one that stopped an answer, leaves. Raises
    what opening the model raised.
    """
    armed, failures = False, 0
    while True:
        try:
            text = session.reader.read()
            if text is None:
                break
            armed = not _handle(session, text)
        except Leave:
            break
        except KeyboardInterrupt:
            if armed or not interactive:
                break
            armed = True
            session.view.note("再按一次 Ctrl-C 退出，或继续输入。")
        except HealGPTError as error:
            if session.engine.failure is error:
                raise
            armed, failures = False, failures + 1
            session.view.warn(str(error))
    _last_save(session)
    return 2 if failures and not interactive else 0


def _handle(session: Session, text: str) -> bool:
    """Do what one input asks for; False where Ctrl-C stopped it."""
    if not text.strip():
        return True
    done = obey(session, text)
    if done is not None:
        return done
    reply = ask(session, text)
    return reply is not None and reply.finish_reason != "cancelled"


def _last_save(session: Session) -> None:
    if session.record.unsaved and session.record.archive is not None:
        save(session)
