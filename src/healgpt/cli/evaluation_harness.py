"""`healgpt eval export-lm`: an exam as a task of lm-evaluation-harness."""

from pathlib import Path
from typing import Annotated

import typer

from healgpt.cli.evaluation_choice import with_shots
from healgpt.evaluation.exams.exam import open_exam
from healgpt.evaluation.exams.harness import export_task
from healgpt.evaluation.exams.question import Question
from healgpt.evaluation.exams.readers import FORMATS

EPILOG = """例子：

    healgpt eval export-lm explaincpe.json --format explaincpe --limit 200 --out lm-task

    healgpt eval export-lm Clinic_test.json --format mlec-qa --shots 5 --shots-file Clinic_train.json --out lm-task
"""


def command(  # noqa: PLR0917 -- the options of the command line
    file: Annotated[Path, typer.Argument(help="考题文件或文件夹")],
    form: Annotated[str, typer.Option("--format", help=f"格式：{'、'.join(FORMATS)}")],
    out: Annotated[Path, typer.Option("--out", help="写到这个文件夹")],
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="只抽这么多题")] = None,
    seed: Annotated[int, typer.Option("--seed", help="抽题和抽示例用的种子")] = 0,
    shots: Annotated[int, typer.Option("--shots", min=0, help="题前放几道做好的示例")] = 0,
    shots_file: Annotated[Path | None, typer.Option("--shots-file", help="示例从这个文件里抽，不能是考题文件")] = None,
    shots_format: Annotated[str | None, typer.Option("--shots-format", help="示例文件的格式，默认同 --format")] = None,
    answers: Annotated[Path | None, typer.Option("--answers", help="另放的答案文件（CMB 测试集）")] = None,
) -> None:
    """把考题导出成 lm-evaluation-harness 的任务：同样的提示词、示例和选项字母，可在别的模型上核对。"""
    exam = open_exam(file, form, answers=answers, limit=limit, seed=seed)
    drawn: tuple[Question, ...] = ()
    if shots:
        exam, drawn = with_shots(exam, file, shots, (shots_file, shots_format or form), single=True)
    made = export_task(exam.name.removeprefix("choice-"), exam.questions, drawn, out)
    print(f"已导出 {made.questions} 题：{made.config}")
    if made.left_out:
        print(f"略去 {len(made.left_out)} 道多选题，lm-eval 的选择题只认一个答案：{'、'.join(made.left_out[:10])}……")
    print(
        f"运行：lm_eval run --model hf --model_args pretrained=模型文件夹,dtype=float32 --include_path {out} "
        f"--tasks {made.task} --apply_chat_template --fewshot_as_multiturn true --batch_size 1"
    )
