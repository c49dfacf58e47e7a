"""Conjugate gradients for up to eight right-hand sides side by side.

Each column runs its own recurrence; what they share is the traffic of the matrix and of every level of the
preconditioner, which is what an iteration costs: eight columns take about twice the time of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from femsim.fem.linear import batch_kernels as kernels
from femsim.fem.linear import blocks as store
from femsim.fem.linear.system import Floats, not_converged
from femsim.fem.linear.team import Team

if TYPE_CHECKING:
    from femsim.fem.linear.multigrid import Hierarchy

Singles = NDArray[np.float32]
LANES = kernels.LANES


class Batch:
    """Matrix and preconditioner on (n, 3, 8) arrays of the solver's numbering, with the memory that they work in.

    What either gives is written over by its next call.
    """

    def __init__(self, hierarchy: Hierarchy, team: Team) -> None:
        self.hierarchy, self.team = hierarchy, team
        shape = (len(hierarchy.diagonal), 3, LANES)
        self._product, self._x, self._left = np.empty(shape), np.empty(shape, np.float32), np.empty(shape, np.float32)
        self._vertex = np.empty((len(hierarchy.structure.coarse.free), 3, LANES), np.float32)
        self.shares = store.shares(len(hierarchy.diagonal))

    def product(self, x: Floats) -> Floats:
        """``-A x``."""
        h, y = self.hierarchy, self._product
        shared = (h.structure.lower.indptr, h.structure.lower.indices, h.matrix, h.diagonal)
        self.team.forwards(h.structure.numbering.slabs, kernels.multiply_batch, *shared, x, y)
        return y

    def precondition(self, b: Singles) -> Singles:
        """One application of the multigrid to every column; overwrites b."""
        h, team, x = self.hierarchy, self.team, self._x
        coarse, slabs = h.structure.coarse, h.structure.numbering.slabs
        lower = h.structure.lower
        shared = (lower.indptr, lower.indices, h.single, h.structure.numbering.place, h.inverse)
        team.forwards(slabs, kernels.forward_batch, *shared, b, x, self._left)
        kernels.restrict_batch(self._left, coarse.parents, coarse.fine, self._vertex)
        correction = h.vertices.solve_batch(self._vertex, team)
        team.share(self.shares, kernels.interpolate_batch, correction, coarse.parents, coarse.fine, x)
        team.backwards(slabs, kernels.backward_batch, *shared, b, x)
        return x

    def dots(self, a: NDArray[Any], b: NDArray[Any]) -> Floats:
        """Scalar products (8,) of the columns."""
        return np.asarray(sum(self.team.share(self.shares, kernels.dots, a, b)))


def solve_batch(
    hierarchy: Hierarchy, rhs: Floats, tolerance: float, guess: Floats | None, team: Team
) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Conjugate gradients for at most eight right-hand sides.

    Parameters
    ----------
    hierarchy : Hierarchy
    rhs : (k, n, 3) float64, k <= 8
    tolerance : float
        On the true relative residual of every column.
    guess : (k, n, 3) or None
    team : Team

    Returns
    -------
    x : (k, n, 3)
    iterations : (k,)
    residuals : (k,)

    Raises
    ------
    SolveError
        If a column does not converge.
    """
    old, many = hierarchy.structure.numbering.old, len(rhs)
    operators = Batch(hierarchy, team)
    b = _columns(rhs, old)
    norm = np.sqrt(operators.dots(b, b))
    scale = np.where(norm > 0.0, norm, 1.0)
    x, r = np.zeros_like(b), b.copy()
    if guess is not None:
        # the multiple of the guess that is nearest to the solution in energy, which zero (no guess) is one of
        start = _columns(guess, old)
        forces = operators.product(start)
        work = np.maximum(-operators.dots(start, forces), np.finfo(float).tiny)
        share = operators.dots(start, b) / work
        x = share * start
        r += share * forces
    residual = np.sqrt(operators.dots(r, r)) / scale
    count = np.zeros(LANES, np.int64)
    for _ in range(4):
        if (residual <= tolerance).all():
            break
        # aiming a little lower saves a restart when the recursive residual runs ahead of the true one
        _descend(operators, x, r, 0.9 * tolerance * norm, count, residual > tolerance)
        r = b + operators.product(x)
        before, residual = residual, np.sqrt(operators.dots(r, r)) / scale
        if not (residual < before)[residual > tolerance].all():
            break
    if not (residual <= tolerance).all():
        worst = int(residual.argmax())
        raise not_converged(float(residual[worst]), tolerance, int(count[worst]))
    out = np.zeros_like(rhs)
    out[:, old] = np.moveaxis(x, 2, 0)[:many]
    return out, count[:many], residual[:many]


def _columns(vectors: Floats, old: NDArray[np.int64]) -> Floats:
    """(k, n, 3) as (m, 3, 8) in the solver's numbering, empty columns zero."""
    out = np.zeros((len(old), 3, LANES))
    out[:, :, : len(vectors)] = np.moveaxis(vectors[:, old], 0, 2)
    return out


def _descend(
    operators: Batch, x: Floats, r: Floats, target: Floats, count: NDArray[np.int64], running: NDArray[np.bool_]
) -> None:
    """Conjugate gradients on the running columns of x, in place; a column stops where its residual is small enough."""
    from femsim.fem.linear.multigrid import MAX_ITERATIONS

    team, parts, p, rz = operators.team, operators.shares, np.zeros_like(r), np.zeros(LANES)
    # single precision has a narrow range; the preconditioner is linear, so the size is taken out and put back
    norm = size = _one_for_zero(np.sqrt(operators.dots(r, r)))
    b = (r / size).astype(np.float32)
    while running.any() and count.max() < MAX_ITERATIONS:
        z = operators.precondition(b)
        before, rz = rz, size * operators.dots(r, z)
        team.share(parts, kernels.turn, p, z, size, np.where(running, rz / _one_for_zero(before), 0.0))
        q = operators.product(p)
        curvature = -operators.dots(p, q)
        running = running & (curvature > 0.0) & np.isfinite(rz)
        alpha = np.where(running, rz / np.where(running, curvature, 1.0), 0.0)
        size = _one_for_zero(norm)
        norm = np.sqrt(sum(team.share(parts, kernels.step, x, r, p, q, alpha, 1.0 / size, b)))
        count[running] += 1
        running = running & (norm > target)


def _one_for_zero(numbers: Floats) -> Floats:
    return np.where(numbers == 0.0, 1.0, numbers)
