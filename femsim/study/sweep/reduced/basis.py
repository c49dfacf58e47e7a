"""A certified reduced basis for ``K(theta) u = f`` where the stiffness is affine: ``K = sum_q theta_q K_q``.

`greedy.build` makes it. The error bound is that of the residual,

    |u - u_N|_mu <= |r|_dual / sqrt(alpha),     alpha K(reference) <= K(mu),

with ``|r|_dual^2 = r^T K(reference)^-1 r`` and a rigorous lower bound ``alpha``: the stiffness of every element is at
least the smallest ratio of the material's stiffness to that of the reference, a 6 x 6 eigenvalue problem for each
material (the min-theta bound [patera2007], also where one constant moves several entries of the stiffness). Relative
to ``|u|_mu >= |u_N|_mu`` it bounds the relative error in the energy norm; the relative error of the work of the loads,
and so of the stiffness of the whole bone, is below its square.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]

#: Samples that are answered at once; keeps the memory small.
_CHUNK = 2000


@dataclass(frozen=True, eq=False)
class Affine:
    """The equations of many materials.

    Attributes
    ----------
    terms : sequence of (n, n) sparse
        K_q; rows and columns of fixed unknowns are empty.
    loads : (n, l) float64
        Zero at fixed unknowns.
    reference : (Q,) float64
        theta of the reference.
    solve : callable
        ``K(reference)^-1`` on the columns of an (n, k) array; zero at fixed unknowns.
    """

    terms: Sequence[sparse.csr_matrix]
    loads: Floats
    reference: Floats
    solve: Callable[[Floats], Floats]

    def matrix(self, theta: Floats) -> sparse.csr_matrix:
        """``K(theta)``."""
        total: sparse.csr_matrix | None = None
        for group in self.groups:  # terms on the same cells have the same pattern: their values are added alone
            first = self.terms[group[0]]
            values = sum(theta[k] * self.terms[k].data for k in group)
            part = sparse.csr_matrix((values, first.indices, first.indptr), shape=first.shape)
            total = part if total is None else total + part
        return total

    @cached_property
    def groups(self) -> list[list[int]]:
        """Numbers of the terms that share a pattern."""
        found: list[list[int]] = []
        for k, term in enumerate(self.terms):
            known = self.terms[found[-1][0]] if found else None
            if known is not None and np.array_equal(known.indptr, term.indptr) and known.nnz == term.nnz:
                found[-1].append(k)
            else:
                found.append([k])
        return found

    @cached_property
    def centre(self) -> sparse.csr_matrix:
        """``K(reference)``."""
        return self.matrix(self.reference)


@dataclass(frozen=True, eq=False)
class Basis:
    """A reduced basis.

    Attributes
    ----------
    vectors : (n, N) float64
        Orthonormal in the energy of the reference.
    terms : (Q, N, N) float64
        Reduced K_q.
    loads : (N, l) float64
    gram : (l + Q N, l + Q N) float64
        Products of loads and ``K_q v_j`` in the dual norm.
    """

    vectors: Floats
    terms: Floats
    loads: Floats
    gram: Floats

    @property
    def size(self) -> int:
        """Number of vectors."""
        return self.vectors.shape[1]


@dataclass(frozen=True, eq=False)
class Answers:
    """What a basis says of s samples under l loads.

    Attributes
    ----------
    coefficients : (s, l, N) float64
    work : (s, l) float64
        Of each load on its displacement, N mm; at most that of the exact one.
    bound : (s, l) float64
        Of the relative error in the energy norm.
    """

    coefficients: Floats
    work: Floats
    bound: Floats


def answer(basis: Basis, thetas: Floats, alphas: Floats) -> Answers:
    """Solutions of the reduced equations with their bounds.

    Parameters
    ----------
    basis : Basis
    thetas : (s, Q) float64
    alphas : (s,) float64
        Lower bounds of the coercivity against the reference.
    """
    parts = [_answer(basis, thetas[k : k + _CHUNK], alphas[k : k + _CHUNK]) for k in range(0, len(thetas), _CHUNK)]
    return Answers(
        np.concatenate([one.coefficients for one in parts]),
        np.concatenate([one.work for one in parts]),
        np.concatenate([one.bound for one in parts]),
    )


def _answer(basis: Basis, thetas: Floats, alphas: Floats) -> Answers:
    count, size = basis.loads.shape[1], basis.size
    matrices = np.einsum("sq,qij->sij", thetas, basis.terms, optimize=True)
    x = np.linalg.solve(matrices, np.broadcast_to(basis.loads, (len(thetas), size, count)))
    coefficients = np.ascontiguousarray(x.transpose(0, 2, 1))
    work = np.einsum("sli,il->sl", coefficients, basis.loads)
    residual = np.empty((len(thetas), count, count + thetas.shape[1] * size))
    residual[:, :, :count] = np.eye(count)
    residual[:, :, count:] = -np.einsum("sq,sli->slqi", thetas, coefficients).reshape(len(thetas), count, -1)
    flat = residual.reshape(-1, residual.shape[2])
    square = np.einsum("ri,ri->r", flat @ basis.gram, flat).reshape(len(thetas), count)
    # rounding of the sum is part of the bound: it may not make it too small
    scale = np.einsum("ri,i->r", flat**2, np.abs(np.diag(basis.gram))).reshape(len(thetas), count)
    square = np.maximum(square, 0.0) + 1e-15 * scale
    return Answers(coefficients, work, np.sqrt(square / (alphas[:, None] * work)))
