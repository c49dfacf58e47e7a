"""Rigidities of a cross-section: axial, bending, and torsion both as CT-rigidity analysis and as mechanics defines it.

CT-rigidity analysis (CTRA) calls ``sum G r^2 dA`` the torsional rigidity. That is right for a closed circular ring
only; for a section that a lesion has slit open it is five to eight times too large. `properties` gives it beside the
true rigidity of Saint-Venant, solved on the section.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse import linalg as sparse_linalg

from femsim.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Section:
    """A cross-section cut into triangles of one material each.

    Attributes
    ----------
    points : (p, 2) float64
        Corners, mm.
    triangles : (t, 3) int
        Corners of every triangle; neighbours share them. Where there is no material there is no triangle.
    axial, shear : (t,) float64
        Young's modulus along the normal of the section, and shear modulus in it, MPa; > 0.
    cell : (t,) int
        Element of the mesh every triangle was cut from; -1 where there is none.
    """

    points: Floats
    triangles: Ints
    axial: Floats
    shear: Floats
    cell: Ints

    def __post_init__(self) -> None:
        t = len(self.triangles)
        if t == 0 or any(x.shape != (t,) for x in (self.axial, self.shear, self.cell)):
            raise InputError(
                f"A section has {t} triangles, {len(self.axial)} axial and {len(self.shear)} shear moduli.",
                "Every triangle needs one of each, and no triangle is no section.",
                "Check that the plane passes through the bone, and give one modulus a triangle.",
            )
        good = np.isfinite(self.axial) & np.isfinite(self.shear) & (self.axial > 0) & (self.shear > 0)
        if not good.all() or not np.isfinite(self.points).all():
            raise InputError(
                f"{int((~good).sum())} moduli of a section are not positive and finite, or a point is not finite.",
                "Its rigidity has no meaning.",
                "Leave out triangles without material; give a positive modulus elsewhere.",
            )

    @property
    def areas(self) -> Floats:
        """(t,) mm2."""
        a, b, c = (self.points[self.triangles[:, i]] for i in range(3))
        u, v = b - a, c - a
        return np.asarray(0.5 * np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]))


@dataclass(frozen=True, eq=False)
class Rigidity:
    """Rigidities of a section.

    Attributes
    ----------
    area : float
        mm2.
    EA : float
        Axial, N.
    EI_min, EI_max : float
        Bending about the weak and the strong principal axis through the modulus-weighted centroid, N mm2.
    GJ_polar : float
        Torsion as CTRA has it, the sum of G r^2 dA about that centroid, N mm2.
    GJ : float
        True Saint-Venant torsion, free to warp, N mm2. Never more than `GJ_polar`.
    centroid : (2,) float64
        Modulus-weighted, mm.
    weak_axis : (2,) float64
        Unit vector of the axis about which the section bends most easily.
    """

    area: float
    EA: float
    EI_min: float
    EI_max: float
    GJ_polar: float
    GJ: float
    centroid: Floats
    weak_axis: Floats


def properties(section: Section) -> Rigidity:
    """All rigidities of a section, composite and with holes or in several pieces as it may be.

    Returns
    -------
    Rigidity
        Areas and moments of inertia are exact for the triangles. The torsion constant comes from quadratic finite
        elements for the warping function and approaches the truth from above as the triangles get smaller.

    Notes
    -----
    ``GJ = min over w of the integral of G ((w_x - y)^2 + (w_y + x)^2)`` (Timoshenko and Goodier, *Theory of
    Elasticity*, 3rd ed., section 109, in the displacement form). Holes need no condition of their own, which they do
    in the stress-function form; pieces that do not touch add up.
    """
    area = section.areas
    corner = section.points[section.triangles]
    middle = corner.mean(axis=1)
    weight = section.axial * area
    total = float(weight.sum())
    centroid = weight @ middle / total
    # integral of x_i x_j over a triangle: area / 12 (sum over corners of x_i x_j + 9 m_i m_j), m the middle
    x = corner - centroid
    m = middle - centroid
    second = (np.einsum("tai,taj->tij", x, x) + 9.0 * np.einsum("ti,tj->tij", m, m)) * (area / 12.0)[:, None, None]
    tensor = np.einsum("t,tij->ij", section.axial, second)
    values, vectors = np.linalg.eigh(tensor)
    polar = float(np.einsum("t,tii->", section.shear, second))
    return Rigidity(
        area=float(area.sum()),
        EA=total,
        EI_min=float(values[0]),
        EI_max=float(values[1]),
        GJ_polar=polar,
        GJ=_torsion(section, centroid, polar),
        centroid=centroid,
        # the second moment is smallest along one direction, and bending with that lever arm is about the other
        weak_axis=vectors[:, 1],
    )


@cache
def _rule() -> tuple[Floats, Floats]:
    """Gradients of the six quadratic shape functions by area coordinates (3, 6, 3) and weights at mid-edges."""
    bary = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]])
    grad = np.zeros((3, 6, 3))
    for q, lam in enumerate(bary):
        for a in range(3):
            grad[q, a, a] = 4.0 * lam[a] - 1.0
            b = (a + 1) % 3
            grad[q, 3 + a, a] = 4.0 * lam[b]
            grad[q, 3 + a, b] = 4.0 * lam[a]
    return bary, grad


def _quadratic(triangles: Ints, points: int) -> tuple[Ints, int]:
    """Six-node triangles (t, 6) with one new number per edge, and the number of nodes."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2)
    _, inverse = np.unique(edges, axis=0, return_inverse=True)
    return np.hstack([triangles, points + inverse.reshape(-1, 3)]), points + int(inverse.max()) + 1


