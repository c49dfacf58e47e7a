"""Small cases of code_aster's validation manual."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.verify.meshes import at, box, on
from femsim.verify.registry import Values, case


@case("sslv07")
def sslv07() -> Values:
    """A bar of 3 m under its own weight (E 2e11 Pa, 7800 kg/m3), hung by its top; m, N, Pa."""
    points, cells = box("tet10", (1, 1, 3), (0.3, 0.3, 3.0))
    weight = 7800.0 * 9.81
    material = fem.Material(fem.isotropic(2e11, 0.0), np.zeros(len(cells), int))
    model = fem.Model(
        points, cells, material, [fem.Fixed(on(points, 2, 3.0))], {"g": [fem.BodyForce((0.0, 0.0, -weight))]}, "tet10"
    )
    solution = fem.solve(model)["g"]
    nodes, values = fem.recover(solution, "stress").of(0)
    return {
        "uz_end": float(solution.displacement[on(points, 2, 0.0), 2].mean()),
        "szz_top": float(values[np.isin(nodes, on(points, 2, 3.0)), 2].mean()),
    }


@case("sslv104")
def sslv104() -> Values:
    """A rod along (1, 1, 1) from the point (10, 10, 10), spinning at 3000 rad/s about (1, 0, -1) through it; SI."""
    straight, cells = box("hex20", (10, 1, 1), (0.5, 0.02, 0.02), (0.0, -0.01, -0.01))
    along = np.array([1.0, 1.0, 1.0]) / np.sqrt(3.0)
    axis = np.array([1.0, 0.0, -1.0]) / np.sqrt(2.0)
    frame = np.stack([along, np.cross(axis, along), axis])
    points = straight @ frame + 10.0
    load = fem.Centrifugal(3000.0, (10.0, 10.0, 10.0), axis, 7800.0)
    material = fem.Material(fem.isotropic(2e11, 0.0), np.zeros(len(cells), int))
    model = fem.Model(points, cells, material, [fem.Fixed(on(straight, 0, 0.0))], {"spin": [load]}, "hex20")
    tip = fem.solve(model)["spin"].displacement[at(straight, (0.5, 0.0, 0.0))]
    return dict(zip(("ux", "uy", "uz"), tip.tolist(), strict=True))


@case("sslv131")
def sslv131() -> Values:
    """One tetrahedron of a transversely isotropic material in axes turned by the nautical angles 30, 20, 10."""
    points = np.array([[0.0, 0, 0], [3, 1, 0], [2, 3, 0], [3, 1, -1]])
    cells = np.array([[0, 2, 1, 3]])
    u = np.array([[0.0, 0, 0], [9, 14, 18], [13, 21, 26], [5, 8, 11]])
    (ca, cb, cc), (sa, sb, sc) = np.cos(np.radians([30.0, 20, 10])), np.sin(np.radians([30.0, 20, 10]))
    # Nautical angles: about z, then y' (a positive pitch is upwards), then x''.
    rz = np.array([[ca, sa, 0], [-sa, ca, 0], [0, 0, 1]])
    ry = np.array([[cb, 0, -sb], [0, 1, 0], [sb, 0, cb]])
    rx = np.array([[1, 0, 0], [0, cc, sc], [0, -sc, cc]])
    stiffness = fem.transversely_isotropic(8000.0, 11000.0, 7000.0, 0.15 * 8000.0 / 11000.0, 0.18)
    material = fem.Material(stiffness, np.zeros(1, int), axes=(rx @ ry @ rz)[None])
    model = fem.Model(points, cells, material, [fem.Fixed(np.arange(4), value=u)], {"u": ()}, "tet4")
    solution = fem.solve(model)["u"]
    strain, stress = solution.strain[0, 0], solution.stress[0, 0]
    # code_aster prints xx yy zz xy xz yz
    return {
        "exy": strain[5] / 2, "exz": strain[4] / 2, "eyz": strain[3] / 2,
        "sxx": stress[0], "syy": stress[1], "szz": stress[2], "sxy": stress[4], "sxz": stress[5],
    }  # fmt: skip


@case("sslv140")
def sslv140() -> Values:
    """Two bonded unit cubes (E 200 and 100 GPa), strained across and along their joint, hex8."""
    points, cells = box("hex8", (2, 1, 1), (2.0, 1.0, 1.0))
    scale = np.where(points[cells].mean(axis=1)[:, 0] < 1.0, 2.0, 1.0)
    material = fem.Material(fem.isotropic(100000.0, 0.3), np.zeros(2, int), scale=scale)
    free = [fem.Fixed(on(points, i, 0.0), (i,)) for i in range(3)]

    def mean(supports: Sequence[fem.Support]) -> NDArray[np.float64]:
        solution = fem.solve(fem.Model(points, cells, material, supports, {"pull": ()}, "hex8"))["pull"]
        return np.asarray(np.einsum("mqi,mq->i", solution.stress, solution.volume) / 2.0)

    # The supports of code_aster's series case: u_y held along an edge, u_z along the bar.
    line = np.flatnonzero((points[:, 1] == 0.0) & (points[:, 2] == 0.0))
    edge = np.flatnonzero((points[:, 0] == 0.0) & (points[:, 1] == 0.0))
    series = [free[0], fem.Fixed(edge, (1,)), fem.Fixed(line, (2,)), fem.Fixed(on(points, 0, 2.0), (0,), 2.0)]
    return {
        "parallel_syy": float(mean([*free, fem.Fixed(on(points, 1, 1.0), (1,), 1.0)])[1]),
        "series_sxx": float(mean(series)[0]),
    }
