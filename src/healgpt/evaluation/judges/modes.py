"""Scores dialogues with a judge: the four published criteria, a checklist for each case, or one against another."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from healgpt import jsonl, prompts
from healgpt.errors import ConfigError, DataError, ModelUnavailable
from healgpt.evaluation.judges import verdicts
from healgpt.evaluation.judges.budget import BudgetSpent, Spent
from healgpt.evaluation.judges.judge import Judge, JudgeLost
from healgpt.evaluation.judges.source import Dialogue, Dialogues, transcript
from healgpt.evaluation.run import Item, Measure, Plan, Report, Run, file_digest, read_items

Scoring = Literal["written", "expected"]
# measure names in files stay ASCII, as those of all tasks; readers see the labels
KEYS: Mapping[str, str] = {
    "主动性": "proactivity",
    "准确性": "accuracy",
    "帮助性": "helpfulness",
    "语言质量": "language",
}
_SCALE = ("1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True)
class RubricItem:
    """One point of a checklist; negative `points` stand for a fault."""

    text: str
    points: float


@dataclass(frozen=True, slots=True)
class Task:
    """The dialogues, the plan, the ids it covers and the function that scores one of them."""

    source: Dialogues
    plan: Plan
    ids: tuple[str, ...]
    score: Callable[[str], Item]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a judge did: the items in order, how many are left because the budget was spent, and the cost."""

    task: str
    items: tuple[Item, ...]
    left: int
    spent: Spent


def work(run: Run, task: Task, judge: Judge, *, workers: int = 1, report: Report | None = None) -> Outcome:
    """Score the items not yet done; a spent budget ends it cleanly and the same call later goes on.

    Raises `ConfigError` where the run holds other dialogues or another plan under these ids, `ModelUnavailable` where
    the judge cannot be reached; what was done stays.
    """
    _refuse_changed(run, task)
    try:
        items = run.work(task.plan, task.ids, task.score, workers=workers, report=report)
    except BudgetSpent:
        items = read_items(run.folder, task.plan.name)
    except JudgeLost as lost:
        raise ModelUnavailable(f"裁判用不了，停在这里，做完的都留着。{lost.__cause__}") from lost
    return Outcome(task.plan.name, tuple(items), len(task.ids) - len(items), judge.budget.spent)


def criteria_task(source: Dialogues, judge: Judge, *, scoring: Scoring = "written") -> Task:
    """Return the task of scoring by the four published criteria, 1 to 5.

    "written" reads the numbers the judge writes. "expected" asks for each criterion and takes the mean of 1 to 5 by
    the probability of each digit as the answer's first token (as G-Eval does, Liu et al. 2023), which tells apart
    what a small judge always rounds to the same number; it needs a local GGUF judge.
    """
    prompt = criteria_prompt(judge, scoring)
    measures = {key: Measure(name, share=False) for name, key in KEYS.items()}
    measures["mean"] = Measure("四项平均", share=False)
    plan = _plan(source, judge, prompt, measures, {"mode": "criteria", "scoring": scoring})

    def score(dialogue: Dialogue) -> Item:
        return {"scores": score_criteria(judge, dialogue, scoring)}

    return Task(source, plan, tuple(one.case_id for one in source.dialogues), _by_id(source, score))


def criteria_prompt(judge: Judge, scoring: Scoring) -> str:
    """Return the prompt of a kind of scoring. Raises `ConfigError` where the judge cannot do it."""
    if scoring == "written":
        return "judge_criteria"
    judge.letters()
    return "judge_criterion"


def score_criteria(judge: Judge, dialogue: Dialogue, scoring: Scoring) -> dict[str, float]:
    """Return the four scores of one dialogue and their mean. Raises as `Judge.ask` and `Judge.expect` do."""
    text = transcript(dialogue.messages)
    if scoring == "written":
        given: Mapping[str, float] = judge.ask("judge_criteria", verdicts.criteria, dialogue=text)
    else:
        given = {name: _expected(judge, text, name) for name in verdicts.CRITERIA}
    scores = {KEYS[name]: float(given[name]) for name in verdicts.CRITERIA}
    return {**scores, "mean": sum(scores.values()) / len(scores)}


def rubric_task(source: Dialogues, judge: Judge, path: Path) -> Task:
    """Return the task of checking each case's list, one verdict an item.

    The score is the points met over the points that can be won, cut to [0, 1] (HealthBench, Arora et al. 2025).
    One unreadable verdict leaves the whole case without a score. Cases without a list are not covered; a list
    without a dialogue raises `DataError`.
    """
    lists = read_rubrics(path)
    known = {one.case_id for one in source.dialogues}
    if unknown := [case for case in lists if case not in known]:
        raise DataError(f"{path} 里有 {len(unknown)} 个病例没有对话，例如 {unknown[0]}。请去掉或改对编号。")
    measures = {"rubric": Measure("要点得分")}
    setting = {"mode": "rubric", "list": file_digest(path)}
    plan = _plan(source, judge, "judge_rubric", measures, setting)

    def score(dialogue: Dialogue) -> Item:
        text = transcript(dialogue.messages)
        met = [
            (item, judge.ask("judge_rubric", verdicts.yes_or_no, dialogue=text, item=item.text))
            for item in lists[dialogue.case_id]
        ]
        best = sum(item.points for item, _ in met if item.points > 0)
        won = sum(item.points for item, hit in met if hit)
        kept = [{"text": item.text, "points": item.points, "met": hit} for item, hit in met]
        return {"scores": {"rubric": min(1.0, max(0.0, won / best))}, "verdicts": kept}

    return Task(
        source, plan, tuple(one.case_id for one in source.dialogues if one.case_id in lists), _by_id(source, score)
    )


