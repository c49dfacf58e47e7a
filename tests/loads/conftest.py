"""Small meshes with a known bone around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from femsim.anatomy import Centreline, Frame
from femsim.mesh import Mesh, boundary_faces, to_tet10

Floats = NDArray[np.float64]

#: Six tetrahedra of a brick whose corners are numbered by bits (x, y, z); neighbours fit.
KUHN = [(0, 1, 3, 7), (0, 3, 2, 7), (0, 2, 6, 7), (0, 6, 4, 7), (0, 4, 5, 7), (0, 5, 1, 7)]


@dataclass(frozen=True)
class FakeBone:
    """The part of a bone that loads ask for."""

    kind: str
    length: float
    landmarks: Mapping[str, Floats]
    frame: Frame
    centreline: Centreline

    def fraction(self, points: Floats) -> Floats:
        return np.atleast_2d(self.frame.to_local(points))[:, 2] / self.length


def split(bricks: NDArray[np.int64], points: Floats) -> NDArray[np.int64]:
    """Tetrahedra (6 m, 4), turned to positive volume, of bricks (m, 8)."""
    cells = bricks[:, np.array(KUHN)].reshape(-1, 4)
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    wrong = np.linalg.det(edges) < 0
    cells[wrong] = cells[wrong][:, [0, 2, 1, 3]]
    return cells


def finished(points: Floats, cells: NDArray[np.int64]) -> Mesh:
    """Quadratic mesh with its outer faces."""
    bare = Mesh(*to_tet10(points, cells), "tet10")
    return replace(bare, face_sets={"boundary": boundary_faces(bare)})


@pytest.fixture(scope="session")
def tube() -> tuple[FakeBone, Mesh]:
    """Hollow cylinder 28/13 mm, 200 mm long, with round (curved) walls."""
    around, rows, radii = 24, 40, np.array([6.5, 10.0, 14.0])
    length = 200.0
    angle, z = 2 * np.pi * np.arange(around) / around, np.linspace(0, length, rows + 1)
    r, a, h = np.meshgrid(radii, angle, z, indexing="ij")
    points = np.stack([r * np.cos(a), r * np.sin(a), h], axis=-1).reshape(-1, 3)
    number = np.arange(len(points)).reshape(len(radii), around, rows + 1)
    corners = [
        number[i : len(radii) - 1 + i, (np.arange(around) + j) % around, k : rows + k].ravel()
        for k in (0, 1)
        for j in (0, 1)
        for i in (0, 1)
    ]
    made = finished(points, split(np.stack(corners, axis=1), points))
    return straight_bone("tube", length), _rounded(made, radii)


def _rounded(mesh: Mesh, radii: Floats) -> Mesh:
    """Middle nodes between two nodes of one radius moved onto it."""
    edges = np.array([(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)])
    pairs, middle = mesh.cells[:, edges].reshape(-1, 2), mesh.cells[:, 4:].ravel()
    radius = np.hypot(*mesh.points[:, :2].T)
    same = np.abs(radius[pairs[:, 0]] - radius[pairs[:, 1]]) < 1e-9
    points = mesh.points.copy()
    nodes, wanted = middle[same], radius[pairs[same, 0]]
    points[nodes, :2] *= (wanted / radius[nodes])[:, None]
    return Mesh(points, mesh.cells, mesh.kind, face_sets=mesh.face_sets)


def straight_bone(kind: str, length: float, landmarks: Mapping[str, Floats] | None = None) -> FakeBone:
    line = Centreline(np.array([[0, 0, 0], [0, 0, length]], float), np.array([0.0, 1.0]))
    return FakeBone(kind, length, landmarks or {}, Frame(np.zeros(3), *np.eye(3)), line)


@pytest.fixture(scope="session")
def make_femur() -> Callable[[bool], tuple[FakeBone, Mesh]]:
    """A crude right femur of bricks (shaft, neck, head, trochanter), or its mirror image as a left one."""

    def make(left: bool) -> tuple[FakeBone, Mesh]:
        step, length = 6.0, 240.0
        lower = np.array([-75.0, -27.0, 0.0])
        shape = np.array([17, 9, 40])
        head = np.array([-45.0, 3.0, length - 24.0])

        def inside(p: Floats) -> NDArray[np.bool_]:
            shaft = np.hypot(p[:, 0], p[:, 1]) < 16
            ball = np.linalg.norm(p - head, axis=1) < 24
            neck = (np.abs(p[:, 1]) < 13) & (np.abs(p[:, 2] - head[2]) < 14) & (p[:, 0] > head[0]) & (p[:, 0] < 16)
            return (shaft & (p[:, 2] < head[2] + 14)) | ball | neck

        grid = np.stack(np.meshgrid(*(np.arange(n + 1) for n in shape), indexing="ij"), axis=-1)
        points = lower + step * grid.reshape(-1, 3)
        number = np.arange(len(points)).reshape(shape + 1)
        corners = [
            number[i : shape[0] + i, j : shape[1] + j, k : shape[2] + k].ravel()
            for k in (0, 1)
            for j in (0, 1)
            for i in (0, 1)
        ]
        bricks = np.stack(corners, axis=1)
        bricks = bricks[inside(points[bricks].mean(axis=1))]
        used, renumbered = np.unique(bricks, return_inverse=True)
        points, bricks = points[used], renumbered.reshape(bricks.shape)
        cells = split(bricks, points)
        landmarks = {
            "head_centre": head,
            "greater_trochanter": np.array([15.0, -3.0, length - 30.0]),
            "vastus_lateralis_origin": np.array([15.0, 0.0, length - 70.0]),
            "knee_centre": np.array([0.0, 0.0, 12.0]),
            "lateral_epicondyle": np.array([15.0, 0.0, 12.0]),
        }
        bone = straight_bone("femur", length, landmarks)
        if not left:
            return bone, finished(points, cells)
        flip = np.array([-1.0, 1.0, 1.0])
        frame = Frame(np.zeros(3), np.array([-1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0]))
        mirrored = FakeBone("femur", length, {k: v * flip for k, v in landmarks.items()}, frame, bone.centreline)
        # mirrored corners would turn the tetrahedra inside out
        return mirrored, finished(points * flip, cells[:, [0, 2, 1, 3]])

    return make
