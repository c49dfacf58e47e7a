"""A spherical cavity and spherical inclusions under tension, through femsim's own mesher."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.mesh import Mesh, MeshSize, mesh_arrangement
from femsim.solid import Arrangement, Sphere
from femsim.verify.meshes import at, surface_forces
from femsim.verify.registry import Values, case

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Radius of the sphere, mm, and the band about its equator in which stresses are looked at.
RADIUS, BAND = 10.0, 0.6
#: Sectors of the equator: 15 degrees, 2.6 mm each.
SECTORS = 24


@cache
def sphere_mesh(near: float = 1.5, far: float = 25.0, outer: float = 100.0) -> Mesh:
    """A ball of ten radii with the sphere in its middle; the size of the ball leaves an error of about 0.1 %."""
    solids = {"sphere": Sphere(np.zeros(3), RADIUS)}
    domain = Sphere(np.zeros(3), outer)
    sizes = MeshSize(near=near, far=far, growth=0.35, margin=2.0)
    return mesh_arrangement(Arrangement(domain, solids, fine=("sphere",)), sizes)


def pulled(mesh: Mesh, outside: float, inside: float | None) -> tuple[fem.Solution, NDArray[np.bool_]]:
    """Uniform stress of one along z far away; moduli of matrix and sphere (None: a cavity), nu 0.3.

    Returns the solution and which of its cells lie in the sphere.
    """
    within = mesh.inside("sphere")
    keep = np.ones(len(mesh.cells), bool) if inside is not None else ~within
    used, cells = np.unique(mesh.cells[keep], return_inverse=True)
    points, cells = mesh.points[used], cells.reshape(-1, 10)
    row = np.cumsum(keep) - 1
    faces = mesh.face_sets["boundary"]
    faces = np.column_stack([row[faces[:, 0]], faces[:, 1]])
    force = surface_forces(points, cells, "tet10", faces, lambda x, n: n * [0.0, 0.0, 1.0])
    index = within[keep].astype(int)
    base = np.stack([fem.isotropic(outside, 0.3), fem.isotropic(outside if inside is None else inside, 0.3)])
    radius = float(np.linalg.norm(points, axis=1).max())
    top, bottom, side = (at(points, p) for p in ((0, 0, radius), (0, 0, -radius), (radius, 0, 0)))
    supports = [fem.Fixed(np.array([node]), held) for node, held in ((bottom, (0, 1, 2)), (top, (0, 1)), (side, (1,)))]
    load = fem.NodalForce(np.arange(len(points)), force)
    model = fem.Model(points, cells, fem.Material(base, index), supports, {"pull": [load]}, "tet10")
    return fem.solve(model)["pull"], index == 1


def on_sphere(solution: fem.Solution, group: int) -> tuple[Floats, Floats]:
    """Places (p, 3) and recovered stresses (p, 6), of one side, of the nodes on the sphere."""
    nodes, values = fem.recover(solution, "stress").of(group)
    places = solution.model.points[nodes]
    on = np.abs(np.linalg.norm(places, axis=1) - RADIUS) < 0.02
    return places[on], values[on]


def _equator(places: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Angle and axial stress of the nodes in the band about the equator."""
    band = np.abs(places[:, 2]) < BAND
    return np.arctan2(places[band, 1], places[band, 0]), values[band, 2]


def _pole(places: Floats, values: Floats) -> float:
    """Mean hoop stress near the poles (within 6 degrees; it changes with the square of the angle)."""
    near = np.abs(places[:, 2]) > 0.995 * RADIUS
    return float(values[near, :2].mean())


@case("goodier-cavity")
def goodier() -> Values:
    """A spherical cavity."""
    places, values = on_sphere(pulled(sphere_mesh(), 17000.0, None)[0], 0)
    angle, stress = _equator(places, values)
    sector = np.floor((angle + np.pi) / (2 * np.pi) * SECTORS).astype(int) % SECTORS
    return {
        "peak": float(stress.mean()),
        "peak_in_any_15_degrees": float(max(np.median(stress[sector == i]) for i in range(SECTORS))),
        "largest_nodal_value": float(values[:, 2].max()),
        "pole_hoop": _pole(places, values),
    }


def _inclusion(outside: float, inside: float) -> Values:
    solution, within = pulled(sphere_mesh(), outside, inside)
    stress, weight = solution.stress[within], solution.volume[within]
    weight = weight / weight.sum()
    mean = np.einsum("mqi,mq->i", stress, weight)
    spread = np.sqrt(np.einsum("mq,mq->", weight, (stress[..., 2] - mean[2]) ** 2))
    places, values = on_sphere(solution, 0)
    return {
        "inside_szz": float(mean[2]),
        "inside_sxx": float((mean[0] + mean[1]) / 2),
        "inside_spread": float(spread / abs(mean[2])),
        "matrix_equator_szz": float(_equator(places, values)[1].mean()),
    }


@case("eshelby-pmma-in-cortex")
def eshelby_cortex() -> Values:
    """2.5 GPa in 17 GPa."""
    return _inclusion(17000.0, 2500.0)


@case("eshelby-pmma-in-cancellous")
def eshelby_cancellous() -> Values:
    """2.5 GPa in 0.5 GPa."""
    return _inclusion(500.0, 2500.0)
