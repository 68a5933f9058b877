"""Where HealGPT keeps its files, and the few settings a user may fix in `config.toml`."""

import difflib
import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from healgpt.errors import ConfigError


def home() -> Path:
    """Return the folder for models, graphs, conversations and caches: `HEALGPT_HOME` or `~/.healgpt`."""
    named = os.environ.get("HEALGPT_HOME")
    return Path(named).expanduser() if named else Path.home() / ".healgpt"


@dataclass(frozen=True, slots=True)
class Settings:
    """What `config.toml` may hold; every flag of the commands overrides its setting.

    `threads=0` means one per physical core. `context` counts tokens of prompt and answer together. `engine` is the
    path of a `llama-server` to use for GGUF files in place of the package's engine, `engine_flags` its further
    arguments (`-ngl 99`).
    """

    model: str = "healgpt-mini"
    threads: int = 0
    context: int = 4096
    slots: int = 2
    cache_ram_mib: int = 512
    temperature: float = 0.3
    top_p: float = 0.9
    max_tokens: int = 512
    save_conversations: bool = True
    engine: str = ""
    engine_flags: str = ""


def load_settings(path: Path | None = None) -> Settings:
    """Read `path` (default `home()/config.toml`); a missing file means the defaults.

    Raises `ConfigError` for broken TOML, an unknown key (with the nearest valid name) or a value of the
    wrong type.
    """
    file = path or home() / "config.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"读不懂配置文件 {file}：{error}。请修正或删除它。") from error
    return Settings(**{key: _checked(file, key, value) for key, value in table.items()})


def _checked(file: Path, key: str, value: Any) -> Any:
    known = {item.name: type(item.default) for item in fields(Settings)}
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"是不是想写 {near[0]}？" if near else f"可用的有：{'、'.join(known)}。"
        raise ConfigError(f"配置文件 {file} 里没有 {key} 这一项。{hint}")
    wanted = known[key]
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        raise ConfigError(f"配置文件 {file} 的 {key} 应是 {wanted.__name__}，现在是 {value!r}。")
    return value
