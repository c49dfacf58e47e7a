"""The triangles that are drawn: closed, of the right area, and exactly at the cut."""

from __future__ import annotations

import numpy as np
import pytest

from femsim.view import geometry
from femsim.view.geometry import Plane
from tests.view.synthetic import bone_mesh, rod


def _areas(triangles: geometry.Triangles) -> np.ndarray:
    a, b, c = np.moveaxis(triangles.corners, 1, 0)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def _volume(triangles: geometry.Triangles) -> float:
    a, b, c = np.moveaxis(triangles.corners, 1, 0)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


@pytest.fixture(scope="module")
def cube() -> tuple[np.ndarray, np.ndarray]:
    """A unit cube of hexahedra split into tetrahedra."""
    u = np.linspace(0, 1, 4)
    points = np.stack(np.meshgrid(u, u, u, indexing="ij"), axis=-1).reshape(-1, 3)
    node = np.arange(64).reshape(4, 4, 4)
    lower, upper = slice(None, -1), slice(1, None)
    corner = [(lower, lower, lower), (upper, lower, lower), (upper, upper, lower), (lower, upper, lower)]
    corner += [(i, j, upper) for i, j, _ in corner]
    hexes = np.stack([node[c] for c in corner], axis=-1).reshape(-1, 8)
    tets, owner = geometry.tetrahedra(hexes, "hex8")
    assert np.array_equal(np.unique(owner), np.arange(27))
    return points, tets


def test_surface_of_a_cube_is_closed_and_outward(cube):
    points, tets = cube
    faces, _ = geometry.boundary(tets)
    edges = np.sort(faces[:, [(0, 1), (1, 2), (2, 0)]].reshape(-1, 2), axis=1)
    assert np.all(np.unique(edges, axis=0, return_counts=True)[1] == 2)
    shell = geometry.surface(points, tets)
    assert _areas(shell).sum() == pytest.approx(6.0)
    assert _volume(shell) == pytest.approx(1.0)


def test_edges_of_a_cube_stay_sharp(cube):
    points, tets = cube
    normals = geometry.surface(points, tets).normals.reshape(-1, 3)
    # a corner where one face has more triangles than the others may lean a little, no more
    assert np.abs(normals).max(axis=1).min() > 0.9
    assert np.mean(np.abs(normals).max(axis=1) > 0.999) > 0.9


@pytest.mark.parametrize("normal", [(1, 0, 0), (1, 0.9, 0.1), (0.3, -0.5, 0.8), (-1, -1, -0.9)])
def test_section_through_the_middle_of_a_cube_has_the_right_area(cube, normal):
    points, tets = cube
    normal = np.array(normal, float) / np.linalg.norm(normal)
    plane = Plane(np.full(3, 0.5), normal)
    cap = geometry.section(points, tets, plane)
    # the area is the derivative of the volume below the plane
    step = 1e-5
    below = [_volume_below(points, tets, Plane(np.full(3, 0.5) + s * normal, normal)) for s in (-step, step)]
    assert _areas(cap).sum() == pytest.approx((below[1] - below[0]) / (2 * step), rel=1e-6)
    assert np.abs(plane.height(cap.corners.reshape(-1, 3))).max() < 1e-12
    assert not cap.normals.any()


def _volume_below(points, tets, plane):
    """Volume of the kept part by the divergence theorem; flux through the cap is added by its area and height."""
    shell = geometry.clip(geometry.surface(points, tets), plane)
    cap = geometry.section(points, tets, plane)
    height = float(plane.origin @ plane.normal)
    return _volume(shell) + _areas(cap).sum() * height / 3


@pytest.mark.parametrize("height", [-1.0, 0.0, 1.0, 2.0, 1.0 / 3.0])
def test_a_plane_beside_or_on_the_nodes_breaks_nothing(cube, height):
    points, tets = cube
    opened = geometry.cut_open(points, tets, Plane(np.array([0, 0, height]), np.array([0, 0, 1.0])))
    assert np.isfinite(opened.corners).all()
    kept = min(max(height, 0.0), 1.0)
    sides = 4 * kept + (1.0 if height > 0 else 0.0)
    assert _areas(opened).sum() >= sides - 1e-9
    assert opened.corners[..., 2].max(initial=-np.inf) <= height + 1e-12


def test_triangles_know_their_cell():
    mesh = bone_mesh()
    tets, _ = geometry.tetrahedra(mesh.cells, mesh.kind)
    chosen = mesh.inside("lesion")
    part = geometry.surface(mesh.points, tets, chosen)
    assert chosen[part.cell].all()
    cap = geometry.section(mesh.points, tets, Plane(np.array([0, 8.0, 0]), np.array([0, 1.0, 0])), chosen)
    assert len(cap)
    assert chosen[cap.cell].all()
    low = mesh.points[mesh.cells[cap.cell]].min(axis=1)
    high = mesh.points[mesh.cells[cap.cell]].max(axis=1)
    middle = cap.corners.mean(axis=1)
    assert np.all(middle >= low - 1e-9)
    assert np.all(middle <= high + 1e-9)


def test_nothing_chosen_gives_no_triangles():
    points, cells = rod(across=4, along=4)
    assert len(geometry.surface(points, cells, np.zeros(len(cells), bool))) == 0


def test_many_nodes_take_the_other_path(cube):
    _, tets = cube
    # three nodes of a mesh this large do not fit into one integer
    shift = 3_000_000
    far = np.concatenate([tets, tets[:1] * 0 + shift + np.arange(4)])
    faces, _ = geometry.boundary(far)
    near, _ = geometry.boundary(tets)
    assert np.array_equal(faces[:-4], near)
