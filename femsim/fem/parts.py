"""Connected parts of a mesh, and the rigid motions that supports leave free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from femsim.fem.constraints import Plan
from femsim.fem.elements import Element

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A rigid motion is free when its constraints hold it less than this, relative to the best held one of the same body
#: (squared lever arms: supports within 1e-5 of the size of the body count as one point).
LOOSE = 1e-10


@dataclass(frozen=True, eq=False)
class LooseMotion:
    """A rigid motion that costs nothing: its part, a node of it, and unit translation (3,) and rotation (3,)."""

    part: int
    node: int
    nodes: int
    parts: int
    translation: Floats
    rotation: Floats


def parts_of(cells: Ints, element: Element) -> Ints:
    """Part of every cell, (m,): cells that share a face are in one part.

    Cells that meet in a node or an edge only are different parts: such a joint is a hinge.
    """
    corners = element.size - len(element.edges)
    sides = [face[face < corners] for face in element.faces]
    faces = np.sort(np.stack([cells[:, side] for side in sides], axis=1).reshape(-1, len(sides[0])), axis=1)
    # three nodes in one 64-bit key where they fit: one sort instead of three
    small = int(cells.max()) < 2**21
    key = (faces[:, 0] << 42) | (faces[:, 1] << 21) | faces[:, 2]
    if small:
        order = np.argsort(key) if faces.shape[1] == 3 else np.lexsort((*faces.T[3:], key))
    else:
        order = np.lexsort(faces.T)
    same = np.flatnonzero((faces[order[1:]] == faces[order[:-1]]).all(axis=1))
    owner = order // len(sides)
    a, b = owner[same], owner[same + 1]
    graph = sparse.csr_matrix((np.ones(len(a), np.int8), (a, b)), shape=(len(cells), len(cells)))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def loose_motion(plan: Plan, points: Floats, cells: Ints, part: Ints) -> LooseMotion | None:
    """A rigid motion of some parts that no support, constraint or shared node holds; None where all are held.

    Every part, and every reference point of a coupling, gets six motions; every support, constraint and node shared by
    two parts is an equation on them. The motions are held if these equations have full rank.
    """
    bodies = int(part.max()) + 1
    copy_node, copy_part = _copies(cells, part)
    centre, size = _frames(points, copy_node, copy_part, bodies)
    # Unknowns: six per part, then three translations and three (scaled) rotations per coupling.
    bare = _in_play(plan, _first(copy_node, plan.nodes))
    node, owner = _with_equations(plan, copy_node, copy_part)
    motions, first = _motions(points, node, owner, centre, size), _first(node, plan.nodes)
    at_node = sparse.diags(np.repeat((first >= 0).astype(float), 3)) @ _rows_of(motions, np.maximum(first, 0))
    references = 3 * (plan.count - plan.nodes)
    every = sparse.block_diag([at_node, sparse.identity(references)], format="csr") if references else at_node
    every = sparse.hstack([every, _unit_columns(bare, plan.count)], format="csr")
    equations = [_held(plan) @ every, _shared(motions, first, node, references + 3 * len(bare))]
    pinned = (3 * bare[:, None] + np.arange(3))[~_moves(plan)[bare]]
    equations.append(every[pinned])
    if plan.transform is not None:
        gap = plan.transform - sparse.eye(3 * plan.nodes, 3 * plan.count, format="csr")
        equations.append(gap @ every)
    gram = sparse.vstack(equations).tocsr()
    gram = (gram.T @ gram).tocsr()
    found = _null_vector(gram)
    if found is None:
        return None
    return _describe(found, bodies, copy_node, copy_part, size, plan, bare)


def _first(node: Ints, count: int) -> Ints:
    """First place of each of `count` nodes; -1 where there is none."""
    first = np.full(count, -1, np.int64)
    first[node[::-1]] = np.arange(len(node))[::-1]
    return first


def _with_equations(plan: Plan, node: Ints, part: Ints) -> tuple[Ints, Ints]:
    """The copies of the nodes that have an equation: a support, or several parts; all where nodes follow others."""
    if plan.transform is not None:
        return node, part
    told = np.zeros(plan.count, bool)
    told[plan.rows.node] = told[node[:1]] = True  # one at least, so that there are motions
    told[node[1:][node[1:] == node[:-1]]] = True
    return node[told[node]], part[told[node]]


def _moves(plan: Plan) -> NDArray[np.bool_]:
    """Displacements (n, 3) that are free or follow others."""
    free = plan.free[: plan.nodes]
    return free if plan.transform is None else free | (plan.transform.diagonal().reshape(-1, 3) == 0.0)


def _in_play(plan: Plan, first: Ints) -> Ints:
    """Nodes in no cell that equations let move."""
    return np.flatnonzero((first < 0) & _moves(plan).any(axis=1))


def _unit_columns(nodes: Ints, count: int) -> sparse.csr_matrix:
    rows = (3 * nodes[:, None] + np.arange(3)).ravel()
    return sparse.csr_matrix((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(3 * count, len(rows)))


def _copies(cells: Ints, part: Ints) -> tuple[Ints, Ints]:
    """Every (node, part) pair once, ordered by node."""
    bodies = int(part.max()) + 1
    if bodies == 1:
        used = np.zeros(int(cells.max()) + 1, bool)
        used[cells] = True
        node = np.flatnonzero(used)
        return node, np.zeros(len(node), np.int64)
    key = np.unique(cells.ravel() * bodies + np.repeat(part, cells.shape[1]))
    return key // bodies, key % bodies


def _frames(points: Floats, node: Ints, part: Ints, bodies: int) -> tuple[Floats, Floats]:
    """Centre and radius of every part."""
    number = np.bincount(part, minlength=bodies)
    centre = np.stack([np.bincount(part, points[node, i], bodies) / number for i in range(3)], axis=1)
    size = np.zeros(bodies)
    np.maximum.at(size, part, np.linalg.norm(points[node] - centre[part], axis=1))
    return centre, np.where(size > 0.0, size, 1.0)


def _motions(points: Floats, node: Ints, part: Ints, centre: Floats, size: Floats) -> sparse.csr_matrix:
    """Displacement (3 per copy) of the six motions of each part."""
    arm = (points[node] - centre[part]) / size[part][:, None]
    c = len(node)
    table = np.zeros((c, 3, 6))
    table[:, range(3), range(3)] = 1.0
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        table[:, i, 3 + j] = arm[:, k]
        table[:, i, 3 + k] = -arm[:, j]
    columns = np.broadcast_to(6 * part[:, None, None] + np.arange(6), table.shape)
    indptr = np.arange(0, 18 * c + 1, 6)
    return sparse.csr_matrix((table.ravel(), columns.ravel(), indptr), shape=(3 * c, 6 * len(size)))


def _rows_of(matrix: sparse.csr_matrix, copies: Ints) -> sparse.csr_matrix:
    return matrix[(3 * copies[:, None] + np.arange(3)).ravel()]


def _held(plan: Plan) -> sparse.csr_matrix:
    """Supports as rows on all displacements."""
    rows = plan.rows
    r = len(rows.node)
    columns = 3 * rows.node[:, None] + np.arange(3)
    indptr = np.arange(0, 3 * r + 1, 3)
    return sparse.csr_matrix((rows.direction.ravel(), columns.ravel(), indptr), shape=(r, 3 * plan.count))


def _shared(motions: sparse.csr_matrix, first: Ints, node: Ints, extra: int) -> sparse.csr_matrix:
    """A node of several parts moves the same in all of them."""
    again = np.flatnonzero(first[node] != np.arange(len(node)))
    gap = _rows_of(motions, again) - _rows_of(motions, first[node[again]])
    return sparse.hstack([gap, sparse.csr_matrix((gap.shape[0], extra))], format="csr") if extra else gap


def _null_vector(gram: sparse.csr_matrix) -> Floats | None:
    """A unit vector that the equations do not hold, looked for body by body."""
    size = gram.shape[0]
    _, label = connected_components(gram, directed=False)
    # Rows without an entry are their own components; one body always has its six motions together.
    for block in range(label.max() + 1):
        members = np.flatnonzero(label == block)
        values, vectors = np.linalg.eigh(gram[members][:, members].toarray())
        if values[0] <= LOOSE * max(values[-1], 1.0):
            out = np.zeros(size)
            out[members] = vectors[:, 0]
            return out
    return None


def _describe(vector: Floats, bodies: int, node: Ints, part: Ints, size: Floats, plan: Plan, bare: Ints) -> LooseMotion:
    table = vector[: 6 * bodies].reshape(-1, 6)
    which = int((table**2).sum(axis=1).argmax())
    if not table[which].any():
        loosest = int(np.abs(vector[6 * bodies :]).argmax())
        references = 3 * (plan.count - plan.nodes)
        if loosest >= references:
            k = (loosest - references) // 3
            motion = vector[6 * bodies + references + 3 * k :][:3]
            return LooseMotion(-1 - len(plan.couplings) - k, int(bare[k]), 1, bodies, motion, np.zeros(3))
        at = loosest // 6
        tail = vector[6 * bodies + 6 * at :][:6]
        return LooseMotion(
            -1 - at, int(plan.couplings[at].nodes[0]), len(plan.couplings[at].nodes), bodies, tail[:3], tail[3:]
        )
    mine = node[part == which]
    scale = np.abs(table[which]).max()
    return LooseMotion(which, int(mine[0]), len(mine), bodies, table[which, :3] / scale, table[which, 3:] / scale)
