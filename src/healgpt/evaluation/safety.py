"""The safety suites of the rules as run tasks, so that they stand in the report beside everything else.

They measure triage, redaction, linking, the check of answers and the graph's facts: parts of HealGPT that no language
model decides, so their figures are the same for every model. Bounds lie in each plan's settings (`bounds`: least value
by measure); `checks` holds figures against them. A held-out set that is missing is left out with its reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.consult.limits import check
from healgpt.consult.triage import triage as find_alarm
from healgpt.consult.triage.rules import rulebook
from healgpt.errors import DataError
from healgpt.evaluation import intent_suite, linking_suite, redaction_suite, triage_suite
from healgpt.evaluation.figures import Figure, figures
from healgpt.evaluation.run import Item, Measure, Plan, Report, Run, file_digest
from healgpt.evaluation.stats import Share
from healgpt.knowledge.graph import KnowledgeGraph, open_graph
from healgpt.knowledge.linking import open_linker

FACTS_BOUND = 0.95
_LEVELS = {"emergency": "急症", "urgent": "今天就医", "none": "不紧急"}


@dataclass(frozen=True, slots=True)
class Suite:
    """One task ready to be run: its plan, the ids of its items, and what scores one of them."""

    plan: Plan
    ids: tuple[str, ...]
    score: Callable[[str], Item]


@dataclass(frozen=True, slots=True)
class Check:
    """A figure held against its bound, as a point estimate; `sure` says whether the whole interval holds it, too."""

    task: str
    figure: Figure
    bound: float

    @property
    def met(self) -> bool:
        return self.figure.interval is not None and self.figure.interval.value >= self.bound

    @property
    def sure(self) -> bool:
        return self.figure.interval is not None and self.figure.interval.low >= self.bound


def run_rules(run: Run, *, report: Report | None = None) -> dict[str, str]:
    """Run every suite of rules into `run`; return why suites were left out, by task name.

    Raises as `Run.work` does. Half a minute, most of it the graph's.
    """
    skipped = _run_all(run, _RULES, report)
    try:
        with open_graph() as graph:
            suites = {
                "safety-linking": lambda: linking(graph),
                "safety-intent": lambda: intent(graph),
                "safety-facts": lambda: facts(graph),
            }
            skipped |= _run_all(run, suites, report)
    except DataError as error:
        skipped |= dict.fromkeys(("safety-linking", "safety-intent", "safety-facts"), str(error))
    return skipped


def held_out(stem: str) -> Path:
    """Return the newest held-out set of that name (`redaction_test3` after `redaction_test`).

    Raises `DataError` where there is none: the errors of the last were looked at, and it became a development set.
    """
    found = sorted(suites_folder().glob(f"{stem}*.jsonl"), key=lambda path: (len(path.name), path.name))
    if not found:
        raise DataError(f"没有留出集 {stem}：上一套的错例已经看过，退为开发集，新的还没有写。")
    return found[-1]


def suites_folder() -> Path:
    """Return where the shipped suites lie."""
    return Path(str(resources.files("healgpt.evaluation") / "suites"))


def checks(task: str, note: Mapping[str, Any], items: Sequence[Item]) -> list[Check]:
    """Return the figures of a task that have a bound."""
    bounds = note["settings"].get("bounds", {})
    return [Check(task, found, bounds[found.key]) for found in figures(note, items) if found.key in bounds]


def triage() -> Suite:
    """Return the held-out suite of triage: emergencies found, false alarms, and what lies between."""
    path = held_out("triage_test")
    cases = {case.case_id: case for case in triage_suite.load_cases(path)}
    measures = {
        "recall": Measure("急症召回率"),
        "precision": Measure("急症精确率"),
        "kind_right": Measure("找到的急症类别正确"),
        "urgent_warned": Measure("“今天就医”有提醒"),
        "quiet": Measure("不紧急时不打扰"),
        "false_alarm": Measure("不是急症而报急症", "lower"),
    }
    bounds = {"recall": triage_suite.RECALL_BOUND, "precision": triage_suite.PRECISION_BOUND}

    def score(case_id: str) -> Item:
        case = cases[case_id]
        alarm = find_alarm(case.messages)
        level = alarm.level if alarm else "none"
        wanted, raised = case.level == "emergency", level == "emergency"
        scores = {
            "recall": float(raised) if wanted else None,
            "precision": float(wanted) if raised else None,
            "kind_right": float(bool(alarm and alarm.kind == case.kind)) if wanted and raised else None,
            "urgent_warned": float(level != "none") if case.level == "urgent" else None,
            "quiet": float(level == "none") if case.level == "none" else None,
            "false_alarm": None if wanted else float(raised),
        }
        groups = {"应有的级别": _LEVELS[case.level]}
        if wanted and case.kind is not None and case.kind in rulebook().kinds:
            groups["急症种类"] = rulebook().kinds[case.kind].title
        wrong = "" if level == case.level else f"应为{_LEVELS[case.level]}，判为{_LEVELS[level]}"
        return _item(scores, groups, wrong, case.messages[-1]["content"])

    return Suite(_plan("safety-triage", measures, bounds, path), tuple(cases), score)


def redaction() -> Suite:
    """Return the held-out suite of redaction; one sentence an item, its personal details counted beside its scores."""
    path = held_out("redaction_test")
    cases = {case.case_id: case for case in redaction_suite.load_cases(path)}
    measures = {
        "structured": Measure("证件、电话等召回率"),
        "name": Measure("姓名召回率"),
        "address": Measure("地址召回率"),
        "precision": Measure("精确率"),
        "typed": Measure("类型完全一致"),
        "covered": Measure("应隐去的字符已隐去"),
        "clean": Measure("易混句不误伤"),
    }
    bounds: dict[str, float] = {str(group): bound for group, bound in redaction_suite.RECALL_BOUNDS.items()}
    bounds["precision"] = redaction_suite.PRECISION_BOUND

    def score(case_id: str) -> Item:
        case = cases[case_id]
        found = redaction_suite.score([case])
        counted: dict[str, Share] = {
            **{str(group): found.recall[group] for group in redaction_suite.GROUPS},
            "precision": found.overall_precision,
            "typed": found.typed,
            "covered": found.covered,
            "clean": found.clean_lookalikes,
        }
        counts = {key: [share.hits, share.total] for key, share in counted.items() if share.total}
        wrong = [f"漏了 {kind}“{text}”" for _, kind, text in found.misses]
        wrong += [f"误伤“{text}”（{kind}）" for _, kind, text in found.false_alarms]
        return _counted(measures, counts, "；".join(wrong), case.text)

    return Suite(_plan("safety-redaction", measures, bounds, path), tuple(cases), score)


def limits() -> Suite:
    """Return the held-out suite of the check that answers pass: crossed limits found, harmless answers left alone."""
    path = held_out("limits_answers_test")
    answers = {str(item["id"]): item for item in jsonl.read(path)}
    measures = {
        "recall": Measure("越界回答召回率"),
        "precision": Measure("越界检查精确率"),
        "false_alarm": Measure("干净的回答被误判", "lower"),
    }

    def score(answer_id: str) -> Item:
        item = answers[answer_id]
        crosses, found = bool(item["violations"]), check(item["text"])
        scores = {
            "recall": float(bool(found)) if crosses else None,
            "precision": float(crosses) if found else None,
            "false_alarm": None if crosses else float(bool(found)),
        }
        kinds = "、".join(item["violations"]) or "无"
        wrong = (
            "" if crosses == bool(found) else f"应有越界：{kinds}；查出：{'、'.join(one.kind for one in found) or '无'}"
        )
        return _item(scores, {"越界种类": kinds}, wrong, item["text"])

    return Suite(_plan("safety-limits", measures, {}, path), tuple(answers), score)


def linking(graph: KnowledgeGraph) -> Suite:
    """Return the held-out suite of linking over the names of `graph`."""
    path = triage_suite.suite_path("linking_test")
    cases = {case.case_id: case for case in linking_suite.load_cases("linking_test")}
    linker = open_linker(graph)
    measures = {
        "f1": Measure("名称 F1"),
        "precision": Measure("名称精确率"),
        "recall": Measure("名称召回率"),
        "status": Measure("有、无、疑似、既往判对"),
    }

    def score(case_id: str) -> Item:
        case = cases[case_id]
        found = linking_suite.score([case], linker.link)
        gold = len(case.mentions)
        hits = gold - len(found.misses)
        told = hits + len(found.false_alarms)
        counts = {
            "f1": [hits, gold, told],
            "precision": [hits, told],
            "recall": [hits, gold],
            "status": [hits - len(found.wrong_statuses), hits],
        }
        wrong = [f"漏了 {name}" for _, _, name in found.misses]
        wrong += [f"误认 {text}→{name}" for _, text, name in found.false_alarms]
        wrong += [f"{text} 应为 {one}，判为 {other}" for _, text, one, other in found.wrong_statuses]
        kept = {key: values for key, values in counts.items() if sum(values[1:])}
        return _counted(measures, kept, "；".join(wrong), case.text)

    return Suite(_plan("safety-linking", measures, {"f1": linking_suite.F1_BOUND}, path), tuple(cases), score)


def intent(graph: KnowledgeGraph) -> Suite:
    """Return the held-out suite of intents, over the names of `graph`; no bound is set."""
    path = held_out("intent_test")
    cases = {case.case_id: case for case in intent_suite.load_cases(path)}
    linker = open_linker(graph)

    def score(case_id: str) -> Item:
        case = cases[case_id]
        found = intent_suite.found_intent(case.messages, linker.link)
        right = found == case.intent
        wrong = "" if right else f"应为 {case.intent}，判为 {found}"
        return _item({"accuracy": float(right)}, {"意图": case.intent}, wrong, case.messages[-1]["content"])

    return Suite(_plan("safety-intent", {"accuracy": Measure("意图准确率")}, {}, path), tuple(cases), score)


def facts(graph: KnowledgeGraph) -> Suite:
    """Return the labelled facts of the graph: of those that may reach a patient, how many are right ("unclear" is not).

    The sample was drawn among the facts over an earlier threshold; those no longer shown count for nothing.
    """
    path = held_out("facts_final")
    rows = {str(row["id"]): row for row in jsonl.read(path)}
    measures = {"precision": Measure("可给患者看的事实正确")}
    supports: dict[tuple[str, str, str], float] = {
        (fact.subject, fact.predicate, fact.object): fact.support
        for subject, relation in {(row["subject"], row["relation"]) for row in rows.values()}
        for fact in graph.facts_about(subject, [relation], every=True)
    }

    def score(row_id: str) -> Item:
        row = rows[row_id]
        said = (row["subject"], row["relation"], row["object"])
        shown = supports.get(said, 0.0) >= graph.threshold
        right = row["label"] == "correct"
        wrong = f"标注为 {row['label']}" if shown and not right else ""
        return _item({"precision": float(right) if shown else None}, {"关系": row["relation"]}, wrong, " · ".join(said))

    return Suite(_plan("safety-facts", measures, {"precision": FACTS_BOUND}, path), tuple(rows), score)


_RULES: Mapping[str, Callable[[], Suite]] = {
    "safety-triage": triage,
    "safety-redaction": redaction,
    "safety-limits": limits,
}


def _run_all(run: Run, suites: Mapping[str, Callable[[], Suite]], report: Report | None) -> dict[str, str]:
    skipped = {}
    for name, opened in suites.items():
        try:
            suite = opened()
        except DataError as error:
            skipped[name] = str(error)
            continue
        run.work(suite.plan, suite.ids, suite.score, report=report)
    return skipped


def _plan(name: str, measures: Mapping[str, Measure], bounds: Mapping[str, float], path: Path) -> Plan:
    return Plan(name, "safety", measures, {"bounds": dict(bounds)}, {path.name: file_digest(path)})


def _item(scores: Mapping[str, float | None], groups: Mapping[str, str], wrong: str, text: str) -> Item:
    """Return an item; what went wrong is kept with its text, for reading."""
    return {"scores": dict(scores), "groups": dict(groups), **({"wrong": wrong, "text": text} if wrong else {})}


def _counted(measures: Mapping[str, Measure], counts: Mapping[str, list[int]], wrong: str, text: str) -> Item:
    return {**_item({key: _share(counts.get(key)) for key in measures}, {}, wrong, text), "counts": dict(counts)}


def _share(counts: Sequence[int] | None) -> float | None:
    if counts is None:
        return None
    return 2 * counts[0] / (counts[1] + counts[2]) if len(counts) == 3 else counts[0] / counts[1]
