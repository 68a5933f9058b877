"""One evaluation run on disk: a folder with `manifest.json` and one JSON Lines file of scored items for each task.

An item is one line: `{"id", "scores": {measure: number or null}, "groups": {name: value}, "failure": null, …}`, and
whatever else the task wants to keep beside its scores (the dialogue, the answer). A null score means that the measure
does not apply to the item; an item that could not be done has a `failure` and no scores. Lines stand in the order of
the items, so a run that was interrupted and resumed leaves the same file as one that was not.
"""

import hashlib
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from healgpt import __version__, jsonl
from healgpt.errors import ConfigError, DataError, HealGPTError
from healgpt.parallel import map_ordered

FORMAT = 1
Better = Literal["higher", "lower", "neither"]
Item = dict[str, Any]
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a score means to a reader: its Chinese label, which way is better, and a share or a plain number."""

    label: str
    better: Better = "higher"
    share: bool = True


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evaluated: `system` says whether the model answers alone, inside the Doctor, or recorded dialogues do."""

    spec: str
    name: str
    system: Literal["bare", "doctor", "recorded"]
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides a task's results. Two runs of one task are comparable when their plans are equal.

    `inputs` and `prompts` map names to sha256 sums, `settings` holds JSON values. `kind` groups tasks in the report:
    "choice", "consult", "judge", "safety" or "grounding".
    """

    name: str
    kind: str
    measures: Mapping[str, Measure]
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)


class Run:
    """A run folder opened for writing. Not for two processes at once."""

    def __init__(self, folder: Path, subject: Subject) -> None:
        """Open or create `folder`. Raises `ConfigError` where it holds the run of another subject."""
        self.folder = folder
        held = read_manifest(folder) if (folder / "manifest.json").exists() else None
        if held is not None and held["subject"] != asdict(subject):
            raise ConfigError(
                f"{folder} 里是 {held['subject']['name']}（{held['subject']['system']}）的结果，"
                f"不能续写 {subject.name}（{subject.system}）。请换一个 --out 文件夹。"
            )
        self.manifest: dict[str, Any] = held or {
            "format": FORMAT,
            "subject": asdict(subject),
            "versions": _versions(),
            "started": _now(),
            "tasks": {},
        }

    def work(
        self,
        plan: Plan,
        ids: Sequence[str],
        score: Callable[[str], Item],
        *,
        workers: int = 1,
        report: Report | None = None,
    ) -> list[Item]:
        """Score the items that `ids` name and that are not yet done, and return all of them in order.

        `score` returns the line without its id; a `HealGPTError` it raises becomes the item's failure. `report` is
        told how many of how many are done. Raises `ConfigError` where the task was begun under another plan and
        `DataError` for ids that repeat.
        """
        _refuse_repeats(plan.name, ids)
        path = self._begin(plan, ids)
        done = _whole_lines(path)
        if [item["id"] for item in done] != list(ids[: len(done)]):
            raise ConfigError(f"{path} 里的题目与这次的不同，不能续写。请换一个 --out 文件夹。")
        waiting, start = ids[len(done) :], time.monotonic()
        try:
            for outcome in map_ordered(score, waiting, workers=workers):
                item = {"id": outcome.item, **_settled(outcome.result, outcome.error)}
                jsonl.append(path, item)
                done.append(item)
                if report is not None:
                    report(len(done), len(ids))
        finally:
            self._note(plan.name, done, time.monotonic() - start)
        return done

    def _begin(self, plan: Plan, ids: Sequence[str]) -> Path:
        note = {**asdict(plan), "items": len(ids), "ids": _digest("\n".join(ids))}
        del note["name"]
        held = self.manifest["tasks"].get(plan.name)
        if held is not None and (changed := differences(held, note)):
            raise ConfigError(
                f"{self.folder} 里的 {plan.name} 是用别的设置跑的（{'、'.join(changed)}），不能续写。"
                "请换一个 --out 文件夹。"
            )
        path = self.folder / f"{plan.name}.jsonl"
        if held is None:
            self.manifest["tasks"][plan.name] = {**note, "file": path.name, "seconds": 0.0, "done": 0, "failures": {}}
            self._write()
        return path

    def _note(self, name: str, done: Sequence[Item], seconds: float) -> None:
        note = self.manifest["tasks"][name]
        failures = [item["failure"].partition("：")[0] for item in done if item.get("failure")]
        note["done"], note["seconds"] = len(done), round(note["seconds"] + seconds, 1)
        note["failures"] = {reason: failures.count(reason) for reason in sorted(set(failures))}
        self.manifest["finished"] = _now()
        self._write()

    def _write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch = self.folder / "manifest.json.part"
        text = json.dumps(self.manifest, ensure_ascii=False, indent=1) + "\n"
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(self.folder / "manifest.json")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run. Raises `DataError` where there is none or it cannot be read."""
    path = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{folder} 不是评测结果：没有 manifest.json。请写 healgpt eval 的 --out 文件夹。") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"读不懂 {path}：{error}。请重新评测，或从备份恢复。") from error
    if manifest.get("format") != FORMAT:
        raise DataError(f"{path} 的格式版本是 {manifest.get('format')}，这里只认 {FORMAT}。请重新评测。")
    return manifest


def read_items(folder: Path, task: str) -> list[Item]:
    """Return the items of a finished or unfinished task. Raises `DataError` where the run has no such task."""
    tasks = read_manifest(folder)["tasks"]
    if task not in tasks:
        raise DataError(f"{folder} 里没有 {task} 的结果。有的是：{'、'.join(tasks) or '无'}。")
    path = folder / tasks[task]["file"]
    return list(jsonl.read(path)) if path.exists() else []


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Name, in Chinese, what keeps two notes of one task in two manifests from being comparable."""
    asked = {"settings": "设置", "inputs": "题目文件", "prompts": "提示词", "ids": "题目"}
    return [label for key, label in asked.items() if _plain(first.get(key)) != _plain(second.get(key))]


def file_digest(path: Path) -> str:
    """Return the sha256 of a file. Raises `DataError` where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"读不了文件 {path}：{error.strerror}。请检查路径和权限。") from error


def _settled(result: Item | None, error: HealGPTError | None) -> Item:
    if error is not None:
        return {"scores": {}, "groups": {}, "failure": f"{type(error).__name__}：{error}"}
    return {"failure": None, **(result or {})}


def _whole_lines(path: Path) -> list[Item]:
    """Return the items of `path` after cutting off a last line that a crash left without its end."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as stream:
            stream.truncate(whole)
    return list(jsonl.read(path))


def _refuse_repeats(task: str, ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise DataError(f"{task} 有两道题的编号都是 {one}。请改掉其中一个。")
        seen.add(one)


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _versions() -> dict[str, str]:
    found = {"healgpt": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for name in ("xllamacpp", "transformers", "torch"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
