"""How fast a consultation is, each figure beside a peer measured in the same run. `python benchmarks/chat.py --help`

Rates are the best of interleaved rounds, since other load on the machine only ever slows. Needs `healgpt pull
qwen2.5-coder-0.5b`; the comparison with transformers needs the train extra and 6 GiB of memory.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healgpt.backends import EngineOptions, load
from healgpt.backends.llama_server import BATCH_TOKENS
from healgpt.backends.llamacpp import LlamaModel
from healgpt.backends.machine import physical_cores
from healgpt.consult.doctor import Doctor
from healgpt.models import catalog
from healgpt.schema import Delta, Message, Reply, Sampling

TURNS = (
    "我感觉自己颈椎非常不舒服，每天睡醒都会头痛，这是什么原因，要做哪些检查？",
    "大概有三个月了，一开始只是脖子僵，后来慢慢开始头痛。",
    "我今年四十五岁，男，平时坐办公室，每天对着电脑十个小时左右。",
    "头痛主要在后脑勺，像被东西压着，起床后一两个小时会好一些。",
    "没有发热，也没有呕吐，脖子转动的时候会响。",
    "有高血压五年了，每天早上吃一片氨氯地平，最近没有量过血压。",
    "没有药物过敏，也没有做过手术。",
    "那我应该挂哪个科？先看骨科还是神经内科？",
    "需要拍片子还是做核磁共振？会不会很贵？",
    "平时睡觉的枕头要怎么选，白天可以做哪些活动？",
)
LONG = "请详细介绍颈椎病的分型、每一型的典型症状和日常护理方法，分条写，尽量全面。"


@dataclass(frozen=True, slots=True)
class Run:
    """One streamed answer: seconds to its first text, seconds from there to its end, tokens generated, its text."""

    first_s: float
    rest_s: float
    tokens: int
    text: str = ""

    @property
    def rate(self) -> float:
        """Tokens a second after the first one."""
        return (self.tokens - 1) / self.rest_s


class Recorder:
    """A chat model that notes what another one was asked and answered, and passes everything on."""

    def __init__(self, model: LlamaModel) -> None:
        self.name, self.window = model.name, model.window
        self.model = model
        self.count_tokens, self.complete = model.count_tokens, model.complete
        self.warm, self.prepare, self.close = model.warm, model.prepare, model.close
        self.asked: tuple[Sequence[Message], Sampling] = ((), Sampling())
        self.reply = Reply("", "")

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Delta, None, None]:
        """Pass on the deltas of the model."""
        self.asked = (messages, sampling)
        for delta in self.model.stream(messages, sampling):
            self.reply = delta.reply or self.reply
            yield delta


class Bare:
    """xllamacpp as its documentation uses it: chat completions with a callback for every piece."""

    def __init__(self, path: Path, options: EngineOptions) -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel, params.cache_ram_mib = options.context, 1, options.cache_ram_mib
        params.n_batch = params.n_ubatch = BATCH_TOKENS
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = physical_cores()
        params.verbosity, params.warmup = -1, False
        self._server = xllamacpp.Server(params)

    def run(self, messages: Sequence[Message], sampling: Sampling) -> Run:
        """Answer `messages` once."""
        chunks: list[dict[str, Any]] = []
        times: list[float] = []

        def take(chunk: dict[str, Any]) -> None:
            chunks.append(chunk)
            if chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
                times.append(time.perf_counter())

        start = time.perf_counter()
        self._server.handle_chat_completions(
            {
                "messages": list(messages),
                "max_tokens": sampling.max_tokens,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": sampling.top_k,
                "min_p": 0.0,
                "repeat_penalty": sampling.repeat_penalty,
                "stop": list(sampling.stop),
                "stream": True,
            },
            take,
        )
        end = time.perf_counter()
        tokens = next(chunk["timings"]["predicted_n"] for chunk in reversed(chunks) if "timings" in chunk)
        return Run(times[0] - start, end - times[0], tokens)


def main() -> None:
    """Measure and print every figure with its target."""
    parser = argparse.ArgumentParser(description="问诊速度：每项都与同一次运行中的对照相比")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="目录中的 GGUF 模型名")
    parser.add_argument("--rounds", type=int, default=8, help="解码比较的轮数")
    parser.add_argument("--without-transformers", action="store_true", help="不与 transformers 比较")
    asked = parser.parse_args()
    options = EngineOptions()
    path = catalog.verify(catalog.find(asked.model))
    print(f"模型 {asked.model}，{physical_cores()} 线程，上下文 {options.context}")
    doctor, recorder, _ = _open(asked.model, options)
    decode(doctor, recorder, Bare(path, options), asked.rounds)
    follow_ups(doctor, recorder)
    messages = recorder.asked[0]
    doctor.close()
    fresh(asked.model, options)
    commands()
    if not asked.without_transformers:
        against_transformers(asked.model, options, messages, 3)


def decode(doctor: Doctor, recorder: Recorder, bare: Bare, rounds: int) -> None:
    """Compare decoding through `Doctor.stream` with the bare engine on the same file, prompt and settings."""
    messages: list[Message] = [{"role": "user", "content": LONG}]
    _answer(doctor, recorder, messages, 128)
    bare.run(*recorder.asked)
    ours, theirs = [], []
    for turn in range(rounds):
        if turn % 2:
            theirs.append(bare.run(*recorder.asked).rate)
        ours.append(_answer(doctor, recorder, messages, 128).rate)
        if not turn % 2:
            theirs.append(bare.run(*recorder.asked).rate)
    print(f"解码 Doctor.stream {_spread(ours)}，xllamacpp {_spread(theirs)} 词元/秒")
    _verdict("解码，Doctor.stream ÷ xllamacpp", max(ours) / max(theirs), at_least=0.97)


def follow_ups(doctor: Doctor, recorder: Recorder) -> None:
    """Hold ten turns and compare what the engine prefilled with what each turn added to the transcript.

    `新增` counts the user turn as sent and what the Doctor wrote into the last answer beside the model's words.
    """
    messages: list[Message] = []
    added, over_user, over_new = 0, [], []
    print("轮次  预填  用户  新增  首字（秒）")
    for turn, question in enumerate(TURNS, start=1):
        messages.append({"role": "user", "content": question})
        run = _answer(doctor, recorder, messages, 96)
        usage = recorder.reply.usage
        prefilled = usage.prompt_tokens - usage.cached_tokens
        user = doctor.count_tokens(recorder.asked[0][-1]["content"])
        print(f"{turn:4d} {prefilled:5d} {user:5d} {user + added:5d} {run.first_s:8.2f}")
        over_user.append(prefilled - user)
        over_new.append(prefilled - user - added)
        added = doctor.count_tokens(run.text.replace(recorder.reply.text, "", 1))
        messages.append({"role": "assistant", "content": run.text})
    _verdict("十轮中预填超出用户词元，最多", max(over_user), at_most=16)
    _verdict("十轮中预填超出新增词元，最多", max(over_new), at_most=16)


def fresh(model: str, options: EngineOptions) -> None:
    """Start anew with the system prompt's state on disk and ask a first question."""
    start = time.perf_counter()
    doctor, recorder, source = _open(model, options)
    opened = time.perf_counter() - start
    run = _answer(doctor, recorder, [{"role": "user", "content": TURNS[0]}], 16)
    usage = recorder.reply.usage
    user = doctor.count_tokens(recorder.asked[0][-1]["content"])
    doctor.close()
    print(f"新对话：打开 {opened:.2f} 秒（{source}），首字 {run.first_s:.2f} 秒")
    _verdict("新对话预填超出用户词元", usage.prompt_tokens - usage.cached_tokens - user, at_most=16)


