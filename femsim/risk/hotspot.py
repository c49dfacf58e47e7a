"""The largest connected volume above a limit: a failing region, as against a failing element."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from femsim.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Corners of the four faces of a tetrahedron.
_FACES = np.array([(0, 1, 3), (1, 2, 3), (2, 0, 3), (0, 2, 1)])


@dataclass(frozen=True, eq=False)
class Hotspot:
    """A connected region.

    Attributes
    ----------
    cells : (k,) int
        Its elements; none where nothing exceeds the limit.
    volume : float
        mm3.
    """

    cells: Ints
    volume: float


def neighbours(cells: NDArray[np.integer]) -> Ints:
    """Pairs (f, 2) of tetrahedra (m, 4 or 10) that share a face."""
    if cells.ndim != 2 or cells.shape[1] not in (4, 10):
        raise InputError(
            f"Cells of shape {cells.shape} are no tetrahedra.", "Their faces are not known.", "Use tet4 or tet10."
        )
    faces = np.sort(cells[:, _FACES].reshape(-1, 3), axis=1)
    order = np.lexsort(faces.T)
    twin = np.flatnonzero((faces[order[1:]] == faces[order[:-1]]).all(axis=1))
    return np.stack([order[twin] // 4, order[twin + 1] // 4], axis=1)


def largest_above(risk: Floats, volume: Floats, pairs: Ints, limit: float, judged: NDArray[np.bool_]) -> Hotspot:
    """The largest connected volume in which the factor of risk reaches a limit.

    Parameters
    ----------
    risk, volume : (m,) float64
        Factor of risk and volume (mm3) of the elements.
    pairs : (f, 2) int
        Of `neighbours`.
    limit : float
    judged : (m,) bool
        Elements that count.

    Returns
    -------
    Hotspot
    """
    above = judged & (risk >= limit)
    if not above.any():
        return Hotspot(np.zeros(0, np.int64), 0.0)
    joined = pairs[above[pairs].all(axis=1)]
    graph = sparse.coo_matrix((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(len(risk), len(risk)))
    piece = csgraph.connected_components(graph, directed=False)[1]
    size = np.bincount(piece, np.where(above, volume, 0.0))
    best = int(size.argmax())
    return Hotspot(np.flatnonzero(above & (piece == best)), float(size[best]))
