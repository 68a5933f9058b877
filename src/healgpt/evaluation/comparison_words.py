"""What a comparison says to a reader: one plain Chinese sentence a measure, one for the whole, a Markdown table."""

from collections.abc import Sequence

from healgpt.evaluation.comparison import LEVEL, Comparison, Test
from healgpt.evaluation.figures import shown
from healgpt.evaluation.run import Better


def sentence(test: Test, compared: Comparison) -> str:
    """Say in one Chinese sentence whether this difference is real."""
    share = test.measure.share
    first, second = (shown(value, share=share) for value in (test.first, test.second))
    gap = test.difference
    bounds = f"差 {_signed(gap.value, share)}，95% 区间 {_signed(gap.low, share)} 到 {_signed(gap.high, share)}"
    words = f"{test.measure.label}：{compared.second} {second}，{compared.first} {first}，{bounds}，n = {gap.n}"
    match test.verdict:
        case "same":
            return f"{test.measure.label}：两次逐例完全相同（{first}，n = {gap.n}）。"
        case "second_better":
            return f"{words}；差别是真的，{compared.second}更好（校正后 {_p(test.corrected)}）。"
        case "first_better":
            return f"{words}；差别是真的，{compared.first}更好（校正后 {_p(test.corrected)}）。"
        case "differs":
            return f"{words}；差别是真的，但这一项无所谓好坏（校正后 {_p(test.corrected)}）。"
        case "unclear":
            return f"{words}；{_unclear(test, counted(compared))}"


def conclusion(compared: Comparison) -> str:
    """Say in one Chinese sentence whether the two runs really differ."""
    total = counted(compared)
    if not compared.tests:
        return "没有可以比较的指标。"
    if not total:
        return f"全部 {len(compared.tests)} 项逐例完全相同。"
    named = {
        f"{compared.second}更好": [test for test in compared.tests if test.verdict == "second_better"],
        f"{compared.first}更好": [test for test in compared.tests if test.verdict == "first_better"],
        "不同而无所谓好坏": [test for test in compared.tests if test.verdict == "differs"],
    }
    found = [
        f"{words}的有 {len(tests)} 项（{'、'.join(_named(tests, compared))}）"
        for words, tests in named.items()
        if tests
    ]
    equal = len(compared.tests) - total
    same = f"；另有 {equal} 项逐例完全相同" if equal else ""
    if not found:
        names = f"{compared.second} 与 {compared.first}"
        return f"一共比了 {total} 项，校正之后没有一项看得出真差别{same}：不能说 {names} 有高下。"
    rest = total - sum(len(tests) for tests in named.values())
    tail = f"，其余 {rest} 项看不出差别" if rest else ""
    return f"一共比了 {total} 项，校正之后差别是真的：{'；'.join(found)}{tail}{same}。"


def counted(compared: Comparison) -> int:
    """Return how many tests were corrected for: those where any item differs."""
    return sum(not test.equal for test in compared.tests)


def side_remarks(compared: Comparison) -> list[str]:
    """Return, as Chinese lines, what a reader must know beside the sentences: items left out, prompts that differ."""
    left = [
        f"{task}：有 {count} 例在其中一次没有做成或没有做，没有计入。"
        for task, count in compared.left_out.items()
        if count
    ]
    return [*left, *compared.remarks]


def to_markdown(compared: Comparison) -> str:
    """Return the comparison as a Markdown table, the conclusion first."""
    lines = [
        f"**{conclusion(compared)}**",
        "",
        "| " + " | ".join(heads(compared)) + " |",
        "|---" * len(heads(compared)) + "|",
    ]
    for test in compared.tests:
        lines.append("| " + " | ".join(cells(test)) + " |")
    lines += ["", *(f"- {sentence(test, compared)}" for test in compared.tests)]
    lines += [f"- {remark}" for remark in side_remarks(compared)]
    return "\n".join(lines)


def heads(compared: Comparison) -> list[str]:
    """Return the heads of the table of a comparison."""
    tested = ["差（95% 区间）", "n", "p（校正后）", "能看出的差别", "检验"]
    return ["任务", "指标", compared.first, compared.second, *tested]


def cells(test: Test) -> list[str]:
    """Return one row of the table of a comparison."""
    share, gap = test.measure.share, test.difference
    return [
        test.task,
        test.measure.label,
        shown(test.first, share=share),
        shown(test.second, share=share),
        f"{_signed(gap.value, share)}（{_signed(gap.low, share)} 到 {_signed(gap.high, share)}）",
        str(gap.n),
        _p(test.corrected).removeprefix("p = ").removeprefix("p "),
        _size(test.visible, share),
        "McNemar" if test.method == "mcnemar" else "配对自助法",
    ]


def _named(tests: Sequence[Test], compared: Comparison) -> list[str]:
    several = len({test.task for test in compared.tests}) > 1
    return [f"{test.task} {test.measure.label}" if several else test.measure.label for test in tests]


def _unclear(test: Test, total: int) -> str:
    visible = f"{test.difference.n} 例能看出 {_size(test.visible, test.measure.share)} 的差别，更小的看不出"
    if test.visible is None:
        visible = f"{test.difference.n} 例太少"
    if test.p < LEVEL:
        alone = f"单看这一项像有差别（{_p(test.p)}），可是一共比了 {total} 项，校正后 {_p(test.corrected)}，不能算数"
        return f"{alone}；{visible}。"
    if test.difference.low > 0 or test.difference.high < 0:
        return f"区间虽不含 0，不同的例太少，看不出真差别（校正后 {_p(test.corrected)}）；{visible}。"
    return f"看不出真差别（校正后 {_p(test.corrected)}）；{visible}。"


def _size(value: float | None, share: bool) -> str:
    return "—" if value is None else f"{value:.2f}" if share or value < 10 else f"{value:.0f}"


def _signed(value: float, share: bool) -> str:
    return f"{'−' if value < 0 else '+'}{shown(abs(value), share=share)}"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def better_words(better: Better) -> str:
    """Return how to read the direction of a measure."""
    return {"higher": "越高越好", "lower": "越低越好", "neither": "无所谓高低"}[better]


def verdict(test: Test, compared: Comparison) -> str:
    """Return the verdict of a test in a few words."""
    return {
        "second_better": f"{compared.second}更好",
        "first_better": f"{compared.first}更好",
        "differs": "不同",
        "same": "相同",
        "unclear": "看不出",
    }[test.verdict]
