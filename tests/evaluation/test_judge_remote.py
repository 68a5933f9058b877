"""A judge behind an OpenAI-compatible server: verdicts over a real socket, and a wrong key that fails no item."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from healgpt.errors import ModelUnavailable
from healgpt.evaluation.judges import modes
from healgpt.evaluation.judges.judge import open_judge
from healgpt.evaluation.judges.source import Dialogue, Dialogues
from healgpt.evaluation.run import Run, Subject

FOUR = "主动性：4\n准确性：5\n帮助性：4\n语言质量：5"
SOURCE = Dialogues(
    Subject("d.json", "某模型", "recorded"),
    "recorded",
    {},
    tuple(
        Dialogue(f"c{n}", ({"role": "user", "content": f"头痛{n}天"}, {"role": "assistant", "content": "多久了"}))
        for n in range(3)
    ),
)


class Served(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)
        if self.server.refuses:
            self.send_response(401)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            return
        prompt = asked["messages"][0]["content"]
        text = "这段对话我不便评价。" if "头痛1天" in prompt else f"<think>先看主动性：2</think>\n{FOUR}"
        base = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        chunks = [
            {**base, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}]},
            {**base, "choices": [], "usage": usage},
        ]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in [*map(json.dumps, chunks), "[DONE]"]:
            self.wfile.write(f"data: {chunk}\n\n".encode())

    def log_message(self, *arguments):
        """Keep the test output clean."""


@pytest.fixture
def server():
    served = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    served.asked, served.refuses = [], False
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join()


def test_a_served_judge_scores_fails_and_is_told_what_it_cost(tmp_path, monkeypatch, server):
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path / "home"))
    judge = open_judge(f"http://127.0.0.1:{server.server_address[1]}/v1#strict")
    run = Run(tmp_path / "run", SOURCE.subject)
    server.refuses = True
    with pytest.raises(ModelUnavailable, match="401"):
        modes.work(run, modes.criteria_task(SOURCE, judge), judge)
    server.refuses = False
    server.asked.clear()
    outcome = modes.work(run, modes.criteria_task(SOURCE, judge), judge, workers=3)
    judge.close()
    assert [item["scores"].get("mean") for item in outcome.items] == [4.5, None, 4.5]
    assert "不便评价" in outcome.items[1]["failure"]
    assert outcome.spent.completion_tokens == 60
    assert [asked["temperature"] for asked in server.asked] == [0] * 4
    assert outcome.task == "judge-criteria-strict"
