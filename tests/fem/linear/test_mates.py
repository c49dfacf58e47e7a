"""Nodes that a sweep moves together: who they are, their inverses, and what they save."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from femsim.fem.linear import blocks as store
from femsim.fem.linear import mates, multigrid
from femsim.fem.linear.batch import Batch
from femsim.fem.linear.one import One, solve_one
from femsim.fem.linear.team import ALONE, Team

from .problem import cantilever


@pytest.fixture(scope="module")
def flat():
    """A cantilever whose elements are ten times as wide as thick."""
    return cantilever(5, 12, size=(5.0, 50.0, 120.0))


def test_a_block_holds_three_nodes_at_most_and_no_fixed_one(flat):
    system = flat[0]
    mate = mates.mates_of(system)
    together = np.bincount(mate, minlength=system.nodes)
    assert 1 < together.max() <= mates.LARGEST
    fixed = ~system.free.any(axis=1)
    assert (mate[fixed] == np.flatnonzero(fixed)).all()
    assert (mate[mate] == mate).all()
    with Team(2) as team:
        np.testing.assert_array_equal(mates.mates_of(system, team), mate)


def test_the_firmest_pair_is_found_by_its_definition(flat):
    system = flat[0]
    rows = np.repeat(np.arange(system.nodes), np.diff(system.indptr))
    own = system.blocks[rows == system.indices]
    values, axes = np.linalg.eigh(own)
    root = np.einsum("nij,nj,nkj->nik", axes, values**-0.5, axes)
    coupling = np.linalg.norm(root[rows] @ system.blocks @ root[system.indices], axis=(1, 2))
    active = system.free.any(axis=1)
    coupling[(rows == system.indices) | ~active[rows] | ~active[system.indices]] = 0.0
    firmest = int(coupling.argmax())
    mate = mates.mates_of(system)
    assert coupling[firmest] > mates.FIRM
    assert mate[rows[firmest]] == mate[system.indices[firmest]]
    weak = (coupling < mates.FIRM)[:, None] & (np.bincount(mate)[mate] == 2)[rows][:, None]
    pairs = weak[:, 0] & (rows != system.indices)
    assert (mate[rows[pairs]] != mate[system.indices[pairs]]).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_blocks_have_consecutive_numbers_in_one_slab_and_their_own_inverses(flat, threads):
    system = flat[0]
    with Team(threads) as team:
        structure = multigrid.structure_of(system, team)
        hierarchy = multigrid.hierarchy_of(system, structure, team)
    numbering, mate = structure.numbering, mates.mates_of(system)
    for label in np.flatnonzero(np.bincount(mate) > 1):
        numbers = np.sort(numbering.new[mate == label])
        assert (np.diff(numbers) == 1).all()
        assert (numbering.lead[numbers] == numbers[0]).all()
        assert any(a <= numbers[0] and numbers[-1] < b for a, b in numbering.slabs)
        whole = _dense(system, numbering.old[numbers])
        held = hierarchy.inverse[numbering.place[numbers[0]] : numbering.place[numbers[-1] + 1]]
        found = held.reshape(len(numbers), len(numbers), 3, 3).swapaxes(1, 2).reshape(whole.shape)
        np.testing.assert_allclose(found @ whole, np.eye(len(whole)), atol=2e-4)
    lower = structure.lower
    for (a, b), (c, d) in zip(numbering.slabs[:-1], numbering.slabs[1:-1], strict=False):
        mine = lower.indices[lower.indptr[c] : lower.indptr[d]]
        assert not ((mine >= a) & (mine < b)).any()


def test_the_preconditioner_is_symmetric_and_its_two_forms_agree(flat):
    system = flat[0]
    hierarchy = multigrid.hierarchy_of(system, multigrid.structure_of(system))
    random = np.random.default_rng(3)
    given = random.standard_normal((len(hierarchy.diagonal), 3, 8)).astype(np.float32)
    many = Batch(hierarchy, ALONE).precondition(given.copy()).astype(float)
    for lane in (0, 5):
        one = np.zeros((len(given), 4), np.float32)
        one[:, :3] = given[:, :, lane]
        alone = One(hierarchy, ALONE).precondition(one)[:, :3]
        np.testing.assert_allclose(many[:, :, lane], alone, atol=2e-5 * abs(alone).max())
    table = np.einsum("nci,ncj->ij", given.astype(float), many)
    np.testing.assert_allclose(table, table.T, atol=1e-4 * abs(table).max())
    assert np.linalg.eigvalsh(table + table.T).min() > 0.0


def test_flat_elements_need_fewer_iterations_than_with_nodes_moved_one_by_one(flat):
    system, rhs = flat[0], flat[1]
    found = []
    for alone in (False, True):
        structure = multigrid.structure_of(system)
        if alone:
            numbering = store.number_nodes(system.indptr, system.indices, system.points, system.free.any(axis=1))
            lower = store.lower_pattern(system.indptr, system.indices, numbering)
            structure = replace(
                structure, numbering=numbering, lower=lower, coarse=multigrid.coarse_space(system, numbering)
            )
        hierarchy = multigrid.hierarchy_of(system, structure)
        x, count, _ = solve_one(hierarchy, rhs[0] * system.free, 1e-7, None, ALONE, 500)
        found.append((x, count))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-4 * abs(found[1][0]).max())
    assert found[0][1] <= 0.9 * found[1][1]


def test_a_matrix_that_is_not_definite_is_left_to_the_solver_to_name(flat):
    system = flat[0]
    blocks = system.blocks.copy()
    node = int(np.flatnonzero(system.free.all(axis=1))[0])
    row = slice(system.indptr[node], system.indptr[node + 1])
    blocks[row][system.indices[row] == node] = -blocks[row][system.indices[row] == node]
    assert (mates.mates_of(replace(system, blocks=blocks)) == np.arange(system.nodes)).all()


def _dense(system, nodes):
    """The part of the matrix that belongs to some nodes."""
    out = np.zeros((len(nodes), 3, len(nodes), 3))
    for a, i in enumerate(nodes):
        for p in range(system.indptr[i], system.indptr[i + 1]):
            for b in np.flatnonzero(nodes == system.indices[p]):
                out[a, :, b] = system.blocks[p]
    return out.reshape(3 * len(nodes), -1)
