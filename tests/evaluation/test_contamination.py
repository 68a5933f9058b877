"""Contamination: copies are found wherever they hide, with their place; clean tests stay clean; memory stays flat."""

import json
import random
import tracemalloc

import pytest
from typer.testing import CliRunner

from healgpt import jsonl
from healgpt.cli.evaluate import app
from healgpt.errors import ConfigError, DataError
from healgpt.evaluation.contamination import Rule, as_lines, cleaned, search
from healgpt.evaluation.contamination_files import TestItem, TrainingRecord, normalise, read_test, stream_training
from healgpt.evaluation.contamination_index import NearIndex, jaccard, shingles
from healgpt.evaluation.run import Measure, Plan, Run, Subject

STEM = "患者，女，38岁，突发右上腹绞痛两小时，伴恶心呕吐，最可能的诊断是"
OTHER = "下列药物中，治疗轻中度高血压合并良性前列腺增生时宜首选的是"


def item(number, *texts):
    return TestItem(str(number), tuple(map(normalise, texts)), texts[0])


def record(*texts, place="a.jsonl 第 1 条"):
    return TrainingRecord(place, tuple((f"t[{n}]", normalise(text)) for n, text in enumerate(texts)))


def flagged(items, *records, **rule):
    return sorted(search(items, records, Rule(**rule)).flagged)


def test_a_copy_is_found_with_its_place_whatever_its_width_and_punctuation():
    hidden = "请回答:患者 女 ３８岁 突发右上腹绞痛两小时;伴恶心、呕吐。最可能的诊断是？A 胆囊炎 B 肾结石"
    found = search([item(1, STEM), item(2, OTHER)], [record("你好", hidden)], Rule())
    assert found.flagged == {"1"}
    copied = found.overlaps[0].copied
    assert (copied.value, copied.place) == (1.0, "a.jsonl 第 1 条 t[1]")
    assert "突发右上腹绞痛" in copied.excerpt
    assert found.overlaps[1].copied is None


def test_a_copy_spread_over_the_turns_of_one_record_counts_together_but_not_over_two_records():
    first, second = STEM[:19], STEM[19:]
    assert flagged([item(1, STEM)], record(first, second), n=8) == ["1"]
    assert flagged([item(1, STEM)], record(first), record(second), n=8) == []


def test_stock_phrases_are_listed_but_do_not_condemn_an_item():
    training = record("治疗轻中度高血压合并良性前列腺增生时要注意血压的变化和排尿的情况")
    found = search([item(1, OTHER)], [training], Rule(share=0.9))
    assert found.flagged == frozenset()
    line = as_lines(found)[0]
    assert 0 < line["copied"]["value"] < 0.9
    assert line["similar"] is None


def test_light_rewording_is_found_by_similarity_with_its_exact_value():
    changed = STEM.replace("两小时", "三小时").replace("38岁", "38周岁")
    found = search([item(1, STEM), item(2, OTHER)], [record(changed)], Rule(share=1.0))
    assert found.flagged == {"1"}
    exact = jaccard(shingles(normalise(STEM)), shingles(normalise(changed)))
    assert found.overlaps[0].similar.value == exact
    assert 0.6 <= exact < 1


def test_short_items_need_all_their_parts_in_one_record():
    short = item(1, "治疗疟疾首选药物", "青蒿素", "奎宁")
    assert flagged([short], record("治疗疟疾首选药物有哪些", "A 青蒿素 B 奎宁")) == ["1"]
    assert flagged([short], record("治疗疟疾首选药物有哪些"), record("青蒿素、奎宁")) == []
    tiny = item(2, "感冒怎么办")
    assert flagged([tiny], record("医生，感冒怎么办呢")) == []
    assert flagged([tiny], record("感冒怎么办？")) == ["2"]
    assert search([tiny, short], [], Rule()).short == 2


