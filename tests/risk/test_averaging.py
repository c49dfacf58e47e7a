"""The average over a fixed volume: against closed forms, across materials and slits, and against the mesh."""

from __future__ import annotations

import bars
import numpy as np
import pytest

from femsim import fem
from femsim.errors import InputError
from femsim.risk import sites, volume_average

RADIUS = 1.0


def cube(n: int, size: float = 8.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    points, cells = bars.quadratic(*bars.upright(*bars.bricks((n, n, n))))
    points = points * size
    return (
        points,
        cells,
        fem.quadrature_points(points, cells, "tet10"),
        fem.quadrature_volumes(points, cells, "tet10"),
    )


def average(points, cells, volumes, values, group=None, diameter=2 * RADIUS):
    group = np.zeros(len(cells), int) if group is None else group
    where = sites(cells, "tet10", group, np.ones(len(cells), bool))
    return where, volume_average(points, cells, "tet10", group, volumes, values, where, diameter)


def at(where, points, place) -> int:
    return int(np.linalg.norm(points[where.node] - place, axis=1).argmin())


@pytest.mark.parametrize("n", [4, 8, 14])
def test_ball_half_ball_and_corner(n: int) -> None:
    """A field linear in z: its average is that at the centre of the region, whatever the size of the elements."""
    points, cells, where_q, volumes = cube(n)
    where, found = average(points, cells, volumes, where_q[..., 2:3])
    # a half ball of the volume of the ball has 2^(1/3) times its radius, and its centre at 3/8 of that
    half = 3.0 / 8.0 * 2.0 ** (1.0 / 3.0) * RADIUS
    assert found[at(where, points, (4, 4, 4)), 0] == pytest.approx(4.0, abs=0.03)
    assert found[at(where, points, (4, 4, 0)), 0] == pytest.approx(half, abs=0.05)
    # an eighth of a ball has twice its radius
    assert found[at(where, points, (0, 0, 0)), 0] == pytest.approx(3.0 / 8.0 * 2.0 * RADIUS, abs=0.08)


def test_quadratic_field_over_a_ball() -> None:
    points, cells, where_q, volumes = cube(16)
    square = ((where_q - 4.0) ** 2).sum(axis=2, keepdims=True)
    where, found = average(points, cells, volumes, square)
    assert found[at(where, points, (4, 4, 4)), 0] == pytest.approx(0.6 * RADIUS**2, rel=0.05)


def test_a_constant_stays_and_a_material_does_not_leak() -> None:
    points, cells, where_q, volumes = cube(6)
    group = (where_q[:, :, 2].mean(axis=1) > 4.0).astype(int)
    values = np.broadcast_to(np.where(group == 0, 1.0, 7.0)[:, None, None], (*volumes.shape, 1))
    where, found = average(points, cells, volumes, values, group)
    np.testing.assert_allclose(found[:, 0], np.where(where.group == 0, 1.0, 7.0), rtol=1e-12)
    # both materials are judged where they meet
    meet = np.abs(points[where.node][:, 2] - 4.0) < 1e-9
    assert set(where.group[meet]) == {0, 1}


def test_a_slit_is_not_averaged_across() -> None:
    points, cells, where_q, volumes = cube(8)
    upper = where_q[:, :, 2].mean(axis=1) > 4.0
    # the two halves no longer share a node
    split = cells + np.where(upper, len(points), 0)[:, None]
    doubled = np.vstack([points, points])
    values = np.broadcast_to(np.where(upper, 7.0, 1.0)[:, None, None], (*volumes.shape, 1))
    where, found = average(doubled, split, volumes, values)
    np.testing.assert_allclose(found[:, 0], np.where(where.node >= len(points), 7.0, 1.0), rtol=1e-12)


def test_without_a_length_it_is_the_mean_over_the_elements_at_the_node() -> None:
    points, cells, _, volumes = cube(2)
    values = np.random.default_rng(1).normal(size=(*volumes.shape, 2))
    where, found = average(points, cells, volumes, values, diameter=0.0)
    own = (values * volumes[..., None]).sum(axis=1) / volumes.sum(axis=1)[:, None]
    for p in range(len(where.node)):
        chosen = (cells[:, :4] == where.node[p]).any(axis=1)
        wanted = np.average(own[chosen], axis=0, weights=volumes.sum(axis=1)[chosen])
        np.testing.assert_allclose(found[p], wanted)


def test_threads_change_nothing() -> None:
    points, cells, where_q, volumes = cube(5)
    group = np.zeros(len(cells), int)
    where = sites(cells, "tet10", group, np.ones(len(cells), bool))
    several = [
        volume_average(points, cells, "tet10", group, volumes, where_q, where, 2.0, threads=threads)
        for threads in (1, 3)
    ]
    np.testing.assert_array_equal(*several)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_impossible_lengths(bad: float) -> None:
    points, cells, where_q, volumes = cube(1)
    with pytest.raises(InputError):
        average(points, cells, volumes, where_q, diameter=bad)


@pytest.mark.parametrize("shape", [bars.notched, bars.holed])
def test_failure_load_does_not_move_with_the_mesh(shape) -> None:
    _steady([bars.failure_loads(*shape(h), 2.0) for h in (2.0, 1.0)])


@pytest.mark.slow
@pytest.mark.parametrize("shape", [bars.notched, bars.holed])
def test_failure_load_does_not_move_down_to_half_a_millimetre(shape) -> None:
    _steady([bars.failure_loads(*shape(h), 2.0) for h in (2.0, 1.0, 0.5)])


def _steady(found: list[tuple[float, float]]) -> None:
    averaged, peak = np.array(found).T
    moved, peak_moved = (np.ptp(x) / x[-1] for x in (averaged, peak))
    assert moved < 0.05
    assert peak_moved > 4.0 * moved
