"""Supports and constraints turned into one transformation, one mask and one set of prescribed values.

The unknowns are three per node, plus a translation and a (scaled) rotation for every rigid coupling, written as two
more nodes so that the matrix keeps its 3 x 3 blocks. A support in local axes becomes a projector on that node, in
global axes, so that the interpolation of the multigrid is not disturbed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from femsim.errors import InputError, SolveError
from femsim.fem.elements import Element
from femsim.fem.mpc import Coupling, couplings_of, transformation
from femsim.fem.supports import Fixed, LinearConstraint, RigidCoupling, Support, label

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Two directions at a node count as one below this angle (radians).
SAME_DIRECTION = 1e-6
#: Two values prescribed for one displacement may differ by this much, relative to the larger.
SAME_VALUE = 1e-9


@dataclass(frozen=True, eq=False)
class Prescribed:
    """Rows ``direction . u[node] = value`` of all supports.

    Attributes
    ----------
    node, direction, value, source : (r,), (r, 3), (r,), (r,)
        Node, unit direction, value (mm) and index of the support.
    place : (r, 2) int
        Which node of the support, and which component.
    """

    node: Ints
    direction: Floats
    value: Floats
    source: Ints
    place: Ints


@dataclass(frozen=True, eq=False)
class Plan:
    """How the displacements depend on the independent unknowns: ``u = T v + g``.

    Attributes
    ----------
    nodes, count : int
        Nodes of the mesh; with the two extra ones of every coupling.
    rows : Prescribed
        All prescribed displacements.
    names : tuple of str
        Labels of the supports.
    free : (count, 3) bool
        Unknowns that are solved for; at a node with a skew support all three are, and the projector holds the rest.
    skew : (s,) int
        Nodes with a skew support.
    projector : (s, 3, 3) float64
        Projection on the directions in which they are free.
    couplings : tuple of Coupling
        Rigid couplings.
    transform : csr_matrix (3 nodes, 3 count) or None
        T; None is the identity.
    offset : (nodes, 3) float64
        g.
    touched : (nodes,) bool
        Nodes on which a support or constraint can exert a force.
    """

    nodes: int
    count: int
    rows: Prescribed
    names: tuple[str, ...]
    free: Bools
    skew: Ints
    projector: Floats
    couplings: tuple[Coupling, ...]
    transform: sparse.csr_matrix | None
    offset: Floats
    touched: Bools

    def holds_like(self, other: Plan) -> bool:
        """Whether both hold the same displacements and nothing else, whatever the values."""
        if any(one.transform is not None or one.couplings for one in (self, other)):
            return False
        pairs = (
            (self.rows.node, other.rows.node),
            (self.rows.direction, other.rows.direction),
            (self.free, other.free),
        )
        return self.count == other.count and all(np.array_equal(a, b) for a, b in pairs)


def plan(supports: Sequence[Support], points: Floats, cells: Ints, element: Element) -> Plan:
    """Work out the transformation of a list of supports.

    Raises
    ------
    InputError, SolveError
        If a node does not exist, values contradict each other, or a displacement is held twice.
    """
    n = len(points)
    couplings = couplings_of(supports, points)
    _check_nodes(supports, n)
    count = n + 2 * len(couplings)
    rows = _rows(supports, couplings, n)
    names = tuple(label(s) for s in supports)
    free, skew, projector = _directions(rows, count)
    bare = np.ones(n, bool)
    bare[cells] = False
    # Nodes in no cell have no stiffness of their own; where an equation ties them to others they have theirs.
    free[:n] &= ~bare[:, None] | tied_by_equations(supports, n)
    fixed = ~free
    fixed[skew] = True
    joined = transformation(supports, couplings, points, cells, element, fixed.ravel())
    touched = np.zeros(n, bool)
    touched[rows.node[rows.node < n]] = True
    if joined is None:
        return Plan(n, count, rows, names, free, skew, projector, couplings, None, np.zeros((n, 3)), touched)
    matrix, shift, slave = joined
    free = free & ~slave.reshape(-1, 3)
    real = matrix[: 3 * n]
    moved = slave[: 3 * n].reshape(-1, 3).any(axis=1)
    touched |= moved
    masters = real[np.repeat(moved, 3)].indices // 3
    touched[masters[masters < n]] = True
    offset = shift[: 3 * n].reshape(-1, 3)
    return Plan(n, count, rows, names, free, skew, projector, couplings, real, offset, touched)


def tied_by_equations(supports: Sequence[Support], n: int) -> Bools:
    """Displacements (n, 3) that occur in a linear constraint."""
    out = np.zeros((n, 3), bool)
    for support in supports:
        if isinstance(support, LinearConstraint):
            out[np.asarray(support.nodes, np.int64), np.asarray(support.components, np.int64)] = True
    return out


def prescribed(plan: Plan, overrides: Mapping[str, ArrayLike], supports: Sequence[Support]) -> Floats:
    """Prescribed part of the unknowns (count, 3), zero where they are free.

    Parameters
    ----------
    overrides : mapping of str to value
        Values that replace those of the supports of these names.
    """
    value = plan.rows.value.copy()
    for name, given in overrides.items():
        found = [i for i, s in enumerate(supports) if getattr(s, "name", "") == name and isinstance(s, Fixed)]
        if not found:
            raise InputError(
                f"ImposedDisplacement names the support {name!r}, which does not exist.",
                "It replaces the value of a Fixed support in one load case.",
                f"Use one of {', '.join(repr(s.name) for s in supports if isinstance(s, Fixed))}.",
            )
        for source in found:
            mine = plan.rows.source == source
            place = plan.rows.place[mine]
            table = _values(given, int(place[:, 0].max(initial=-1)) + 1, name)
            value[mine] = table[place[:, 0], place[:, 1]]
    return _solve_rows(plan.rows, value, plan.count, plan.names)


def _check_nodes(supports: Sequence[Support], n: int) -> None:
    for support in supports:
        nodes = np.atleast_1d(np.asarray(support.nodes))
        if len(nodes) == 0:
            raise SolveError(
                f"{label(support)} has no node.",
                "A support on nothing holds nothing; most often a node set is empty.",
                "Check the set it was made from.",
            )
        bad = nodes[(nodes < 0) | (nodes >= n)]
        if len(bad):
            raise InputError(
                f"{label(support)} names node {bad[0]}, but the mesh has nodes 0 to {n - 1}.",
                "A support must act on nodes of the mesh.",
                "Check that nodes are counted from 0.",
            )


def _values(value: ArrayLike, p: int, name: str) -> Floats:
    """A support's value as (p, 3)."""
    array = np.asarray(value, float)
    if array.shape not in ((), (3,), (p, 3)):
        raise InputError(
            f"Support {name!r} has a value of shape {array.shape}.",
            f"It holds {p} nodes in up to three directions.",
            f"Give a number, (3,) or ({p}, 3).",
        )
    return np.broadcast_to(array, (p, 3))