def test_the_near_duplicate_search_misses_few_of_the_exact_answers():
    draw = random.Random(5)
    signs = [chr(code) for code in range(0x4E00, 0x4E00 + 600)]
    texts = ["".join(draw.choices(signs, k=draw.randint(30, 120))) for _ in range(200)]
    items = [item(n, text) for n, text in enumerate(texts)]
    edited = []
    for text in texts:
        for share in (0.02, 0.05, 0.08):
            edited.append("".join(draw.choice(signs) if draw.random() < share else sign for sign in text))
    for bound, recall in ((0.6, 0.97), (0.7, 0.99)):
        index = NearIndex(items, bound)
        sets = [shingles(text) for text in texts]
        exact = {
            (n, place)
            for place, text in enumerate(edited)
            for n, held in enumerate(sets)
            if jaccard(held, shingles(text)) >= bound
        }
        got = {(n, place) for place, text in enumerate(edited) for n, _ in index.like(text)}
        assert got <= exact
        assert len(exact) > 200
        assert len(got) / len(exact) >= recall


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.jsonl", {"conversation": [{"role": "user", "content": STEM}]}, "第 2 条 conversation[0].content"),
        ("a.jsonl", {"conversations": [{"from": "human", "value": STEM}]}, "第 2 条 conversations[0].value"),
        ("a.json", {"instruction": "答题", "input": STEM, "output": "A"}, "第 2 条 input"),
        ("a.json", {"data": [f"问：{STEM}", "答：A"]}, "第 2 条 data[0]"),
        ("a.txt", STEM, "第 2 条"),
    ],
)
def test_every_shape_of_training_file_is_searched(tmp_path, name, text, place):
    path, first = tmp_path / name, {"text": "别的内容"}
    if name.endswith("txt"):
        path.write_text(f"别的内容\n\n{text}\n")
    elif name.endswith("json"):
        path.write_text(json.dumps([first, text], ensure_ascii=False, indent=2))
    else:
        jsonl.write(path, [first, text])
    found = search([item(1, STEM)], stream_training(path), Rule())
    assert found.overlaps[0].copied.place == f"{name} {place}"
    assert found.seen.records == 2


def test_a_json_list_is_cut_rightly_wherever_a_block_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("healgpt.evaluation.contamination_files._BLOCK_CHARS", 7)
    rows = [{"text": "甲" * n, "more": ["]", "[", '"', n]} for n in range(30)]
    (tmp_path / "a.json").write_text("  " + json.dumps(rows, ensure_ascii=False))
    texts = [dict(one.texts).get("text", "") for one in stream_training(tmp_path / "a.json")]
    assert texts == ["甲" * n for n in range(30)]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.json", '[{"a": "b"}, {"a": ]', "第 2 条"),
        ("a.json", '[{"a": "b"}', "第 2 条"),
        ("a.jsonl", '{"a": "b"}\n{"a"', "第 2 行"),
    ],
)
def test_a_broken_training_file_is_told_with_its_place(tmp_path, name, text, reason):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=reason):
        list(stream_training(tmp_path / name))


