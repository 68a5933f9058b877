"""`healgpt web`: the consultation page."""

from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    help="打开网页版问诊。默认只有本机能访问；用 --host 0.0.0.0 让同一网络里的人也能打开，各人的对话互不可见。",
    epilog="例子：healgpt web    healgpt web --model qwen2.5-coder-0.5b --port 8888    healgpt web --host 0.0.0.0",
)
def main(
    model: Annotated[
        str | None, typer.Option(help="模型：目录里的名字、.gguf 路径、hf:…、http(s)://…/v1#模型；默认看配置")
    ] = None,
    port: Annotated[int, typer.Option(help="端口")] = 8501,
    host: Annotated[str, typer.Option(help="监听的地址")] = "127.0.0.1",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="启动后打开浏览器")] = True,
) -> None:
    from healgpt.web.launch import serve

    raise typer.Exit(serve(model=model, host=host, port=port, browser=browser))
