"""Start the page's server: `streamlit run` on this package's page, with the flags that a user meant."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from healgpt.errors import ConfigError

PAGE = Path(__file__).with_name("app.py")


def serve(*, model: str | None, host: str, port: int, browser: bool) -> int:
    """Serve the page until Ctrl-C and return the server's exit code.

    A process of its own, because Streamlit wants the main thread and its own signal handlers. Raises
    `ConfigError` when Streamlit is not installed or the port is no port.
    """
    if find_spec("streamlit") is None:
        raise ConfigError("网页版需要 streamlit，这里没有安装。请运行 pip install 'healgpt[web]'。")
    if not 1 <= port <= 65535:
        raise ConfigError(f"端口 {port} 不对，应在 1 到 65535 之间。")
    environment = dict(os.environ)
    if model:
        environment["HEALGPT_MODEL"] = model
    with subprocess.Popen(command(host=host, port=port, browser=browser), env=environment) as server:
        try:
            return server.wait()
        except KeyboardInterrupt:
            # the terminal sent Ctrl-C to the server too; it closes its pages and ends by itself
            return server.wait()


def command(*, host: str, port: int, browser: bool) -> list[str]:
    """Return the command line of the server."""
    flags = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": str(not browser).lower(),
    }
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(PAGE),
        *(f"--{name}={value}" for name, value in flags.items()),
    ]
