"""The command as a script sees it."""

import json
import subprocess
import sys

_RUN = [sys.executable, "-m", "healgpt.cli.main", "redact"]


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*_RUN, *arguments], input=given, capture_output=True, check=False, timeout=60)


def test_lines_come_out_in_order_with_offsets_and_without_the_original() -> None:
    lines = [
        {"text": "我叫王小明"},
        {"messages": [{"role": "user", "content": "我叫李娜"}, {"role": "assistant", "content": "李娜您好"}]},
        {"text": "头疼"},
    ]
    done = run("--json", given="\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode())
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert first == {
        "text": "我叫〔姓名1〕",
        "spans": [{"start": 2, "end": 5, "type": "NAME", "placeholder": "〔姓名1〕"}],
    }
    assert [message["content"] for message in second["messages"]] == ["我叫〔姓名1〕", "〔姓名1〕您好"]
    assert [(span["turn"], span["start"]) for span in second["spans"]] == [(0, 2), (1, 0)]
    assert third == {"text": "头疼", "spans": []}


def test_a_bad_line_is_named() -> None:
    done = run("--json", given='{"text":"头疼"}\n{"question":"头疼"}\n'.encode())
    assert done.returncode == 2
    assert "第 2 个对象" in done.stderr.decode()
    assert json.loads(done.stdout) == {"text": "头疼", "spans": []}


def test_one_text_as_an_argument() -> None:
    done = run("患者张某，手机13812345678")
    assert done.stdout.decode().strip() == "患者〔姓名1〕，手机〔手机号1〕"
