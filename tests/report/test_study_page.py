"""The report of a study: its numbers are those of the answers, and what is missing is said."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from femsim.report import folder, study_checks, study_page
from femsim.report.text import number
from femsim.study.sweep import answers
from tests.report.browser import axe_core, chromium, serious_faults, watched


class FakeStudy:
    """A study of 40 cases with made-up numbers, of which one failed."""

    def __init__(self, place):
        rng = np.random.default_rng(7)
        rows = []
        for case in range(40):
            size, angle = float(rng.choice([10, 20, 30])), float(rng.uniform(0, 90))
            loss = 40 * size + rng.normal(0, 60)
            loads = {
                "intact": 4000.0,
                "untreated": 4000 - 2 * loss,
                "cement": 3900 - loss,
                "catheter_<a>": 3800 - 1.4 * loss,
            }
            rows += [
                {
                    "case": f"c{case:02d}", "strategy": name, "param.lesion.diameter": size, "param.lesion.turn": angle,
                    "out.failure_load": load, "out.stiffness": load / 5, "status": "done", "error": None,
                    "repeat": None, "out.force_residual": 1e-9 * (case + 1),
                }
                for name, load in loads.items()
            ]  # fmt: skip
        for row in rows[-4:]:
            row |= {"status": "failed", "error": "MeshError: too thin", "repeat": "femsim reproduce out/cases/c39"}
            row |= {"out.failure_load": np.nan, "out.stiffness": np.nan}
        self.frame = pd.DataFrame(rows)
        self.spec = SimpleNamespace(name="size & <turn>", sampling=SimpleNamespace(method="random"))
        self.folder = place
        place.mkdir(parents=True, exist_ok=True)
        (place / "study.toml").write_text('name = "size"\n')
        for case in range(3):
            told = [f"{case + 2} elements are <flat>"] + ["the wall is mixed"] * (case == 1)
            (place / "cases" / f"c{case:02d}").mkdir(parents=True)
            record = {"id": f"c{case:02d}", "status": "done", "rows": [], "warnings": told}
            (place / "cases" / f"c{case:02d}" / "metrics.json").write_text(json.dumps(record))
        self.cases = [SimpleNamespace(id=f"c{case:02d}") for case in range(40)]

    def __len__(self) -> int:
        return 40


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return FakeStudy(tmp_path_factory.mktemp("study") / "out")


@pytest.fixture(scope="module")
def text(study) -> str:
    return folder.write_study(study).read_text(encoding="utf-8")


def _plain(page: str) -> str:
    bare = re.sub(r"<(svg|style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    return (
        re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", bare))
        .replace("−", "-")
        .replace("\u202f", " ")
        .replace("\u00a0", " ")
    )


def test_numbers_are_those_of_the_answers(study, text):
    done = study.frame[study.frame["status"] == "done"]
    words = _plain(text)
    assert "39 of 40 cases are solved, 1 failed." in words
    medians = done.groupby("strategy")["out.failure_load"].median()
    assert f"Cement holds best in the middle of all cases: {number(medians['cement'])} N." in words
    pair = answers.difference(done, "cement", "untreated", "failure_load")
    assert f"Less untreated on the same cases: {number(pair.mean)} N on average" in words
    assert f"larger in {100 * pair.probability:.0f} % of 39 cases" in words
    assert f"{number(pair.interval[0])} to {number(pair.interval[1])}" in words
    for low in done[done["strategy"] == "untreated"]["out.failure_load"].quantile([0.05, 0.5, 0.95]):
        assert number(float(low)) in words


def test_strengths_without_error_bar_say_so(text):
    assert "No error bar on any strength" in text


def test_warnings_of_cases_are_said_once_each(text):
    assert "<li>2 elements are &lt;flat&gt; (in all 3 cases; numbers are those of the first)</li>" in text
    assert "<li>the wall is mixed (said by 1 of 3 cases; those on a mesh" in text


def test_the_worst_residual_of_all_cases_is_named(study, text):
    words = _plain(text)
    assert "force residual 3.9e-08 c38, intact" in words  # the last case failed
    assert study_checks.residuals(study.frame.assign(**{"out.force_residual": 3e-3}))[0][2] is False


def test_every_part_is_there(text):
    for anchor in ("answer", "curves", "differences", "sensitivity", "checks", "failed", "provenance", "use"):
        assert f'id="{anchor}"' in text
        assert f'href="#{anchor}"' in text
    assert text.count("<svg ") == 2 * 2 + 1 + 3  # outputs x parameters, pairs, a tornado a strategy
    assert "femsim reproduce out/cases/c39" in text
    assert "MeshError: too thin" in text
    assert "catheter <a>" not in text  # names stay text
    assert text.count('lang="en"') == 1


def test_a_study_that_has_not_begun_can_be_reported(study, tmp_path):
    empty = FakeStudy(tmp_path)
    empty.frame = study.frame.iloc[:0]
    words = _plain(study_page.html(empty))
    assert "Nothing is solved yet." in words
    assert "0 of 40 cases are solved." in words


def test_the_page_works_in_a_real_browser_and_on_a_phone(study, text):
    with chromium() as browser:
        for scheme in ("light", "dark"):
            page = browser.new_context(
                offline=True, viewport={"width": 360, "height": 740}, is_mobile=True, color_scheme=scheme
            ).new_page()
            complaints = watched(page)
            page.goto((study.folder / "report.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            assert page.locator("svg").first.is_visible()
            assert complaints == []
            assert serious_faults(page, axe_core()) == {}
            page.context.close()
