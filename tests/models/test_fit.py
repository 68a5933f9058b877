"""Planning from the shape alone: counts that match real networks, and cards that are really enough."""

import json
from pathlib import Path

import pytest

from healgpt.errors import ConfigError, ModelError
from healgpt.models.fit import Machine, find_shape, parse_bytes, plan

GIB = 1 << 30


def test_parameters_match_the_published_counts() -> None:
    # 13,264,901,120 is the count of Baichuan-13B; the catalogue's size is twice that.
    assert find_shape("baichuan-13b-chat").parameters == 13_264_901_120
    assert find_shape("Flmc/DISC-MedLLM").parameters == 13_264_901_120
    assert abs(find_shape("qwen2.5-coder-0.5b").parameters / 494_032_768 - 1) < 1e-3
    assert abs(find_shape("qwen2.5-7b").parameters / 7_615_616_512 - 1) < 1e-3


def test_baichuan_13b_on_known_machines() -> None:
    shape = find_shape("baichuan-13b-chat")
    one = {need.form: need for need in plan(shape, Machine(gpu=24 * GIB, gpus=1, ram=16 * GIB))}
    assert [one[form].fits for form in ("fp32", "fp16", "int8", "int4")] == [False, False, True, True]
    four = {need.form: need.place for need in plan(shape, Machine(gpu=24 * GIB, gpus=4, ram=64 * GIB))}
    assert four["fp16"].startswith("2 张卡")
    laptop = {need.form: need for need in plan(shape, Machine(ram=16 * GIB))}
    assert laptop["int4"].place == "内存（CPU）"
    assert not laptop["int8"].fits


def test_key_value_cache_counts_key_heads_and_conversations() -> None:
    grouped, full = find_shape("qwen2.5-7b"), find_shape("baichuan-7b")
    machine = Machine(ram=64 * GIB)
    # 2 x layers x key heads x head width x 2 bytes x tokens
    assert plan(grouped, machine, context=1000)[0].cache == 2 * 28 * 4 * 128 * 2 * 1000
    assert plan(full, machine, context=1000, batch=3)[0].cache == 3 * 2 * 32 * 4096 * 2 * 1000


def test_any_config_json_will_do(tmp_path: Path) -> None:
    config = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
    (tmp_path / "config.json").write_text(json.dumps(config | {"vocab_size": 100}), encoding="utf-8")
    assert find_shape(str(tmp_path)).layers == 2
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="vocab_size"):
        find_shape(str(tmp_path))


def test_mistakes_are_told() -> None:
    with pytest.raises(ConfigError, match="baichuan-7b"):
        find_shape("baichuan-7")
    with pytest.raises(ConfigError, match="4096"):
        plan(find_shape("baichuan-7b"), Machine(), context=5000)
    with pytest.raises(ConfigError, match="24GB"):
        parse_bytes("lots")


@pytest.mark.parametrize(
    ("text", "count"), [("24GB", 24 * GIB), ("0.5g", GIB // 2), ("512 MiB", 512 << 20), ("8", 8 * GIB)]
)
def test_sizes_as_people_write_them(text: str, count: int) -> None:
    assert parse_bytes(text) == count
