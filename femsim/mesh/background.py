"""The background: tetrahedra of the wanted sizes that fill the domain, before any solid is cut into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from femsim.errors import MeshError
from femsim.mesh.external import call
from femsim.mesh.size import SizeField
from femsim.mesh.surface import Surface, remeshed, ridge_vertices
from femsim.solid.base import Solid

HXT = 0.75  # HXT's edges come out longer than asked (median 2.3 mm for 1.6 mm): it is asked for shorter ones


class Background(NamedTuple):
    """Tetrahedra that fill the domain.

    Attributes
    ----------
    points : (n, 3) float64
        mm.
    cells : (m, 4) int64
        Positively oriented.
    ridge : (n,) bool
        Points on sharp edges of the domain, which never move.
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    ridge: NDArray[np.bool_]


def backgrounds(domain: Solid, field: SizeField, surface: Surface | None = None) -> Iterator[Background]:
    """Tetrahedra that fill `domain` with the edge lengths of `field`: one way after the other, made when asked for.

    A given surface may intersect itself, an extracted one may have sharp edges that fall badly on its grid: then the
    next one, extracted on another grid, is another chance.

    Raises
    ------
    MeshError
        If neither HXT nor Delaunay could fill any of the surfaces.
    """
    last: MeshError | None = None
    made = 0
    attempts = [(surface, 1.0)] if surface is not None else []
    for source, fineness in [*attempts, (None, 1.0), (None, 0.87), (None, 1.16), (None, 0.76)]:
        try:
            points, triangles = remeshed(domain, field, source, fineness)
            found = _filled(points, triangles, field)
        except MeshError as error:
            last = error
            continue
        made += 1
        yield found
    if made == 0:
        assert last is not None
        raise last


def _filled(points: NDArray[np.float64], triangles: NDArray[np.int64], field: SizeField) -> Background:
    last: MeshError | None = None
    for algorithm, optimize in ((10, 1), (1, 1)):
        try:
            return _fill(points, triangles, field, algorithm, optimize)
        except MeshError as error:
            last = error
    assert last is not None
    raise last


def _fill(
    points: NDArray[np.float64], triangles: NDArray[np.int64], field: SizeField, algorithm: int, optimize: int
) -> Background:
    sizes: dict[str, object] = {}
    for number, grid in enumerate(field.grids):
        sizes[f"size_{number}_origin"] = grid.origin
        sizes[f"size_{number}_spacing"] = grid.spacing
        sizes[f"size_{number}_values"] = HXT * grid.values
    answer = call(
        "fill", 300.0, points=points, triangles=triangles, algorithm=algorithm, optimize=optimize,
        size_count=len(field.grids), **sizes,
    )  # fmt: skip
    nodes, cells = answer["points"], answer["cells"].astype(np.int64)
    a, b, c, d = (nodes[cells[:, k]] for k in range(4))
    volume = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) / 6.0
    a, b, c = (points[triangles[:, k]] for k in range(3))
    wanted = np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0
    if len(cells) == 0 or volume.min() <= 0 or abs(volume.sum() - wanted) > 1e-6 * wanted:
        raise MeshError(
            f"The background fills {volume.sum():.1f} of {wanted:.1f} mm3.",
            "A part of the bone would be missing.",
            "Check the surface for self-intersections.",
        )
    if len(nodes) < len(points) or not np.allclose(nodes[: len(points)], points):
        raise MeshError("The background moved the surface.", "It is not the bone any more.", "Use another mesh size.")
    ridge = np.zeros(len(nodes), bool)
    ridge[: len(points)] = ridge_vertices(points, triangles)
    return Background(nodes, cells, ridge)
