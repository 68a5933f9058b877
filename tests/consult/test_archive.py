import errno
import json
import os

import pytest

from healgpt.consult import export
from healgpt.consult.archive import Archive, reply_turn, user_turn
from healgpt.errors import DataError
from healgpt.schema import Alarm, Fact, Reply

FACT = Fact("感冒", "检查", "血常规", "CMeKG", 0.9)
ALARM = Alarm("stroke", "emergency", "疑似脑卒中", "请拨打 120", "120", "指南", ((0, 1, 3),))


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "conversations")


def spoken(archive):
    conversation = archive.create(model="qwen")
    archive.append(conversation.id, user_turn("感冒三天了，一直咳嗽，还有点发烧，怎么办才好呢"))
    archive.append(conversation.id, reply_turn(Reply("多久了？", "qwen", facts=(FACT,), alarm=ALARM)))
    return conversation.id


def test_what_was_said_comes_back_with_alarm_and_facts(archive):
    loaded = archive.load(spoken(archive))
    assert [turn.content for turn in loaded.turns][1] == "多久了？"
    assert loaded.turns[1].facts == (FACT,)
    assert loaded.turns[1].alarm == ALARM
    assert loaded.messages()[0]["role"] == "user"


def test_a_conversation_is_named_after_its_first_question_until_renamed(archive):
    number = spoken(archive)
    assert archive.load(number).title.startswith("感冒三天了")
    archive.rename(number, "  咳嗽\n咨询 ")
    assert archive.load(number).title == "咳嗽 咨询"


def test_a_retracted_turn_is_gone_from_view_but_not_from_the_file(archive):
    number = spoken(archive)
    archive.retract(number, 1)
    assert len(archive.load(number).turns) == 1
    assert "多久了" in archive.path(number).read_text(encoding="utf-8")


def test_the_list_is_newest_first_and_passes_over_foreign_files(archive):
    first, second = spoken(archive), spoken(archive)
    os.utime(archive.path(first), ns=(2**62, 2**62))
    (archive.folder / "notes.jsonl").write_text("x")
    assert [c.id for c in archive.list()] == [first, second]


def test_deleting_removes_the_file_and_says_so_when_there_is_none(archive):
    number = spoken(archive)
    archive.delete(number)
    assert archive.list() == []
    with pytest.raises(DataError, match="没有编号"):
        archive.delete(number)


def test_a_line_cut_short_by_a_crash_loses_nothing_else(archive):
    number = spoken(archive)
    with archive.path(number).open("a", encoding="utf-8") as stream:
        stream.write('{"type":"turn","role":"us')
    assert len(archive.load(number).turns) == 2
    archive.append(number, user_turn("还咳嗽"))
    assert [turn.content for turn in archive.load(number).turns][-1] == "还咳嗽"


def test_a_broken_line_is_named(archive):
    number = spoken(archive)
    path = archive.path(number)
    path.write_text(path.read_text(encoding="utf-8") + '{"type":"dance"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="第 4 行"):
        archive.load(number)


@pytest.mark.parametrize("number", ["../../etc/passwd", "", "20250101-000000-zzzzzz"])
def test_an_id_cannot_leave_the_folder(archive, number):
    with pytest.raises(DataError, match="不是对话编号"):
        archive.load(number)


def test_a_full_disk_loses_nothing_already_written(archive, monkeypatch):
    number = spoken(archive)
    before = archive.path(number).read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="已有内容未受影响"):
        archive.append(number, user_turn("再问一句"))
    assert archive.path(number).read_bytes() == before


def test_lone_surrogates_survive_the_disk(archive):
    number = archive.create().id
    archive.append(number, user_turn("头疼\ud800"))
    assert archive.load(number).turns[0].content == "头疼\ud800"


def test_exports_hold_every_turn_the_evidence_and_the_disclaimer(archive):
    loaded = archive.load(spoken(archive))
    page = export.to_markdown(loaded)
    assert "多久了？" in page
    assert "| 1 | 感冒 | 检查 | 血常规 | CMeKG | 0.90 |" in page
    assert "不能代替医生" in page
    assert json.loads(export.to_json(loaded))["turns"][1]["facts"][0]["subject"] == "感冒"
