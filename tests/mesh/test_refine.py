"""Bodies about as thin as an element: smaller elements around them, and only there."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay

from femsim.errors import FemsimWarning
from femsim.mesh import Mesh, MeshSize, cell_volumes, mesh_arrangement
from femsim.mesh.cut import Cells
from femsim.mesh.refine import THIN, halved, radius_of, refined
from femsim.mesh.topology import neighbours
from femsim.solid import Arrangement, Capsule, Cylinder, Solid, Sphere

BONE, CANAL = Cylinder((0, 0, 0), (0, 0, 70), 14.0), Cylinder((0, 0, -5), (0, 0, 75), 9.0)
REGION = Cylinder((0, 0, 10), (0, 0, 60), 15.0)
#: Edges of 2.1 mm, as long as the rods below are wide.
SIZE = MeshSize(near=2.1, far=4.2)


def meshed(cache: Path, **solids: Solid) -> Mesh:
    drawn = Arrangement(BONE, {"endosteum": CANAL, **solids}, tuple(solids), layers=("endosteum",), region=REGION)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        return mesh_arrangement(drawn, SIZE, cache=cache)


@pytest.mark.parametrize("radius", [0.8, 1.1])
def test_a_rod_as_thin_as_an_element_has_its_volume(tmp_path: Path, radius: float) -> None:
    """Cut into elements as long as it is wide, half of it was missing, and in gaps."""
    rod = Capsule((3.0, 1.0, 18.0), (3.4, -0.6, 52.0), radius)
    mesh = meshed(tmp_path, rod=rod)
    length = float(np.linalg.norm(np.asarray(rod.end) - np.asarray(rod.start)))
    true = np.pi * radius**2 * (length + 4.0 / 3.0 * radius)
    inside = mesh.inside("rod")
    assert cell_volumes(mesh)[inside].sum() == pytest.approx(true, rel=0.01)
    assert not [note for note in mesh.notes if note.startswith("rod")]
    assert parts(mesh.cells[inside]) == 1


def parts(cells: np.ndarray) -> int:
    """How many bodies cells make that hang together by faces."""
    beside = neighbours(cells)
    one, face = np.nonzero(beside >= 0)
    graph = coo_array((np.ones(len(one)), (one, beside[one, face])), (len(cells), len(cells)))
    return int(connected_components(graph, directed=False)[0])


def test_elements_away_from_a_thin_rod_are_those_without_it(tmp_path: Path) -> None:
    with_rod = meshed(tmp_path, rod=Capsule((3.0, 1.0, 18.0), (3.4, -0.6, 52.0), 1.0))
    without = meshed(tmp_path, rod=Sphere((0.0, 0.0, -40.0), 1.0))

    def far(mesh: Mesh) -> set[bytes]:
        places = mesh.points[mesh.cells]
        axis = np.linalg.norm(places[:, :, :2] - [3.2, 0.2], axis=2).min(axis=1)
        return {one.tobytes() for one in places[(axis > 8.0) | (places[:, :, 2] > 61.0).all(axis=1)]}

    assert len(far(without)) > 1000
    assert far(with_rod) == far(without)


@pytest.mark.parametrize("share", [0.5 * THIN[0], 0.375, 0.5, 0.95 * THIN[1], 1.2 * THIN[1]])
def test_radius_of_a_body_that_passes_between_vertices(share: float) -> None:
    """Elements of 2 mm: only bodies about as thin have a radius, and it is their own."""
    places = np.stack(np.meshgrid(*[np.arange(0.0, 20.1, 2.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    cells = Delaunay(places + np.random.default_rng(1).uniform(-0.2, 0.2, places.shape)).simplices.astype(np.int64)
    rod = Cylinder((1.0, 3.0, 5.0), (19.0, 9.0, 14.0), share * 2.0)
    wanted = share * 2.0 if THIN[0] <= share <= THIN[1] else 0.0
    assert radius_of(rod, places, cells, rod.distance(places), 2.0) == pytest.approx(wanted, rel=0.07)


def test_halved_cells_fill_the_same_space_and_share_faces() -> None:
    """Two tetrahedra with a face in common: an edge of it, and one of the first alone."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], float)
    cells = Cells.start(points, np.array([[0, 1, 2, 3], [1, 2, 3, 4]]), np.zeros(5, bool))
    made = halved(cells, np.array([[1, 2], [0, 3]]))
    a, b, c, d = (made.points[made.cells[:, k]] for k in range(4))
    volume = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) / 6.0
    assert (volume > 0).all()
    assert volume.sum() == pytest.approx(1.0 / 6.0 + 1.0 / 3.0)
    assert len(made.cells) == 6
    assert (made.beside < 0).sum() == 6 + 2 + 2  # each of both edges belongs to two of the six faces outside


def test_edges_of_the_rim_stay_whole() -> None:
    points = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0], [0, 0, 4]], float)
    free = Cells.start(points, np.array([[0, 1, 2, 3]]), np.zeros(4, bool))
    rim = Cells(points, free.cells, free.mask, free.ridge, np.ones(4, bool), free.slack, free.origin)
    rod = Cylinder((2, 2, -5), (2, 2, 5), 1.0)
    assert len(refined(free, rod, 1.0).cells) > 1
    assert len(refined(rim, rod, 1.0).cells) == 1
