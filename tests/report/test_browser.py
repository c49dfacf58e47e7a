"""The report in a real browser, opened from a file with the network cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femsim.report import figures, folder
from femsim.report.page import html
from tests.report.browser import axe_core, changed, chromium, picture, serious_faults, watched
from tests.report.fake import STRATEGIES, comparison


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> str:
    out = tmp_path_factory.mktemp("run") / "out"
    folder.write(comparison(), out)
    return (out / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


def _open(browser, report, **options):
    page = browser.new_context(offline=True, **options).new_page()
    complaints = watched(page)
    page.goto(report)
    page.locator("#viewer-note").filter(has_text="Drag to turn").wait_for(timeout=60_000)
    return page, complaints


def test_the_3d_view_draws_and_reacts_to_every_switch(browser, report):
    page, complaints = _open(browser, report, viewport={"width": 1280, "height": 900})
    page.locator("#model").scroll_into_view_if_needed()
    drawn = picture(page)
    assert (np.abs(drawn - drawn[2, 2]).max(axis=-1) > 0.05).mean() > 0.005
    assert int(page.locator("#viewer").get_attribute("data-triangles")) > 5000

    def choose(name: str, value: str) -> None:
        page.select_option(f"#viewer-{name}", value)

    def slide(name: str, value: int) -> None:
        page.evaluate(
            "([id, v]) => { const e = document.getElementById(id); e.value = v; e.dispatchEvent(new Event('input')); }",
            [f"viewer-{name}", value],
        )

    canvas = page.locator("#viewer canvas")
    assert changed(page, lambda: choose("field", "risk")) > 0.003
    page.locator("#viewer-key").wait_for(state="visible")
    assert changed(page, lambda: choose("strategy", "0")) > 0.0001
    assert changed(page, lambda: slide("depth", 80)) > 0.0005
    assert changed(page, lambda: choose("cut", "none")) > 0.003
    assert changed(page, lambda: slide("scale", 50)) > 0.003
    assert changed(page, lambda: choose("strategy", "all")) > 0.01
    names = page.locator("#viewer-names span").all_text_contents()
    assert names == [label for _, label, *_ in STRATEGIES]
    choose("strategy", "2")
    choose("field", "")
    page.locator("#viewer-key").wait_for(state="hidden")  # the page redraws with the next frame
    assert changed(page, lambda: page.locator("#viewer-materials input").first.uncheck()) > 0.003
    canvas.focus()
    assert changed(page, lambda: page.keyboard.press("ArrowLeft")) > 0.001
    assert changed(page, lambda: page.keyboard.press("+")) > 0.001
    assert changed(page, lambda: page.locator("#viewer-near").click()) > 0.01
    assert complaints == []
    page.context.close()


def test_a_click_reads_values(browser, report):
    page, complaints = _open(browser, report, viewport={"width": 1280, "height": 900})
    page.select_option("#viewer-strategy", "1")
    page.locator("#viewer-near").click()
    box = page.locator("#viewer canvas").bounding_box()
    page.locator("#viewer canvas").click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    text = page.locator("#viewer-probe").text_content()
    assert text.startswith("untreated: ")
    assert "factor of risk" in text
    assert complaints == []
    page.context.close()


def test_a_phone_does_not_scroll_sideways(browser, report):
    page, complaints = _open(browser, report, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("h1").is_visible()
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_for_people_with_disabilities(browser, report, scheme):
    page, _ = _open(browser, report, viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    assert serious_faults(page, axe_core()) == {}
    page.context.close()


def test_dark_and_light_differ_and_paper_is_white(browser, report, tmp_path: Path):
    def background(**media: str) -> str:
        page.emulate_media(**media)
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page, _ = _open(browser, report, viewport={"width": 1000, "height": 800})
    assert background(color_scheme="light") == "rgb(255, 255, 255)"
    assert background(color_scheme="dark") != "rgb(255, 255, 255)"
    assert background(color_scheme="dark", media="print") == "rgb(255, 255, 255)"
    page.emulate_media(media="print")
    assert not page.locator("#viewer").is_visible()
    assert page.locator(".only-print").is_visible()
    paper = page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert 4 <= paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") <= 25
    page.context.close()


def test_load_and_displacement_are_wide_on_paper(browser, tmp_path):
    result = comparison()
    motion = np.linspace(0.0, 2.0, 40)
    for one in result.results.values():
        one.curve = {"load": 5000.0 * np.sin(motion), "displacement": motion, "is_moment": False}
    prepared = figures.Prepared(result)
    (tmp_path / "report.html").write_text(html(prepared, folder.provenance_of(result)), encoding="utf-8")
    page = browser.new_context(offline=True, viewport={"width": 688, "height": 1000}).new_page()  # A4 less its margins
    page.emulate_media(media="print")
    page.goto((tmp_path / "report.html").as_uri())
    centimetres = page.locator("section[aria-labelledby=curves] svg").first.bounding_box()["width"] / 96.0 * 2.54
    assert 12.0 <= centimetres <= 18.2
    page.context.close()


def test_the_page_works_by_keyboard_alone(browser, report):
    page, complaints = _open(browser, report, viewport={"width": 1280, "height": 900})
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"viewer-strategy", "viewer-field", "viewer-cut", "viewer-depth", "viewer-reset", "CANVAS"} <= reached
    assert complaints == []
    page.context.close()