def _fixed_rows(support: Fixed, source: int) -> Prescribed:
    nodes = np.atleast_1d(np.asarray(support.nodes, np.int64))
    components = np.unique(np.asarray(support.components, np.int64))
    axes = np.eye(3) if support.axes is None else np.asarray(support.axes, float)
    if len(components) == 0 or components[0] < 0 or components[-1] > 2 or axes.shape[-2:] != (3, 3):
        raise InputError(
            f"{label(support)} has components {tuple(support.components)} and axes of shape {axes.shape}.",
            "Components are 0, 1, 2 along the rows of (3, 3) axes.",
            "Correct them.",
        )
    axes = np.broadcast_to(axes, (len(nodes), 3, 3))
    length = np.linalg.norm(axes, axis=2)
    if not np.allclose(length, 1.0, atol=1e-6):
        raise InputError(
            f"{label(support)} has axes that are not unit vectors (length {length.ravel()[0]:.6g}).",
            "The prescribed value would be scaled by their length.",
            "Normalise the rows.",
        )
    value = _values(support.value, len(nodes), label(support))
    where, which = np.meshgrid(np.arange(len(nodes)), components, indexing="ij")
    place = np.stack([where.ravel(), which.ravel()], axis=1)
    picked = value[place[:, 0], place[:, 1]]
    if not np.isfinite(picked).all():
        raise InputError(f"{label(support)} has a value that is not finite.", "Nothing follows from it.", "Correct it.")
    direction = axes[place[:, 0], place[:, 1]]
    return Prescribed(nodes[place[:, 0]], direction, picked, np.full(len(place), source), place)


