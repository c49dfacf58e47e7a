"""A bar of straight-sided tet10 with four moduli, assembled in plain NumPy, independent of femsim.fem."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import sparse

from femsim.fem.linear import System

EDGES = ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))


def bar(nx, nz, size=(20.0, 20.0, 100.0)):
    """Points, tet10 cells and parents of a box cut into Kuhn's six tetrahedra per brick."""
    axes = np.meshgrid(*(np.linspace(0, s, c + 1) for s, c in zip(size, (nx, nx, nz), strict=True)), indexing="ij")
    vertices = np.stack(axes, -1).reshape(-1, 3)
    number = np.arange(len(vertices)).reshape(nx + 1, nx + 1, nz + 1)
    tets = []
    for path in itertools.permutations(range(3)):
        corners = np.concatenate([np.zeros((1, 3), int), np.cumsum(np.eye(3, dtype=int)[list(path)], axis=0)])
        tet = np.stack([number[a : nx + a, b : nx + b, c : nz + c].ravel() for a, b, c in corners], -1)
        odd = np.linalg.det(np.eye(3)[list(path)]) < 0
        tets.append(tet[:, [0, 2, 1, 3]] if odd else tet)
    tets = np.concatenate(tets)
    ends = np.sort(tets[:, EDGES].reshape(-1, 2), axis=1)
    unique, inverse = np.unique(ends, axis=0, return_inverse=True)
    points = np.concatenate([vertices, vertices[unique].mean(axis=1)])
    cells = np.concatenate([tets, len(vertices) + inverse.reshape(-1, 6)], axis=1)
    own = np.repeat(np.arange(len(vertices))[:, None], 2, axis=1)
    return points, cells, np.concatenate([own, unique])


def moduli(points, cells):
    """Cortex, marrow bone, a soft hole and a stiff rod, MPa."""
    centre = points[cells[:, :4]].mean(axis=1)
    radius = np.abs(centre[:, :2] - 10.0).max(axis=1)
    young = np.where(radius > 7.0, 17000.0, 500.0)
    young[np.linalg.norm(centre - [17.0, 10.0, 50.0], axis=1) < 6.0] = 5.0
    young[(np.abs(centre[:, :2] - 8.0).max(axis=1) < 2.0) & (centre[:, 2] > 20)] = 2500.0
    return young


def stiffness(points, cells, young, nu=0.3):
    """Sparse stiffness matrix (3 n, 3 n), four quadrature points."""
    x = points[cells[:, :4]]
    jacobian = np.swapaxes(x[:, 1:] - x[:, :1], 1, 2)
    volume = np.linalg.det(jacobian) / 6.0
    slope = np.einsum("lj,mji->mli", np.vstack([-np.ones(3), np.eye(3)]), np.linalg.inv(jacobian))
    lame, shear = young * nu / ((1 + nu) * (1 - 2 * nu)), young / (2 * (1 + nu))
    out = np.zeros((len(cells), 10, 3, 10, 3))
    a, b = 0.5854101966249685, 0.1381966011250105
    for bary in np.full((4, 4), b) + (a - b) * np.eye(4):
        corner = (4 * bary - 1)[None, :, None] * slope
        middle = np.stack([4 * (bary[i] * slope[:, j] + bary[j] * slope[:, i]) for i, j in EDGES], axis=1)
        g = np.concatenate([corner, middle], axis=1)
        w = volume / 4.0
        out += np.einsum("m,mia,mjb->miajb", w * lame, g, g) + np.einsum("m,mib,mja->miajb", w * shear, g, g)
        out += np.einsum("m,mic,mjc,ab->miajb", w * shear, g, g, np.eye(3))
    dofs = (3 * cells[:, :, None] + np.arange(3)).reshape(len(cells), 30)
    rows, columns = np.repeat(dofs, 30, axis=1).ravel(), np.tile(dofs, (1, 30)).ravel()
    size = 3 * len(points)
    return sparse.coo_matrix((out.ravel(), (rows, columns)), shape=(size, size)).tocsr()


def fixed_system(points, parents, matrix, free):
    """The system with identity rows and columns where `free` (n, 3) is False."""
    keep = sparse.diags(free.ravel().astype(float))
    scale = matrix.diagonal().max()
    held = (keep @ matrix @ keep + scale * sparse.diags((~free).ravel().astype(float))).tobsr((3, 3))
    held.sort_indices()
    return System(held.indptr.astype(np.int64), held.indices.astype(np.int32), held.data.copy(), free, points, parents)


def cantilever(nx=3, nz=12, seed=0, factor=1.0, size=(20.0, 20.0, 100.0)):
    """A bar held at z = 0 with two end loads; system, right-hand sides (2, n, 3), sparse matrix."""
    points, cells, parents = bar(nx, nz, size)
    matrix = stiffness(points, cells, factor * moduli(points, cells))
    shuffle = np.random.default_rng(seed).permutation(len(points))  # nothing may hang on the numbering
    points, old = points[shuffle], np.argsort(shuffle)
    parents = old[parents][shuffle]
    dofs = (3 * shuffle[:, None] + np.arange(3)).ravel()
    matrix = matrix[dofs][:, dofs]
    free = np.ones(points.shape, bool)
    free[points[:, 2] < 1e-9] = False
    rhs = np.zeros((2, *points.shape))
    rhs[0, points[:, 2] > size[2] - 1e-9] = [1.0, 0.0, -5.0]
    rhs[1, points[:, 2] > size[2] - 1e-9] = [0.0, 2.0, 0.5]
    system = fixed_system(points, parents, matrix, free)
    return system, rhs


def as_sparse(system):
    """The matrix of a system."""
    return sparse.bsr_matrix((system.blocks, system.indices, system.indptr)).tocsc()
