"""`healgpt eval report`: one or several runs as one HTML file and its Markdown twin."""

from pathlib import Path
from typing import Annotated

import typer

EPILOG = """例子：

    healgpt eval report runs/1.5b --out 报告.html

    healgpt eval report runs/0.5b-bare runs/0.5b-doctor runs/1.5b-doctor --out 比较.html      后面的都与第一个比
"""


def command(
    runs: Annotated[list[Path], typer.Argument(help="评测文件夹，可写几个；后面的都与第一个逐例比较", metavar="RUN…")],
    out: Annotated[Path, typer.Option("--out", help="要写的 HTML 文件；旁边再写一份同名的 .md")] = Path("report.html"),
    font: Annotated[
        Path | None, typer.Option("--font", help="嵌入这个字体文件；不写就找本机的思源或 Noto 黑体")
    ] = None,
    embed: Annotated[bool, typer.Option("--embed/--no-font", help="是否嵌入中文字体")] = True,
) -> None:
    """把评测结果写成一个自带一切的 HTML 文件：表格、区间图、雷达图、最差的对话、清单、逐例比较。"""
    from healgpt.evaluation.report.document import write

    written = write(runs, out, font_path=font, embed=embed)
    print(f"已写好：{written.page}（{written.page.stat().st_size / 1e6:.1f} MB）和 {written.markdown}")
    if embed and written.font is None:
        print("没有找到可以嵌入的中文字体，报告用读者自己的字体显示。Debian/Ubuntu 可以安装 fonts-noto-cjk。")
