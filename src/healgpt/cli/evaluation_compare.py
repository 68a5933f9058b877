"""`healgpt eval compare` and `healgpt eval gate`: is a difference real, and does a run hold its baseline?"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

Tasks = Annotated[list[str] | None, typer.Option("--task", help="只看这个任务，可写多次；不写就看两次都有的全部任务")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
NewPrompts = Annotated[
    bool, typer.Option("--new-prompts", help="Doctor 自己的提示词改过也照样比：要看的正是这次改动有没有用")
]

COMPARE_EXAMPLES = """例子：

    healgpt eval compare runs/基线 runs/新模型

    healgpt eval compare runs/1.5b-bare runs/1.5b-doctor --markdown > 比较.md

    healgpt eval compare runs/gpt-4 runs/1.5b-doctor --task consult-cmd --other-patient

    healgpt eval compare runs/旧 runs/新 --json
"""
GATE_EXAMPLES = """例子：

    healgpt eval gate runs/新模型 --baseline runs/基线

    healgpt eval gate runs/新模型 --baseline runs/基线 --tolerance 0.02    份额下降不到 0.02 不算退步
"""


def compare(
    *,
    first: Annotated[Path, typer.Argument(help="一次评测的文件夹（--out 写出的）", metavar="A")],
    second: Annotated[Path, typer.Argument(help="另一次评测的文件夹", metavar="B")],
    tasks: Tasks = None,
    new_prompts: NewPrompts = False,
    other_patient: Annotated[
        bool, typer.Option("--other-patient", help="两次对话的患者不是同一个也照样比，例如与公开的对话比；结论会写明")
    ] = False,
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="输出 Markdown 表格")] = False,
) -> None:
    """比较两次评测：逐题配对检验，说清差别是不是真的。题目、设置或提示词不同的两次不能比，会说明是哪一样不同。"""
    from healgpt.errors import ConfigError
    from healgpt.evaluation import comparison
    from healgpt.evaluation import comparison_words as words

    if as_json and markdown:
        raise ConfigError("--json 和 --markdown 只能选一个。")
    compared = comparison.compare(
        first, second, tasks=tasks or (), new_prompts=new_prompts, other_patient=other_patient
    )
    if as_json:
        print(json.dumps(plain(compared), ensure_ascii=False, indent=2))
    elif markdown:
        print(words.to_markdown(compared))
    else:
        for test in compared.tests:
            print(f"[{test.task}] {words.sentence(test, compared)}")
        for line in words.side_remarks(compared):
            print(line)
        print(f"\n结论：{words.conclusion(compared)}")


def gate(
    run: Annotated[Path, typer.Argument(help="要检查的评测文件夹", metavar="RUN")],
    baseline: Annotated[Path, typer.Option("--baseline", help="基线的评测文件夹")],
    tolerance: Annotated[float, typer.Option(min=0, help="份额类指标允许下降多少（0.02 即两个百分点）")] = 0.0,
    tasks: Tasks = None,
    new_prompts: NewPrompts = False,
    as_json: AsJson = False,
) -> None:
    """守住基线：比基线差、且差得超出偶然（Holm 校正后）就以 1 退出并说明理由，否则以 0 退出；不能比时以 2 退出。"""
    from healgpt.evaluation.comparison_words import conclusion
    from healgpt.evaluation.gate import gate as checked

    found = checked(run, baseline, tolerance=tolerance, tasks=tasks or (), new_prompts=new_prompts)
    if as_json:
        print(
            json.dumps(
                {"passed": found.passed, "reasons": list(found.reasons), "comparison": plain(found.compared)},
                ensure_ascii=False,
                indent=2,
            )
        )
    elif found.passed:
        print(f"通过：没有哪一项比基线差得超出偶然。{conclusion(found.compared)}")
    else:
        print(f"未通过，理由 {len(found.reasons)} 条：")
        for reason in found.reasons:
            print(f"- {reason}")
    if not found.passed:
        raise typer.Exit(1)


def plain(compared: Any) -> dict[str, Any]:
    """Return a comparison as JSON values, each test with its verdict and its sentence."""
    from healgpt.evaluation.comparison_words import conclusion, sentence

    return {
        **asdict(compared),
        "tests": [
            {**asdict(test), "verdict": test.verdict, "sentence": sentence(test, compared)} for test in compared.tests
        ],
        "conclusion": conclusion(compared),
    }
