"""Nothing that a user or a model writes acts in the page, and everything stays readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healgpt.web.markup import inert, plain, unfinished

WORD_JOINER = "\u2060"


def test_plain_text_shows_exactly_its_characters():
    assert plain("<b>&\"'</b>\n**x**") == "&lt;b&gt;&amp;&quot;&#x27;&lt;/b&gt;\n**x**"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**加粗**\n- 一\n- 二\n\n| a | b |\n|---|---|", "**加粗**\n- 一\n- 二\n\n| a | b |\n|---|---|"),
        ("见[1]，体温>38.5", "见[1]，体温>38.5"),
        ("<script>x</script>", "&lt;script>x&lt;/script>"),
        ("![图](http://a)", f"!\\[图]\\(http:{WORD_JOINER}//a)"),
        ("[点](javascript:x)", "[点]\\(javascript:x)"),
        ("$x$", "\\$x\\$"),
        (":red[警告] :smile: 12:30", "\\:red[警告] \\:smile: 12:30"),
        ("https://a.b www.a.b", f"https:{WORD_JOINER}//a.b www.{WORD_JOINER}a.b"),
    ],
)
def test_markdown_keeps_its_form_and_loses_its_power(text, shown):
    assert inert(text) == shown


@given(st.text())
def test_any_text_becomes_encodable_text_without_tags(text):
    assert "<" not in inert(text).encode().decode()
    assert "<" not in plain(text).encode().decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("请**多休", "请**多休**"),
        ("请**多休*", "请**多休**"),
        ("请**", "请"),
        ("请**多休息**，", "请**多休息**，"),
        ("```\nx", "```\nx\n```"),
    ],
)
def test_half_written_markdown_is_closed(text, shown):
    assert unfinished(text) == shown