def commands() -> None:
    """Time the command line and the import."""
    program = Path(sys.executable).with_name("healgpt")
    help_s = [_seconds([str(program), "--help"]) for _ in range(7)]
    script = "import time; start = time.perf_counter(); import healgpt; print(time.perf_counter() - start)"
    import_s = [
        float(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout) for _ in range(7)
    ]
    _verdict("healgpt --help（秒）", statistics.median(help_s), at_most=0.3)
    _verdict("import healgpt（秒）", statistics.median(import_s), at_most=0.1)


def against_transformers(model: str, options: EngineOptions, messages: Sequence[Message], rounds: int) -> None:
    """Compare with `generate` of transformers in 32 bits on the same weights and the same prompt ids."""
    engine = load(model, options)
    assert isinstance(engine, LlamaModel)
    prompt = engine.prompt.render(messages)[:512]
    theirs = _Transformers(catalog.path(catalog.find(model)), prompt)
    body = {"prompt": prompt, "n_predict": 49, "cache_prompt": False, "ignore_eos": True, "temperature": 0}
    ours, one_s, many_s = [], [], []
    for _ in range(rounds):
        ours.append(engine.server.post("/completion", body)["timings"])
        one_s.append(theirs.seconds(1))
        many_s.append(theirs.seconds(17))
    engine.close()
    decode_ours = max(timing["predicted_per_second"] for timing in ours)
    prefill_ours = max(timing["prompt_per_second"] for timing in ours)
    # the difference of two shortest times; a shortest difference would reward a slow first one
    decode_theirs, prefill_theirs = 16 / (min(many_s) - min(one_s)), len(prompt) / min(one_s)
    print(f"{len(prompt)} 词元的提示，HealGPT：解码 {decode_ours:.1f}，预填 {prefill_ours:.0f} 词元/秒")
    print(f"transformers fp32：解码 {decode_theirs:.1f}，预填 {prefill_theirs:.0f} 词元/秒")
    _verdict("解码，HealGPT ÷ transformers", decode_ours / decode_theirs, at_least=5)
    print(f"预填，HealGPT ÷ transformers：{prefill_ours / prefill_theirs:.2f}")