def _coupling_rows(support: RigidCoupling, coupling: Coupling, source: int) -> Prescribed:
    value = np.concatenate([np.asarray(support.displacement, float), np.asarray(support.rotation, float)])
    if value.shape != (6,) or np.isinf(value).any():
        raise InputError(
            f"{label(support)} has displacement {support.displacement!r} and rotation {support.rotation!r}.",
            "Both are (3,), finite or NaN for free.",
            "Correct them.",
        )
    value[3:] *= coupling.radius
    given = np.flatnonzero(~np.isnan(value))
    place = np.stack([np.zeros(len(given), np.int64), given], axis=1)
    node = coupling.node + given // 3
    return Prescribed(node, np.eye(3)[given % 3], value[given], np.full(len(given), source), place)


def _rows(supports: Sequence[Support], couplings: Sequence[Coupling], n: int) -> Prescribed:
    found = []
    by_name = {c.name: c for c in couplings}
    for source, support in enumerate(supports):
        if isinstance(support, Fixed):
            found.append(_fixed_rows(support, source))
        elif isinstance(support, RigidCoupling):
            found.append(_coupling_rows(support, by_name[support.name], source))
    if not found:
        none = np.zeros(0, np.int64)
        return Prescribed(none, np.zeros((0, 3)), np.zeros(0), none, np.zeros((0, 2), np.int64))
    names = ("node", "direction", "value", "source", "place")
    return Prescribed(*(np.concatenate([getattr(f, name) for f in found]) for name in names))


def _spectrum(rows: Prescribed, count: int) -> tuple[Ints, Floats, Floats, Ints]:
    """Held nodes, and the eigenvalues and vectors of the sum of d d^T over each node's rows."""
    used = np.zeros(count, bool)
    used[rows.node] = True
    held = np.flatnonzero(used)
    inverse = (np.cumsum(used) - 1)[rows.node]
    gram = np.zeros((len(held), 3, 3))
    for i in range(3):
        for j in range(3):
            gram[:, i, j] = np.bincount(inverse, rows.direction[:, i] * rows.direction[:, j], len(held))
    values, vectors = gram[:, range(3), range(3)], np.broadcast_to(np.eye(3), gram.shape).copy()
    across = np.flatnonzero((gram * (1.0 - np.eye(3))).any(axis=(1, 2)))  # most supports are along the global axes
    if len(across):
        values[across], vectors[across] = np.linalg.eigh(gram[across])
    return held, values, vectors, inverse


def _directions(rows: Prescribed, count: int) -> tuple[Bools, Ints, Floats]:
    """Free mask, and the nodes whose free directions are not along the global axes."""
    free = np.ones((count, 3), bool)
    held, values, vectors, _ = _spectrum(rows, count)
    loose = (values < SAME_DIRECTION**2).astype(float)
    projector = np.einsum("sij,sj,skj->sik", vectors, loose, vectors)
    rounded = np.round(projector)
    aligned = (np.abs(projector - rounded) < 1e-12).all(axis=(1, 2))
    free[held[aligned]] = rounded[aligned][:, range(3), range(3)] > 0.5
    return free, held[~aligned], projector[~aligned]


def _solve_rows(rows: Prescribed, value: Floats, count: int, names: Sequence[str]) -> Floats:
    """Displacement of every held node from its rows; contradicting rows are an error."""
    out = np.zeros((count, 3))
    if len(value) == 0:
        return out
    held, values, vectors, inverse = _spectrum(rows, count)
    pulled = rows.direction * value[:, None]
    right = np.stack([np.bincount(inverse, pulled[:, i], len(held)) for i in range(3)], axis=1)
    solid = values >= SAME_DIRECTION**2
    inverted = np.where(solid, 1.0 / np.where(solid, values, 1.0), 0.0)
    out[held] = np.einsum("sij,sj,skj,sk->si", vectors, inverted, vectors, right)
    miss = np.abs((rows.direction * out[rows.node]).sum(axis=1) - value)
    worst = int(miss.argmax())
    if miss[worst] > SAME_VALUE * np.abs(value).max():
        at = rows.node == rows.node[worst]
        who = sorted({names[s] for s in rows.source[at]})
        raise SolveError(
            f"Node {rows.node[worst]} is given contradicting displacements by {' and '.join(who)}.",
            "A point cannot be in two places.",
            "Take the node out of one of them, or give both the same value.",
        )
    return out
