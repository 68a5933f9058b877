"""Prompts as Chinese Markdown files beside this module, readable and reviewable without reading code.

`{{name}}` marks a variable. Rendering is strict: a missing or surplus variable is an error, never a blank.
"""

import hashlib
import re
from functools import cache
from importlib.resources import files

from healgpt.errors import ConfigError

_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


@cache
def source(name: str) -> str:
    """Return the unrendered prompt `name`, stripped. Raises `ConfigError` when there is none."""
    path = files("healgpt.prompts") / f"{name}.md"
    if not path.is_file():
        known = sorted(
            item.name.removesuffix(".md") for item in files("healgpt.prompts").iterdir() if item.name.endswith(".md")
        )
        raise ConfigError(f"没有名为 {name} 的提示词。现有：{'、'.join(known)}。")
    return path.read_text(encoding="utf-8").strip()


def render(name: str, **variables: str) -> str:
    """Return prompt `name` with every `{{variable}}` replaced once, so that values cannot smuggle in variables.

    Raises `ConfigError` when a variable is missing or one is given that the prompt does not have.
    """
    text = source(name)
    wanted = set(_VARIABLE.findall(text))
    if wanted != set(variables):
        missing, surplus = sorted(wanted - set(variables)), sorted(set(variables) - wanted)
        raise ConfigError(f"提示词 {name} 的变量不符：缺少 {missing}，多出 {surplus}。")
    return _VARIABLE.sub(lambda match: variables[match[1]], text)


def digest(name: str) -> str:
    """Return the SHA-256 of the unrendered prompt, as manifests and caches record it."""
    return hashlib.sha256(source(name).encode()).hexdigest()
