"""An OpenAI-compatible server over a real socket: streams, retries, and errors that say what to do."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from healgpt.backends import EngineOptions, load
from healgpt.errors import ConfigError, ModelRefused, ModelUnavailable
from healgpt.schema import ChatModel, Message, Sampling

ASK: list[Message] = [{"role": "user", "content": "我头痛\ud800"}]
Answer = Callable[["Served"], None]


class Served(BaseHTTPRequestHandler):
    """Answers with the next function of `server.answers`, the last one again and again."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server: Any = self.server
        server.asked.append((self.headers["Authorization"], asked))
        answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        answer(self)

    def log_message(self, *arguments: object) -> None:
        """Keep the test output clean."""

    def fail(self, status: int, **headers: str) -> None:
        body = json.dumps({"error": {"message": f"reason {status}"}}).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def say(self, *events: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for event in events:
            self.wfile.write(f"data: {event}\n\n".encode())
            self.wfile.flush()


def _chunk(text: str | None, reason: str | None = None) -> str:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return json.dumps({"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]})


def _usage() -> str:
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    empty = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": []}
    return json.dumps({**empty, "usage": usage})


def _good(served: Served) -> None:
    served.say(_chunk("多久"), _chunk("了？"), _chunk(None, "stop"), _usage(), "[DONE]")


@pytest.fixture
def server() -> Iterator[Any]:
    served: Any = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    served.asked = []
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join()


def _open(server: Any, *answers: Answer) -> ChatModel:
    server.answers = list(answers)
    return load(f"http://127.0.0.1:{server.server_address[1]}/v1#heal", EngineOptions(context=8192))


def test_it_streams_and_counts(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "general")
    monkeypatch.setenv("HEALGPT_API_KEY", "own")
    model = _open(server, _good)
    *pieces, last = model.stream(ASK, Sampling(max_tokens=7, seed=5, stop=("。",)))
    assert [piece.text for piece in pieces] == ["多久", "了？"]
    assert last.reply is not None
    assert (last.reply.text, last.reply.model, last.reply.finish_reason) == ("多久了？", "heal", "stop")
    assert (last.reply.usage.prompt_tokens, last.reply.usage.completion_tokens) == (9, 3)
    key, asked = server.asked[0]
    assert key == "Bearer own"
    assert (asked["model"], asked["max_tokens"], asked["seed"], asked["stop"]) == ("heal", 7, 5, ["。"])
    assert asked["messages"] == [{"role": "user", "content": "我头痛\ufffd"}]
    assert model.window == 8192


@pytest.mark.parametrize("status", [429, 503])
def test_it_tries_again_when_the_server_says_so(server: Any, status: int) -> None:
    model = _open(server, lambda served: served.fail(status, Retry_After="0.01"), _good)
    assert model.complete(ASK, Sampling()).text == "多久了？"
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, ModelRefused, "HEALGPT_API_KEY"),
        (404, ModelRefused, "没有模型 heal"),
        (400, ModelRefused, "reason 400"),
        (429, ModelUnavailable, "429"),
        (500, ModelUnavailable, "500"),
    ],
)
def test_each_status_has_its_sentence(server: Any, status: int, kind: type[Exception], message: str) -> None:
    model = _open(server, lambda served: served.fail(status, Retry_After="0.01"))
    with pytest.raises(kind, match=message):
        model.complete(ASK, Sampling())
    assert len(server.asked) == (5 if kind is ModelUnavailable else 1)


def test_nobody_listening_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    with pytest.raises(ModelUnavailable, match="连不上"):
        load("http://127.0.0.1:9/v1#heal").complete(ASK, Sampling())


def test_an_answer_that_breaks_off_is_no_answer(server: Any) -> None:
    model = _open(server, lambda served: served.say(_chunk("多久")))
    with pytest.raises(ModelUnavailable, match="没有说完"):
        model.complete(ASK, Sampling())


def test_a_server_of_another_kind_is_refused(server: Any) -> None:
    model = _open(server, lambda served: served.say("<html>"))
    with pytest.raises(ModelRefused, match="/v1"):
        model.complete(ASK, Sampling())


def test_closing_the_stream_drops_the_connection(server: Any) -> None:
    dropped = threading.Event()

    def endless(served: Served) -> None:
        try:
            served.say(*[_chunk("很长")] * 200_000)
        except OSError:
            dropped.set()

    with closing(_open(server, endless).stream(ASK, Sampling())) as deltas:  # type: ignore[type-var]
        assert next(deltas).text == "很长"
    assert dropped.wait(timeout=30)


def test_tokens_are_never_estimated_far_too_low() -> None:
    model = load("http://127.0.0.1:9/v1#heal")
    assert model.count_tokens("头痛三天，怎么办？") >= 9
    assert model.count_tokens("I have had a headache for three days") >= 9
    assert model.count_tokens("😷😷") >= 6


@pytest.mark.parametrize("spec", ["http://127.0.0.1:9/v1", "https:///v1#heal"])
def test_an_incomplete_address_is_explained(spec: str) -> None:
    with pytest.raises(ConfigError, match="#模型名"):
        load(spec)
