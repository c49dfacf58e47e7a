"""Patch tests, rigid motions and orders of convergence of every element."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bsr_matrix

from femsim import fem
from femsim.fem import operators
from femsim.fem.elasticity import strain_rotation
from femsim.fem.workspace import make_grid
from femsim.verify.meshes import body_forces, box, distort, surface
from femsim.verify.registry import Values, case

Floats = NDArray[np.float64]

GRADIENT = np.array([[1.1e-3, 2e-4, -3e-4], [5e-4, -7e-4, 4e-4], [1e-4, 6e-4, 9e-4]])
STRAIN = np.array([1.1e-3, -7e-4, 9e-4, 1e-3, -2e-4, 7e-4])


def random_axes(seed: int) -> Floats:
    """A rotation, rows are axes."""
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return np.asarray(turn * np.linalg.det(turn))


def anisotropic() -> Floats:
    """A stiffness with 21 different constants."""
    a = np.random.default_rng(3).normal(size=(6, 6))
    full = a @ a.T * 100.0 + 2000.0 * np.eye(6)
    return fem.anisotropic(full[np.tril_indices(6)])


def patch_error(name: str, stiffness: Floats, projected: bool) -> tuple[float, float]:
    """Relative errors of displacement and stress of one element on a distorted patch."""
    points, cells = box(name, (3, 3, 3), (2.0, 3.0, 2.5))
    points = distort(points, cells, name, 0.15)
    turn = random_axes(1)
    axes = np.broadcast_to(turn, (len(cells), 3, 3))
    material = fem.Material(stiffness, np.zeros(len(cells), int), axes=axes, projected=projected)
    exact = points @ GRADIENT.T
    nodes = surface(points)
    model = fem.Model(points, cells, material, [fem.Fixed(nodes, value=exact[nodes])], {"patch": ()}, name)
    solution = fem.solve(model)["patch"]
    t = strain_rotation(turn)
    stress = t.T @ stiffness @ t @ STRAIN
    return (
        float(np.abs(solution.displacement - exact).max() / np.abs(exact).max()),
        float(np.abs(solution.stress - stress).max() / np.abs(stress).max()),
    )


def _patch(projected: bool) -> Values:
    out = {}
    for name in fem.ELEMENTS:
        out[f"{name}_displacement"], out[f"{name}_stress"] = patch_error(name, anisotropic(), projected)
    return out


@case("patch")
def patch() -> Values:
    """Plain elements."""
    return _patch(False)


@case("patch-bbar")
def patch_bbar() -> Values:
    """Elements with a projected dilatation."""
    return _patch(True)


def heterogeneous(points: Floats, places: Floats) -> tuple[Floats, Floats]:
    """Displacement (n, 3) and modulus (m, q) where 1/E is linear in space and the stress is uniaxial and one.

    FeenoX, examples/parallelepiped-mechanical.
    """
    a, b, c, d, nu, h = 0.002, 0.003, 0.004, 0.76, 0.3, 10.0
    x, y, z = points.T
    u = a / 2 * (x**2 + nu * (y**2 + z**2)) + b * x * y + c * x * z + d * x - nu * a * h / 4 * (y + z)
    v = -nu * (a * x * y + b / 2 * (y**2 - z**2 + x**2 / nu) + c * y * z + d * y - a * h / 4 * x - c * h / 4 * z)
    w = -nu * (a * x * z + b * y * z + c / 2 * (z**2 - y**2 + x**2 / nu) + d * z + c * h / 4 * y - a * h / 4 * x)
    return np.stack([u, v, w], axis=1), 1.0 / (places @ [a, b, c] + d)


def modulus_error(name: str, per_cell: bool = False) -> tuple[float, float]:
    """Errors of displacement (relative) and stress in the field of linear 1/E."""
    points, cells = box(name, (4, 2, 2), (20.0, 10.0, 10.0), (0.0, -5.0, -5.0))
    if name == "tet10":
        points = distort(points, cells, name, 1.0)
    exact, scale = heterogeneous(points, fem.quadrature_points(points, cells, name))
    if per_cell:
        scale = np.repeat(scale.mean(axis=1)[:, None], scale.shape[1], axis=1)
    material = fem.Material(fem.isotropic(1.0, 0.3), np.zeros(len(cells), int), scale=scale)
    nodes = surface(points)
    model = fem.Model(points, cells, material, [fem.Fixed(nodes, value=exact[nodes])], {"pull": ()}, name)
    solution = fem.solve(model)["pull"]
    return (
        float(np.abs(solution.displacement - exact).max() / np.abs(exact).max()),
        float(np.abs(solution.stress - [1.0, 0, 0, 0, 0, 0]).max()),
    )


@case("patch-modulus")
def patch_modulus() -> Values:
    """Moduli at quadrature points."""
    out = {}
    for name in ("tet10", "hex20", "hex20r"):
        out[f"{name}_displacement"], out[f"{name}_stress"] = modulus_error(name)
    return out


@case("rigid-body-modes")
def rigid_body_modes() -> Values:
    """Zero eigenvalues; hex20r has spurious ones in one element alone, none in a patch."""
    out: dict[str, float] = {}
    for name in fem.ELEMENTS:
        points, cells = box(name, (2, 2, 1) if name == "hex20r" else (1, 1, 1), (1.0, 1.2, 0.9))
        material = fem.Material(fem.isotropic(1.0, 0.3), np.zeros(len(cells), int))
        grid = make_grid(fem.Model(points, cells, material, element=name), 1)
        blocks = operators.stiffness(grid, material)
        values = np.linalg.eigvalsh(bsr_matrix((blocks, grid.pattern.indices, grid.pattern.indptr)).toarray())
        out[name] = float((np.abs(values) < 1e-6 * values[-1]).sum())
    return out


def _sine_load(places: Floats, lam: float, mu: float, direction: Floats) -> Floats:
    """Body force of u = sin(pi x) sin(pi y) sin(pi z) * direction."""
    s, c = np.sin(np.pi * places), np.cos(np.pi * places)
    product = s.prod(axis=-1)
    hess = np.empty((*places.shape, 3))
    for i in range(3):
        for j in range(3):
            hess[..., i, j] = -product if i == j else c[..., i] * c[..., j] * s[..., 3 - i - j]
    return np.asarray(-(np.pi**2) * ((lam + mu) * hess @ direction - 3 * mu * product[..., None] * direction))


def sine_error(name: str, divisions: int) -> float:
    """L2 error of the displacement."""
    modulus, nu, direction = 1000.0, 0.3, np.array([1.0, 2.0, -1.0])
    lam, mu = modulus * nu / ((1 + nu) * (1 - 2 * nu)), modulus / (2 * (1 + nu))
    points, cells = box(name, (divisions,) * 3)
    places = fem.quadrature_points(points, cells, name)
    volume = fem.quadrature_volumes(points, cells, name)
    force = body_forces(points, cells, name, _sine_load(places, lam, mu, direction), volume)
    material = fem.Material(fem.isotropic(modulus, nu), np.zeros(len(cells), int))
    load = fem.NodalForce(np.arange(len(points)), force)
    model = fem.Model(points, cells, material, [fem.Fixed(surface(points))], {"f": [load]}, name)
    u = fem.solve(model, tolerance=1e-10)["f"].displacement
    exact = np.sin(np.pi * places).prod(axis=-1)[..., None] * direction
    miss = np.einsum("qa,mad->mqd", fem.element(name).values, u[cells]) - exact
    return float(np.sqrt((volume * (miss**2).sum(-1)).sum()))


@case("manufactured")
def manufactured() -> Values:
    """Observed order between a mesh and one twice as fine."""
    sizes = {"tet4": (8, 16), "hex8": (5, 10), "tet10": (3, 6), "hex20": (2, 4), "hex20r": (4, 8)}
    out: dict[str, float] = {}
    for name, (coarse, fine) in sizes.items():
        out[name] = float(np.log(sine_error(name, coarse) / sine_error(name, fine)) / np.log(fine / coarse))
    return out


@case("free-expansion")
def free_expansion() -> Values:
    """A free body in skew material axes."""
    points, cells = box("tet10", (2, 2, 2))
    points = distort(points, cells, "tet10", 0.1)
    turn = random_axes(4)
    alpha = np.array([1e-5, 1e-5, 3e-5])
    material = fem.Material(
        fem.transversely_isotropic(17000.0, 11000.0, 3300.0, 0.3, 0.4),
        np.zeros(len(cells), int),
        axes=np.broadcast_to(turn, (len(cells), 3, 3)),
        thermal_expansion=alpha[None],
    )
    strain = turn.T @ np.diag(alpha * 20.0) @ turn
    exact = (points - points[0]) @ strain.T
    # Three nodes hold the body at its own exact motion, without a force.
    three = np.array([0, int(points[:, 0].argmax()), int(points[:, 1].argmax())])
    model = fem.Model(
        points, cells, material, [fem.Fixed(three, value=exact[three])], {"warm": [fem.Thermal(20.0)]}, "tet10"
    )
    solution = fem.solve(model)["warm"]
    return {
        "displacement": float(np.abs(solution.displacement - exact).max() / np.abs(exact).max()),
        "stress": float(np.abs(solution.stress).max() / (17000.0 * 3e-5 * 20.0)),
    }
