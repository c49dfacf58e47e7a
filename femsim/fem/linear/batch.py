"""Conjugate gradients for up to eight right-hand sides side by side.

Each column runs its own recurrence; what they share is the traffic of the matrix and of every level of the
preconditioner, which is what an iteration costs: eight columns take about twice the time of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from femsim.fem.linear import batch_kernels as kernels
from femsim.fem.linear.system import Floats, not_converged
from femsim.fem.linear.team import Team

if TYPE_CHECKING:
    from femsim.fem.linear.multigrid import Hierarchy

Singles = NDArray[np.float32]
LANES = kernels.LANES


@dataclass(frozen=True, eq=False)
class Batch:
    """Matrix and preconditioner on (n, 3, 8) arrays of the solver's numbering."""

    hierarchy: Hierarchy
    team: Team

    def subtract(self, x: Floats, y: Floats) -> None:
        """``y -= A x`` in place."""
        h = self.hierarchy
        shared = (h.structure.lower.indptr, h.structure.lower.indices, h.matrix, h.diagonal)
        slabs = h.structure.numbering.slabs
        self.team.forwards(slabs, kernels.multiply_batch, *shared, x, y)

    def precondition(self, residual: Floats) -> Floats:
        """One application of the multigrid to every column."""
        h = self.hierarchy
        coarse, slabs = h.structure.coarse, h.structure.numbering.slabs
        shared = (h.structure.lower.indptr, h.structure.lower.indices, h.single, h.inverse)
        # single precision has a narrow range; the preconditioner is linear, so the size is taken out and put back
        b, size = kernels.to_single(residual)
        x, left = np.zeros_like(b), np.zeros_like(b)
        self.team.forwards(slabs, kernels.forward_batch, *shared, b, x, left)
        vertex = np.empty((*coarse.free.shape, LANES), np.float32)
        kernels.restrict_batch(left, coarse.parents, coarse.fine, vertex)
        correction = h.vertices.solve_batch(vertex, self.team)
        kernels.interpolate_batch(correction, coarse.parents, coarse.fine, x)
        self.team.backwards(slabs, kernels.backward_batch, *shared, b, x)
        return np.asarray(kernels.to_double(x, size))


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
    norm = np.sqrt(kernels.dots(b, b))
    scale = np.where(norm > 0.0, norm, 1.0)
    x, r = np.zeros_like(b), b.copy()
    if guess is not None:
        # the multiple of the guess that is nearest to the solution in energy, which zero (no guess) is one of
        start = _columns(guess, old)
        forces = np.zeros_like(start)
        operators.subtract(start, forces)
        work = np.maximum(-kernels.dots(start, forces), np.finfo(float).tiny)
        share = kernels.dots(start, b) / work
        x = share * start
        r += share * forces
    residual = np.sqrt(kernels.dots(r, r)) / scale
    count = np.zeros(LANES, np.int64)
    for _ in range(4):
        if (residual <= tolerance).all():
            break
        # aiming a little lower saves a restart when the recursive residual runs ahead of the true one
        _descend(operators, x, r, 0.9 * tolerance * norm, count, residual > tolerance)
        r = b.copy()
        operators.subtract(x, r)
        before, residual = residual, np.sqrt(kernels.dots(r, r)) / scale
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

    z = operators.precondition(r)
    p, rz = z.copy(), kernels.dots(r, z)
    while running.any() and count.max() < MAX_ITERATIONS:
        q = np.zeros_like(p)
        operators.subtract(p, q)  # q = -A p
        curvature = -kernels.dots(p, q)
        running = running & (curvature > 0.0) & np.isfinite(rz)
        alpha = np.where(running, rz / np.where(running, curvature, 1.0), 0.0)
        norm = np.sqrt(kernels.step(x, r, p, q, alpha))
        count[running] += 1
        running = running & (norm > target)
        if not running.any():
            break
        z = operators.precondition(r)
        before, rz = rz, kernels.dots(r, z)
        kernels.turn(p, z, np.where(running, rz / np.where(running, before, 1.0), 0.0))
