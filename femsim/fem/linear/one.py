"""Conjugate gradients for one right-hand side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from femsim.fem.linear import blocks as store
from femsim.fem.linear import one_kernels as kernels
from femsim.fem.linear.system import Floats, not_converged
from femsim.fem.linear.team import Team

if TYPE_CHECKING:
    from femsim.fem.linear.multigrid import Hierarchy

Singles = NDArray[np.float32]


class One:
    """Matrix and preconditioner on (n, 4) arrays of the solver's numbering, with the memory that they work in.

    What either gives is written over by its next call: fresh memory would cost as much time as the work.
    """

    def __init__(self, hierarchy: Hierarchy, team: Team) -> None:
        self.hierarchy, self.team = hierarchy, team
        shape, coarse = (len(hierarchy.diagonal), kernels.WIDTH), hierarchy.structure.coarse
        self._product, self._left = np.zeros(shape), np.zeros(shape, np.float32)
        self._x, self._vertex = np.zeros(shape, np.float32), np.zeros((len(coarse.free), kernels.WIDTH), np.float32)

    def product(self, x: Floats) -> Floats:
        """``A x``."""
        h, y = self.hierarchy, self._product
        shared = (h.structure.lower.indptr, h.structure.lower.indices, h.matrix, h.diagonal)
        self.team.forwards(h.structure.numbering.slabs, kernels.multiply_one, *shared, x, y)
        return y

    def precondition(self, b: Singles) -> Singles:
        """One application of the multigrid; overwrites b."""
        h, team, x = self.hierarchy, self.team, self._x
        coarse, slabs = h.structure.coarse, h.structure.numbering.slabs
        lower = h.structure.lower
        shared = (lower.indptr, lower.indices, h.single, h.structure.numbering.place, h.inverse)
        team.forwards(slabs, kernels.forward_one, *shared, b, x, self._left)
        kernels.restrict_one(self._left, coarse.parents, coarse.fine, self._vertex)
        change = h.vertices.solve(self._vertex, team)
        spread = (change, coarse.parents, coarse.fine)
        team.share(store.shares(len(b)), kernels.interpolate_one, *spread, x)
        team.backwards(slabs, kernels.backward_one, *shared, b, x)
        return x


def solve_one(
    hierarchy: Hierarchy, rhs: Floats, tolerance: float, guess: Floats | None, team: Team, limit: int
) -> tuple[Floats, int, float]:
    """Preconditioned conjugate gradients [saad2003, algorithm 9.1], restarted until the true residual is small.

    Parameters
    ----------
    hierarchy : Hierarchy
    rhs : (n, 3) float64
    tolerance : float
        On the true relative residual.
    guess : (n, 3) or None
    team : Team
    limit : int
        Largest number of iterations.

    Returns
    -------
    x : (n, 3)
        Zero at the nodes that are fixed throughout.
    iterations : int
    residual : float

    Raises
    ------
    SolveError
        If the iteration does not converge.
    """
    old = hierarchy.structure.numbering.old
    operators = One(hierarchy, team)
    b = _lanes(rhs, old)
    norm = float(np.linalg.norm(b))
    x, r = np.zeros_like(b), b.copy()
    if guess is not None and norm > 0.0:
        # the multiple of the guess that is nearest to the solution in energy, which zero (no guess) is one of
        start = _lanes(guess, old)
        forces = operators.product(start)
        share = float(np.vdot(start, b)) / max(float(np.vdot(start, forces)), np.finfo(float).tiny)
        x, r = share * start, b - share * forces
    count, residual = 0, float(np.linalg.norm(r)) / norm if norm > 0.0 else 0.0
    for _ in range(4):
        if residual <= tolerance:
            break
        # aiming a little lower saves a restart when the recursive residual runs ahead of the true one
        count = _descend(operators, x, r.copy(), 0.9 * tolerance * norm, count, limit)
        r = b - operators.product(x)
        before, residual = residual, float(np.linalg.norm(r)) / norm
        if not residual < before or count >= limit:
            break
    if not residual <= tolerance:
        raise not_converged(residual, tolerance, count)
    out = np.zeros_like(rhs)
    out[old] = x[:, :3]
    return out, count, residual


def _lanes(vector: Floats, old: NDArray[np.int64]) -> Floats:
    """(n, 3) as (m, 4) in the solver's numbering."""
    out = np.zeros((len(old), kernels.WIDTH))
    out[:, :3] = vector[old]
    return out


def _descend(operators: One, x: Floats, r: Floats, target: float, count: int, limit: int) -> int:
    """Conjugate gradients on x in place until the recursive residual reaches the target."""
    team, p = operators.team, np.zeros_like(r)
    parts = [(kernels.WIDTH * first, kernels.WIDTH * end) for first, end in store.shares(len(r))]
    along, flat = p.ravel(), (x.ravel(), r.ravel())
    # single precision has a narrow range; the preconditioner is linear, so the size is taken out and put back
    norm = size = float(np.linalg.norm(r))
    b, rz = (r / size).astype(np.float32), 0.0
    while count < limit:
        z = operators.precondition(b).ravel()
        before, rz = rz, size * sum(team.share(parts, kernels.dot, flat[1], z))
        team.share(parts, kernels.turn, along, z, size, rz / before if before else 0.0)
        q = operators.product(p).ravel()
        curvature = sum(team.share(parts, kernels.dot, along, q))
        if not curvature > 0.0 or not np.isfinite(rz):
            break
        size = norm
        norm = sum(team.share(parts, kernels.step, *flat, along, q, rz / curvature, 1.0 / size, b.ravel())) ** 0.5
        count += 1
        if not norm > target:
            break
    return count