def test_other_encodings_and_missing_files_are_told(tmp_path):
    (tmp_path / "a.jsonl").write_bytes("高血压病".encode("gb18030"))
    with pytest.raises(DataError, match="UTF-8"):
        list(stream_training(tmp_path / "a.jsonl"))
    with pytest.raises(DataError, match="读不了"):
        list(stream_training(tmp_path / "b.jsonl"))


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_memory_does_not_grow_with_the_training_file(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr("healgpt.evaluation.contamination_files._BLOCK_CHARS", 4096)

    def write(path, count):
        rows = ({"text": f"第{n}条记录的内容与测试无关，只是用来占地方。" * 8} for n in range(count))
        if suffix == "jsonl":
            jsonl.write(path, rows)
        else:
            path.write_text("[" + ",".join(json.dumps(row, ensure_ascii=False) for row in rows) + "]")

    def peak(count):
        path = tmp_path / f"{count}.{suffix}"
        write(path, count)
        tracemalloc.start()
        search([item(1, STEM)], stream_training(path), Rule())
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(10)
    assert peak(4_000) < peak(400) * 3


def test_test_files_tell_their_items_by_field_and_by_format(tmp_path):
    path = tmp_path / "t.jsonl"
    jsonl.write(path, [{"id": 7, "question": STEM, "options": {"A": "胆囊炎"}, "explanation": OTHER}])
    assert read_test(path)[0].parts == (normalise(STEM), "胆囊炎")
    assert read_test(path, fields=["explanation"])[0].parts == (normalise(OTHER),)
    assert read_test(path)[0].item_id == "7"
    with pytest.raises(DataError, match="没有字段 stem"):
        read_test(path, fields=["stem"])
    with pytest.raises(ConfigError, match="不认识格式"):
        read_test(path, form="mystery")
    jsonl.write(path, [{"id": 1, "question": STEM}, {"id": 1, "question": OTHER}])
    with pytest.raises(DataError, match="不止一次"):
        read_test(path)
    jsonl.write(path, [{"id": 1, "question": "？？"}])
    with pytest.raises(DataError, match="没有可查的文字"):
        read_test(path)


def exam_run(tmp_path):
    questions = [
        {"id": n, "question": text, "options": ["甲药", "乙药"], "answer": "A", "explanation": ""}
        for n, text in enumerate((STEM, OTHER, OTHER.replace("高血压", "糖尿病") + "哪一种药物呢请选择"))
    ]
    (tmp_path / "exam.json").write_text(json.dumps(questions, ensure_ascii=False))
    plan = Plan("choice-x", "choice", {"right": Measure("正确率")})
    Run(tmp_path / "run", Subject("m", "m", "bare")).work(
        plan, ["0", "1", "2"], lambda one: {"scores": {"right": int(one == "0")}, "groups": {}}
    )
    jsonl.write(tmp_path / "train.jsonl", [{"messages": [{"role": "user", "content": f"{STEM}？ A.甲药 B.乙药"}]}])
    return tmp_path / "exam.json", tmp_path / "train.jsonl", tmp_path / "run"


def test_the_score_is_told_with_and_without_the_contaminated_items(tmp_path):
    exam, train, run = exam_run(tmp_path)
    items = read_test(exam, form="explaincpe")
    found = search(items, stream_training(train), Rule())
    assert found.flagged == {"0"}
    row = cleaned(run, found)[0]
    assert [one.interval.value for one in (row.all_items, row.clean, row.flagged)] == [pytest.approx(1 / 3), 0, 1]
    assert [one.interval.n for one in (row.all_items, row.clean, row.flagged)] == [3, 2, 1]
    nothing = search([item("z", STEM)], [], Rule())
    with pytest.raises(DataError, match="对不上"):
        cleaned(run, nothing)
    some = search([item("0", STEM)], [], Rule())
    with pytest.raises(DataError, match="2 题不在测试文件里"):
        cleaned(run, some)


def test_the_command_lists_items_and_scores(tmp_path):
    exam, train, run = exam_run(tmp_path)
    arguments = ["contamination", str(exam), str(train), "--format", "explaincpe", "--run", str(run)]
    shown = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "o.jsonl")])
    assert shown.exit_code == 0
    assert "污染 1 题（33.3%）" in shown.output
    assert "train.jsonl 第 1 条 messages[0].content" in shown.output
    assert "| choice-x | 正确率 | 0.333" in shown.output
    assert next(jsonl.read(tmp_path / "o.jsonl"))["id"] == "0"
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)
    assert (told["flagged"], told["scores"][0]["clean"]["n"]) == (1, 2)


def test_rules_that_cannot_be_kept_are_refused():
    for rule in ({"n": 2}, {"share": 0}, {"jaccard": 0.2}):
        with pytest.raises(ConfigError):
            Rule(**rule)