def _torsion(section: Section, centre: Floats, polar: float) -> float:
    area = section.areas
    # triangles without area carry nothing, and their gradients do not exist
    keep = area > 1e-12 * area.sum() / len(area)
    triangles, area, modulus = section.triangles[keep], area[keep], section.shear[keep]
    nodes, count = _quadratic(triangles, len(section.points))
    corner = section.points[triangles] - centre
    edge = np.roll(corner, -1, axis=1) - corner
    u, v = edge[:, 0], -edge[:, 2]
    signed = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    opposite = np.roll(edge, -1, axis=1)
    slope = np.stack([-opposite[..., 1], opposite[..., 0]], axis=-1) / signed[:, None, None]
    bary, rule = _rule()
    gradient = np.einsum("qab,tbi->tqai", rule, slope)
    place = np.einsum("qb,tbi->tqi", bary, corner)
    weight = (modulus * area / 3.0)[:, None]
    local = np.einsum("tq,tqai,tqbi->tab", weight * np.ones(3), gradient, gradient)
    turned = np.stack([place[..., 1], -place[..., 0]], axis=-1)
    force = np.einsum("tq,tqai,tqi->ta", weight * np.ones(3), gradient, turned)
    rows, columns = np.repeat(nodes, 6, axis=1).ravel(), np.tile(nodes, (1, 6)).ravel()
    matrix = sparse.csc_matrix((local.ravel(), (rows, columns)), shape=(count, count))
    load = np.bincount(nodes.ravel(), force.ravel(), count)
    free = _without_constants(nodes, count)
    warp = np.zeros(count)
    warp[free] = sparse_linalg.splu(matrix[free][:, free], permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
                                    options={"SymmetricMode": True}).solve(load[free])  # fmt: skip
    return polar - float(load @ warp)


def _without_constants(nodes: Ints, count: int) -> NDArray[np.bool_]:
    """All nodes in use but one in every connected piece, whose warping may be shifted at will."""
    first = np.repeat(nodes[:, :1], 5, axis=1).ravel()
    graph = sparse.coo_matrix((np.ones(len(first)), (first, nodes[:, 1:].ravel())), shape=(count, count))
    _, piece = csgraph.connected_components(graph, directed=False)
    free = np.zeros(count, bool)
    free[nodes.ravel()] = True
    used = np.flatnonzero(free)
    free[used[np.unique(piece[used], return_index=True)[1]]] = False
    return free


@dataclass(frozen=True)
class Ratio:
    """Rigidities of a section relative to the same section of the intact twin (1 is no loss)."""

    EA: float
    EI_min: float
    EI_max: float
    GJ_polar: float
    GJ: float

    def loss(self, *, true_torsion: bool = False) -> float:
        """Largest relative loss of any rigidity; with the polar sum as published, or with the true torsion."""
        return 1.0 - min(self.EA, self.EI_min, self.EI_max, self.GJ if true_torsion else self.GJ_polar)


def ratio(section: Rigidity, intact: Rigidity) -> Ratio:
    """Compare a section with the same section of the lesion-free bone, weak axis with weak axis."""
    names = ("EA", "EI_min", "EI_max", "GJ_polar", "GJ")
    return Ratio(**{name: getattr(section, name) / getattr(intact, name) for name in names})
