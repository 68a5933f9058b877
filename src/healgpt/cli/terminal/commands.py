"""The words that a terminal session obeys instead of asking the model."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from healgpt.cli.terminal.engine import fetch_missing
from healgpt.cli.terminal.record import Record
from healgpt.cli.terminal.session import Session, retry, save
from healgpt.consult.archive import Conversation
from healgpt.consult.export import to_json, to_markdown
from healgpt.errors import DataError

_COMMAND = re.compile(r"/([A-Za-z]+)(?:\s+(.*))?", re.DOTALL)
_BARE = {"clear", "stream", "exit", "quit"}
_LISTED = 10


class Leave(Exception):
    """The user wants to go."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a word does: `run` gets the session and the rest of the line; False means it was stopped."""

    run: Callable[[Session, str], bool]
    usage: str
    summary: str


def obey(session: Session, text: str) -> bool | None:
    """Do what `text` says if it is a command, and return whether it went through; None for a question.

    `clear`, `stream` and `exit` work without a slash too. Text such as “/天三次” is a question.
    """
    line = text.strip()
    match = _COMMAND.fullmatch(line)
    if match is None:
        if line.lower() not in _BARE:
            return None
        name, rest = line.lower(), ""
    else:
        name, rest = match[1].lower(), (match[2] or "").strip()
    command = COMMANDS.get(name)
    if command is None:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"是不是想用 /{near[0]}？" if near else "输入 /help 查看全部。"
        raise DataError(f"没有 /{name} 这个命令。{hint}")
    return command.run(session, rest)


def words() -> list[str]:
    """Return what the line editor completes."""
    return [f"/{name}" for name in COMMANDS]


def _help(session: Session, rest: str) -> bool:
    rows = [f"- {command.usage}：{command.summary}" for name, command in COMMANDS.items() if name != "quit"]
    keys = "回车发送，Alt+回车换行，↑ 取回以前的输入；Ctrl-C 停止回答，连按两次退出。"
    session.view.show("\n".join([*rows, "", keys]))
    return True


def _clear(session: Session, rest: str) -> bool:
    save(session)
    session.record = Record(session.record.archive, session.engine.spec)
    session.listed = ()
    session.view.clear()
    session.view.note("已开始新的对话。以前的对话可用 /load 找回。")
    return True


def _stream(session: Session, rest: str) -> bool:
    session.streaming = not session.streaming
    session.view.note("逐字显示已打开。" if session.streaming else "逐字显示已关闭，回答完成后一次显示。")
    return True


def _leave(session: Session, rest: str) -> bool:
    raise Leave


def _save(session: Session, rest: str) -> bool:
    if not session.record.turns:
        raise DataError("还没有可以保存的内容。请先提一个问题。")
    session.record.archive = session.archive
    session.record.save()
    if rest:
        session.record.name(rest)
    session.view.note(f"已保存：{session.record.place}\n继续这次对话：healgpt chat --resume {session.record.id}")
    return True


def _load(session: Session, rest: str) -> bool:
    if not rest:
        session.listed = tuple(item for item in session.archive.list() if item.turns)[:_LISTED]
        if not session.listed:
            raise DataError("还没有保存过的对话。")
        rows = [f"{number}. {_listing(item)}" for number, item in enumerate(session.listed, start=1)]
        session.view.show("\n".join([*rows, "", "输入 /load 序号 打开，例如 /load 1。"]))
        return True
    if rest.isdecimal() and len(rest) < 3:
        if not 1 <= int(rest) <= len(session.listed):
            raise DataError(f"没有序号为 {rest} 的对话。输入 /load 查看列表。")
        rest = session.listed[int(rest) - 1].id
    save(session)
    reopen(session, session.archive.load(rest))
    return True


def _listing(item: Conversation) -> str:
    when = item.created[:16].replace("T", " ")
    return f"{item.title or '未命名'}（{when}，{len(item.turns)} 条，{item.id}）"


