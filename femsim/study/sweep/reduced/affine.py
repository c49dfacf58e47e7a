"""One mesh under many materials as affine equations, with the lower bound that certifies their reduced basis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from femsim import fem
from femsim.errors import SolveError
from femsim.fem import constraints, operators
from femsim.fem.forces import nodal_forces
from femsim.fem.linear.cholesky import factorise
from femsim.fem.linear.dissection import dissect
from femsim.fem.linear_bridge import constrained
from femsim.fem.workspace import Grid, make_grid
from femsim.study.sweep.reduced.basis import Affine
from femsim.study.sweep.reduced.block_solve import substitution

Floats = NDArray[np.float64]

#: Stiffnesses of a material span as many dimensions as stand out of rounding by this.
_RANK = 1e-10


@dataclass(frozen=True, eq=False)
class Family:
    """A mesh, its loads, and a stiffness of every material in every sample.

    Attributes
    ----------
    model : fem.Model
        With the mean stiffness of every material: the reference. Every load case is a column of the loads.
    equations : Affine
    thetas : (s, Q) float64
    alphas : (s,) float64
        Lower bounds: ``K(sample) >= alpha K(reference)``.
    free : (n, 3) bool
    """

    model: fem.Model
    equations: Affine
    thetas: Floats
    alphas: Floats
    free: NDArray[np.bool_]


def family(model: fem.Model, samples: Floats) -> Family:
    """The affine equations of a model whose materials take the stiffnesses of many samples.

    Parameters
    ----------
    model : fem.Model
        Mesh, supports and load cases; of its materials only index, scale, axes and projection count.
    samples : (s, p, 6, 6) float64
        Stiffness of every material in every sample, MPa.

    Raises
    ------
    SolveError
        If the supports are more than components held at zero, or the reference does not fit into memory.
    """
    reference = replace(model.material, base=samples.mean(axis=0), projected=model.material.projection)
    model = replace(model, material=reference)
    grid = make_grid(model, 1)
    scheme = constraints.plan(model.supports, model.points, model.cells, grid.element)
    if scheme.transform is not None or len(scheme.skew) or constraints.prescribed(scheme, {}, model.supports).any():
        raise SolveError(
            "A reduced basis needs supports that hold components at zero.",
            "Other supports change the equations.",
            'Set run.reduced = "never".',
        )
    present = np.unique(reference.index)
    moving = [m for m in present if np.ptp(samples[:, m], axis=0).max() > 1e-12 * np.abs(samples[:, m]).max()]
    still = [m for m in present if m not in moving]
    terms, thetas, centre = [], [], []
    if still:
        terms.append(_term(model, scheme, np.isin(reference.index, still), reference.base))
        thetas.append(np.ones((len(samples), 1)))
        centre.append(np.ones(1))
    for m in moving:
        span, factors, mean = _span(samples[:, m])
        cells = reference.index == m
        terms += [_term(model, scheme, cells, np.broadcast_to(one, reference.base.shape)) for one in span]
        thetas.append(factors)
        centre.append(mean)
    alphas = np.min([lowest_ratio(samples[:, m], reference.base[m]) for m in moving], axis=0)
    alphas = np.minimum(alphas, 1.0) if still else alphas
    loads = np.stack([_forces(model, grid, case) for case in model.loads.values()], axis=1)
    loads[~scheme.free.ravel()] = 0.0
    equations = Affine(terms, loads, np.concatenate(centre), _inverse(model, grid, scheme))
    return Family(model, equations, np.hstack(thetas), alphas, scheme.free)


def _span(stiffness: Floats) -> tuple[Floats, Floats, Floats]:
    """Stiffnesses (r, 6, 6) that span all samples (s, 6, 6), factors (s, r), and the factors of the mean (r,)."""
    flat = stiffness.reshape(len(stiffness), 36)
    _, upper, order = linalg.qr(flat.T / np.linalg.norm(flat, axis=1), mode="economic", pivoting=True)
    size = np.abs(np.diag(upper))
    rank = int((size > _RANK * size[0]).sum())
    # samples themselves serve as the basis: each is the stiffness of a material, as the assembly wants it
    span = flat[order[:rank]]
    factors = np.linalg.lstsq(span.T, np.vstack([flat, flat.mean(axis=0)]).T, rcond=None)[0].T
    return span.reshape(-1, 6, 6), factors[:-1], factors[-1]


def lowest_ratio(stiffness: Floats, reference: Floats) -> Floats:
    """Smallest factor (s,) between the energies of stiffnesses (s, 6, 6) and of a reference, over all strains."""
    lower = np.linalg.inv(np.linalg.cholesky(reference))
    inner = lower @ stiffness @ lower.T
    return np.asarray(np.linalg.eigvalsh((inner + inner.transpose(0, 2, 1)) / 2.0)[:, 0])


def _term(model: fem.Model, scheme: constraints.Plan, cells: NDArray[np.bool_], base: Floats) -> sparse.csr_matrix:
    """Stiffness of some of the cells, without the rows and columns of fixed unknowns."""
    material = model.material
    part = replace(
        material,
        base=np.ascontiguousarray(base),
        index=material.index[cells],
        scale=None if material.scale is None else material.scale[cells],
        axes=None if material.axes is None else material.axes[cells],
    )
    grid = make_grid(replace(model, cells=model.cells[cells], material=part, supports=(), loads={}), 1)
    size = 3 * len(model.points)
    pattern = grid.pattern
    matrix = sparse.bsr_matrix(
        (operators.stiffness(grid, part), pattern.indices, pattern.indptr), shape=(size, size)
    ).tocsr()
    # zeros stay in the pattern, which is then the same for all terms on the same cells
    free = scheme.free.ravel()
    rows = np.repeat(free, np.diff(matrix.indptr))
    matrix.data *= rows & free[matrix.indices]
    return matrix


def _forces(model: fem.Model, grid: Grid, case: Sequence[fem.Load]) -> Floats:
    total = np.zeros((len(model.points), 3))
    for load in case:
        total += nodal_forces(load, grid.points, grid.cells, grid.element, grid.volume)
    return total.ravel()


def _inverse(model: fem.Model, grid: Grid, scheme: constraints.Plan):  # type: ignore[no-untyped-def]
    """The inverse of the reference as a function of columns, from its Cholesky factor."""
    from femsim.fem.linear import available_memory

    system = constrained(scheme, grid, operators.stiffness(grid, model.material))
    tree = dissect(system.indptr, system.indices, system.points)
    needed, free = 8 * 9 * (tree.factor_entries + tree.update_entries), available_memory()
    if free is not None and needed > 0.3 * free:
        raise SolveError(
            f"The factor of the reference would take {needed / 2**30:.1f} of {free / 2**30:.1f} GiB.",
            "A reduced basis is built on it.",
            'Use a coarser mesh, or set run.reduced = "never".',
        )
    inverse = substitution(factorise(tree, system.indptr, system.indices, system.blocks))
    mask = scheme.free.ravel()[:, None]

    def solve(columns: Floats) -> Floats:
        return np.where(mask, inverse(columns), 0.0)

    return solve
