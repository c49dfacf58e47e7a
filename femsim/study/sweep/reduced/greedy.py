"""How a reduced basis is built: the weak greedy algorithm.

Where the error bound is largest the equations are solved, and the solutions join the basis (Hesthaven, Rozza and Stamm
2016, chapter 3 [hesthaven2016]); a few samples at a time, far from each other.

One factorisation, that of the reference, serves everything: the residual's dual norm, and as preconditioner of the
solves (a few iterations each, as the moduli differ by small factors only).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from femsim.errors import SolveError
from femsim.study.sweep.reduced.basis import Affine, Basis, answer

Floats = NDArray[np.float64]

#: A basis that is not good enough with so many vectors will not be with more.
LARGEST = 120
#: Samples on which the greedy algorithm looks for the largest bound; all are certified afterwards.
TRAINING = 400
#: Samples that are solved together: a factor applied to twelve columns costs little more than applied to three.
TOGETHER = 4
#: Relative residual of the solutions that join the basis, against the tolerance of the study.
SNAPSHOT = 0.3
#: A new vector that is this small after projection lies in the basis already.
DEPENDENT = 1e-9


def build(affine: Affine, thetas: Floats, alphas: Floats, tolerance: float, *, seed: int = 0) -> Basis:
    """A basis whose bound is under the tolerance for all samples, or as near as `LARGEST` vectors come.

    Parameters
    ----------
    affine : Affine
    thetas : (s, Q) float64
        Samples that will be asked for.
    alphas : (s,) float64
    tolerance : float
        Of the relative error in the energy norm.
    seed : int
        Of the choice of the training samples.

    Raises
    ------
    SolveError
        If the loads do no work or an iteration does not converge.
    """
    maker = _Maker(affine)
    maker.extend(affine.solve(affine.loads))
    pick = np.random.default_rng(seed).permutation(len(thetas))
    training = np.sort(pick[:TRAINING])
    while maker.size < LARGEST:
        basis = maker.basis()
        bound = answer(basis, thetas[training], alphas[training]).bound.max(axis=1)
        if bound.max() <= 0.8 * tolerance:
            everywhere = answer(basis, thetas, alphas).bound.max(axis=1)
            if everywhere.max() <= tolerance:
                return basis
            worst = np.argsort(everywhere)[-TRAINING // 4 :]
            training = np.unique(np.concatenate([training, worst[everywhere[worst] > 0.8 * tolerance]]))
            chosen = _spread(everywhere, thetas, tolerance)
        else:
            chosen = training[_spread(bound, thetas[training], tolerance)]
        if not maker.extend(_snapshots(affine, basis, thetas[chosen], alphas[chosen], tolerance)):
            break
    return maker.basis()


class _Maker:
    """A basis that grows; keeps what its growth needs.

    The functionals of the residual are kept side by side in the order in which they came: loads, then ``K_q v`` of
    every group of new vectors; `place` says which of them belong to which q.
    """

    def __init__(self, affine: Affine) -> None:
        self.affine = affine
        self.count = affine.loads.shape[1]
        self.vectors = np.zeros((len(affine.loads), 0))
        self.functionals = affine.loads
        self.gram = affine.loads.T @ affine.solve(affine.loads)
        self.place: list[list[int]] = [[] for _ in affine.terms]

    @property
    def size(self) -> int:
        return self.vectors.shape[1]

    def extend(self, new: Floats) -> bool:
        """Take new vectors in, orthonormal in the energy of the reference; False where they bring nothing."""
        fresh = self._orthonormal(new)
        if not fresh.shape[1]:
            return False
        images = np.hstack([term @ fresh for term in self.affine.terms])
        riesz = self.affine.solve(images)  # all at once: many columns cost little more than a few
        mixed, inner = self.functionals.T @ riesz, images.T @ riesz
        known = self.functionals.shape[1]
        for q, mine in enumerate(self.place):
            mine.extend(range(known + q * fresh.shape[1], known + (q + 1) * fresh.shape[1]))
        self.gram = np.block([[self.gram, mixed], [mixed.T, (inner + inner.T) / 2.0]])
        self.functionals = np.hstack([self.functionals, images])
        self.vectors = np.hstack([self.vectors, fresh])
        return True

    def _orthonormal(self, new: Floats) -> Floats:
        centre = self.affine.centre
        length = np.sqrt(np.einsum("ij,ij->j", new, centre @ new))
        fresh = new / np.where(length > 0.0, length, 1.0)
        for _ in range(2):  # once leaves rounding errors, twice does not [giraud2005]
            fresh = fresh - self.vectors @ (self.vectors.T @ (centre @ fresh))
            gram = fresh.T @ (centre @ fresh)
            values, turn = linalg.eigh((gram + gram.T) / 2.0)
            keep = values > DEPENDENT**2
            fresh = fresh @ (turn[:, keep] / np.sqrt(values[keep]))
            if not fresh.shape[1]:
                break
        return fresh

    def basis(self) -> Basis:
        terms = np.stack([self.vectors.T @ self.functionals[:, mine] for mine in self.place])
        order = [*range(self.count), *(k for mine in self.place for k in mine)]
        return Basis(
            self.vectors,
            (terms + terms.transpose(0, 2, 1)) / 2.0,
            self.vectors.T @ self.affine.loads,
            self.gram[np.ix_(order, order)],
        )


def _spread(bound: Floats, thetas: Floats, tolerance: float) -> NDArray[np.int64]:
    """The sample of the largest bound, and others that are bad and far from those before it, among all (s, Q)."""
    place = (thetas - thetas.mean(axis=0)) / np.maximum(thetas.std(axis=0), 1e-300)
    found = [int(bound.argmax())]
    away = np.full(len(bound), np.inf)
    while len(found) < TOGETHER:
        away = np.minimum(away, np.linalg.norm(place - place[found[-1]], axis=1))
        score = np.where(bound > 0.8 * tolerance, bound * away, 0.0)
        if not score.max() > 0.0:
            break
        found.append(int(score.argmax()))
    return np.array(found)


def _snapshots(affine: Affine, basis: Basis, thetas: Floats, alphas: Floats, tolerance: float) -> Floats:
    """Solutions (n, k) of some samples, for those of their loads that the basis does not answer well yet."""
    here = answer(basis, thetas, alphas)
    poor = here.bound > 0.5 * np.minimum(here.bound.max(axis=1), tolerance)[:, None]
    sample, load = np.nonzero(poor)  # columns stand sample by sample
    edges = np.searchsorted(sample, np.arange(len(thetas) + 1))
    matrices = [affine.matrix(theta) for theta in thetas]

    def multiply(x: Floats) -> Floats:
        parts = zip(matrices, edges[:-1], edges[1:], strict=True)
        return np.hstack([matrix @ x[:, first:end] for matrix, first, end in parts])

    start = basis.vectors @ here.coefficients[sample, load].T
    return _conjugate_gradients(multiply, affine.solve, affine.loads[:, load], start, SNAPSHOT * tolerance)


def _conjugate_gradients(
    multiply: Callable[[Floats], Floats], precondition: Callable[[Floats], Floats], loads: Floats, start: Floats,
    tolerance: float, limit: int = 200,
) -> Floats:  # fmt: skip
    """Solutions for loads (n, k), each column by itself, from a first guess."""
    x = start.copy()
    residual = loads - multiply(x)
    z = precondition(residual)
    p = z.copy()
    rz = np.einsum("ij,ij->j", residual, z)
    scale = np.einsum("ij,ij->j", loads, x)
    if not (scale > 0.0).all():
        raise SolveError(
            "A load does no work on its displacement.",
            "The reduced basis has no error bound then.",
            'Set run.reduced = "never".',
        )
    for _ in range(limit):
        if (rz <= tolerance**2 * scale).all():
            return x
        image = multiply(p)
        step = rz / np.maximum(np.einsum("ij,ij->j", p, image), 1e-300)
        x = x + step * p
        residual = residual - step * image
        z = precondition(residual)
        new = np.einsum("ij,ij->j", residual, z)
        p = z + new / np.maximum(rz, 1e-300) * p
        rz = new
    raise SolveError(
        f"A solution for the reduced basis did not converge in {limit} iterations.",
        "The moduli of the samples differ too much from their mean.",
        'Set run.reduced = "never", or narrow the ranges.',
    )