def reopen(session: Session, conversation: Conversation) -> None:
    """Go on with `conversation` and show its last round."""
    session.record.open(conversation)
    turns = conversation.turns
    session.view.note(f"继续对话“{conversation.title or '未命名'}”，已有 {len(turns)} 条。")
    last = max((index for index, turn in enumerate(turns) if turn.role == "user"), default=len(turns))
    for turn in turns[last:]:
        if turn.role == "user":
            session.view.note(f"问 › {turn.content}")
        else:
            session.view.show(turn.content)
    if turns and turns[-1].role == "user":
        session.view.note("这个问题还没有得到回答。输入 /retry 让我回答，或直接提新的问题。")


def _model(session: Session, rest: str) -> bool:
    if not rest:
        state = "已就绪" if session.engine.ready else "载入中"
        session.view.note(
            f"当前模型：{session.engine.label}（{state}）。换模型：/model 名字，可用的名字见 healgpt models。"
        )
        return True
    fetch_missing(rest, session.view.note)
    engine = session.open_engine(rest)
    session.view.wait(f"正在载入 {rest}…")
    try:
        engine.doctor()
    except BaseException:  # the old model stays in use, whatever kept the new one from opening
        engine.close()
        raise
    old, session.engine = session.engine, engine
    old.close()
    session.view.note(f"已换成 {rest}，对话继续。")
    return True


def _facts(session: Session, rest: str) -> bool:
    answer = next((turn for turn in reversed(session.record.turns) if turn.role == "assistant"), None)
    if answer is None or not answer.facts:
        session.view.note("上一个回答没有引用知识图谱中的依据。")
        return True
    rows = [
        f"{number}. {fact.subject} · {fact.predicate} · {fact.object}（来源 {fact.source}，可信度 {fact.support:.2f}）"
        for number, fact in enumerate(answer.facts, start=1)
    ]
    session.view.show("\n".join(rows))
    return True


def _retry(session: Session, rest: str) -> bool:
    reply = retry(session)
    return reply is not None and reply.finish_reason != "cancelled"


def _export(session: Session, rest: str) -> bool:
    if not session.record.turns:
        raise DataError("还没有可以导出的内容。请先提一个问题。")
    conversation = session.record.conversation()
    path = Path(rest).expanduser() if rest else Path(f"healgpt-{conversation.id}.md")
    text = to_json(conversation) if path.suffix.lower() == ".json" else to_markdown(conversation)
    _write_new(path, text)
    session.view.note(f"已导出：{path.absolute()}")
    return True


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all. Raises `DataError`."""
    try:
        with path.open("x", encoding="utf-8", errors="replace", newline="\n") as stream:
            try:
                stream.write(text)
                stream.flush()
            except OSError:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError as error:
        raise DataError(f"{path} 已经存在，没有覆盖。请换一个文件名。") from error
    except OSError as error:
        raise DataError(f"导不出到 {path}：{error.strerror or error}。请换一个位置。") from error


COMMANDS: dict[str, Command] = {
    "help": Command(_help, "/help", "显示这份说明"),
    "clear": Command(_clear, "clear", "清屏，开始新的对话"),
    "stream": Command(_stream, "stream", "打开或关闭逐字显示"),
    "exit": Command(_leave, "exit", "离开（对话已自动保存）"),
    "quit": Command(_leave, "quit", "离开"),
    "retry": Command(_retry, "/retry", "重新回答上一个问题"),
    "facts": Command(_facts, "/facts", "查看上一个回答的依据"),
    "save": Command(_save, "/save [标题]", "保存，并给对话起个标题"),
    "load": Command(_load, "/load [序号或编号]", "列出或打开以前的对话"),
    "model": Command(_model, "/model [名字]", "查看或更换模型"),
    "export": Command(_export, "/export [文件]", "导出为 Markdown，文件名以 .json 结尾则为 JSON"),
}
