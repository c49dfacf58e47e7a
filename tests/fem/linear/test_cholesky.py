"""The sparse Cholesky factorisation against numpy, on meshes, random graphs and the cases that break orderings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from femsim.errors import SolveError
from femsim.fem import linear
from femsim.fem.linear.cholesky import factorise
from femsim.fem.linear.dissection import dissect
from femsim.fem.linear.substitution import solve_factored


def random_spd(n, density, seed):
    rng = np.random.default_rng(seed)
    a = sparse.random(n, n, density, random_state=rng, format="csr")
    a = a + a.T
    return (a + sparse.diags(np.asarray(np.abs(a).sum(axis=1)).ravel() + 1.0)).tocsr()


def grid(n):
    """Seven-point Laplacian on n^3 points, and the points."""
    one = sparse.diags([-np.ones(n - 1), 2 * np.ones(n), -np.ones(n - 1)], [-1, 0, 1])
    eye = sparse.identity(n)
    kron = sparse.kron
    matrix = kron(kron(one, eye), eye) + kron(kron(eye, one), eye) + kron(kron(eye, eye), one)
    return matrix.tocsr(), np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), -1).reshape(-1, 3).astype(float)


@pytest.mark.parametrize("n", [1, 2, 5, 40, 300])
@pytest.mark.parametrize("density", [0.0, 0.02, 0.5])
def test_random_matrices_without_coordinates(n, density):
    matrix = random_spd(n, density, n)
    b = np.random.default_rng(1).normal(size=(n, 3))
    np.testing.assert_allclose(linear.direct(matrix, b), np.linalg.solve(matrix.toarray(), b), atol=1e-12)
    np.testing.assert_allclose(linear.direct(matrix, b[:, 0]), np.linalg.solve(matrix.toarray(), b[:, 0]), atol=1e-12)


@pytest.mark.parametrize("use_points", [True, False])
def test_separators_separate(use_points):
    matrix, points = grid(14)
    tree = dissect(matrix.indptr, matrix.indices, points if use_points else None)
    assert np.array_equal(np.sort(tree.order), np.arange(len(points)))
    front = np.repeat(np.arange(len(tree.parent)), np.diff(tree.start))
    of_node = np.empty(len(points), int)
    of_node[tree.order] = front
    above = [{k} for k in range(len(tree.parent))]
    for k in range(len(tree.parent) - 1, -1, -1):
        assert tree.parent[k] == -1 or tree.parent[k] > k
        if tree.parent[k] >= 0:
            above[k] |= above[tree.parent[k]]
    rows, columns = matrix.nonzero()
    for i, j in zip(of_node[rows], of_node[columns], strict=True):
        assert j in above[i] or i in above[j]


def test_the_fill_of_a_grid_is_near_that_of_plane_separators():
    matrix, points = grid(20)
    tree = dissect(matrix.indptr, matrix.indices, points)
    # the last separator of a cube of 20^3 points is one plane of 400, the two before it half planes of 200
    assert tree.start[-1] - tree.start[-2] == 400
    assert tree.factor_entries < 31 * 8000 * np.log2(8000)  # 31 n log n: nested dissection of a cube, with dense fronts


def test_all_points_in_one_place():
    matrix, points = grid(8)
    x = linear.direct(matrix, np.ones(len(points)), np.zeros_like(points))
    np.testing.assert_allclose(matrix @ x, 1.0, atol=1e-10)


def test_two_separate_parts():
    a, _ = grid(5)
    matrix = sparse.block_diag([a, 3 * a]).tocsr()
    x = linear.direct(matrix, np.ones(250))
    np.testing.assert_allclose(x[:125], 3 * x[125:], rtol=1e-12)


def test_a_single_precision_factor_is_close():
    matrix, points = grid(10)
    tree = dissect(matrix.indptr, matrix.indices, points)
    data = matrix.data.reshape(-1, 1, 1)
    half = factorise(tree, matrix.indptr, matrix.indices, data, np.float32)
    full = factorise(tree, matrix.indptr, matrix.indices, data)
    assert half.values.nbytes * 2 == full.values.nbytes
    b = np.ones(len(points))
    np.testing.assert_allclose(solve_factored(half, b), solve_factored(full, b), rtol=1e-4)


def test_the_node_that_breaks_it_is_named():
    matrix, points = grid(6)
    matrix = matrix.tolil()
    matrix[100, 100] = -1.0
    rows = matrix.tocsr()
    tree = dissect(rows.indptr, rows.indices, points)
    with pytest.raises(SolveError, match="positive definite") as caught:
        factorise(tree, rows.indptr, rows.indices, rows.data.reshape(-1, 1, 1))
    assert caught.value.node == 100