def pairwise_task(source: Dialogues, against: Dialogues, judge: Judge) -> Task:
    """Return the task of preferring one of two dialogues on the same case, asked in both orders.

    `wins` is 1 where both orders prefer `source`, 0 where both prefer `against`, else 0.5. `consistent` is 0 where
    the two orders disagree: then the judge saw the order, not the dialogues. Raises `DataError` for other cases.
    """
    theirs = {one.case_id: one for one in against.dialogues}
    ids = tuple(one.case_id for one in source.dialogues)
    if missing := [case for case in ids if case not in theirs]:
        raise DataError(f"{against.subject.name} 那边缺 {len(missing)} 个病例，例如 {missing[0]}。请用同一套病例比较。")
    measures = {"wins": Measure("胜率（平局算半）"), "consistent": Measure("两种顺序一致")}
    texts = _digest(*(transcript(theirs[case].messages) for case in ids))
    setting = {"mode": "pairwise", "against": against.subject.name, "against_digest": texts}
    plan = _plan(source, judge, "judge_pairwise", measures, setting)

    def score(dialogue: Dialogue) -> Item:
        other = theirs[dialogue.case_id]
        if other.problem:
            raise DataError(f"对方的{other.problem}")
        ours, other_text = transcript(dialogue.messages), transcript(other.messages)
        forward = judge.ask("judge_pairwise", verdicts.side, first=ours, second=other_text)
        backward = judge.ask("judge_pairwise", verdicts.side, first=other_text, second=ours)
        mirrored = {"first": "second", "second": "first", "tie": "tie"}[backward]
        wins = 0.5 if forward != mirrored else {"first": 1.0, "second": 0.0, "tie": 0.5}[forward]
        scores = {"wins": wins, "consistent": float(forward == mirrored)}
        return {"scores": scores, "verdicts": {"forward": forward, "backward": backward}}

    return Task(source, plan, ids, _by_id(source, score))


def read_rubrics(path: Path) -> dict[str, tuple[RubricItem, ...]]:
    """Read checklists: JSON Lines of `{"case", "items": [{"text", "points"}]}`.

    Raises `DataError` naming file and line for a case twice, an empty list, an item without text or number, and a
    list where nothing can be won.
    """
    found: dict[str, tuple[RubricItem, ...]] = {}
    for number, line in enumerate(jsonl.read(path), start=1):
        place = f"{path} 第 {number} 条"
        case, items = line.get("case"), line.get("items")
        if not isinstance(case, str | int) or not isinstance(items, list) or not items:
            raise DataError(
                f'{place}应有 "case" 和非空的 "items"。请写成 {{"case": "…", "items": [{{"text", "points"}}]}}。'
            )
        if str(case) in found:
            raise DataError(f"{place}的病例 {case} 前面已经有了。请合并成一条。")
        found[str(case)] = tuple(_rubric_item(item, place) for item in items)
        if not any(item.points > 0 for item in found[str(case)]):
            raise DataError(f"{place}没有一个要点是正分，算不出得分。请至少给一个要点正分。")
    if not found:
        raise DataError(f"{path} 里一条评分要点也没有。请换一个文件。")
    return found


def _rubric_item(item: Any, place: str) -> RubricItem:
    text, points = (item.get("text"), item.get("points")) if isinstance(item, dict) else (None, None)
    if not isinstance(text, str) or not text.strip() or isinstance(points, bool) or not isinstance(points, int | float):
        raise DataError(f'{place}有一个要点不是 {{"text": 文字, "points": 数字}}。请修正。')
    return RubricItem(text.strip(), float(points))


def _expected(judge: Judge, text: str, name: str) -> float:
    shares = judge.expect("judge_criterion", _SCALE, dialogue=text, criterion=name)
    return sum(int(digit) * share for digit, share in shares.items()) / sum(shares.values())


def _plan(
    source: Dialogues, judge: Judge, prompt: str, measures: Mapping[str, Measure], settings: Mapping[str, Any]
) -> Plan:
    against = f"-vs-{settings['against']}" if "against" in settings else ""
    expected = "-expected" if settings.get("scoring") == "expected" else ""
    return Plan(
        name=slug(f"judge-{settings['mode']}{expected}-{judge.name}{against}"),
        kind="judge",
        measures=measures,
        settings={
            "judge": judge.identity,
            "max_tokens": judge.sampling.max_tokens,
            "dialogues": source.task,
            **source.settings,
            **settings,
        },
        inputs=source.inputs,
        prompts={prompt: prompts.digest(prompt)},
    )


def slug(text: str) -> str:
    """Return `text` fit for a task's name and file."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-")


def _by_id(source: Dialogues, score: Callable[[Dialogue], Item]) -> Callable[[str], Item]:
    dialogues = {one.case_id: one for one in source.dialogues}

    def scored(case_id: str) -> Item:
        dialogue = dialogues[case_id]
        if dialogue.problem:
            raise DataError(dialogue.problem)
        kept = {"chars": dialogue.doctor_chars, "digest": _digest(transcript(dialogue.messages))}
        return {"groups": dict(dialogue.groups), **kept, **score(dialogue)}

    return scored


def _refuse_changed(run: Run, task: Task) -> None:
    """Raise `ConfigError` where a verdict in the run is on another text than the dialogue now has."""
    if task.plan.name not in run.manifest["tasks"]:
        return
    texts = {one.case_id: transcript(one.messages) for one in task.source.dialogues}
    for item in read_items(run.folder, task.plan.name):
        if "digest" in item and item["digest"] != _digest(texts.get(item["id"], "")):
            raise ConfigError(f"病例 {item['id']} 的对话在上次打分之后变了，不能续写。请换一个 --out 文件夹。")


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
