"""How much of everything `healgpt eval all` does: numbers only, read from a file or one of the two shipped sets.

The numbers of configs/eval/full.toml and quick.toml are the same as `FULL` and `QUICK`.
"""

import difflib
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from healgpt.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is asked of one model; 0 leaves a part out.

    `questions` of an exam, `cases` for consultations of `rounds` messages a side, `adversarial` and `grounding`
    questions, `judged` dialogues at most where a judge is named. `turn_tokens` bounds a doctor's turn.
    """

    questions: int = 300
    cases: int = 30
    rounds: int = 3
    turn_tokens: int = 160
    adversarial: int = 24
    grounding: int = 24
    judged: int = 30
    slots: int = 8
    context: int = 4096
    seed: int = 0


FULL = Amounts()
QUICK = Amounts(questions=30, cases=3, rounds=2, turn_tokens=120, adversarial=6, grounding=4, judged=3, slots=4)


def read_amounts(path: Path) -> Amounts:
    """Read numbers from TOML; what is not named is as in `FULL`.

    Raises `ConfigError` for broken TOML, an unknown key (with the nearest valid name) and a value that is no whole
    number or negative.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"读不懂评测设置 {path}：{error}。请修正它。") from error
    return Amounts(**{key: _checked(path, key, value) for key, value in table.items()})


def _checked(path: Path, key: str, value: Any) -> int:
    known = [item.name for item in fields(Amounts)]
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"是不是想写 {near[0]}？" if near else f"可用的有：{'、'.join(known)}。"
        raise ConfigError(f"评测设置 {path} 里没有 {key} 这一项。{hint}")
    least = 1 if key in ("rounds", "turn_tokens", "slots", "context") else 0
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"评测设置 {path} 的 {key} 应是不小于 {least} 的整数，现在是 {value!r}。")
    return value
