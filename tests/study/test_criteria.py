"""Criteria chosen in the case, and the interface between cement and bone."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from femsim import fem, material, mesh, risk
from femsim.case import Case, Risk
from femsim.errors import InputError, MaterialError
from femsim.study.interface import interface_columns, tractions
from femsim.verify.meshes import box, faces_on, on

PMMA = material.get("pmma")


def test_criteria_of_the_case_reach_the_materials() -> None:
    case = Case(risk=Risk(cortex_criterion="hoffman", trabecular_criterion="density_yield"))
    assert case.material("cortical_bone").criterion == "hoffman"
    assert case.material("trabecular_bone").criterion == "density_yield"
    assert case.material("pmma").criterion == "rankine"
    assert case.material("marrow").criterion == "none"
    assert Case().material("cortical_bone").criterion == "principal_strain"
    own = Case(risk=Risk(cortex_criterion="hoffman"), materials={"cortical_bone": {"criterion": "tsai_wu"}})
    assert own.material("cortical_bone").criterion == "tsai_wu"


def test_a_criterion_whose_strengths_are_missing_is_found_before_the_solve() -> None:
    with pytest.raises(MaterialError, match="tension_transverse"):
        Case(risk=Risk(cortex_criterion="hoffman")).material("cortical_bone_isotropic")
    with pytest.raises(InputError):
        Risk(cortex_criterion="tsai-hill")


def test_yield_by_density_is_the_published_law() -> None:
    """Keyak 2005: 102 times the ash density to the power 1.8, ash 0.6 of apparent."""
    stress = np.zeros((2, 6))
    stress[:, 2] = 10.0, -10.0
    bone = material.get("trabecular_bone").with_(criterion="density_yield")
    found = risk.demand(risk.State(0.0 * stress, stress, density=np.array([0.5, 0.5])), bone)
    wanted = 10.0 / (102.0 * 0.3**1.8)
    np.testing.assert_allclose(found, [[wanted, 0, 0], [0, wanted, 0]])


@pytest.fixture(scope="module")
def pulled():
    """A uniform bar of cement under 2 MPa along x, of which one half is called bone."""
    points, cells = box("tet10", (4, 4, 4), (6.0, 6.0, 6.0))
    end = faces_on(points, cells, "tet10", 0, 6.0)
    model = fem.Model(
        points=points,
        cells=cells,
        material=material.assign([PMMA], np.zeros(len(cells), int)),
        supports=[fem.Fixed(on(points, axis, 0.0), components=(axis,)) for axis in range(3)],
        loads={"pull": [fem.Traction(end, (2.0, 0.0, 0.0))]},
    )
    return points, cells, fem.solve(model, tolerance=1e-10)["pull"]


@pytest.mark.parametrize(("plane", "tension", "shear"), [("across", 2.0, 0.0), ("oblique", 1.0, 1.0)])
def test_tractions_on_a_plane(pulled, plane: str, tension: float, shear: float) -> None:
    points, cells, solution = pulled
    centre = points[cells[:, :4]].mean(axis=1)
    bone = centre[:, 0] > (3.0 if plane == "across" else centre[:, 1])
    index = bone.astype(np.int64)
    data = (PMMA, replace(PMMA, name="bone", kind="bone"))
    found = risk.assess(solution, data, index, length=1.0)
    problem = SimpleNamespace(mesh=mesh.Mesh(points, cells), case=Case())
    pull, slide, _ = tractions(problem, data, index, found)
    np.testing.assert_allclose(pull, tension, atol=1e-5)
    np.testing.assert_allclose(slide, shear, atol=1e-5)
    row = interface_columns(problem, data, index, found)
    assert row["interface_risk"] == pytest.approx(np.hypot(tension / 1.3, shear / 3.25), rel=1e-4)
    assert row["interface_mode"] == "tension"


def test_no_cement_no_interface(pulled) -> None:
    points, cells, solution = pulled
    index = np.zeros(len(cells), np.int64)
    found = risk.assess(solution, (PMMA,), index, length=1.0)
    row = interface_columns(SimpleNamespace(mesh=mesh.Mesh(points, cells)), (PMMA,), index, found)
    assert row == {"interface_risk": None, "interface_mode": None}
