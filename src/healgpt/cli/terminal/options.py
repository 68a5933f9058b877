"""The flags that `chat` and `ask` share, and what they resolve to together with `config.toml`."""

from dataclasses import replace
from typing import Annotated

import typer

from healgpt.backends import EngineOptions
from healgpt.schema import Sampling
from healgpt.settings import Settings

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="模型",
        help="目录里的名字、*.gguf 路径、hf:<名字或文件夹>、http(s)://主机/v1#模型",
        show_default=False,
    ),
]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", min=1, metavar="N", help="回答最多多少个词元", show_default=False)
]
Temperature = Annotated[
    float | None,
    typer.Option("--temperature", min=0.0, max=2.0, metavar="T", help="0 为最确定，越大越随机", show_default=False),
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, metavar="N", help="随机种子，固定后可复现", show_default=False)
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=0, metavar="N", help="计算线程数，0 为物理核数", show_default=False)
]
Context = Annotated[
    int | None,
    typer.Option("--context", min=256, metavar="N", help="提示与回答共用的窗口，单位词元", show_default=False),
]


def engine_options(settings: Settings, threads: int | None, context: int | None) -> EngineOptions:
    """Return how the engine is set up: a flag wins over its setting; one slot, since one person asks at a time."""
    return EngineOptions(
        threads=(settings.threads if threads is None else threads) or None,
        context=settings.context if context is None else context,
        slots=1,
        cache_ram_mib=settings.cache_ram_mib,
    )


def sampling(settings: Settings, max_tokens: int | None, temperature: float | None, seed: int | None) -> Sampling:
    """Return how answers are drawn: a flag wins over its setting."""
    drawn = Sampling(temperature=settings.temperature, top_p=settings.top_p, max_tokens=settings.max_tokens, seed=seed)
    if max_tokens is not None:
        drawn = replace(drawn, max_tokens=max_tokens)
    if temperature is not None:
        drawn = replace(drawn, temperature=temperature)
    return drawn
