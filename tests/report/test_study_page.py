"""The report of a study: its numbers are those of the answers, and what is missing is said."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import femsim as fs
from femsim.report import folder, methods, study_checks, study_methods, study_page, study_setup
from femsim.report.text import number
from femsim.study.sweep import answers, tasks
from femsim.study.sweep.spec import StudySpec
from tests.report.browser import axe_core, changed, chromium, picture, serious_faults, watched


def _spec() -> StudySpec:
    """A small tube in torsion: meshed in a second, and never solved here."""
    bone = fs.Tube(length=60.0)
    case = fs.Case(bone=bone, lesion=fs.Lesion(site="shaft_middle"), load="torsion", mesh=fs.Mesh(near=6.0, far=9.0))
    vary = {"lesion.diameter": [10.0, 20.0, 30.0], "body_mass": {"uniform": [50.0, 90.0]}}
    return fs.Study(case, vary, {"untreated": fs.Untreated(), "cement": fs.Cement()}, name="size & <turn>").spec


class FakeStudy:
    """A study of 40 cases with made-up numbers, of which one failed."""

    def __init__(self, place):
        rng = np.random.default_rng(7)
        rows = []
        for case in range(40):
            size, angle = float(rng.choice([10, 20, 30])), float(rng.uniform(50, 90))
            loss = 40 * size + rng.normal(0, 60)
            loads = {
                "intact": 4000.0,
                "untreated": 4000 - 2 * loss,
                "cement": 3900 - loss,
                "catheter_<a>": 3800 - 1.4 * loss,
            }
            rows += [
                {
                    "case": f"c{case:02d}", "strategy": name, "param.lesion.diameter": size, "param.body_mass": angle,
                    "out.failure_load": load, "out.stiffness": load / 5, "status": "done", "error": None,
                    "repeat": None, "out.force_residual": 1e-9 * (case + 1),
                }
                for name, load in loads.items()
            ]  # fmt: skip
        for row in rows[-4:]:
            row |= {"status": "failed", "error": "MeshError: too thin", "repeat": "femsim reproduce out/cases/c39"}
            row |= {"out.failure_load": np.nan, "out.stiffness": np.nan}
        self.frame = pd.DataFrame(rows)
        self.spec = _spec()
        self.folder = place
        place.mkdir(parents=True, exist_ok=True)
        (place / "study.toml").write_text('name = "size"\n')
        for case in range(3):
            told = [f"{case + 2} elements are <flat>"] + ["the wall is mixed"] * (case == 1)
            (place / "cases" / f"c{case:02d}").mkdir(parents=True)
            record = {"id": f"c{case:02d}", "status": "done", "rows": [], "warnings": told}
            record |= {"params": {}, "hashes": {"mesh": "m", "matrix": "m"}}
            record["mesh"] = {
                "elements": 9000 - 1000 * case,
                "worst_sicn": 0.2 + 0.01 * case,
                "share_above_quarter": 0.9987,
            }
            (place / "cases" / f"c{case:02d}" / "metrics.json").write_text(json.dumps(record))
        plain = self.spec.case.model_dump(mode="json")
        params = {row["case"]: {"lesion.diameter": row["param.lesion.diameter"]} for row in rows}
        self.cases = [
            SimpleNamespace(
                id=one, params=values, case=tasks.task(plain, values, values, 0).case,
                comparison=tasks.task(plain, values, values, 0).comparison,
            )
            for one, values in params.items()
        ]  # fmt: skip

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
    assert "<li>the wall is mixed (in 1 of 3 cases)</li>" in text


def test_the_worst_residual_of_all_cases_is_named(study, text):
    words = _plain(text)
    assert "force residual 3.9e-08 c38, intact" in words  # the last case failed
    assert study_checks.residuals(study.frame.assign(**{"out.force_residual": 3e-3}))[0][2] is False


def test_every_part_is_there(text):
    anchors = ("answer", "setup", "curves", "differences", "sensitivity", "mesh", "checks", "methods", "references")
    for anchor in (*anchors, "failed", "provenance", "use"):
        assert f'id="{anchor}"' in text
        assert f'href="#{anchor}"' in text
    # bone, a cut a strategy, outputs x parameters, pairs, a tornado a treated strategy
    assert text.count("<svg ") == 1 + 3 + 2 * 2 + 1 + 3
    assert len(text) < 15e6
    assert "femsim reproduce out/cases/c39" in text
    assert "MeshError: too thin" in text
    assert "catheter <a>" not in text  # names stay text
    assert text.count('lang="en"') == 1


def test_parameters_have_the_units_of_their_keys(text):
    plain = _plain_svg(text)
    assert plain.count("lesion.diameter [mm]") == 2 + 3  # a curve an output, a tornado a treated strategy
    assert plain.count("body_mass [kg]") == 2 + 3


def _plain_svg(page: str) -> str:
    """Texts of the drawings, each in one piece."""
    return "|".join(re.findall(r"<!-- (.*?) -->", page) or re.findall(r"<text[^>]*>(.*?)</text>", page))


def test_the_bone_of_the_first_case_is_drawn_with_its_moment(study, text):
    words = _plain(text)
    assert "Drawn is case c00, the first case that is finished" in words
    assert f"lesion.diameter = {study.cases[0].params['lesion.diameter']:g} mm" in words
    for name in ("intact", "untreated", "cement"):
        assert f"Cut through the lesion, {name}." in text
    assert "Loads: torque." in text
    assert ">10 N m<" in text  # a moment, not a force of 0 N
    assert "tumour tissue" in words


def test_the_base_case_is_drawn_where_the_study_holds_it(study, monkeypatch):
    base = tasks.task(study.spec.case.model_dump(mode="json"), {}, {}, 0).id
    cases = [*study.cases[:2], SimpleNamespace(id=base, params={}, case=study.cases[0].case)]
    done = pd.DataFrame({"case": [one.id for one in cases]})
    drawn = []
    monkeypatch.setattr(study_setup, "_set_up", lambda task: drawn.append(task.id))
    notes: list[str] = []
    words = study_setup.picture(SimpleNamespace(spec=study.spec, cases=cases), done, notes).words
    assert drawn == [base]
    assert words == f"Drawn is case {base}, the base case."
    assert notes  # nothing came out of what was set up here, and that is said


def test_extremes_of_the_meshes_name_their_cases(text):
    words = _plain(text)
    assert "elements 7 000 c02 9 000 c00" in words
    assert "0.200 c00 0.220 c02" in words
    assert "shape, share above 0.25 99.87 % c00" in words
    assert "36 solved cases say nothing of their mesh" in words


def test_methods_say_what_was_run(study, text):
    words = _plain(text)
    assert "The study holds 40 cases, of which 39 were solved (bone: tube)." in words
    assert "with 7 000 to 9 000 elements" in words
    assert "lesion.diameter (10, 20, 30 mm)" in words
    assert "body_mass (uniform from 50 to 90 kg), drawn by a Latin hypercube with 64 samples and seed 0" in words
    assert "tumour tissue (isotropic" in words
    for source in ("Reilly", "Wilson"):
        assert source in words[words.index("Methods The") :]
    assert "Sobol" not in words  # not computed, so not claimed
    done = study.frame[study.frame["status"] == "done"]
    spec = study.spec.model_copy(update={"sampling": study.spec.sampling.model_copy(update={"method": "saltelli"})})
    other = SimpleNamespace(spec=spec, cases=study.cases)
    other = type("Other", (), {**vars(other), "__len__": lambda _: 40})()
    keys = methods.reference_keys(study_methods.facts(other, done.assign(method="reduced", error_bound=2e-4), []))
    assert {"wilson1927", "saltelli2010", "hesthaven2016"} <= set(keys)


def test_a_material_that_no_strategy_uses_is_not_claimed(study):
    done = study.frame[study.frame["status"] == "done"]
    bare = fs.Study(study.spec.case, strategies={"untreated": fs.Untreated()})
    only = SimpleNamespace(spec=bare.spec, cases=bare.cases)
    only = type("Only", (), {**vars(only), "__len__": lambda _: 1})()
    done = done[done["case"] == "c00"].assign(case=bare.cases[0].id)
    materials = study_methods.facts(only, done, []).materials
    assert materials == ("cortical_bone", "trabecular_bone", "tumour_tissue")


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


def test_the_model_of_a_study_turns_without_fields(study, text):
    with chromium() as browser:
        page = browser.new_context(offline=True, viewport={"width": 1280, "height": 900}).new_page()
        complaints = watched(page)
        page.goto((study.folder / "report.html").as_uri())
        page.locator("#viewer-note").filter(has_text="Drag to turn").wait_for(timeout=60_000)
        page.locator("#model").scroll_into_view_if_needed()
        drawn = picture(page)
        assert (np.abs(drawn - drawn[2, 2]).max(axis=-1) > 0.05).mean() > 0.005
        assert page.locator("#viewer-field option").count() == 1  # materials; nothing was solved for it
        assert page.locator("#viewer-scale").is_hidden()
        assert changed(page, lambda: page.select_option("#viewer-cut", "none")) > 0.003
        assert changed(page, lambda: page.locator("#viewer-materials input").first.uncheck()) > 0.003
        assert complaints == []


def test_the_study_page_works_by_keyboard_alone(study, text):
    with chromium() as browser:
        page = browser.new_context(offline=True, viewport={"width": 1280, "height": 900}).new_page()
        complaints = watched(page)
        page.goto((study.folder / "report.html").as_uri())
        page.locator("#viewer-note").filter(has_text="Drag to turn").wait_for(timeout=60_000)  # its switches are there
        # what can be reached, in the order of the page
        page.evaluate(
            """() => { const open = (e) => !e.closest("details:not([open])") || e.tagName === "SUMMARY";
            const all = [...document.querySelectorAll("a[href], summary, [tabindex='0'], button, select, input")]
                .filter((e) => open(e) && e.checkVisibility());
            all.forEach((e, i) => { e.dataset.stop = i; }); window.stops = all.length; }"""
        )
        stops = page.evaluate("window.stops")
        assert stops > 18
        seen = []
        for _ in range(stops):
            page.keyboard.press("Tab")
            seen.append(int(page.evaluate("document.activeElement.dataset.stop ?? -1")))
        assert seen == list(range(stops))  # all of them, in order, and none twice
        page.keyboard.press("Tab")  # beyond the last one the focus leaves the page: no trap
        assert page.evaluate("document.activeElement.dataset.stop ?? 'out'") in ("out", "0")
        page.locator("summary", has_text="The complete study").focus()
        page.keyboard.press("Enter")
        assert page.locator("pre").is_visible()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "PRE"
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert complaints == []
