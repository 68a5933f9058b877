"""Files of Hugging Face and ModelScope over HTTP, resumed with Range requests."""

import os
import time
from urllib.parse import quote

import httpx

from healgpt.errors import ModelUnavailable
from healgpt.models.catalog import HubFile
from healgpt.models.partial import Partial
from healgpt.models.progress import Meter

_TRIES = 3
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class _Interrupted(Exception):
    """The transfer broke off; what came is kept."""


def huggingface_url(item: HubFile) -> str:
    """Return the download address, at `HF_ENDPOINT` (a mirror) where that is set."""
    return f"{_endpoint('HF_ENDPOINT', 'huggingface.co')}/{_inside(item)}"


def modelscope_url(item: HubFile) -> str:
    """Return the download address, at `MODELSCOPE_DOMAIN` where that is set."""
    return f"{_endpoint('MODELSCOPE_DOMAIN', 'www.modelscope.cn')}/models/{_inside(item)}"


def _endpoint(variable: str, default: str) -> str:
    place = (os.environ.get(variable) or default).rstrip("/")
    return place if "://" in place else f"https://{place}"


def _inside(item: HubFile) -> str:
    return f"{item.repo}/resolve/{quote(item.revision, safe='')}/{quote(item.file)}"


def fetch(url: str, partial: Partial, meter: Meter) -> None:
    """Complete `partial` from `url`, going on where it ends.

    A broken transfer is tried again as long as each try brings bytes, and three times without any. Raises
    `ModelUnavailable` with the reason; the bytes that came stay in `partial`.
    """
    failures = 0
    with _client() as client:
        while partial.done < partial.size:
            before = partial.done
            try:
                _transfer(client, url, partial, meter)
            except (_Interrupted, httpx.RequestError) as error:
                failures = failures + 1 if partial.done <= before else 1
                if failures >= _TRIES:
                    raise ModelUnavailable(f"连不上 {httpx.URL(url).host}（{_reason(error)}）") from error
                time.sleep(failures)
            except httpx.InvalidURL as error:
                raise ModelUnavailable(f"下载地址 {url} 不合法（{error}）") from error


def _client() -> httpx.Client:
    try:
        return httpx.Client(follow_redirects=True, timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"})
    except ImportError as error:
        raise ModelUnavailable(
            "系统设了 SOCKS 代理，还差一个包：请运行 pip install socksio，或改用 HTTP 代理"
        ) from error
    except ValueError as error:
        raise ModelUnavailable(f"代理设置不合法（{error}），请检查 HTTPS_PROXY、ALL_PROXY") from error


def _transfer(client: httpx.Client, url: str, partial: Partial, meter: Meter) -> None:
    headers = {"Range": f"bytes={partial.done}-"} if partial.done else {}
    with client.stream("GET", url, headers=headers) as response:
        _accept(response, partial)
        for block in response.iter_raw():
            try:
                partial.write(block)
            except ValueError as error:
                raise ModelUnavailable(f"{url} 给出的内容比应有的 {partial.size:,} 字节多") from error
            meter.at(partial.done)
    if partial.done < partial.size:
        raise _Interrupted("连接提前关闭")


def _accept(response: httpx.Response, partial: Partial) -> None:
    """Check status and length before any byte is kept."""
    status = response.status_code
    if status == 416:
        partial.keep(0)
        raise _Interrupted("服务器不接受续传位置")
    if status == 429 or status >= 500:
        raise _Interrupted(f"HTTP {status}")
    if status not in (200, 206):
        raise ModelUnavailable(f"{response.url} 返回 HTTP {status}")
    if status == 206:
        _, _, total = response.headers.get("Content-Range", "").partition("/")
        if not response.headers.get("Content-Range", "").startswith(f"bytes {partial.done}-"):
            partial.keep(0)
            raise _Interrupted("服务器没有从断点续传")
    else:
        partial.keep(0)
        total = response.headers.get("Content-Length", "")
    if total.isdigit() and int(total) != partial.size:
        raise ModelUnavailable(f"{response.url} 的大小是 {int(total):,} 字节，目录里记的是 {partial.size:,} 字节")


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "超时"
    return str(error) or type(error).__name__
