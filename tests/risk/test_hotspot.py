"""Connected volumes above a limit."""

from __future__ import annotations

import numpy as np
import pytest

from femsim.errors import InputError
from femsim.risk.hotspot import largest_above, neighbours

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


def test_what_is_excluded_joins_nothing() -> None:
    judged = np.array([True, True, False, True, True])
    found = largest_above(RISK, VOLUME, neighbours(CHAIN), 0.1, judged)
    assert found.cells.tolist() == [3, 4]
    assert largest_above(RISK, VOLUME, neighbours(CHAIN), 0.1, ~ALL).volume == 0.0
