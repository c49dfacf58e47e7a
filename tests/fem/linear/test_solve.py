"""The solvers against scipy's LU on an independently assembled bar, and against everything that must be refused."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

from femsim.errors import FemsimWarning, InputError, SolveError
from femsim.fem import linear

from .problem import as_sparse, bar, cantilever, fixed_system, moduli, stiffness


@pytest.fixture(scope="module")
def problem():
    system, rhs = cantilever()
    reference = spsolve(as_sparse(system), rhs.reshape(2, -1).T).T.reshape(rhs.shape)
    return system, rhs, reference


@pytest.mark.parametrize("method", ["direct", "multigrid"])
@pytest.mark.parametrize("threads", [1, 2])
def test_agrees_with_scipy(problem, method, threads):
    system, rhs, reference = problem
    result = linear.solve(system, rhs, method=method, tolerance=1e-10, threads=threads)
    assert result.method == method
    np.testing.assert_allclose(result.x, reference, atol=1e-8 * abs(reference).max(), rtol=0)
    true = np.linalg.norm(as_sparse(system) @ result.x.reshape(2, -1).T - rhs.reshape(2, -1).T, axis=0)
    true /= np.linalg.norm(rhs.reshape(2, -1), axis=1)
    np.testing.assert_allclose(result.residuals, true, rtol=1e-2, atol=1e-13)
    assert (true < 1e-10).all()
    assert (result.x[:, ~system.free] == 0).all()


@pytest.mark.parametrize("whole", [10**6, 0])
def test_scipy_alone_agrees(problem, monkeypatch, whole):
    monkeypatch.setattr(import_module("femsim.fem.linear.fallback"), "WHOLE", whole)  # 0: two levels, not one factor
    system, rhs, reference = problem
    result = linear.solve(system, rhs, method="scipy", tolerance=1e-10)
    assert result.method == "scipy"
    assert (result.iterations > 0).all() == (whole == 0)
    np.testing.assert_allclose(result.x, reference, atol=1e-8 * abs(reference).max(), rtol=0)
    again = linear.solve(system, rhs[:1], method="scipy", tolerance=1e-10, reuse=result.prepared, guess=reference[:1])
    assert again.iterations[0] == 0
    assert again.prepared.factors is result.prepared.factors


def test_scipy_takes_over_where_the_compiled_solvers_cannot_work(problem, monkeypatch):
    def broken(*_):
        raise OSError("cannot load library")

    system, rhs, reference = problem
    module = import_module("femsim.fem.linear.solve")
    monkeypatch.setattr(module, "hierarchy_of", broken)
    monkeypatch.setattr(module, "factorise", broken)
    with pytest.warns(FemsimWarning, match="scipy.*takes its place") as told:
        result = linear.solve(system, rhs, tolerance=1e-10)
    assert len(told) == 1
    assert result.method == "scipy"
    np.testing.assert_allclose(result.x, reference, atol=1e-8 * abs(reference).max(), rtol=0)
    with pytest.raises(OSError, match="cannot load"):  # what was asked for by name is not replaced
        linear.solve(system, rhs, method="direct")


def test_one_load_is_the_same_with_one_or_two_threads_bit_by_bit(problem):
    system, rhs, _ = problem
    one = linear.solve(system, rhs[:1], method="multigrid", threads=1)
    two = linear.solve(system, rhs[:1], method="multigrid", threads=2)
    assert np.array_equal(one.x, two.x)


def test_iterations_do_not_grow_with_size():
    counts = []
    for nx, nz in ((2, 8), (4, 16), (6, 24)):
        system, rhs = cantilever(nx, nz)
        counts.append(linear.solve(system, rhs[:1], method="multigrid", threads=1).iterations[0])
    assert counts[-1] <= 1.5 * counts[0] + 5
    assert max(counts) < 60


def test_a_bad_tolerance_and_shapes_are_refused(problem):
    system, rhs, _ = problem
    with pytest.raises(InputError, match="tolerance"):
        linear.solve(system, rhs, tolerance=0.0)
    with pytest.raises(InputError, match="shape"):
        linear.solve(system, rhs[0])
    with pytest.raises(InputError, match="shape"):
        linear.solve(system, rhs, guess=rhs[:1])
    with pytest.raises(InputError, match="not known"):
        linear.solve(system, rhs, method="magic")
    with pytest.raises(InputError, match="quadratic"):
        linear.solve(replace(system, parents=None), rhs, method="multigrid")


def test_nan_is_named(problem):
    system, rhs, _ = problem
    with pytest.raises(SolveError, match=r"matrix.*NaN"):
        linear.solve(replace(system, blocks=np.full_like(system.blocks, np.nan)), rhs)
    bad = rhs.copy()
    bad[0, 5] = np.inf
    with pytest.raises(SolveError, match=r"right-hand side.*NaN"):
        linear.solve(system, bad)


@pytest.mark.parametrize("method", ["direct", "multigrid"])
def test_a_free_body_is_an_error_not_a_number(method):
    points, cells, parents = bar(2, 6)
    free = np.ones(points.shape, bool)
    loose = fixed_system(points, parents, stiffness(points, cells, moduli(points, cells)), free)
    load = np.random.default_rng(0).normal(size=(1, len(points), 3))
    with pytest.raises(SolveError):
        linear.solve(loose, load, method=method)


@pytest.mark.parametrize("method", ["direct", "multigrid"])
def test_an_indefinite_matrix_is_refused(problem, method):
    system, rhs, _ = problem
    with pytest.raises(SolveError, match="positive definite"):
        linear.solve(replace(system, blocks=-system.blocks), rhs, method=method)


def test_no_load_gives_no_displacement(problem):
    system, rhs, _ = problem
    for method in ("direct", "multigrid"):
        result = linear.solve(system, 0.0 * rhs, method=method)
        assert (result.x == 0).all()
        assert (result.residuals == 0).all()


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_the_size_of_the_load_does_not_matter(problem, size):
    system, rhs, reference = problem
    result = linear.solve(system, size * rhs, method="multigrid", tolerance=1e-10)
    np.testing.assert_allclose(result.x / size, reference, atol=1e-8 * abs(reference).max(), rtol=0)


def test_an_exact_guess_needs_no_iteration_and_a_bad_one_does_no_harm(problem):
    system, rhs, reference = problem
    assert (linear.solve(system, rhs, method="multigrid", guess=reference).iterations == 0).all()
    result = linear.solve(system, rhs, method="multigrid", guess=1e6 * reference, tolerance=1e-10)
    np.testing.assert_allclose(result.x, reference, atol=1e-8 * abs(reference).max(), rtol=0)


@pytest.mark.parametrize("method", ["direct", "multigrid"])
def test_same_matrix_other_loads_keeps_the_factors(problem, method):
    system, rhs, reference = problem
    first = linear.solve(system, rhs[:1], method=method)
    again = linear.solve(system, rhs[1:], method=method, reuse=first.prepared, tolerance=1e-10)
    assert again.prepared.factors is first.prepared.factors
    np.testing.assert_allclose(again.x[0], reference[1], atol=1e-8 * abs(reference[1]).max(), rtol=0)


@pytest.mark.parametrize("method", ["direct", "multigrid"])
def test_other_values_keep_the_structure_and_never_meet_old_factors(problem, method):
    system, rhs, reference = problem
    written = replace(system, blocks=system.blocks.copy())
    first = linear.solve(written, rhs, method=method)
    doubled = linear.solve(replace(system, blocks=2 * system.blocks), rhs, method=method, reuse=first.prepared)
    assert doubled.prepared.structure is first.prepared.structure
    np.testing.assert_allclose(2 * doubled.x, reference, atol=1e-6 * abs(reference).max(), rtol=0)
    written.blocks[:] *= 4.0  # written over in place behind the solver's back
    fourth = linear.solve(written, rhs, method=method, reuse=first.prepared)
    np.testing.assert_allclose(4 * fourth.x, reference, atol=1e-6 * abs(reference).max(), rtol=0)


def test_other_supports_do_not_meet_an_old_structure():
    system, rhs = cantilever(2, 8)
    first = linear.solve(system, rhs, method="multigrid")
    free = system.free.copy()
    free[system.points[:, 2] > 100.0 - 1e-9, 0] = False
    keep = sparse.diags(free.ravel().astype(float))
    held = (keep @ as_sparse(system) @ keep + 1e5 * sparse.diags((~free).ravel().astype(float))).tobsr((3, 3))
    held.sort_indices()
    other = linear.System(held.indptr, held.indices, held.data, free, system.points, system.parents)
    load = np.where(free, rhs, 0.0)
    result = linear.solve(other, load, method="multigrid", reuse=first.prepared, tolerance=1e-10)
    expected = spsolve(as_sparse(other), load.reshape(2, -1).T).T.reshape(load.shape)
    np.testing.assert_allclose(result.x, expected, atol=1e-8 * abs(expected).max(), rtol=0)


def test_what_does_not_fit_is_refused_before_it_starts(problem, monkeypatch):
    system, rhs, _ = problem
    monkeypatch.setattr(import_module("femsim.fem.linear.estimate"), "available_memory", lambda: 10_000)
    with pytest.raises(SolveError, match="GiB"):
        linear.solve(system, rhs, method="direct")


@pytest.mark.parametrize("method", ["direct", "multigrid"])
def test_the_estimate_covers_what_is_held(problem, method):
    system, rhs, _ = problem
    held = linear.solve(system, rhs, method=method).memory_bytes
    assert held <= linear.estimate(system, 2, method).bytes <= 20 * held


def test_extreme_moduli_still_reach_the_true_residual():
    system, rhs = cantilever(3, 10, factor=1e-9)
    assert linear.solve(system, rhs, method="multigrid").residuals.max() <= 1e-8


def test_giving_up_is_an_error(problem, monkeypatch):
    from femsim.fem.linear import multigrid

    system, rhs, _ = problem
    monkeypatch.setattr(multigrid, "MAX_ITERATIONS", 2)
    with pytest.raises(SolveError, match="relative residual"):
        linear.solve(system, rhs, method="multigrid")
