"""Scripts answer by pattern or in order, in pieces, and say clearly when they are wrong or used up."""

import json
from pathlib import Path

import pytest

from healgpt.backends import load
from healgpt.errors import DataError, ModelRefused, ModelUnavailable
from healgpt.schema import ChatModel, Message, Sampling


def _script(folder: Path, *lines: dict[str, object]) -> str:
    path = folder / "script.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return f"scripted:{path}"


def _ask(text: str) -> list[Message]:
    return [{"role": "system", "content": "头痛"}, {"role": "user", "content": text}]


def test_a_pattern_on_the_last_question_wins_and_the_rest_come_in_order(tmp_path: Path) -> None:
    model = load(_script(tmp_path, {"reply": "一"}, {"match": "头痛", "reply": "多久了？"}, {"reply": "二"}))
    assert isinstance(model, ChatModel)
    answers = [model.complete(_ask(text), Sampling()).text for text in ("你好", "我头痛", "还有", "头痛")]
    assert answers == ["一", "多久了？", "二", "多久了？"]


def test_it_streams_in_pieces_that_add_up_to_the_reply(tmp_path: Path) -> None:
    model = load(_script(tmp_path, {"reply": "请先测量体温，再告诉我结果。"}))
    *pieces, last = model.stream(_ask("发烧"), Sampling())
    assert len(pieces) > 1
    assert last.reply is not None
    assert "".join(piece.text for piece in pieces) == last.reply.text == "请先测量体温，再告诉我结果。"
    assert last.reply.finish_reason == "stop"


def test_a_long_reply_is_cut_at_max_tokens(tmp_path: Path) -> None:
    reply = load(_script(tmp_path, {"reply": "一二三四五六"})).complete(_ask("问"), Sampling(max_tokens=4))
    assert (reply.text, reply.finish_reason) == ("一二三四", "length")


def test_a_used_up_script_refuses_and_a_written_error_is_raised(tmp_path: Path) -> None:
    model = load(_script(tmp_path, {"match": "断网", "reply": "我", "error": "服务器没有响应。"}))
    with pytest.raises(ModelUnavailable, match="没有响应"):
        model.complete(_ask("断网"), Sampling())
    with pytest.raises(ModelRefused, match="没有能回答"):
        model.complete(_ask("别的"), Sampling())


@pytest.mark.parametrize("line", [{"reply": 3}, {"match": "(", "reply": "好"}, {"answer": "好"}, {"match": "好"}])
def test_a_wrong_line_is_named(tmp_path: Path, line: dict[str, object]) -> None:
    with pytest.raises(DataError, match="第 2 条"):
        load(_script(tmp_path, {"reply": "好"}, line))
