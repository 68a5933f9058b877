from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healgpt.knowledge.linking import Linker, about, open_linker
from healgpt.knowledge.linking_words import fold, lexicon, rules


@pytest.fixture(scope="module")
def linker() -> Linker:
    """Links what the lexicon knows; no graph is needed."""
    return open_linker(None)


def named(linker: Linker, text: str) -> dict[str, str]:
    return {mention.name: mention.status for mention in linker.link(text)}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("拉肚子", "腹泻"),
        ("心慌", "心悸"),
        ("嗓子疼", "咽痛"),
        ("大姨妈", "月经"),
        ("甲亢", "甲状腺功能亢进症"),
        ("头有点疼", "头痛"),
        ("肚子一直很胀", "腹胀"),
        ("芬必得", "布洛芬"),
        ("发了两天烧", "发热"),
        ("体温38.5", "发热"),
        ("头疼", "头痛"),
        ("頭痛", "头痛"),
        ("ＣＴ", "CT检查"),
        ("吃西瓜", "西瓜"),
    ],
)
def test_everyday_words_lead_to_the_name_of_the_graph(linker, text, name):
    assert name in named(linker, text)


def test_the_longest_name_wins(linker):
    assert list(named(linker, "妊娠期糖尿病")) == ["妊娠期糖尿病"]


@pytest.mark.parametrize(
    "text", ["经常去酒店吃饭", "这手机发烧友很多", "我心疼孩子", "痛快地玩了一天", "高热量的东西", "疼不疼"]
)
def test_names_hidden_in_other_words_are_not_meant(linker, text):
    assert not named(linker, text)


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("没有发烧、咳嗽", {"发热": "absent", "咳嗽": "absent"}),
        ("没有发烧，但是咳嗽", {"发热": "absent", "咳嗽": "present"}),
        ("否认高血压、糖尿病", {"高血压": "absent", "糖尿病": "absent"}),
        ("我不头晕，就是恶心", {"头晕": "absent", "恶心": "present"}),
        ("发热、咳嗽都没有", {"发热": "absent", "咳嗽": "absent"}),
        ("肚子不疼", {"腹痛": "absent"}),
        ("睡不着", {"失眠": "present"}),
        ("没有力气", {"乏力": "present"}),
        ("头疼不停", {"头痛": "present"}),
        ("好像是感冒了", {"感冒": "uncertain"}),
        ("会不会是胃炎", {"胃炎": "uncertain"}),
        ("以前得过肺炎", {"肺炎": "past"}),
        ("中风过", {"脑卒中": "past"}),
        ("以前得过肺炎，现在咳嗽", {"肺炎": "past", "咳嗽": "present"}),
        ("发烧退了", {"发热": "past"}),
    ],
)
def test_what_is_said_of_a_mention(linker, text, statuses):
    assert named(linker, text) == statuses


def test_mentions_belong_to_the_person_named_before_them(linker):
    found = {mention.name: mention.who for mention in linker.link("我妈有高血压，我最近头晕，孩子也发烧了")}
    assert found == {"高血压": "母亲", "头晕": "本人", "发热": "孩子"}


def test_duration_and_severity_are_kept_in_the_writers_words(linker):
    (mention,) = linker.link("头特别疼，三天了")
    assert mention.duration.startswith("三天")
    assert mention.severity == "severe"


@pytest.mark.parametrize(
    ("text", "who", "age", "sex"),
    [
        ("三岁的孩子咳嗽", "孩子", 3.0, None),
        ("我妈60岁，头晕", "母亲", 60.0, "female"),
        ("男，28岁，腰疼", "本人", 28.0, "male"),
        ("宝宝八个月，拉稀", "孩子", 0.67, None),
        ("我爸七十二岁", "父亲", 72.0, "male"),
        ("头疼", "本人", None, None),
    ],
)
def test_age_and_sex_of_the_one_spoken_of(text, who, age, sex):
    found = about(text)
    assert (found.who, found.age_years, found.sex) == (who, age, sex)


@pytest.mark.parametrize(
    ("text", "pregnant"), [("怀孕三个月感冒了", True), ("备孕要查什么", False), ("没有怀孕", False)]
)
def test_pregnancy_is_taken_only_where_it_is_said(text, pregnant):
    assert about(text).pregnant is pregnant


def test_offsets_are_those_of_the_original(linker):
    text = "我\u200b头\u200b疼，ＣＴ正常"
    assert [text[one.start : one.end] for one in linker.link(text)] == ["头\u200b疼", "ＣＴ"]


# what the rules look for, mixed with anything at all
_PIECES = st.lists(
    st.sampled_from(["没有", "头疼", "发烧", "、", "，", "我妈", "三天", "吗", "不", "以前", "好像", "\u200b", "Ｃ"])
)


@given(st.one_of(st.text(), _PIECES.map("".join)))
def test_any_text_is_linked_without_overlaps_and_with_valid_offsets(text):
    found = open_linker_once().link(text)
    for mention in found:
        assert text[mention.start : mention.end] == mention.text
        assert mention.text
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert found == open_linker_once().link(text)


_OPENED: list[Linker] = []


def open_linker_once() -> Linker:
    if not _OPENED:
        _OPENED.append(open_linker(None))
    return _OPENED[0]


def test_every_mention_of_a_long_message_is_found_and_judged_alone(linker):
    found = linker.link("没有头疼、发烧，咳嗽，" * 1500)
    assert [mention.status for mention in found] == ["absent", "absent", "present"] * 1500


def test_the_lexicon_holds_at_least_five_hundred_everyday_expressions():
    expressions = {surface for surface, target in lexicon().items() if surface != fold(target.name).text}
    assert len(expressions) >= 500


def test_every_pattern_and_part_of_the_body_leads_to_a_name(linker):
    wanted = {row["name"] for row in rules()["pattern"]}
    wanted |= {name for row in rules()["site"] for name in row["feels"].values() if name}
    assert wanted - linker.known <= {"咽部红肿", "关节僵硬", "胁痛", "四肢抽搐", "睡眠障碍"}
