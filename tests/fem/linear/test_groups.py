"""The level of groups below the vertices, which small problems do not reach by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import spsolve

from femsim.errors import SolveError
from femsim.fem import linear
from femsim.fem.linear import aggregation, coarse, multigrid

from .problem import as_sparse, bar, cantilever, fixed_system, moduli, stiffness


@pytest.fixture(autouse=True)
def _always_groups(monkeypatch):
    monkeypatch.setattr(coarse, "FACTOR_VERTICES", 0)


def structure(system):
    return multigrid.structure_of(system).coarse


@pytest.mark.parametrize("threads", [1, 2])
def test_agrees_with_scipy(threads):
    system, rhs = cantilever(3, 12)
    result = linear.solve(system, rhs, method="multigrid", tolerance=1e-10, threads=threads)
    reference = spsolve(as_sparse(system), rhs.reshape(2, -1).T).T.reshape(rhs.shape)
    np.testing.assert_allclose(result.x, reference, atol=1e-8 * abs(reference).max(), rtol=0)
    assert (result.residuals < 1e-10).all()


def test_iterations_are_near_those_of_the_factorised_vertex_matrix(monkeypatch):
    system, rhs = cantilever(6, 24)
    groups = linear.solve(system, rhs[:1], method="multigrid", threads=1).iterations[0]
    monkeypatch.setattr(coarse, "FACTOR_VERTICES", 10**9)
    factor = linear.solve(system, rhs[:1], method="multigrid", threads=1).iterations[0]
    assert factor <= groups <= 1.35 * factor


def test_motions_reproduce_every_rigid_motion_where_nothing_is_fixed():
    points, cells, parents = bar(3, 8)
    free = np.ones(points.shape, bool)
    system = fixed_system(points, parents, stiffness(points, cells, moduli(points, cells)), free)
    found = structure(system)
    vertex = points[parents[:, 0] == parents[:, 1]]
    motion = found.groups.motion
    spin = np.array([0.3, -0.2, 0.7])
    rigid = (np.array([1.0, 2.0, 3.0]) + np.cross(spin, vertex)).ravel()
    np.testing.assert_allclose(motion @ (motion.T @ rigid), rigid, atol=1e-10 * abs(rigid).max())


def test_fixed_vertices_are_in_no_group_and_missing_motions_have_no_columns():
    system, _ = cantilever(2, 6)
    groups = structure(system).groups
    vertex = np.flatnonzero(system.parents[:, 0] == system.parents[:, 1])
    held = ~system.free[vertex].any(axis=1)
    assert held.any()
    assert (groups.group[held] == -1).all()
    assert (groups.group[~held] >= 0).all()
    length = np.sqrt(np.asarray(groups.motion.power(2).sum(axis=0))).reshape(-1, 6)
    np.testing.assert_allclose(length, np.where(groups.missing, 0.0, 1.0), atol=1e-12)


def test_largest_eigenvalue_is_a_little_above():
    system, _ = cantilever(2, 6)
    dense = as_sparse(system).toarray()
    own = np.kron(np.eye(system.nodes), np.ones((3, 3)))
    exact = np.abs(np.linalg.eigvals(np.linalg.solve(dense * own, dense))).max()
    nodes = np.arange(system.nodes)
    blocks = dense.reshape(system.nodes, 3, system.nodes, 3)[nodes, :, nodes]
    found = aggregation.largest_eigenvalue(as_sparse(system).tobsr((3, 3)), np.linalg.inv(blocks))
    assert 0.9 * exact < found < 1.1 * exact


def test_a_free_body_is_an_error_not_a_number():
    points, cells, parents = bar(2, 6)
    free = np.ones(points.shape, bool)
    loose = fixed_system(points, parents, stiffness(points, cells, moduli(points, cells)), free)
    load = np.random.default_rng(0).normal(size=(1, len(points), 3))
    with pytest.raises(SolveError):
        linear.solve(loose, load, method="multigrid")


def test_a_load_on_a_fixed_node_moves_nothing_else():
    system, rhs = cantilever(2, 6)
    held = np.flatnonzero(~system.free.any(axis=1))
    more = rhs.copy()
    more[:, held] = 7.0
    plain, loaded = (linear.solve(system, b, method="multigrid", threads=1) for b in (rhs, more))
    moved = system.free.any(axis=1)
    np.testing.assert_array_equal(plain.x[:, moved], loaded.x[:, moved])
    gap = as_sparse(system) @ loaded.x.reshape(2, -1).T - more.reshape(2, -1).T
    assert np.linalg.norm(gap) < 1e-7 * np.linalg.norm(more)
