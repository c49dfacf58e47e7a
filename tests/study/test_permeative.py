"""Permeative lesions: bone of lowered density between intact and empty, against springs in series on a tube."""

from __future__ import annotations

import numpy as np
import pytest

import femsim as fs
from femsim import anatomy, fem, material
from femsim.study.problem import build, equations, painted
from femsim.study.progress import Progress

EXPONENT = material.get("cortical_bone").other["density_exponent"].value
TUBE = fs.Tube(length=100.0)
BOTH = {"intact": fs.Intact(), "untreated": fs.Untreated()}
COARSE = fs.Mesh(near=4.0, far=6.0)


def share(lesion: fs.Lesion, load: str) -> float:
    """Stiffness of the untreated tube over that of the intact one."""
    case = fs.Case(bone=TUBE, lesion=lesion, load=load, mesh=COARSE)
    return float(fs.compare(case, [fs.Untreated()]).frame["stiffness_of_intact"]["untreated"]) / 100.0


@pytest.mark.filterwarnings("ignore::femsim.errors.FemsimWarning")
def test_a_weakened_stretch_is_a_spring_in_series() -> None:
    """A window that takes the whole section over 40 of the 100 mm, with 60 % of the density left.

    ANALYTIC: lengths over stiffnesses add up, and E falls with the power of the density.
    """
    window = fs.Lesion(site="shaft_middle", shape="slot", diameter=60.0, length=40.0, depth=40.0, remaining=0.6)
    expected = 1.0 / (0.6 + 0.4 / 0.6**EXPONENT)
    # torsion has no lateral strain to restrain; in compression the stiffer ends hold the weak stretch a little
    assert share(window, "torsion") == pytest.approx(expected, rel=0.02)
    assert expected < share(window, "axial_compression") < 1.03 * expected


def test_stiffness_falls_from_intact_to_empty_as_the_lesion_thins_the_bone() -> None:
    ball = {"site": "shaft_middle", "diameter": 16.0}
    found = [share(fs.Lesion(**ball, remaining=left), "torsion") for left in (0.9, 0.5, 0.2)]
    empty = share(fs.Lesion(**ball), "torsion")
    assert 1.0 > found[0] > found[1] > found[2] > empty
    faded = share(fs.Lesion(**ball, fade=4.0), "torsion")
    assert faded < empty


def test_the_twin_is_spared_and_the_cement_fills_what_is_left() -> None:
    case = fs.Case(
        bone=TUBE,
        lesion=fs.Lesion(site="shaft_middle", diameter=16.0, remaining=0.5, fade=5.0),
        load="torsion",
        mesh=COARSE,
    )
    problem = build(case, {**BOTH, "cement": fs.Cement()}, Progress(show=False))
    inside = problem.mesh.inside("lesion")
    scales = {}
    for name in problem.setup.rules:
        data, index = painted(problem, name)
        scales[name] = equations(problem, name, data, index).material.scale_table()
        kinds = np.array([one.kind for one in data])[index]
        assert (kinds[inside] == "cement").all() if name == "cement" else (kinds == "bone").all()
    cortex = ~problem.mesh.inside("endosteum")
    assert (scales["intact"][cortex] == 1.0).all()
    np.testing.assert_allclose(scales["untreated"][cortex & inside].min(), 0.5**EXPONENT, rtol=1e-6)
    np.testing.assert_allclose(scales["cement"][inside], 1.0)
    centre = problem.setup.lesions[0].centre
    away = np.linalg.norm(fem.quadrature_points(problem.mesh.points, problem.mesh.cells, "tet10") - centre, axis=2)
    untreated = scales["untreated"]
    fringe = cortex[:, None] & (away > 8.5) & (away < 12.5)
    assert (untreated[fringe] < 1.0).all()
    assert (untreated[fringe] > 0.5**EXPONENT).all()
    assert (untreated[cortex[:, None] & (away > 13.1)] == 1.0).all()
    # the density that is judged is lowered too
    assert problem.at.left(healed=False).sum() <= problem.at.left(healed=True).sum()


def test_overlapping_lesions_leave_what_the_worse_one_leaves() -> None:
    tube = anatomy.tube(28.0, 13.0, 100.0)
    plans = [anatomy.LesionPlan(site="shaft_middle", diameter=20.0, remaining=left) for left in (0.7, 0.4)]
    lesions = [anatomy.place_lesion(tube, plan) for plan in plans]
    at = lesions[0].centre[None]
    assert min(one.density_factor(at)[0] for one in lesions) == 0.4
    assert all(one.permeative for one in lesions)
    assert not anatomy.place_lesion(tube, anatomy.LesionPlan(site="shaft_middle", diameter=8.0)).permeative


def test_cement_is_not_thinned() -> None:
    left = np.full((2, 4), 0.5)
    found = material.assign(["pmma", "marrow"], np.array([0, 1]), remaining=left)
    np.testing.assert_array_equal(found.scale_table(), 1.0)
