"""Markdown that is shown while it comes: the same whatever the pieces, inside the window, nothing steering it."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from healgpt.cli.terminal.markdown import MarkdownStream, printable

ANSWER = """### 可能的原因

您提到**颈椎不适**和晨起头痛，可能与以下情况有关：

1. **颈源性头痛**：长期低头、枕头过高或过低，颈部肌肉紧张，会牵拉枕部。
2、血压偏高（收缩压≥140 mmHg）。
   - 早晚各测一次，记录 `收缩压/舒张压`
- 体温 36.5℃ 属正常；5 * 3 不是强调

---

> 请问您多大年纪？

```
BMI = 体重 / 身高^2
```
最后一句。"""


def shown(text: str, width: int = 40, piece: int = 10**6, *, color: bool = False) -> str:
    """Return what a window of `width` columns gets to see when `text` arrives in pieces."""
    out = io.StringIO()
    system = "standard" if color else None
    console = Console(file=out, width=width, force_terminal=color, highlight=False, color_system=system)
    stream = MarkdownStream(lambda: width)
    steps = [stream.feed(text[start : start + piece]) for start in range(0, len(text), piece)]
    for block in [item for step in [*steps, stream.close()] for item in step]:
        console.print(block, end=getattr(block, "end", "\n"), soft_wrap=isinstance(block, Text))
    return out.getvalue()


@pytest.mark.parametrize("piece", [1, 2, 3, 7])
def test_an_answer_looks_the_same_however_it_is_cut_into_pieces(piece: int) -> None:
    assert shown(ANSWER, piece=piece) == shown(ANSWER)


def test_marks_become_layout() -> None:
    lines = shown(ANSWER).splitlines()
    assert lines[0] == "可能的原因"
    assert "您提到颈椎不适和晨起头痛，可能与以下情况" in lines[2]
    assert lines[5].startswith("1. 颈源性头痛：")
    assert any(line.startswith("   • 早晚各测一次") for line in lines)
    assert any("36.5℃" in line and "5 * 3" in line for line in lines) or "5 * 3 不是" in shown(ANSWER)
    assert "│ 请问您多大年纪？" in lines
    assert "BMI = 体重 / 身高^2" in lines
    assert "```" not in "".join(lines)
    assert lines[-1] == "最后一句。"


def test_bold_ends_with_its_line_when_the_model_forgets_to_close_it() -> None:
    plain = shown("**忘了结束\n下一行", color=True).splitlines()
    assert "\x1b[1m" in plain[0]
    assert plain[1] == "下一行"


@pytest.mark.parametrize("width", [10, 20, 40, 80])
def test_no_line_is_wider_than_the_window_and_none_starts_with_a_closing_mark(width: int) -> None:
    lines = [line for line in shown(ANSWER * 3, width=width, piece=2).splitlines() if "BMI" not in line]  # code
    assert max(map(cell_len, lines)) <= width
    # in ten columns a single word may fill the line
    assert width == 10 or not [line for line in lines if re.match(r"\s*[，。：；、？！）]", line)]


def test_items_hang_under_their_text() -> None:
    lines = shown("1. " + "颈部肌肉紧张" * 6, width=20).splitlines()
    assert len(lines) > 3
    assert all(line.startswith("   颈") or line.startswith("   ") for line in lines[1:])


def test_words_and_numbers_are_not_torn_apart() -> None:
    lines = shown("请口服 paracetamol 片，不超过 2000 mg", width=16).splitlines()
    assert any("paracetamol" in line for line in lines)
    assert any("2000" in line for line in lines)


def test_a_table_is_drawn_when_it_is_complete() -> None:
    text = shown("| 情况 | 科室 |\n|---|---|\n| 颈部 | 骨科 |\n\n请就诊。", piece=1)
    assert "|---" not in text
    assert text.index("情况") < text.index("骨科") < text.index("请就诊")


def test_pipes_without_a_header_line_are_shown_as_they_are() -> None:
    assert "| 不是表格 |" in shown("| 不是表格 |\n后文")


def test_control_sequences_of_a_model_do_not_reach_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x07\u202ec\ud800\td") == "a[2Jbc\ufffd    d"


@given(st.text(alphabet="中，。（）ab1 .*`#->|\n😀\u200d́", max_size=120), st.integers(10, 50), st.integers(1, 5))
def test_no_text_breaks_it_or_loses_a_word(text: str, width: int, piece: int) -> None:
    got = shown(text, width=width, piece=piece)
    assert got == shown(text, width=width)
    if "|" not in text and "```" not in text:
        assert re.sub(r"[^中ab😀]", "", got) == re.sub(r"[^中ab😀]", "", text)
