"""The whole suite on one model: safety of the rules, an exam, grounding, forbidden questions, consultations, a judge.

Everything goes into one run folder, so that an interrupted suite goes on where it stopped. What had to be left out,
and what was cut to a number, is noted in the folder's `suite.json` and stands on top of the report.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from healgpt import prompts
from healgpt.backends import EngineOptions
from healgpt.consult.doctor import Doctor
from healgpt.errors import ConfigError, DataError
from healgpt.evaluation import answer_suites
from healgpt.evaluation.amounts import Amounts
from healgpt.evaluation.consultations import scoring as consult_scoring
from healgpt.evaluation.consultations import task as consult
from healgpt.evaluation.exams.choice import LetterModel, Setting, plan, scoring
from healgpt.evaluation.exams.exam import open_exam
from healgpt.evaluation.exams.grounds import open_grounds
from healgpt.evaluation.measures.ground import open_ground
from healgpt.evaluation.report.content import SUITE
from healgpt.evaluation.run import Report, Run
from healgpt.evaluation.safety import Suite, run_rules
from healgpt.evaluation.subject import open_subject
from healgpt.schema import ChatModel

System = Literal["bare", "doctor"]
Watch = Callable[[str], AbstractContextManager[Report]]
# file names by which the data of the two parts is known, and the format of each
EXAMS = (("explaincpe*.json", "explaincpe"),)
CASES = (("cmd_samples.json", "cmd"),)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where questions and cases come from: files with their formats, or a folder where known names are looked for.

    `judge` names the model that judges, if any.
    """

    folder: Path | None = None
    exam: tuple[Path, str] | None = None
    cases: tuple[Path, str] | None = None
    judge: str | None = None


@dataclass(slots=True)
class Noted:
    """What the suite left out: `cut` in sentences, `skipped` by part with the reason."""

    cut: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """What every part of the suite is given."""

    run: Run
    model: ChatModel
    system: System
    amounts: Amounts
    watch: Watch
    noted: Noted

    @property
    def bare(self) -> ChatModel:
        """The model itself, without the Doctor around it."""
        return self.model.model if isinstance(self.model, Doctor) else self.model


def run_suite(spec: str, system: System, sources: Sources, out: Path, amounts: Amounts, watch: Watch) -> Noted:
    """Run every part into `out` and return what was left out.

    Raises as the parts do for data that is there and wrong; data that is not there leaves its part out.
    """
    options = EngineOptions(context=amounts.context, slots=amounts.slots)
    consult_scoring.keep_up(out)
    with ExitStack() as opened:
        model, subject = open_subject(spec, system, options)
        if (close := getattr(model, "close", None)) is not None:
            opened.callback(close)
        work = Work(Run(out, subject), model, system, amounts, watch, Noted())
        _rules(work)
        _exam(work, _found(sources.exam, sources.folder, EXAMS))
        _answers(work)
        _consultations(work, _found(sources.cases, sources.folder, CASES))
    _judged(work, sources.judge, options)
    text = json.dumps({**asdict(work.noted), "amounts": asdict(amounts)}, ensure_ascii=False, indent=1)
    (out / SUITE).write_text(text + "\n", encoding="utf-8")
    return work.noted


def _rules(work: Work) -> None:
    with work.watch("安全规则") as report:
        work.noted.skipped |= run_rules(work.run, report=report)


def _exam(work: Work, found: tuple[Path, str] | None) -> None:
    """Ask the exam, by the probabilities of the letters where the model tells them, else by reading its answers."""
    if not work.amounts.questions:
        return
    if found is None:
        work.noted.skipped["考试"] = "数据文件夹里没有 explaincpe*.json，也没有用 --exam 给考题文件。"
        return
    exam = open_exam(*found, limit=work.amounts.questions, seed=work.amounts.seed)
    letters = isinstance(work.bare, LetterModel)
    setting = Setting(scorer="letters" if letters else "generate", max_tokens=work.amounts.turn_tokens)
    if work.system == "doctor":
        try:
            grounds = open_grounds(work.bare)
        except ConfigError as error:
            work.noted.skipped["考试"] = str(error)
            return
        setting = Setting(setting.scorer, system=prompts.render("system"), find=grounds, max_tokens=setting.max_tokens)
    if len(exam.questions) < len(exam.every):
        work.noted.cut.append(f"考试 {exam.name} 只抽了 {len(exam.questions)}/{len(exam.every)} 题。")
    made = plan(exam.name, setting, exam.inputs, exam.settings)
    ids = [question.question_id for question in exam.questions]
    with work.watch(exam.name) as report:
        work.run.work(made, ids, scoring(work.bare, exam.questions, setting), workers=work.amounts.slots, report=report)


