"""Any server that speaks OpenAI's chat completions: vLLM, llama-server, Ollama, a cloud."""

import math
import os
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urlsplit

from healgpt.errors import ConfigError, ModelError, ModelRefused, ModelUnavailable
from healgpt.schema import Delta, FinishReason, Message, Reply, Sampling, Timings, Usage

if TYPE_CHECKING:
    from openai import OpenAI

RETRIES = 4
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 120.0


class RemoteModel:
    """A `ChatModel` over HTTP. Any number of threads may call it.

    `window` is what the caller says, since the protocol has no way to ask. `Timings` are measured here: the time to
    the first piece of text, and the rest.
    """

    def __init__(self, client: "OpenAI", *, model: str, window: int) -> None:
        self.name = model
        self.window = window
        self._client = client

    def count_tokens(self, text: str) -> int:
        """Estimate the tokens of `text`, high rather than low: the server's tokenizer is not known here."""
        return math.ceil(sum(map(_weight, text)))

    def complete(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """Return the finished answer. Raises as `stream` does."""
        with closing(self.stream(messages, sampling)) as deltas:
            for delta in deltas:
                if delta.reply is not None:
                    return delta.reply
        raise ModelUnavailable(f"{self.name} 没有说完就停了。请重试。")  # `stream` ends with a reply or raises

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Delta, None, None]:
        """Yield the answer as it arrives, then the reply. Closing the generator drops the connection.

        `top_k` and `repeat_penalty` are not in the protocol and not sent. Refused connections, 408, 409, 429 and
        5xx are tried `RETRIES` times more, after the time the server's Retry-After asks for. Raises
        `ModelUnavailable` where that did not help or the answer broke off, `ModelRefused` for any other status.
        """
        import httpx2
        import openai

        start = time.perf_counter()
        try:
            yield from self._read(self._request(messages, sampling), start)
        except openai.APIStatusError as error:
            raise _status_error(error, self.name) from error
        except openai.APITimeoutError as error:
            raise ModelUnavailable(f"{self._place()} 超时没有回答。请稍后再试。") from error
        except openai.APIConnectionError as error:
            raise ModelUnavailable(f"连不上 {self._place()}。请检查地址和网络，确认服务已经启动。") from error
        except (openai.APIError, httpx2.HTTPError) as error:
            raise ModelUnavailable(f"{self._place()} 中断了回答：{error}。请重试。") from error
        except ValueError as error:  # what answers is no such server: a web page, broken JSON
            raise ModelRefused(f"{self._place()} 的回答不是 OpenAI 兼容格式。请检查地址，通常以 /v1 结尾。") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(self, messages: Sequence[Message], sampling: Sampling) -> Any:
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [{**message, "content": _readable(message["content"])} for message in messages],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        return self._client.chat.completions.create(**body)

    def _read(self, chunks: Any, start: float) -> Generator[Delta, None, None]:
        pieces: list[str] = []
        ended, usage, first = "", Usage(), 0.0
        with closing(chunks):
            for chunk in chunks:
                if chunk.usage is not None:
                    usage = _usage(chunk.usage)
                for choice in chunk.choices[:1]:
                    ended = choice.finish_reason or ended
                    if choice.delta.content:
                        first = first or time.perf_counter()
                        pieces.append(choice.delta.content)
                        yield Delta(text=choice.delta.content)
        if not ended:
            raise ModelUnavailable(f"{self._place()} 没有说完就断开了。请重试。")
        if ended == "content_filter":
            raise ModelRefused(f"{self._place()} 的内容审查拦下了这次回答。请换一种问法。")
        end = time.perf_counter()
        reason: FinishReason = "length" if ended == "length" else "stop"
        timings = Timings(prefill_s=(first or end) - start, decode_s=end - (first or end))
        yield Delta(reply=Reply("".join(pieces), self.name, reason, usage, timings))

    def _place(self) -> str:
        return f"服务器 {self._client.base_url}"


def open_remote(spec: str, *, window: int) -> RemoteModel:
    """Return the model that `http(s)://host/v1#model` names; nothing is sent yet.

    The key comes from HEALGPT_API_KEY, else OPENAI_API_KEY; without one an empty key is sent, which local servers
    accept. Raises `ConfigError` for a URL without host or model.
    """
    import httpx2
    from openai import OpenAI

    url, model = urldefrag(spec)
    if not urlsplit(url).hostname or not model:
        raise ConfigError(f"{spec} 不完整。请写成 http://主机:端口/v1#模型名。")
    key = os.environ.get("HEALGPT_API_KEY") or os.environ.get("OPENAI_API_KEY") or "none"
    timeout = httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    client = OpenAI(base_url=url, api_key=key, max_retries=RETRIES, timeout=timeout)
    return RemoteModel(client, model=model, window=window)


def _status_error(error: Any, model: str) -> ModelError:
    status, place = error.status_code, error.request.url.host
    match status:
        case 401 | 403:
            return ModelRefused(f"{place} 不接受密钥（{status}）。请检查环境变量 HEALGPT_API_KEY 或 OPENAI_API_KEY。")
        case 404:
            return ModelRefused(f"{place} 上没有模型 {model}，或地址不对（404）。请检查 # 后的模型名和 /v1。")
        case 429:
            return ModelUnavailable(f"{place} 说请求太多或额度用完（429）。请稍后再试。")
        case 408 | 409:
            return ModelUnavailable(f"{place} 暂时没能回答（{status}）。请稍后再试。")
        case _ if status >= 500:
            return ModelUnavailable(f"{place} 内部出错（{status}）。请稍后再试。")
        case _:
            return ModelRefused(f"{place} 拒绝了请求（{status}）：{_detail(error.body)}")


def _detail(body: object) -> str:
    message = body.get("message") if isinstance(body, Mapping) else None
    return str(message or body or "没有说明原因")[:300]


def _usage(told: Any) -> Usage:
    details = getattr(told, "prompt_tokens_details", None)
    return Usage(
        prompt_tokens=told.prompt_tokens or 0,
        cached_tokens=getattr(details, "cached_tokens", None) or 0,
        completion_tokens=told.completion_tokens or 0,
    )


def _readable(text: str) -> str:
    """Return `text` with lone surrogates as U+FFFD, since UTF-8 cannot carry them."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _weight(sign: str) -> float:
    """Return the most tokens that common tokenizers spend on one character, with byte fallback for rare ones."""
    if sign.isascii():
        return 0.5 if sign.isalpha() or sign == " " else 1.0
    if "一" <= sign <= "鿿" or "　" <= sign <= "〿" or "！" <= sign <= "～":
        return 1.2
    return float(len(sign.encode("utf-8", "replace")))
