"""A straight tube through the whole pipeline against beam theory (A5 and A6 of the verification list).

EI, GJ and EA are measured between two cross-sections well inside the tube: M / curvature, T / twist, F / stretch. The
ends, where the load is spread over the nodes, do not enter.
"""

from __future__ import annotations

import numpy as np
import pytest

from femsim import fem, material, treatment
from femsim.case import Case, Mesh, Tube
from femsim.study.problem import build
from femsim.study.progress import Progress
from femsim.treatment import Rule

OUTER, INNER, LENGTH = 28.0, 13.0, 160.0
LOADS = {
    "bending": {"moment": (1e4, 0.0, 0.0)},
    "torsion": {"moment": (0.0, 0.0, 1e4)},
    "axial": {"force": (0.0, 0.0, 1e3)},
}


@pytest.fixture(scope="module")
def problem():
    tube = Tube(outer_diameter=OUTER, inner_diameter=INNER, length=LENGTH)
    case = Case(bone=tube, lesion=(), load="axial_compression", mesh=Mesh(near=2.0, far=2.6))
    return build(case, {"intact": treatment.Intact()}, Progress(show=False))


def rigidities(problem, core: material.MaterialData) -> dict[str, float]:
    """EI, GJ (N mm2) and EA (N) of the middle of the tube with a core of the given material."""
    mesh = problem.mesh
    rules = (*treatment.base_rules(()), Rule(inside=("endosteum",), material=core.name))
    names, index = treatment.paint(mesh, rules)
    data = [core if name == core.name else material.get(name) for name in names]
    ends = [np.flatnonzero(np.abs(mesh.points[:, 2] - z) < 1e-6) for z in (0.0, LENGTH)]
    model = fem.Model(
        points=mesh.points,
        cells=mesh.cells,
        material=material.assign(data, index, density=problem.at.density, axis=problem.at.axis),
        supports=[fem.Fixed(ends[0])],
        loads={name: [fem.RemoteForce(ends[1], (0, 0, LENGTH), **one)] for name, one in LOADS.items()},
    )
    found = fem.solve(model, tolerance=1e-9)
    motion = {
        name: [section_motion(problem, one.displacement, z) for z in (50.0, 110.0)] for name, one in found.items()
    }
    bend = motion["bending"][1][1][0] - motion["bending"][0][1][0]
    twist = motion["torsion"][1][1][2] - motion["torsion"][0][1][2]
    stretch = motion["axial"][1][0][2] - motion["axial"][0][0][2]
    return {"EI": 1e4 * 60.0 / bend, "GJ": 1e4 * 60.0 / twist, "EA": 1e3 * 60.0 / stretch}


def section_motion(problem, displacement, z):
    """Mean translation and rotation of the cortex in a 4 mm slice, weighted by volume."""
    mesh = problem.mesh
    where = fem.quadrature_points(mesh.points, mesh.cells, "tet10")
    shape = fem.element("tet10").values
    chosen = (np.abs(where[..., 2] - z) < 2.0) & ~mesh.inside("endosteum")[:, None]
    at = where[chosen]
    moved = np.einsum("qa,max->mqx", shape, displacement[mesh.cells])[chosen]
    weight = fem.quadrature_volumes(mesh.points, mesh.cells, "tet10")[chosen]
    # u = t + r x (p - centre), fitted by least squares
    arm = at - [0.0, 0.0, z]
    rows = np.zeros((len(at), 3, 6))
    rows[:, range(3), range(3)] = 1.0
    rows[:, 0, 4], rows[:, 0, 5] = arm[:, 2], -arm[:, 1]
    rows[:, 1, 3], rows[:, 1, 5] = -arm[:, 2], arm[:, 0]
    rows[:, 2, 3], rows[:, 2, 4] = arm[:, 1], -arm[:, 0]
    root = np.sqrt(weight)[:, None]
    fit = np.linalg.lstsq((rows * root[:, :, None]).reshape(-1, 6), (moved * root).ravel(), rcond=None)[0]
    return fit[:3], fit[3:]


CORTEX, CEMENT = material.get("cortical_bone"), material.get("pmma")


@pytest.fixture(scope="module")
def empty(problem):
    return rigidities(problem, material.get("marrow"))


@pytest.fixture(scope="module")
def filled(problem):
    return rigidities(problem, CEMENT)


@pytest.fixture(scope="module")
def filled_alike(problem):
    """A core with the Poisson's ratio of the cortex, as composite beam theory supposes."""
    return rigidities(problem, CEMENT.with_(nu=CORTEX["nu_axial"]))


def beam() -> dict[str, float]:
    second = np.pi / 64 * (OUTER**4 - INNER**4)
    return {"EI": 17000.0 * second, "GJ": 3300.0 * 2 * second, "EA": 17000.0 * np.pi / 4 * (OUTER**2 - INNER**2)}


@pytest.mark.parametrize("name", ["EI", "GJ", "EA"])
def test_stiffness_is_that_of_beam_theory(empty, name):
    assert empty[name] == pytest.approx(beam()[name], rel=0.01)


def test_closed_form_is_the_published_one():
    assert beam()["EI"] / 1e6 == pytest.approx(489.1, abs=0.1)
    assert beam()["GJ"] / 1e6 == pytest.approx(189.9, abs=0.1)


@pytest.mark.parametrize(("name", "percent"), [("EI", 0.72), ("EA", 4.04)])
def test_cement_core_adds_what_composite_beam_theory_says(empty, filled_alike, name, percent):
    assert 100.0 * (filled_alike[name] / empty[name] - 1.0) == pytest.approx(percent, abs=0.1)


def test_a_core_that_contracts_less_than_the_cortex_adds_what_hill_says(empty, filled):
    """Cortex (nu 0.46) squeezes cement (nu 0.3) when stretched: Hill, J Mech Phys Solids 1964;12:199."""
    inner, outer = np.pi / 4 * INNER**2, np.pi / 4 * (OUTER**2 - INNER**2)
    share = inner / (inner + outer)
    e, nu = CEMENT["E"], CEMENT["nu"]
    k_core = e / (2 * (1 + nu) * (1 - 2 * nu))
    e_t, nu_t = CORTEX["E_transverse"], CORTEX["nu_transverse"]
    k_wall = 1 / (2 * (1 - nu_t) / e_t - 4 * CORTEX["nu_axial"] ** 2 / CORTEX["E_axial"])
    g_wall = e_t / (2 * (1 + nu_t))
    squeeze = 4 * (CORTEX["nu_axial"] - nu) ** 2 * share * (1 - share)
    squeeze /= share / k_wall + (1 - share) / k_core + 1 / g_wall
    added = (e * inner + squeeze * (inner + outer)) / (CORTEX["E_axial"] * outer)
    assert filled["EA"] / empty["EA"] - 1.0 == pytest.approx(added, abs=0.001)
    assert filled["EI"] / empty["EI"] - 1.0 == pytest.approx(0.0072, abs=0.001)
