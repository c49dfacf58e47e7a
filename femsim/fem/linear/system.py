"""What goes into the linear solvers and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.errors import SolveError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class System:
    """A symmetric positive definite matrix of 3 x 3 blocks with what is known of its origin.

    Attributes
    ----------
    indptr, indices : (n + 1,), (nnzb,) int
        Block rows, both triangles, with every diagonal block present.
    blocks : (nnzb, 3, 3) float64, N/mm
        Rows and columns of fixed unknowns hold a multiple of the identity.
    free : (n, 3) bool
        False where the unknown is fixed.
    points : (n, 3) float64, mm
        Places of the nodes: they give the elimination order.
    parents : (n, 2) int or None
        Vertex nodes: own number twice; mid-side nodes: the ends of their edge. None where there is no linear sub-space.
    """

    indptr: NDArray[Any]
    indices: NDArray[Any]
    blocks: Floats
    free: NDArray[np.bool_]
    points: Floats
    parents: NDArray[Any] | None = None

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1

    @property
    def unknowns(self) -> int:
        """Number of free unknowns."""
        return int(self.free.sum())


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a solve leaves for the next one.

    Attributes
    ----------
    method : str
    system : System
        What it was made for. Its arrays are not copied; `total` tells when they were written over.
    structure : object
        Numbering, patterns and elimination order: serves other values on the same pattern with the same supports.
    factors : object or None
        Serve other right-hand sides of the same matrix.
    total : float
        Sum of all entries of the matrix.
    spare : tuple of arrays
        Memory of earlier factors, to be written over: fresh memory costs as much time as filling it.
    """

    method: str
    system: System
    structure: Any
    factors: Any
    total: float
    spare: tuple[NDArray[Any], ...] = ()

    @property
    def memory(self) -> int:
        """Bytes held by the factors."""
        return 0 if self.factors is None else int(self.factors.memory)

    def without_factors(self) -> Prepared:
        """The structure alone, for a matrix with other values, and the memory that these will need again."""
        return replace(self, factors=None, spare=getattr(self.factors, "matrices", self.spare))

    def fits(self, system: System) -> bool:
        """True where the structure serves a system: same pattern, supports, places and parents."""
        mine, other = self.system, system
        pairs = ((mine.indptr, other.indptr), (mine.indices, other.indices), (mine.free, other.free))
        parents = ((mine.parents, other.parents),) if mine.parents is not None and other.parents is not None else ()
        if (mine.parents is None) != (other.parents is None):
            return False
        return all(a is b or np.array_equal(a, b) for a, b in (*pairs, *parents))


@dataclass(frozen=True, eq=False)
class Result:
    """Solution of one system for k right-hand sides.

    Attributes
    ----------
    x : (k, n, 3) float64
    prepared : Prepared
    method : str
    iterations : (k,) int
        0 for a direct solve.
    residuals : (k,) float64
        True relative residual ``|b - A x| / |b|``, worked out again from the solution.
    seconds : dict of str to float
        Wall time by phase.
    memory_bytes : int
        Held by matrix copies and factors.
    """

    x: Floats
    prepared: Prepared
    method: str
    iterations: NDArray[np.int64]
    residuals: Floats
    seconds: dict[str, float] = field(default_factory=dict)
    memory_bytes: int = 0


def not_converged(residual: float, tolerance: float, iterations: int) -> SolveError:
    """The error of an iteration that does not arrive."""
    return SolveError(
        f"The solver stopped after {iterations} iterations at a relative residual of {residual:.1e} "
        f"(asked for: {tolerance:.0e}).",
        "Likely causes: a part that is (almost) free to move, moduli that differ by more than about 1e6, badly shaped "
        "elements, or a tolerance below round-off.",
        'Look at fem.preflight and the mesh quality, or use solver="direct".',
    )


def not_finite(what: str) -> SolveError:
    """The error of NaN or infinity in the equations."""
    return SolveError(
        f"The {what} of the linear system contains NaN or infinity.",
        "No solution can be worked out from it.",
        "Look for a modulus, a load or a coordinate that is not a number.",
    )