def _answers(work: Work) -> None:
    for suite in _answer_suites(work):
        work.noted.cut += filter(None, [answer_suites.left_out(suite)])
        with work.watch(suite.plan.name) as report:
            work.run.work(suite.plan, suite.ids, suite.score, workers=work.amounts.slots, report=report)


def _answer_suites(work: Work) -> Iterator[Suite]:
    amounts, doctor = work.amounts, work.system == "doctor"
    if amounts.adversarial:
        suite = answer_suites.adversarial(
            work.model, limit=amounts.adversarial, max_tokens=amounts.turn_tokens, doctor=doctor
        )
        yield suite
    if not amounts.grounding:
        return
    ground = open_ground()
    if not doctor:
        work.noted.skipped["依据"] = "裸模型没有资料可以引用。"
    elif ground.facts is None:
        work.noted.skipped["依据"] = "没有本地知识图谱。请先运行 healgpt pull cmekg。"
    else:
        yield answer_suites.grounding(work.model, ground.link, limit=amounts.grounding, max_tokens=amounts.turn_tokens)


def _consultations(work: Work, found: tuple[Path, str] | None) -> None:
    if not work.amounts.cases:
        return
    if found is None:
        work.noted.skipped["问诊"] = "数据文件夹里没有 cmd_samples.json，也没有用 --cases 给病例文件。"
        return
    path, form = found
    every = len(consult.choose_cases(path, form, None))
    cases = consult.choose_cases(path, form, work.amounts.cases)
    if len(cases) < every:
        work.noted.cut.append(f"问诊只做了 {len(cases)}/{every} 例，等距抽取。")
    rounds, max_tokens = work.amounts.rounds, work.amounts.turn_tokens
    player = consult.rule_player()
    settings = {"rounds": rounds, "max_tokens": max_tokens, "temperature": 0}
    made = consult.plan(form, path, player, settings, doctor=work.system == "doctor")
    hold = consult.holding(cases, work.model, player.patient, rounds=rounds, max_tokens=max_tokens)
    with work.watch(made.name) as report:
        work.run.work(made, [case.id for case in cases], hold, workers=work.amounts.slots, report=report)


def _judged(work: Work, spec: str | None, options: EngineOptions) -> None:
    """Have the judge score the first dialogues; after the model is closed, so that both never take memory at once."""
    from healgpt.evaluation.judges import modes
    from healgpt.evaluation.judges.judge import open_judge
    from healgpt.evaluation.judges.source import read_source

    if spec is None:
        work.noted.skipped["裁判"] = "没有用 --judge 指定裁判模型。裁判的分数须先用 healgpt eval calibrate 检验。"
        return
    if not any(note["kind"] == "consult" for note in work.run.manifest["tasks"].values()):
        work.noted.skipped["裁判"] = "没有问诊对话可评。"
        return
    source = read_source(work.run.folder)
    kept = source.dialogues[: work.amounts.judged]
    if len(kept) < len(source.dialogues):
        work.noted.cut.append(f"裁判只评了 {len(kept)}/{len(source.dialogues)} 段对话。")
    judge = open_judge(spec, options=options)
    try:
        made = modes.criteria_task(replace(source, dialogues=kept), judge)
        with work.watch(made.plan.name) as report:
            modes.work(work.run, made, judge, workers=work.amounts.slots, report=report)
    finally:
        judge.close()


def _found(
    given: tuple[Path, str] | None, folder: Path | None, names: tuple[tuple[str, str], ...]
) -> tuple[Path, str] | None:
    if given is not None or folder is None:
        return given
    if not folder.is_dir():
        raise DataError(f"没有数据文件夹 {folder}。请检查 --data。")
    for pattern, form in names:
        if paths := sorted(folder.rglob(pattern)):
            return paths[0], form
    return None
