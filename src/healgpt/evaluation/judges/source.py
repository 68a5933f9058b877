"""The dialogues a judge reads: from a run of consultations, or from a file of recorded ones.

Recorded files are a JSON list or JSON Lines of `{"id", "model", "conversation": [{"role", "content"}]}` with roles
patient/doctor or user/assistant, as the published CMD dialogues are; `messages` and `dialogue` are read as
`conversation`, and `dataset_info.department` or `department` becomes a group.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.run import Subject, file_digest, read_items, read_manifest
from healgpt.schema import Message, Role

_ROLES: Mapping[str, Role] = {"patient": "user", "user": "user", "doctor": "assistant", "assistant": "assistant"}
_SPEAKERS = {"user": "患者", "assistant": "医生"}


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One consultation; `problem` says why there is none to judge."""

    case_id: str
    messages: tuple[Message, ...]
    groups: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def doctor_chars(self) -> int:
        """The number of characters that the doctor wrote."""
        return sum(len(message["content"]) for message in self.messages if message["role"] == "assistant")


@dataclass(frozen=True, slots=True)
class Dialogues:
    """The dialogues of one subject in order.

    `task` names the consultations they come from, `inputs` the cases, `settings` the patient and the rounds: verdicts
    on two subjects can be compared where these are equal.
    """

    subject: Subject
    task: str
    inputs: Mapping[str, str]
    dialogues: tuple[Dialogue, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_source(path: Path, *, task: str | None = None) -> Dialogues:
    """Read a run folder (`task` chooses among several consultations) or a file of recorded dialogues.

    Raises `DataError` for what is neither, holds no dialogue, or is malformed; `ConfigError` for a wrong `task`.
    """
    if path.is_dir():
        return _from_run(path, task)
    if task is not None:
        raise ConfigError(f"{path} 是文件，不是评测文件夹，不能加 --task。")
    model, dialogues = read_recorded(path)
    subject = Subject(spec=path.name, name=model, system="recorded", sha256=file_digest(path))
    return Dialogues(subject, "recorded", {}, tuple(dialogues))


def read_recorded(path: Path) -> tuple[str, list[Dialogue]]:
    """Return the model's name and the dialogues of a recorded file. Raises `DataError` naming file and item."""
    dialogues, models = [], []
    for number, item in enumerate(_objects(path), start=1):
        place = f"{path} 第 {number} 条"
        models.append(str(item.get("model") or path.stem))
        dialogues.append(_recorded(item, place))
    repeated = _repeated([dialogue.case_id for dialogue in dialogues])
    if repeated:
        raise DataError(f"{path} 里编号 {repeated} 出现了不止一次。请改成唯一的编号。")
    if not dialogues:
        raise DataError(f"{path} 里一段对话也没有。请换一个文件。")
    if len(set(models)) > 1:
        raise DataError(f"{path} 里有不止一个模型的对话：{'、'.join(sorted(set(models)))}。请按模型分成几个文件。")
    return models[0], dialogues


def transcript(messages: Sequence[Message]) -> str:
    """Return a dialogue as a judge reads it: one speaker a line, later lines of a turn indented.

    The indentation keeps a turn from forging another speaker's line or the end mark.
    """
    lines = []
    for message in messages:
        speaker = _SPEAKERS.get(message["role"])
        if speaker is not None:
            text = "\n".join(line.strip() for line in message["content"].splitlines() if line.strip())
            lines.append(f"{speaker}：" + text.replace("\n", "\n  "))
    return "\n".join(lines)


def _from_run(folder: Path, task: str | None) -> Dialogues:
    manifest = read_manifest(folder)
    names = [name for name, note in manifest["tasks"].items() if note["kind"] == "consult"]
    if task is None and len(names) != 1:
        told = f"有 {len(names)} 组问诊（{'、'.join(names)}），请用 --task 选一组" if names else "没有问诊对话"
        raise DataError(f"{folder} 里{told}。问诊由 healgpt eval consult 产生。")
    chosen = task or names[0]
    if chosen not in names:
        raise ConfigError(f"{folder} 里没有名为 {chosen} 的问诊。有的是：{'、'.join(names) or '无'}。")
    note, items = manifest["tasks"][chosen], read_items(folder, chosen)
    if len(items) < note["items"]:
        raise DataError(f"{folder} 的 {chosen} 只跑完 {len(items)}/{note['items']} 个病例。请先用同一命令续跑完。")
    dialogues = tuple(_judged_item(item) for item in items)
    # how the consultations were scored is no matter here, only how they were held
    inputs = {key: digest for key, digest in note["inputs"].items() if key == "cases"}
    settings = {key: note["settings"][key] for key in ("patient", "rounds") if key in note["settings"]}
    return Dialogues(Subject(**manifest["subject"]), chosen, inputs, dialogues, settings)


def _judged_item(item: Mapping[str, Any]) -> Dialogue:
    if item.get("failure"):
        return Dialogue(item["id"], (), item.get("groups", {}), f"问诊没有完成：{item['failure']}")
    try:
        messages = _messages(item.get("dialogue"), f"病例 {item['id']}")
    except DataError as error:
        return Dialogue(item["id"], (), item.get("groups", {}), str(error))
    return Dialogue(item["id"], messages, item.get("groups", {}))


def _recorded(item: Mapping[str, Any], place: str) -> Dialogue:
    case_id = item.get("id", item.get("_id"))
    if not isinstance(case_id, str | int):
        raise DataError(f"{place}没有 id。请补上病例编号。")
    turns = next((item[key] for key in ("conversation", "messages", "dialogue") if key in item), None)
    about = item.get("dataset_info")
    department = about.get("department") if isinstance(about, dict) else item.get("department")
    return Dialogue(str(case_id), _messages(turns, place), {"科室": str(department)} if department else {})


def _messages(turns: object, place: str) -> tuple[Message, ...]:
    if not isinstance(turns, list) or not turns:
        raise DataError(f'{place}没有对话。请写成 "conversation": [{{"role": "user", "content": "…"}}, …]。')
    messages: list[Message] = []
    for turn in turns:
        role = str(turn.get("role")) if isinstance(turn, dict) else ""
        if role == "system":
            continue
        if role not in _ROLES or not isinstance(turn.get("content"), str):
            raise DataError(f"{place}有一轮不是 {{role, content}}，或角色不是 patient/doctor/user/assistant。请修正。")
        messages.append({"role": _ROLES[role], "content": turn["content"]})
    if not messages or messages[0]["role"] != "user":
        raise DataError(f"{place}不是由患者先开口。请检查角色有没有写反。")
    if not any(message["role"] == "assistant" and message["content"].strip() for message in messages):
        raise DataError(f"{place}里医生一句话也没说。请去掉这一条。")
    return tuple(messages)


def _objects(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"读不了文件 {path}：{error.strerror}。请检查路径和权限。") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} 不是 UTF-8 编码（第 {error.start} 字节）。请先转成 UTF-8 再读。") from error
    if not text.lstrip().startswith("["):
        return list(jsonl.parse(text.split("\n"), str(path)))
    try:
        items = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{path} 不是合法的 JSON：{error.msg}（第 {error.lineno} 行）。请修正。") from error
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            raise DataError(f"{path} 第 {number} 条应是一个 JSON 对象，实际是 {type(item).__name__}。请修正。")
    return list(items)


def _repeated(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
