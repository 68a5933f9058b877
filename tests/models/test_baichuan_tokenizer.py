"""The fast tokenizer against `sentencepiece` itself: same ids, same text back."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from baichuan_samples import SENTENCES, write_sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("transformers")
import sentencepiece

from healgpt.models.baichuan.sentencepiece_baichuan import merges, read_model
from healgpt.models.baichuan.tokenization_baichuan import BaichuanTokenizer

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "toyhom_internal_medicine.gb18030.csv"
ODD = [
    "",
    " ",
    " 前面有空格",
    "后面有空格 ",
    "两个  空格 三个   空格",
    "制表\t换行\r\n结束",
    "2024年10月，血压118/76，第12345号",
    "哈哈哈哈哈哈哈，aaaaaaaaaaa",
    "🩺🫀𠮷éé",
    "\u200b零宽\ufeff",
    "<reserved_102>你好<reserved_103>",
    "<0x0A>",
    "x<reserved_0",
]
Pair = tuple[sentencepiece.SentencePieceProcessor, BaichuanTokenizer]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Pair]:
    """By whether SentencePiece puts a space in front: the original and the port."""
    made = {}
    for prefix in (False, True):
        path = tmp_path_factory.mktemp("spm") / "tokenizer.model"
        write_sentencepiece(path, add_dummy_prefix=prefix)
        made[prefix] = (sentencepiece.SentencePieceProcessor(str(path)), BaichuanTokenizer(str(path)))
    return made


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("text", [*SENTENCES, *ODD])
def test_ids_and_text_are_sentencepieces(pairs: dict[bool, Pair], prefix: bool, text: str) -> None:
    original, port = pairs[prefix]
    ids = port.encode(text)
    assert ids == original.encode(text)
    assert port.decode(ids) == original.decode(ids) == text


@settings(max_examples=150, deadline=None)
@given(
    st.text(
        st.one_of(st.sampled_from(" 患者血压咳嗽12aAé。🩺\n"), st.characters(exclude_categories=["Cs"])), max_size=40
    )
)
def test_any_text_comes_out_as_sentencepiece_has_it(pairs: dict[bool, Pair], text: str) -> None:
    for original, port in pairs.values():
        ids = port.encode(text, split_special_tokens=True)
        assert ids == original.encode(text)
        assert port.decode(ids) == original.decode(ids)


def test_rare_characters_become_bytes_and_digits_stand_alone(pairs: dict[bool, Pair]) -> None:
    port = pairs[False][1]
    assert port.tokenize("🩺") == ["<0xF0>", "<0x9F>", "<0xA9>", "<0xBA>"]
    assert port.tokenize("120") == ["1", "2", "0"]


def test_no_bos_unless_asked_and_batches_pad_on_the_left(pairs: dict[bool, Pair]) -> None:
    port = pairs[False][1]
    batch = port(["头痛", "反复头痛、恶心"], padding=True)
    assert batch["input_ids"][0][0] == port.pad_token_id == 0
    assert batch["attention_mask"][0][0] == 0
    assert port.bos_token_id not in batch["input_ids"][1]


def test_saved_tokenizer_reads_back_the_same(pairs: dict[bool, Pair], tmp_path: Path) -> None:
    for prefix, (_, port) in pairs.items():
        folder = tmp_path / str(prefix)
        port.save_pretrained(folder)
        assert (folder / "tokenizer.model").is_file()
        again = BaichuanTokenizer.from_pretrained(folder)
        (folder / "tokenizer.model").unlink()
        from_json = BaichuanTokenizer.from_pretrained(folder)
        for text in [*SENTENCES, *ODD]:
            assert again.encode(text) == from_json.encode(text) == port.encode(text)


def test_template_renders_the_published_layout(pairs: dict[bool, Pair]) -> None:
    port = pairs[False][1]
    turns = [
        {"role": "user", "content": "头痛"},
        {"role": "assistant", "content": "多久了"},
        {"role": "user", "content": "三天"},
    ]
    ids = port.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]
    said = [port.encode(turn["content"]) for turn in turns]
    assert ids == [195, *said[0], 196, *said[1], 2, 195, *said[2], 196]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "tokenizer.model"),
        (lambda path: path.write_bytes(path.read_bytes()[:-7]), "不是完整的"),
        (lambda path: path.write_bytes(b"<html>not found</html>"), "不是完整的"),
        (lambda path: path.write_bytes(b""), "没有词表"),
    ],
)
def test_broken_file_is_named(tmp_path: Path, damage: Callable[[Path], object], message: str) -> None:
    path = tmp_path / "tokenizer.model"
    write_sentencepiece(path)
    damage(path)
    with pytest.raises(ValueError, match=message):
        read_model(path)


def test_other_kinds_of_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.model"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_prefix=str(path.with_suffix("")), vocab_size=165, minloglevel=2
    )
    with pytest.raises(ValueError, match="BPE"):
        read_model(path)


def test_normalising_model_is_followed_too(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.model"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 4),
        model_prefix=str(path.with_suffix("")),
        model_type="bpe",
        vocab_size=500,
        byte_fallback=True,
        character_coverage=0.98,
        minloglevel=2,
    )
    original, port = sentencepiece.SentencePieceProcessor(str(path)), BaichuanTokenizer(str(path))
    for text in [*SENTENCES, "  ＡＢＣ  ①  ㎎ ", "a  b", "　全角　空格　"]:
        assert port.encode(text) == original.encode(text)


def test_merges_put_the_best_piece_first(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.model"
    write_sentencepiece(path)
    model = read_model(path)
    scores = {piece.text: piece.score for piece in model.pieces}
    ranked = [scores[left + right] for left, right in merges(model)]
    assert ranked == sorted(ranked, reverse=True)


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_file(), reason="shared/data is not beside the repository")
@pytest.mark.parametrize("prefix", [False, True])
def test_ten_thousand_lines_of_medical_text(tmp_path: Path, prefix: bool) -> None:
    with SHARED.open(encoding="gb18030", errors="replace", newline="") as stream:
        lines = [row[key] for row in csv.DictReader(stream) for key in ("title", "ask", "answer") if row.get(key)]
    assert len(lines) > 10_000
    path = tmp_path / "tokenizer.model"
    write_sentencepiece(path, add_dummy_prefix=prefix, vocabulary=6000, sentences=lines[:4000])
    original, port = sentencepiece.SentencePieceProcessor(str(path)), BaichuanTokenizer(str(path))
    lines = lines[:10_000]
    ids = original.encode(lines)
    assert port(lines)["input_ids"] == ids
    assert [port.decode(each) for each in ids] == original.decode(ids) == lines
