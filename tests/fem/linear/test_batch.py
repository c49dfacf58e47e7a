"""Several right-hand sides side by side: the same numbers as one by one, whatever the columns are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import splu

from femsim.errors import SolveError
from femsim.fem import linear
from femsim.fem.linear import coarse, multigrid

from .problem import as_sparse, cantilever


@pytest.fixture(params=[0, 10**9], ids=["groups", "factor"])
def problem(request, monkeypatch):
    monkeypatch.setattr(coarse, "FACTOR_VERTICES", request.param)
    system, rhs = cantilever(3, 12)
    more = np.random.default_rng(0).normal(size=(11, *rhs.shape[1:])) * np.logspace(-6, 6, 11)[:, None, None]
    more[:2], more[4] = rhs, 0.0
    more[:, ~system.free] = 0.0
    reference = splu(as_sparse(system)).solve(more.reshape(11, -1).T).T.reshape(more.shape)
    return system, more, reference


@pytest.mark.parametrize("many", [2, 6, 8, 9, 11])
def test_every_column_agrees_with_scipy(problem, many):
    system, rhs, reference = problem
    result = linear.solve(system, rhs[:many], method="multigrid", tolerance=1e-10, threads=2)
    size = np.abs(reference[:many]).max(axis=(1, 2), keepdims=True)
    gap = np.abs(result.x - reference[:many]) / np.where(size > 0.0, size, 1.0)
    assert gap.max() < 1e-8
    assert (result.residuals <= 1e-10).all()
    assert (result.iterations > 0).sum() == many - (many > 4)


def test_columns_do_not_feel_each_other_and_threads_change_no_bit(problem):
    system, rhs, _ = problem
    one = linear.solve(system, rhs[:6], method="multigrid", threads=1)
    two = linear.solve(system, rhs[:6], method="multigrid", threads=2)
    assert np.array_equal(one.x, two.x)
    back = linear.solve(system, rhs[:6][::-1].copy(), method="multigrid", threads=1)
    np.testing.assert_array_equal(back.x[::-1], one.x)


def test_iterations_are_those_of_one_column(problem):
    system, rhs, _ = problem
    together = linear.solve(system, rhs[:3], method="multigrid", threads=1)
    alone = [linear.solve(system, rhs[i : i + 1], method="multigrid", threads=1).iterations[0] for i in range(3)]
    assert np.abs(together.iterations - alone).max() <= 1


def test_a_good_guess_is_used_and_a_bad_one_does_no_harm(problem):
    system, rhs, reference = problem
    guess = reference[:3].copy()
    guess[1] = np.random.default_rng(0).normal(size=guess[1].shape)
    result = linear.solve(system, rhs[:3], method="multigrid", guess=guess, tolerance=1e-10)
    assert result.iterations[0] == 0
    assert result.iterations[1] > 0
    np.testing.assert_allclose(result.x, reference[:3], atol=1e-8 * abs(reference[:3]).max(), rtol=0)


def test_giving_up_is_an_error(problem, monkeypatch):
    system, rhs, _ = problem
    monkeypatch.setattr(multigrid, "MAX_ITERATIONS", 2)
    with pytest.raises(SolveError, match="relative residual"):
        linear.solve(system, rhs[:2], method="multigrid")
