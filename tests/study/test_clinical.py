"""Rigidity along the bone and the clinical rules, on a tube with a hole and through the whole pipeline."""

from __future__ import annotations

import json

import numpy as np
import pytest

from femsim import study, treatment
from femsim.case import Case, Lesion, Mesh, Tube
from femsim.report.rules_text import rigidity_table, rules_table
from femsim.study.rigidity import positions


@pytest.fixture(scope="module")
def result():
    slot = Lesion(position=50.0, shape="slot", diameter=12.0, length=40.0, direction="lateral", depth=10.0)
    tube = Tube(outer_diameter=28.0, inner_diameter=13.0, length=140.0)
    case = Case(bone=tube, lesion=slot, load="axial_compression", mesh=Mesh(near=3.0, far=5.0))
    strategies = {"untreated": treatment.Untreated(), "cement": treatment.Cement()}
    return study.compare(case, strategies, progress=study.Progress(show=False))


def test_rigidity_of_the_whole_tube_and_of_the_slot(result) -> None:
    intact, open_, filled = (result.rigidity[name] for name in ("intact", "untreated", "cement"))
    outer, inner = 28.0, 13.0
    far = intact.position < 25.0
    np.testing.assert_allclose(intact.EA[far], 17000 * np.pi / 4 * (outer**2 - inner**2), rtol=0.01)
    # a section through elements of 5 mm is a polygon, a little smaller than the circle
    np.testing.assert_allclose(intact.EI_min[far], 489.1e6, rtol=0.02)
    np.testing.assert_allclose(intact.GJ_true[far], 189.9e6, rtol=0.02)
    assert open_.ratio["EA"][far] == pytest.approx(1.0)
    # the slot: closed by CTRA's sum, open in truth; cement closes it again
    middle = np.abs(open_.position - 50.0) < 8.0
    assert open_.ratio["GJ_polar"][middle].max() < 0.95
    assert open_.ratio["GJ_true"][middle].max() < 0.3 * open_.ratio["GJ_polar"][middle].min()
    assert (filled.ratio["GJ_true"][middle] > 2.0 * open_.ratio["GJ_true"][middle]).all()
    assert 35.0 <= result["untreated"].metrics["weakest_section_position"] <= 65.0
    assert result["intact"].metrics["weakest_section"] == "none"


def test_sections_are_close_along_the_lesion() -> None:
    found = positions([(0.4, 0.5)])
    assert np.all(np.diff(found) > 0)
    assert ((found >= 38.0) & (found <= 52.0)).sum() == 21
    assert (found[0], found[-1]) == (8.0, 92.0)


def test_rules_on_every_strategy(result) -> None:
    found = {(row.rule.name, row.strategy): row for row in result.clinical}
    size = result.setup.lesions[0].measures
    axial = found["axial_involvement", "untreated"]
    assert axial.value == pytest.approx(size.axial_involvement)
    assert axial.at_risk is (size.axial_involvement > 30.0)
    assert ("axial_involvement", "cement") not in found
    assert found["ctra", "untreated"].value == pytest.approx(100.0 * result.rigidity["untreated"].loss)
    assert found["strain_fold_ratio", "untreated"].value > found["strain_fold_ratio", "cement"].value > 0.9
    json.dumps([row.as_dict() for row in result.clinical], allow_nan=False)


def test_pain_that_is_not_given_leaves_mirels_open(result) -> None:
    mirels = next(row for row in result.clinical if row.rule.name == "mirels")
    assert mirels.value is None
    assert "pain" in mirels.note
    # lower limb 2, lytic 3, size 2 points: 8 to 10 by pain
    assert mirels.note.startswith("8 to 10") or mirels.note.startswith("9 to 11")


def test_tables_print(result) -> None:
    from rich.console import Console

    console = Console(width=220, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(rigidity_table(result))
    console.print(rules_table(result))
    text = console.export_text()
    assert "GJ true" in text
    assert "86 / 58 %" in text
    assert "[M]" in text
