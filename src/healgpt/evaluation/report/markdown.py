"""A report as Markdown: the same figures, comparisons and dialogues as the page, without its charts."""

from collections.abc import Sequence
from html import escape

from healgpt.evaluation import comparison_words as words
from healgpt.evaluation.figures import Figure, shown
from healgpt.evaluation.report.content import KINDS, Content, Loaded, Row, Task


def to_markdown(content: Content) -> str:
    """Return the report as Markdown text. What patients and models wrote is escaped, so that none of it is markup."""
    lines = [
        "# HealGPT 评测报告",
        "",
        *(f"- {_text(run.label)}（{_text(run.folder.name)}）" for run in content.runs),
        "",
    ]
    if content.notices:
        lines += ["## 这份报告没有包含的", "", *(f"- {_text(line)}" for line in content.notices), ""]
    for kind, title in KINDS.items():
        if tasks := [task for task in content.tasks if task.kind == kind]:
            lines += [f"## {title}", ""]
            for task in tasks:
                lines += _task(task, content)
    if content.comparisons:
        lines += ["## 逐例比较", ""]
        for compared in content.comparisons:
            lines += [f"### {compared.second} 比 {compared.first}", "", words.to_markdown(compared), ""]
    lines += _dialogues(content)
    lines += ["## 清单", ""]
    for run in content.runs:
        lines += _manifest(run)
    return "\n".join(lines)


def _task(task: Task, content: Content) -> list[str]:
    heads = [run.label for run in content.runs]
    lines = [f"### {_text(task.title)}", "", *(f"{_text(remark)}\n" for remark in task.remarks)]
    lines += _table(["指标", *heads], [[_named(row), *map(_figure, row.figures)] for row in task.rows])
    counted = [
        f"{head}：做成 {one.done - one.failed}/{one.asked}"
        + (f"，失败 {'、'.join(f'{reason} {count}' for reason, count in one.reasons.items())}" if one.failed else "")
        for head, one in zip(heads, task.counted, strict=True)
        if one
    ]
    lines += ["；".join(counted) + "。", ""]
    for head, held in zip(heads, task.checks, strict=True):
        for check in held:
            met = "达标" if check.met else "未达标"
            lines.append(
                f"- {head}：{check.figure.measure.label} {_figure(check.figure)}，下限 {check.bound:g}，**{met}**"
            )
    lines.append("")
    for group in task.groups:
        rows = [[_text(row.name), *map(_figure, row.figures)] for row in group.rows]
        lines += _table([f"{group.by}：{group.measure.name}", *heads], rows)
    return lines


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    made = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return [*made, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _named(row: Row) -> str:
    return row.name + ("（越低越好）" if row.figure.measure.better == "lower" else "")


def _figure(one: Figure | None) -> str:
    if one is None or one.interval is None:
        return "—"
    found, share = one.interval, one.measure.share
    value, low, high = (shown(end, share=share) for end in (found.value, found.low, found.high))
    return f"{value}（{low}–{high}，n = {found.n}）"


def _dialogues(content: Content) -> list[str]:
    lines = ["## 最该读的对话", ""] if content.worst else []
    for run, task, dialogues in content.worst:
        lines += [f"### {run.label}：{task}", ""]
        for number, one in enumerate(dialogues, start=1):
            about = "、".join(_text(value) for value in one.groups.values())
            lines += [
                f"**{number}. 病例 {_text(one.case)}** {about}，差 {one.badness:.2f}：{'；'.join(one.reasons)}",
                "",
            ]
            for message in one.messages:
                speaker = "患者" if message["role"] == "user" else "医生"
                said = _text(message["content"]).split("\n")
                lines += [f"> **{speaker}**：{said[0]}", *(f"> {line}" for line in said[1:]), ">"]
            lines.append("")
    return lines


def _manifest(run: Loaded) -> list[str]:
    subject = run.manifest["subject"]
    versions = "，".join(f"{name} {version}" for name, version in run.manifest["versions"].items())
    lines = [
        f"### {_text(run.label)}",
        "",
        f"- 模型 `{subject['spec']}`，SHA-256 `{subject['sha256'] or '没有记录'}`",
        f"- 版本 {versions}",
        f"- 时间 {run.manifest['started']} 到 {run.manifest.get('finished', '未完')}",
    ]
    for name, note in run.manifest["tasks"].items():
        kept = {**note["inputs"], **note["prompts"]}
        hashes = "，".join(f"{key} `{value[:16]}`" for key, value in kept.items())
        settings = "，".join(f"{key} = {value}" for key, value in note["settings"].items())
        lines.append(f"- {name}：{settings or '无设置'}；{hashes}；{note['seconds']:.0f} 秒")
    return [*lines, ""]


def _text(text: str) -> str:
    """Return `text` with what HTML and Markdown would take for markup made harmless."""
    plain = escape(text, quote=False)
    for sign in ("\\", "`", "*", "_", "[", "]", "|", "#"):
        plain = plain.replace(sign, f"\\{sign}")
    return plain
