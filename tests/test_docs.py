"""The documentation keeps its word: links lead somewhere, both READMEs give the same commands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def commands(name: str) -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.S)
    return [line.split("  #")[0].rstrip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_local_link_leads_to_a_file(page):
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_both_readmes_give_the_same_commands():
    assert commands("README.md") == commands("README_EN.md")


def test_every_healgpt_command_of_the_readme_exists():
    from healgpt.cli.main import COMMANDS

    used = {line.split()[1] for line in commands("README.md") if line.startswith("healgpt ")}
    assert used <= set(COMMANDS)
