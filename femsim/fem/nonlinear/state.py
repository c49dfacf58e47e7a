"""Internal state of all quadrature points, and the response to a strain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.fem import operators
from femsim.fem.material import Material
from femsim.fem.nonlinear.band import band_width
from femsim.fem.nonlinear.laws import Inelastic, Quadric, Tables, tables
from femsim.fem.workspace import Grid

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class State:
    """What a material remembers at the end of a step.

    Attributes
    ----------
    plastic : (m, q, 6) float64
        Plastic strain, global axes, engineering shear.
    kappa : (m, q) float64
        `VonMises`: accumulated plastic strain. `Quadric`: 0 at first yield, 1 at the strength, 2 when softening is
        complete.
    share : (m, q) float64
        Share of tension among the principal stresses; -1 where not known yet.
    """

    plastic: Floats
    kappa: Floats
    share: Floats

    @property
    def damage(self) -> Floats:
        """Share of the softening branch that has been passed, (m, q), 0 to 1; meaningless for `VonMises`."""
        return np.clip(self.kappa - 1.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Response:
    """Stress (m, q, 6), the state a step would end with, and the tangent (m, q, 6, 6)."""

    stress: Floats
    state: State
    tangent: Floats


@dataclass(frozen=True, eq=False)
class Points:
    """All quadrature points of a model with their laws; made by `points_of`."""

    grid: Grid
    material: Material
    tables: Tables
    laws: Inelastic
    inelastic: NDArray[np.bool_]
    size: Floats
    ratio: Floats

    def fresh(self) -> State:
        """The state of material that has never been loaded."""
        m, q = self.grid.volume.shape
        return State(np.zeros((m, q, 6)), np.zeros((m, q)), np.full((m, q), -1.0))

    def respond(self, strain: Floats, state: State, *, clip: float = -np.inf) -> Response:
        """Response to a total strain (m, q, 6) at the end of a step that began with `state`.

        Parameters
        ----------
        clip : float
            Smallest slope of the strength in the tangent, relative to the elastic slope: minus infinity gives the
            consistent tangent, a small positive number a positive definite one for material that softens.
        """
        from femsim.fem.nonlinear import cell_kernels

        m, q = self.grid.volume.shape
        stress, plastic, kappa = np.empty((m, q, 6)), np.empty((m, q, 6)), np.empty((m, q))
        tangent = np.empty((m, q, 6, 6))
        t = self.tables
        common = (
            strain, *operators._tables(self.material), t.kind, t.numbers, t.basis, t.dual, t.spread, t.lean,
            self.inelastic, self.size, self.ratio, clip, state.plastic, state.kappa, state.share,
        )  # fmt: skip
        slabs = self.grid.slabs
        slabs.each(lambda s: cell_kernels.respond(*common, slabs.share[s], stress, plastic, kappa, tangent))
        return Response(stress, State(plastic, kappa, state.share), tangent)

    def settle(self, response: Response) -> State:
        """The state at the end of a step, as the next one begins with it."""
        from femsim.fem.nonlinear import cell_kernels

        share = np.empty_like(response.state.kappa)
        slabs = self.grid.slabs
        slabs.each(lambda s: cell_kernels.tension_shares(response.stress, slabs.share[s], share))
        return State(response.state.plastic, response.state.kappa, share)

    def gauge(self, stress: Floats) -> Floats:
        """A stress (m, q, 6) relative to first yield, (m, q): 1 on the surface; it grows with the stress."""
        from femsim.fem.nonlinear import cell_kernels

        quadratic, linear = np.zeros((len(self.laws.laws), 6, 6)), np.zeros((len(self.laws.laws), 6))
        for p, law in enumerate(self.laws.laws):
            if isinstance(law, Quadric):
                quadratic[p], linear[p] = law.quadratic(), law.linear()
        out = np.empty(stress.shape[:2])
        _, *rest = operators._tables(self.material)
        common = (stress, *rest, self.tables.kind, self.tables.numbers, quadratic, linear, self.inelastic, self.ratio)
        slabs = self.grid.slabs
        slabs.each(lambda s: cell_kernels.gauges(*common, slabs.share[s], out))
        return out

    def stiffness(self, tangent: Floats, out: Floats | None = None) -> Floats:
        """Blocks (nnzb, 3, 3) of the tangent stiffness on the pattern of the grid."""
        from femsim.fem import constrain_kernels
        from femsim.fem.nonlinear import cell_kernels

        grid = self.grid
        shape, slabs, pattern = grid.element, grid.slabs, grid.pattern
        blocks = np.empty((len(pattern.indices), 3, 3)) if out is None else out
        project = np.array(self.material.projection)
        common = (
            grid.points, grid.cells, shape.gradients, shape.weights, self.material.index, tangent, project,
            shape.dilatation,
        )  # fmt: skip

        def work(slab: int) -> None:
            constrain_kernels.clear(pattern.indptr, slabs.owner, slab, blocks)
            cell_kernels.assemble(*common, slabs.cells[slab], slabs.owner, slab, pattern.scatter, blocks)

        slabs.each(work)
        return blocks


def points_of(grid: Grid, material: Material, laws: Inelastic) -> Points:
    """Bring laws and grid together.

    Raises
    ------
    InputError
        If shapes do not agree.
    """
    m, q = grid.volume.shape
    size = band_width(grid) if laws.size is None else np.ascontiguousarray(laws.size, np.float64)
    elastic = np.zeros(m, bool) if laws.elastic is None else np.asarray(laws.elastic, bool)
    ratio = np.ones((1, 1)) if laws.strength is None else np.asarray(laws.strength, np.float64)
    ratio = ratio[:, None] if ratio.ndim == 1 else ratio
    good = size.shape == elastic.shape == (m,) and ratio.shape in ((1, 1), (m, 1), (m, q))
    if not good or not (np.isfinite(size).all() and (size > 0.0).all() and (ratio > 0.0).all()):
        raise InputError(
            f"Inelastic.size {size.shape}, elastic {elastic.shape} or strength {ratio.shape} does not fit, or is not "
            "positive.",
            f"There are {m} cells of {q} quadrature points.",
            "Give (m,) arrays, and (m,) or (m, q) for the strength.",
        )
    return Points(grid, material, tables(material, laws.laws), laws, ~elastic, size, np.ascontiguousarray(ratio))
