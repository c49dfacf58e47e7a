"""Threads that share work: order, errors and independence of their number."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from femsim.fem.linear import blocks as store
from femsim.fem.linear.cholesky import factorise
from femsim.fem.linear.dissection import dissect
from femsim.fem.linear.substitution import solve_factored
from femsim.fem.linear.team import Team

from .problem import cantilever


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_results_come_in_the_order_of_the_ranges(threads: int) -> None:
    ranges = [(k, k + 1) for k in range(20)]
    with Team(threads) as team:
        found = team.share(ranges, lambda first, end, more: (time.sleep(0.001 * (first % 3)), first + end + more)[1], 5)
        assert found == [2 * k + 6 for k in range(20)]
        assert team.at_once(lambda: "a", lambda: "b") == ["a", "b"]
        assert team.share([], lambda *_: 1 / 0) == []


def test_an_error_of_any_thread_reaches_the_caller() -> None:
    def work(first: int, end: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("from a helper")
        time.sleep(0.01)

    with Team(2) as team, pytest.raises(ValueError, match="from a helper"):
        team.share([(k, k + 1) for k in range(6)], work)


def test_the_nodes_in_between_come_last_forwards_and_first_backwards() -> None:
    slabs, seen = ((0, 3), (3, 6), (6, 8)), []
    with Team(2) as team:
        team.forwards(slabs, lambda first, end: seen.append(first))
        team.backwards(slabs, lambda first, end: seen.append(first))
    assert seen[2] == seen[3] == 6
    assert sorted(seen) == [0, 0, 3, 3, 6, 6]


def test_branches_and_trunk_hold_every_front_once_and_do_not_depend_on_each_other() -> None:
    system = cantilever(4, 16)[0]
    tree = dissect(system.indptr, system.indices, system.points)
    branches, trunk = tree.branches
    assert len(branches) >= 2
    fronts = [k for first, end in branches for k in range(first, end)] + trunk
    assert sorted(fronts) == list(range(len(tree.parent)))
    owner = {k: b for b, (first, end) in enumerate(branches) for k in range(first, end)}
    for k, b in owner.items():
        up = int(tree.parent[k])
        assert up in trunk or owner.get(up) == b or up < 0


def test_a_factor_gives_the_same_bits_for_any_number_of_threads() -> None:
    system = cantilever(4, 16)[0]
    tree = dissect(system.indptr, system.indices, system.points)
    factor = factorise(tree, system.indptr, system.indices, system.blocks)
    for columns in (1, 3):
        b = np.random.default_rng(columns).standard_normal((3 * system.nodes, columns))
        alone = solve_factored(factor, b)
        with Team(3) as team:
            np.testing.assert_array_equal(solve_factored(factor, b, team), alone)


def test_small_inverses_and_the_first_block_that_is_not_positive_definite() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((50, 3, 3))
    a = a @ a.transpose(0, 2, 1) + 1e-2 * np.eye(3)
    found, bad = store.inverses(a)
    assert bad == -1
    np.testing.assert_allclose(found @ a, np.broadcast_to(np.eye(3), a.shape), atol=1e-9)
    for block in (np.zeros((3, 3)), np.full((3, 3), np.nan), np.diag([1.0, 1.0, -1.0]), np.ones((3, 3))):
        wrong = a.copy()
        wrong[7] = block
        assert store.inverses(wrong)[1] == 7
