"""The ball average against a plain double loop."""

from __future__ import annotations

import numpy as np
import pytest

from femsim.errors import InputError
from femsim.risk import ball_average


def cloud(m: int = 60, q: int = 4) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(1)
    centres = random.uniform(0, 6, (m, 3))
    points = centres[:, None] + random.normal(scale=0.15, size=(m, q, 3))
    return centres, random.integers(0, 2, m), points, random.uniform(0.1, 1, (m, q)), random.normal(size=(m, q, 2))


@pytest.mark.parametrize("diameter", [0.0, 1.0, 2.0, 3.7, 100.0])
def test_against_a_double_loop(diameter: float) -> None:
    centres, group, points, volumes, values = cloud()
    found = ball_average(centres, group, points, volumes, values, diameter)
    for e in range(len(centres)):
        inside = np.linalg.norm(points - centres[e], axis=2) <= diameter / 2
        inside &= (group == group[e])[:, None]
        inside[e] = True
        if diameter == 0.0:
            inside[:] = False
            inside[e] = True
        wanted = (values * volumes[..., None])[inside].sum(axis=0) / volumes[inside].sum()
        np.testing.assert_allclose(found[e], wanted, rtol=1e-12, atol=1e-14)


def test_a_constant_stays_and_a_material_does_not_leak() -> None:
    centres, group, points, volumes, _ = cloud()
    values = np.broadcast_to(np.where(group == 0, 1.0, 7.0)[:, None, None], (*volumes.shape, 1))
    np.testing.assert_allclose(
        ball_average(centres, group, points, volumes, np.ascontiguousarray(values), 3.0)[:, 0], values[:, 0, 0]
    )


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_impossible_lengths(bad: float) -> None:
    with pytest.raises(InputError):
        ball_average(*cloud(), bad)
