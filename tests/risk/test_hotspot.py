"""Connected volumes above a limit."""

from __future__ import annotations

import numpy as np
import pytest

from femsim.errors import InputError
from femsim.risk.hotspot import largest_above, load_factor, neighbours

#: A chain of five tetrahedra, each sharing a face with the next.
CHAIN = np.array([[i, i + 1, i + 2, i + 3] for i in range(5)])
RISK = np.array([1.0, 3.0, 0.5, 2.0, 2.0])
VOLUME = np.array([1.0, 1.0, 1.0, 1.0, 1.5])
ALL = np.ones(5, bool)


def test_neighbours_of_a_chain() -> None:
    found = {tuple(sorted(pair)) for pair in neighbours(CHAIN).tolist()}
    assert found == {(0, 1), (1, 2), (2, 3), (3, 4)}
    with pytest.raises(InputError):
        neighbours(CHAIN[:, :3])


def test_regions_are_connected() -> None:
    pairs = neighbours(CHAIN)
    found = largest_above(RISK, VOLUME, pairs, 1.0, ALL)
    assert found.cells.tolist() == [3, 4]
    assert found.volume == pytest.approx(2.5)
    assert largest_above(RISK, VOLUME, pairs, 0.1, ALL).volume == pytest.approx(5.5)
    assert largest_above(RISK, VOLUME, pairs, 9.0, ALL).volume == 0.0


@pytest.mark.parametrize(("minimum", "factor"), [(0.0, 1 / 3), (1.0, 1 / 3), (1.2, 0.5), (2.5, 0.5), (3.0, 2.0)])
def test_load_factor_of_a_region(minimum: float, factor: float) -> None:
    assert load_factor(RISK, VOLUME, neighbours(CHAIN), ALL, minimum)[0] == pytest.approx(factor)


def test_what_is_excluded_or_too_small_never_fails() -> None:
    pairs = neighbours(CHAIN)
    assert load_factor(RISK, VOLUME, pairs, RISK != 3.0, 0.0)[0] == pytest.approx(0.5)
    assert load_factor(RISK, VOLUME, pairs, ALL, 100.0)[0] == float("inf")
    assert load_factor(RISK, VOLUME, pairs, ~ALL, 0.0)[0] == float("inf")
    with pytest.raises(InputError):
        load_factor(RISK, VOLUME, pairs, ALL, float("nan"))
