"""Error bars: three meshes with an observed order, and brackets of uncertain assumptions."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import femsim as fs
from femsim.case import Comparison, Mesh, Risk, Tube
from femsim.case.uncertain import flat
from femsim.errors import FemsimError, InputError
from femsim.study import Progress, compare, stored
from femsim.study.discretisation import Level, convergence

# under a moment
STIFFNESS, LOAD = "torsional_stiffness", "failure_moment"
UNCERTAIN = {
    "pmma.E": ("1.5 GPa", 3000.0),
    "cortical_bone.strain_tension": (0.0060, 0.0090),
    "tumour_tissue.E": (1.0, 20.0),
    "risk.bond": ("first_debonding",),
}


@pytest.fixture(scope="module")
def table():
    case = Comparison(
        bone=Tube(length=100.0),
        lesion=fs.Lesion(site="shaft_middle", diameter=18.0),
        load="bending_frontal",
        mesh=Mesh(near=4.0, far=7.0),
        uncertain=UNCERTAIN,
    )
    strategies = {"intact": fs.Intact(), "untreated": fs.Untreated(), "cement": fs.Cement()}
    return compare(case, strategies, convergence=True, progress=Progress(show=False))


def test_three_meshes_give_every_number_its_bar(table):
    found = table.convergence
    assert len(found.edges) == 3
    assert found.edges[1] > 1.1 * found.edges[0]
    assert found.edges[2] > 1.4 * found.edges[0]
    assert list(found.unknowns) == sorted(found.unknowns, reverse=True)
    for name, bars in found.bars.items():
        for column in (STIFFNESS, LOAD, "bone_tensile_strain", "true_torsional_rigidity"):
            bar = bars[column]
            assert bar.value == table[name].metrics[column]
            assert found.values[name][column][0] == bar.value
            assert table[name].metrics[f"{column}_error"] == pytest.approx(bar.percent)
    assert table["cement"].metrics["error_bar"] == "discretisation and assumptions"
    assert table["cement"].metrics["failure_place_on_meshes"]


def test_softer_cement_is_softer_and_governs_what_it_governs(table):
    found = table.assumptions
    row = table["cement"].metrics
    under = found.values["cement"]
    assert under["pmma.E = 1.5 GPa"][STIFFNESS] < row[STIFFNESS] < under["pmma.E = 3000"][STIFFNESS]
    assert row[f"{STIFFNESS}_low"] == pytest.approx(under["pmma.E = 1.5 GPa"][STIFFNESS])
    assert row[f"{STIFFNESS}_assumption"] == "pmma.E"
    assert found.ranges["pmma.E"] == "1.5 GPa to 3000"


def test_a_strength_is_judged_again_without_a_new_solution(table):
    """The untreated tube fails by tensile strain of the cortex: the failure load is proportional to the limit."""
    row, under = table["untreated"].metrics, table.assumptions.values["untreated"]
    assert row["failure_kind"] == "tension"
    for limit in (0.006, 0.009):
        expected = row[LOAD] * limit / 0.0073
        assert under[f"cortical_bone.strain_tension = {limit:g}"][LOAD] == pytest.approx(expected, rel=1e-6)
        assert under[f"cortical_bone.strain_tension = {limit:g}"][STIFFNESS] == row[STIFFNESS]
    told = [name for name in table.seconds if name.startswith("cortical_bone.strain_tension")]
    assert len(told) == 2


def test_what_an_assumption_does_not_touch_keeps_its_numbers(table):
    intact, under = table["intact"].metrics, table.assumptions.values["intact"]
    assert under["pmma.E = 1.5 GPa"][STIFFNESS] == intact[STIFFNESS]
    assert under["tumour_tissue.E = 20"][LOAD] == intact[LOAD]
    assert table.assumptions.brackets["intact"][STIFFNESS].assumption == "none of them"


def test_recovery_follows_the_untreated_bone_also_of_strategies_that_are_not_touched(table):
    """Tumour lies in the untreated bone alone; what cement gives back is counted from there."""
    under = {name: rows["tumour_tissue.E = 20"] for name, rows in table.assumptions.values.items()}
    intact, bare, cement = (under[name][STIFFNESS] for name in ("intact", "untreated", "cement"))
    assert bare > table["untreated"].metrics[STIFFNESS]
    assert cement == table["cement"].metrics[STIFFNESS]
    assert under["cement"]["stiffness_recovery"] == pytest.approx(100.0 * (cement - bare) / (intact - bare))


def test_the_weakest_bond_is_a_lower_bound(table):
    row, under = table["cement"].metrics, table.assumptions.values["cement"]["risk.bond = first_debonding"]
    assert under["maximum_risk"] == pytest.approx(max(row["maximum_risk"], row["interface_risk"]))
    assert table["untreated"].metrics[LOAD] == pytest.approx(
        table.assumptions.values["untreated"]["risk.bond = first_debonding"][LOAD]
    )


def test_every_way_of_printing_carries_the_bars(table, tmp_path, capsys):
    from femsim.report import answer, bars, page
    from femsim.report.figures import Prepared
    from femsim.report.text import print_table

    fs.write(table, tmp_path / "out", figures=False)
    print_table(table)
    text = capsys.readouterr().out
    assert "±" in text
    assert "uncertain assumption" in text
    assert "no error bar" not in text.lower()
    told = json.loads(json.dumps(table.as_dict()))
    assert told["convergence"]["bars"]["cement"][LOAD]["half_width"] > 0
    assert told["assumptions"]["brackets"]["cement"][STIFFNESS]["assumption"] == "pmma.E"
    again = stored.load(tmp_path / "out")
    for one in (table, again):
        assert bars.convergence(one).rows == bars.convergence(table).rows
        assert bars.assumptions(one).rows == bars.assumptions(table).rows
        assert any("uncertain" in line for line in answer.answer(one).lines)
    html = page.html(Prepared(again), json.loads((tmp_path / "out" / "provenance.json").read_text()), pictures=False)
    assert "Richardson" in html
    assert "governed by" in html


def test_without_bars_the_words_are_there(table, capsys):
    from dataclasses import replace

    from femsim.report import answer, bars
    from femsim.report.text import print_table
    from femsim.study.finish import error_bar_words

    assert error_bar_words(False, False) == "no error bar"
    results = {
        name: replace(one, metrics={k: v for k, v in one.metrics.items() if "_error" not in k and "_low" not in k}
                      | {"error_bar": "no error bar"})
        for name, one in table.results.items()
    }  # fmt: skip
    bare = replace(table, convergence=None, assumptions=None, results=results)
    print_table(bare)
    for text in (capsys.readouterr().out, str(bare), str(bare["cement"]), bars.note(bare)):
        assert "no error bar" in text.lower()
    assert any("no error bar" in line.lower() for line in answer.answer(bare).lines)
    assert bare.as_dict()["error_bar"] == "no error bar"


def _level(edge: float, load: float, place: tuple[float, float, float]) -> Level:
    row = {
        "failure_load": load,
        "failure_material": "pmma",
        "failure_kind": "tension",
        "failure_place": "pmma, lateral",
    }
    return Level(edge, 1000, {"cement": row}, {"cement": np.array(place)})


def test_a_failure_that_moves_is_said():
    here, there = (0.0, 0.0, 0.0), (0.0, 0.0, 40.0)
    kept = convergence([_level(1.0, 100.0, here), _level(1.4, 101.0, (0.0, 3.0, 0.0)), _level(2.0, 102.5, here)])
    assert kept.places["cement"] == "the same on all meshes"
    moved = convergence([_level(1.0, 100.0, here), _level(1.4, 103.0, there), _level(2.0, 101.0, here)])
    assert moved.places["cement"].startswith("moves with the mesh")
    assert "40 mm" in moved.places["cement"]
    assert np.isnan(moved.bars["cement"]["failure_load"].order)
    assert moved.bars["cement"]["failure_load"].half_width == pytest.approx(3.0 * 1.5)


def test_meshes_that_are_no_different_give_no_bar():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert convergence([_level(1.0, 100.0, (0, 0, 0)), _level(1.01, 101.0, (0, 0, 0))]) is None
    assert "left out" in str(caught[0].message)


def test_two_meshes_too_close_for_the_assumed_order_give_no_bar():
    two = [_level(1.0, 100.0, (0, 0, 0)), _level(1.18, 70.0, (0, 0, 0))]
    with pytest.warns(fs.errors.FemsimWarning, match="too close for an error bar"):
        assert convergence(two) is None
    assert convergence([two[0], _level(1.4, 99.0, (0, 0, 0))]) is not None


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"pmma.e": [1, 2]}, "Known: E"),
        ({"pma.E": [1, 2]}, "pmma"),
        ({"pmma.E": [3000, 2000]}, "no range"),
        ({"pmma.E": [2000]}, "no range"),
        ({"pmma.E": 2000}, "no list"),
        ({"pmma.E": [-5, 2000]}, "pmma.E"),
        ({"E": [1, 2]}, "dotted"),
        ({"risk.pain": ["mild"]}, "pain"),
        ({"risk.strength_law": ["keyak"]}, "keyak"),
        ({"trabecular_bone.density_law": ["keyac_2005"]}, "keyak_2005"),
        ({"pmma.E": ["2 mm", "3 mm"]}, "pmma"),
    ],
)
def test_assumptions_that_are_none(wrong, word):
    with pytest.raises(FemsimError) as caught:
        Comparison(uncertain=wrong)
    assert word in str(caught.value)


def test_assumptions_may_be_written_in_any_way_of_toml():
    assert flat({"pmma": {"E": [1, 2]}, "risk.bond": ["perfect"]}) == {"pmma.E": (1, 2), "risk.bond": ("perfect",)}
    with pytest.raises(InputError):
        flat({"pmma": {"E": True}})


def test_no_assumption_does_not_change_the_case():
    assert "uncertain" in Comparison().model_dump()
    one, other = Comparison(), Comparison(uncertain={"pmma.E": (2000, 3000)})
    assert one.key() != other.key()
    plain = one.model_dump(mode="json")
    del plain["uncertain"]
    assert Comparison(**plain).key() == one.key()
    assert Comparison(risk=Risk(bond="first_debonding")).key() != one.key()
