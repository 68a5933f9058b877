"""Exam questions a second against lm-eval's hf log-likelihood on the same weights. `--help` for options.

Both sides get the same 5-shot prompts and pick the likeliest letter; ours runs the quantised file, lm-eval the same
weights dequantised to fp32, exported once and not timed. Neither is timed while it loads;
reading a piece's task, under a second in 20 questions, counts for lm-eval. Every side works in pieces
kept on disk, so an interrupted run goes on where it stopped; delete the folder to measure anew. Questions come from
any exam file; they are drawn by a seed and split so that no shot is a question.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from healgpt import jsonl
from healgpt.evaluation.exams.question import Question
from healgpt.evaluation.exams.readers import FORMATS, read
from healgpt.evaluation.stats import mcnemar, wilson
from healgpt.models import catalog, export

MODEL = "qwen2.5-coder-0.5b"
PIECE = 20
SPARE = 4
# seconds a question as seen on two Zen 3 cores, for the estimate only
EXPECTED_S = {"slots1": 1.0, "slots4": 1.0, "lm-eval": 8.0}
Piece = Callable[[Sequence[Question]], list[str]]


def main() -> None:
    """Measure what is missing and print the table."""
    parser = argparse.ArgumentParser(description="考题速度：每秒题数，与 lm-eval 的 hf 后端在同一权重上相比")
    parser.add_argument("--exam", type=Path, required=True, help="考题文件")
    parser.add_argument("--format", default="explaincpe", choices=list(FORMATS))
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--shots", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("runs/bench-exams"), help="中间结果；导出的权重约 2 GB")
    parser.add_argument("--weights", type=Path, help="已经导出好的 fp32 文件夹（healgpt export … --dtype float32）")
    parser.add_argument("--side", choices=list(EXPECTED_S), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    weights = asked.weights or asked.folder / "hf"
    questions, shots, spare = drawn(asked)
    if asked.side:
        answer = peer(weights, shots, asked.folder) if asked.side == "lm-eval" else ours(int(asked.side[5:]), shots)
        answer(spare)  # loads, compiles and caches what only the first questions pay for, in every slot
        measure(asked.side, questions, asked.folder, answer)
        return
    if not weights.exists():
        print("正在导出 fp32 权重（不计时，约一分钟）……", flush=True)
        export.export(catalog.verify(catalog.find(MODEL)), weights, dtype="float32", licence="apache-2.0")
    for side, seconds in EXPECTED_S.items():
        left = len(questions) - len(done(asked.folder, side, questions))
        print(f"{side}：还剩 {left} 题，约 {left * seconds / 60:.0f} 分钟", flush=True)
        if left:
            log = asked.folder / f"{side}.log"  # the peer's progress bars
            with log.open("a", encoding="utf-8") as noise:
                ended = subprocess.run(
                    [sys.executable, __file__, *sys.argv[1:], "--side", side], check=False, stderr=noise
                )
            if ended.returncode:
                sys.exit(f"{side} 没有做完，原因见 {log}。用同一命令继续。")
    show(asked.folder, questions)


def drawn(asked: argparse.Namespace) -> tuple[list[Question], list[Question], list[Question]]:
    """Return the questions, the shots and some to warm up with: single answers shuffled by the seed, none twice.

    Fewer questions are the first of more, so a run may be shortened or lengthened.
    """
    single = [question for question in read(asked.exam, asked.format).questions if not question.multiple]
    random.Random(asked.seed).shuffle(single)
    shots, spare, rest = single[: asked.shots], single[asked.shots :][:SPARE], single[asked.shots + SPARE :]
    return rest[: asked.questions], shots, spare


def done(folder: Path, side: str, questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Return the lines of a side: one a question, in their order. Refuses those of other questions."""
    path = folder / f"{side}.jsonl"
    lines = list(jsonl.read(path)) if path.exists() else []
    shared = min(len(lines), len(questions))
    if [line["id"] for line in lines[:shared]] != [question.question_id for question in questions[:shared]]:
        sys.exit(f"{path} 里是别的题目的结果。请换一个 --folder，或删掉它。")
    return lines[:shared]


