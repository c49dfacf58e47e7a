"""Mid-side nodes: edges are straightened until every element is sound."""

from __future__ import annotations

import numpy as np

from femsim.mesh._curve_kernels import jacobians, sample_gradients
from femsim.mesh.promote import STRAIGHTEN, _straightened
from femsim.mesh.topology import edges

KUHN = np.array([(0, 1, 3, 7), (0, 3, 2, 7), (0, 2, 6, 7), (0, 6, 4, 7), (0, 4, 5, 7), (0, 5, 1, 7)])


def test_no_element_is_left_unsound_by_what_mended_its_neighbour() -> None:
    """Edges bent at random over a block: putting one back may spoil an element that was sound with it bent."""
    grid = np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), axis=-1)
    number = np.arange(125).reshape(5, 5, 5)
    corners = [number[i : 4 + i, j : 4 + j, k : 4 + k].ravel() for k in (0, 1) for j in (0, 1) for i in (0, 1)]
    points = grid.reshape(-1, 3).astype(float)
    cells = np.stack(corners, axis=1)[:, KUHN].reshape(-1, 4)
    side = points[cells[:, 1:]] - points[cells[:, :1]]
    volume = np.linalg.det(side)
    cells[volume < 0] = cells[volume < 0][:, [0, 2, 1, 3]]
    pairs, of_cell = edges(cells)
    straight = points[pairs].mean(axis=1)
    rng = np.random.default_rng(17)  # with this seed one of them is spoiled at the end
    bent = straight + rng.normal(0.0, 0.3, straight.shape)
    ten = np.concatenate([cells, len(points) + of_cell], axis=1)
    gradients, _ = sample_gradients()
    assert jacobians(np.concatenate([points, bent]), ten, gradients).min() < 0.0
    made, count = _straightened(
        np.concatenate([points, bent]), ten, of_cell, straight, len(points), np.ones(len(straight), bool)
    )
    assert count > 0
    assert jacobians(made, ten, gradients).min() >= STRAIGHTEN * np.abs(volume).min() - 1e-12
    assert np.abs(made[len(points) :] - straight).max() > 0.05  # not all were given up


def test_a_held_edge_is_let_go_where_it_alone_turns_a_cell_over() -> None:
    points = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0.2, 0.2, 0.2)], float)
    cells = np.array([[0, 1, 2, 3]])
    pairs, of_cell = edges(cells)
    straight = points[pairs].mean(axis=1)
    held = int(np.flatnonzero((pairs == (0, 1)).all(axis=1))[0])
    middle = straight.copy()
    middle[held] += (0.0, 0.3, 0.9)  # far above the flat cell's top
    ten = np.concatenate([cells, 4 + of_cell], axis=1)
    free = np.ones(len(pairs), bool)
    free[held] = False
    gradients, _ = sample_gradients()
    assert jacobians(np.concatenate([points, middle]), ten, gradients).min() < 0.0
    made, count = _straightened(np.concatenate([points, middle]), ten, of_cell, straight, 4, free)
    assert count == 1
    assert jacobians(made, ten, gradients).min() > 0.0
    assert not free[held]  # the caller's array is not changed
