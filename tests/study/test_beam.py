"""Beam theory beside the finite elements: it agrees on a sound tube and catches a blunder of units or loads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from femsim import study, treatment
from femsim.case import Case, Mesh, Tube
from femsim.study.beam import beam, beam_warnings
from femsim.study.problem import build, solve_all
from femsim.study.progress import Progress
from femsim.study.rigidity import rigidity


def solved(load: str):
    tube = Tube(outer_diameter=28.0, inner_diameter=13.0, length=500.0)
    case = Case(bone=tube, lesion=(), load=load, mesh=Mesh(near=5.0, far=5.0))
    strategies = {"intact": treatment.Intact()}
    problem = build(case, strategies, Progress(show=False))
    results = solve_all(problem, strategies, Progress(show=False))
    return problem, results, rigidity(problem, results)


@pytest.fixture(scope="module")
def bench():
    return solved("four_point_bending")


def test_bending_bench_is_a_beam(bench) -> None:
    problem, results, curves = bench
    found = beam(problem, results, curves)["intact"]
    assert found.compared.sum() >= 4
    assert abs(found.worst_stress[0]) < 0.08
    assert abs(found.stiffness_difference) < 0.08
    assert beam_warnings({"intact": found}, 25.0) == []
    # between the loads the moment is F a / 2, and there is no shear and no axial force
    middle = int(np.abs(found.position - 50.0).argmin())
    assert np.hypot(*found.force[middle, :2]) < 1e-6 * problem.loading.magnitude
    supports = [problem.loading.patches[i].point[2] for i in (2, 3)]
    arm = abs(problem.loading.patches[0].point[2] - supports[0])
    assert np.linalg.norm(found.moment[middle]) == pytest.approx(problem.loading.magnitude * arm / 2.0, rel=1e-3)


def test_torsion_is_the_moment_that_was_asked_for() -> None:
    problem, results, curves = solved("torsion")
    found = beam(problem, results, curves)["intact"]
    np.testing.assert_allclose(np.abs(found.moment[:, 2]), problem.loading.magnitude, rtol=1e-9)
    assert abs(found.stiffness_difference) < 0.05
    # shear at the outer fibre, less half an element of 5 mm; of the stress along it, which is nothing, no share is told
    closed = 16.0 * problem.loading.magnitude * 28.0 / (np.pi * (28.0**4 - 13.0**4))
    np.testing.assert_allclose(found.beam_shear[found.compared], closed, rtol=0.08)
    assert np.abs(found.stress_difference[found.compared]).max() < 0.08


@pytest.mark.parametrize("factor", [1e3, 9.81, 0.5])
def test_stresses_of_another_load_are_caught(bench, factor: float) -> None:
    """As when moduli are typed in GPa for the solver, or a load in kg."""
    problem, results, curves = bench
    one = results["intact"].solution
    wrong = replace(one, displacement=one.displacement * factor)
    found = beam(problem, {"intact": replace(results["intact"], solution=wrong)}, curves)
    told = beam_warnings(found, problem.case.risk.beam_limit)
    assert any("stress" in line for line in told)
    assert any("stiffness" in line for line in told)


def test_a_tube_too_short_to_be_a_beam_has_no_verdict() -> None:
    tube = Tube(outer_diameter=28.0, inner_diameter=13.0, length=40.0)
    case = Case(bone=tube, lesion=(), load="axial_compression", mesh=Mesh(near=5.0, far=5.0))
    result = study.compare(case, {"intact": treatment.Intact()}, progress=Progress(show=False))
    assert not result.beam["intact"].compared.any()
    assert "beam_stress_difference" not in result["intact"].metrics
    assert beam_warnings(result.beam, 1e-9) == []
