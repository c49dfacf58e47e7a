"""What a comparison promises: one mesh, differences of treatment alone, equations that balance."""

from __future__ import annotations

import numpy as np
import pytest

import femsim as fs
from femsim.case import Mesh, Tube
from femsim.study import Progress, compare
from femsim.treatment import Untreated


@pytest.fixture(scope="module")
def table():
    case = fs.Case(
        bone=Tube(length=160.0),
        lesion=fs.Lesion(site="shaft_middle", diameter=18.0),
        load="bending_frontal",
        mesh=Mesh(near=2.5, far=5.0),
    )
    # a lesion "filled" with the cement of the other strategy is the same material map under another name
    twice = {
        "untreated": Untreated(),
        "again": Untreated(),
        "cement": fs.Cement(),
        "cement_too": fs.Cement(),
        "catheter": fs.CementFilledCatheter(past_lesion=20),
    }
    return compare(case, twice, progress=Progress(show=False))


def test_all_strategies_share_one_mesh(table):
    assert len({id(result.mesh) for result in table}) == 1
    assert next(iter(table.results)) == "intact"


@pytest.mark.parametrize(("one", "other"), [("untreated", "again"), ("cement", "cement_too")])
def test_equal_materials_give_equal_numbers(table, one, other):
    a, b = table[one], table[other]
    assert np.array_equal(a.material, b.material)
    difference = np.abs(a.solution.displacement - b.solution.displacement).max()
    assert difference < 1e-5 * np.abs(a.solution.displacement).max()
    for name, value in a.metrics.items():
        if isinstance(value, float) and not name.endswith("residual"):
            assert b.metrics[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name


def test_softer_is_never_stiffer(table):
    stiffness = table.frame["stiffness" if "stiffness" in table.frame else "torsional_stiffness"]
    assert stiffness["untreated"] < stiffness["catheter"] < stiffness["intact"]
    assert stiffness["untreated"] < stiffness["cement"] < stiffness["intact"]


def test_equations_balance(table):
    for name in ("force_residual", "moment_residual", "energy_residual"):
        assert table.frame[name].max() < 1e-6
    assert table.frame["solver_residual"].max() <= table.case.solver.tolerance


def test_failure_load_is_load_over_risk(table):
    frame = table.frame
    load = "failure_load" if "failure_load" in frame else "failure_moment"
    product = frame[load] * frame["maximum_risk"]
    assert np.allclose(product, product.iloc[0], rtol=1e-9)


def test_cement_volume_is_that_of_the_lesion_inside_the_bone(table):
    assert table.frame.loc["cement", "cement_volume"] == pytest.approx(table.frame["lesion_volume"].iloc[0], rel=0.02)
    assert table.frame.loc["untreated", "cement_volume"] == 0.0


def test_rule_of_what_is_not_judged_is_shown(table, capsys):
    """The sentence counts the elements near loads and supports again, from the mesh, and names the places."""
    from femsim import loads
    from femsim.report import methods
    from femsim.report.text import print_table

    case = loads.get("bending_frontal")
    applied = loads.apply(case, table.bone, table.mesh)
    touched = np.concatenate([p.nodes for p in applied.patches] + [np.asarray(s.nodes) for s in applied.supports])
    centre = table.mesh.points[table.mesh.cells[:, :4]].mean(axis=1)
    apart = np.min([np.linalg.norm(centre - table.mesh.points[one], axis=1) for one in np.unique(touched)], axis=0)
    count = int((apart <= case.exclude).sum())
    assert 0 < count < len(centre)
    assert f"in the {count:,} of {len(centre):,} elements" in table.not_judged
    assert f"within {case.exclude:g} mm" in table.not_judged
    assert applied.patches[0].name in table.not_judged
    print_table(table)
    assert table.not_judged in " ".join(capsys.readouterr().out.split())
    assert table.not_judged[1:-1] in " ".join(methods.paragraphs(methods.facts(table)))
