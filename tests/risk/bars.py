"""Structured bars with a notch, a hole or a straight edge, and their failure load."""

from __future__ import annotations

import numpy as np

from femsim import fem, material, risk
from femsim.fem.elements import mid_parents

KUHN = [[0, 1, 2, 6], [0, 2, 3, 6], [0, 3, 7, 6], [0, 7, 4, 6], [0, 4, 5, 6], [0, 5, 1, 6]]
BONE = material.get("cortical_bone_isotropic")


def bricks(divisions: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The unit cube in tet4, six to a brick."""
    n = np.array(divisions)
    grid = np.stack(np.meshgrid(*[np.linspace(0.0, 1.0, d + 1) for d in n], indexing="ij"), axis=-1).reshape(-1, 3)
    brick = np.stack(np.meshgrid(*[np.arange(d) for d in n], indexing="ij"), axis=-1).reshape(-1, 3)
    corner = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)])
    stride = np.array([(n[1] + 1) * (n[2] + 1), n[2] + 1, 1])
    return grid, ((brick[:, None, None] + corner[np.array(KUHN)][None]) @ stride).reshape(-1, 4)


def quadratic(points: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Straight tet10 from tet4."""
    pairs = np.sort(cells[:, fem.element("tet10").edges].reshape(-1, 2), axis=1)
    found, inverse = np.unique(pairs, axis=0, return_inverse=True)
    every = np.hstack([cells, len(points) + inverse.reshape(-1, 6)])
    return np.vstack([points, points[found].mean(axis=1)]), every


def notched(h: float) -> tuple[np.ndarray, np.ndarray]:
    """A quarter of 24 x 20 x 3 mm with sharp notches, 3 mm deep and 4 mm wide, in the middle of both sides."""
    points, cells = bricks((round(12 / h), round(10 / h), max(2, round(3 / h))))
    points = points * [12.0, 10.0, 3.0]
    points[:, 1] *= 1.0 - 0.3 * np.clip(1.0 - points[:, 0] / 2.0, 0.0, None)
    return quadratic(*upright(points, cells))


def holed(h: float) -> tuple[np.ndarray, np.ndarray]:
    """A quarter of 30 x 30 x 3 mm with a hole of 10 mm through the middle, which is the origin."""
    unit, cells = bricks((round(2.5 * np.pi / h), round(12.0 / h), max(2, round(3.0 / h))))
    angle = unit[:, 0] * np.pi / 2.0
    ray = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    square = 15.0 * ray / np.abs(ray).max(axis=1, keepdims=True)
    share = unit[:, 1:2] ** 1.2
    flat = (1.0 - share) * 5.0 * ray + share * square
    points, quad = quadratic(*upright(np.column_stack([flat, unit[:, 2] * 3.0]), cells))
    return _on_circle(points, quad), quad


def _on_circle(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Mid-side nodes between two points of the hole lie on the hole."""
    ends = points[mid_parents(cells, "tet10", len(points))]
    on = (np.abs(np.hypot(ends[..., 0], ends[..., 1]) - 5.0) < 1e-6).all(axis=1)
    moved = points.copy()
    moved[on, :2] *= 5.0 / np.linalg.norm(points[on, :2], axis=1, keepdims=True)
    return moved


def upright(points: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edge = points[cells[:, 1:]] - points[cells[:, :1]]
    wrong = np.linalg.det(edge) < 0
    cells = cells.copy()
    cells[wrong, :2] = cells[wrong, 1::-1]
    return points, cells


def pulled(points: np.ndarray, cells: np.ndarray, supports: list[fem.Fixed], force: float) -> fem.Solution:
    """Pulled along x at the high end."""
    end = np.abs(points[:, 0] - points[:, 0].max()) < 1e-9
    faces = fem.element("tet10").faces
    pairs = [np.column_stack([c, np.full(len(c), i)]) for i, f in enumerate(faces)
             for c in [np.flatnonzero(end[cells[:, f]].all(axis=1))]]  # fmt: skip
    model = fem.Model(
        points=points,
        cells=cells,
        material=material.assign([BONE], np.zeros(len(cells), int)),
        supports=supports,
        loads={"pull": [fem.SurfaceForce(np.vstack(pairs), (force, 0.0, 0.0))]},
    )
    return fem.solve(model)["pull"]


def failure_loads(points: np.ndarray, cells: np.ndarray, length: float) -> tuple[float, float]:
    """Failure load (N) with demand averaged over a length, and by the plain peak at a quadrature point."""
    zero = [np.flatnonzero(np.abs(points[:, i]) < 1e-9) for i in range(3)]
    solution = pulled(points, cells, [fem.Fixed(zero[i], components=(i,)) for i in range(3)], 1000.0)
    found = risk.assess(solution, [BONE], np.zeros(len(cells), int), length=length)
    state = risk.State(solution.elastic_strain.reshape(-1, 6), solution.stress.reshape(-1, 6))
    return 1000.0 * found.load_factor, 1000.0 / float(risk.demand(state, BONE).max())
