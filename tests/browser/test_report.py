"""The report in a real browser: readable on a phone and on paper, light and dark, in its own font, and inert."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest

from healgpt.evaluation.report import font
from healgpt.evaluation.report.document import write

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "evaluation"))
from sample_runs import subject, whole

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    runs = [
        whole(folder / "bare", subject("1.5b"), 0.2, set(range(20))),
        whole(folder / "doctor", subject("1.5b", "doctor"), 0.5, set(range(5, 45))),
    ]
    return write(runs, folder / "报告.html").page.as_uri()


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_and_asks_for_nothing(report, browser, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light == (scheme == "light")
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('svg.chart text')].map(t => "
        "parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width / 360))"
    )
    assert smallest >= 10
    context.close()


def test_dialogues_are_text_and_run_nothing(report, browser):
    page = browser.new_page()
    page.goto(report)
    first = page.locator("details.dialogue").first
    first.locator("summary").click()
    assert "<script>window.hacked = 1</script>" in first.inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script").count() == 0
    page.close()


def test_chinese_is_drawn_in_the_font_within_and_text_of_charts_can_be_selected(report, browser):
    if font.find() is None:
        pytest.skip("这台机器没有可以嵌入的中文字体；make test 会装好它")
    page = browser.new_page()
    page.goto(report)
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px report', '诊断科室'))")
    assert page.evaluate("[...document.fonts].map(f => f.status)") == ["loaded"]
    page.locator("svg.chart text.name").first.evaluate(
        "node => { const range = document.createRange(); range.selectNodeContents(node);"
        " getSelection().removeAllRanges(); getSelection().addRange(range); }"
    )
    assert page.evaluate("getSelection().toString()") == "正确率"
    page.close()


def test_tables_and_charts_can_be_read_aloud_and_scrolled_by_keyboard(report, browser):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(report)
    assert page.locator("svg.chart:not([aria-label])").count() == 0
    assert page.locator(".scroll:not([tabindex='0'])").count() == 0
    assert page.locator("table:not(:has(th[scope='col']))").count() == 0
    assert page.get_by_role("img", name="问诊 cmd雷达图").count() == 1
    heads = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(h => +h.tagName[1])")
    assert all(after - before <= 1 for before, after in pairwise(heads))
    page.close()


def test_on_paper_everything_is_open_and_black_on_white(report, browser):
    page = browser.new_page(color_scheme="dark")
    page.goto(report)
    page.emulate_media(media="print")
    heights = page.evaluate("[...document.querySelectorAll('details.dialogue ol')].map(o => o.offsetHeight)")
    assert min(heights) > 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.close()