class _Transformers:
    """The weights of a GGUF file in 32 bits, and one prompt for them."""

    def __init__(self, path: Path, prompt: list[int]) -> None:
        import torch
        from transformers import AutoModelForCausalLM, GgufConfig

        torch.set_num_threads(physical_cores())
        self._model: Any = AutoModelForCausalLM.from_pretrained(
            str(path.parent),
            gguf_file=path.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
        )
        self._ids = torch.tensor([prompt])
        self.seconds(1)

    def seconds(self, count: int) -> float:
        """Generate `count` tokens and return how long it took."""
        import torch

        start = time.perf_counter()
        self._model.generate(
            self._ids,
            attention_mask=torch.ones_like(self._ids),
            max_new_tokens=count,
            min_new_tokens=count,
            do_sample=False,
            pad_token_id=0,
        )
        return time.perf_counter() - start


def _open(model: str, options: EngineOptions) -> tuple[Doctor, Recorder, str]:
    engine = load(model, options)
    assert isinstance(engine, LlamaModel)
    recorder = Recorder(engine)
    doctor = Doctor(recorder)
    return doctor, recorder, engine.warm(doctor.system)


def _answer(doctor: Doctor, recorder: Recorder, messages: Sequence[Message], tokens: int) -> Run:
    start, first, text = time.perf_counter(), 0.0, ""
    for delta in doctor.stream(messages, Sampling(temperature=0, max_tokens=tokens)):
        if delta.text and not first:
            first = time.perf_counter()
        text = delta.reply.text if delta.reply else text
    end = time.perf_counter()
    return Run(first - start, end - first, recorder.reply.usage.completion_tokens, text)


def _spread(values: Sequence[float]) -> str:
    return f"{max(values):.1f}（中位 {statistics.median(values):.1f}，最低 {min(values):.1f}）"


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - start


def _verdict(what: str, value: float, *, at_least: float = 0.0, at_most: float | None = None) -> None:
    bound = f"不超过 {at_most:g}" if at_most is not None else f"至少 {at_least:g}"
    met = value <= at_most if at_most is not None else value >= at_least
    print(f"{what}：{value:.3g}（目标{bound}，{'达到' if met else '未达到'}）")


if __name__ == "__main__":
    main()