def measure(side: str, questions: Sequence[Question], folder: Path, answer: Piece) -> None:
    """Answer what is left piece by piece and note the seconds that a question took."""
    waiting = questions[len(done(folder, side, questions)) :]
    for place in range(0, len(waiting), PIECE):
        piece = waiting[place : place + PIECE]
        start = time.perf_counter()
        picked = answer(piece)
        seconds = (time.perf_counter() - start) / len(piece)
        for question, letter in zip(piece, picked, strict=True):
            jsonl.append(folder / f"{side}.jsonl", {"id": question.question_id, "picked": letter, "seconds": seconds})
        print(f"{side} {len(done(folder, side, questions))}/{len(questions)}  {1 / seconds:.2f} 题/秒", flush=True)


def ours(slots: int, shots: Sequence[Question]) -> Piece:
    """Return our scorer with `slots` questions computed at once."""
    from healgpt.backends import EngineOptions, load
    from healgpt.evaluation.exams.choice import Setting, scoring
    from healgpt.parallel import map_ordered

    model = load(MODEL, EngineOptions(slots=slots))

    def answer(piece: Sequence[Question]) -> list[str]:
        score = scoring(model, piece, Setting(shots=tuple(shots)))
        outcomes = list(map_ordered(score, [question.question_id for question in piece], workers=slots))
        failed = [outcome.error for outcome in outcomes if outcome.error is not None]
        if failed:
            raise failed[0]
        return [str(outcome.result["picked"]) for outcome in outcomes if outcome.result is not None]

    return answer


def peer(weights: Path, shots: Sequence[Question], folder: Path) -> Piece:
    """Return lm-eval's `hf` log-likelihood over the task that we export."""
    import torch
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    from healgpt.backends.machine import physical_cores
    from healgpt.evaluation.exams.harness import export_task

    torch.set_num_threads(physical_cores())
    model = HFLM(pretrained=str(weights), dtype="float32", device="cpu", batch_size=1)

    def answer(piece: Sequence[Question]) -> list[str]:
        made = export_task(f"piece-{piece[0].question_id}", piece, shots, folder / "tasks")
        found = simple_evaluate(
            model, tasks=[made.task], num_fewshot=len(shots), apply_chat_template=True, fewshot_as_multiturn=True,
            task_manager=TaskManager(include_path=str(made.config.parent), include_defaults=False),
            log_samples=True, bootstrap_iters=0,
        )  # fmt: skip
        picked = {}
        for sample in found["samples"][made.task]:
            likely = [float(answered[0]) for answered in sample["filtered_resps"]]
            picked[sample["doc"]["id"]] = sample["doc"]["letters"][likely.index(max(likely))]
        return [picked[question.question_id] for question in piece]

    return answer


def show(folder: Path, questions: Sequence[Question]) -> None:
    """Print rates and accuracies side by side, and how far the two sides agree."""
    sides = {side: done(folder, side, questions) for side in EXPECTED_S}
    rates = {side: len(lines) / sum(line["seconds"] for line in lines) for side, lines in sides.items()}
    right = {
        side: [line["picked"] == question.answer[0] for line, question in zip(lines, questions, strict=True)]
        for side, lines in sides.items()
    }
    print(f"\n{len(questions)} 题，{MODEL}\n")
    print("| | 题/秒 | 对 lm-eval | 正确率（95%） | 与 lm-eval 同选 |\n|---|---|---|---|---|")
    for side, lines in sides.items():
        agree = sum(a["picked"] == b["picked"] for a, b in zip(lines, sides["lm-eval"], strict=True))
        print(
            f"| {side} | {rates[side]:.2f} | {rates[side] / rates['lm-eval']:.1f} "
            f"| {wilson(sum(right[side]), len(lines))} | {agree / len(lines):.1%} |"
        )
    p = mcnemar(right["slots1"], right["lm-eval"])
    ratio = rates["slots1"] / rates["lm-eval"]
    print(f"\nslots1 是 lm-eval 的 {ratio:.1f} 倍（目标 3 倍）；两者正确率之差 p = {p:.2f}（McNemar）")
    print(f"slots4 对 slots1：{rates['slots4'] / rates['slots1']:.2f} 倍")
    result = {"questions": len(questions), "rates": rates, "ratio": ratio, "p": p}
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
