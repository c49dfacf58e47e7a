"""A bone-like tube with a lesion and a device, made in milliseconds, for tests of the pictures."""

from __future__ import annotations

import numpy as np

from femsim.mesh.mesh import Mesh

_SPLIT = np.array([(0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6)])


def rod(
    length: float = 400.0, radius: float = 14.0, across: int = 10, along: int = 80
) -> tuple[np.ndarray, np.ndarray]:
    """Points and tet4 cells of a slightly bowed cylinder along z."""
    u = np.linspace(-1, 1, across + 1)
    x, y, z = np.meshgrid(u, u, np.linspace(0, length, along + 1), indexing="ij")
    # square to disc
    px, py = x * np.sqrt(1 - y**2 / 2), y * np.sqrt(1 - x**2 / 2)
    bow = 12 * np.sin(np.pi * z / length)
    points = np.stack([radius * px, radius * py + bow, z], axis=-1).reshape(-1, 3)
    node = np.arange(len(points)).reshape(x.shape)
    hexes = np.stack(
        [
            node[:-1, :-1, :-1], node[1:, :-1, :-1], node[1:, 1:, :-1], node[:-1, 1:, :-1],
            node[:-1, :-1, 1:], node[1:, :-1, 1:], node[1:, 1:, 1:], node[:-1, 1:, 1:],
        ],
        axis=-1,
    ).reshape(-1, 8)  # fmt: skip
    return points, hexes[:, _SPLIT].reshape(-1, 4)


def bone_mesh(**size: float) -> Mesh:
    """A rod with the solids endosteum, lesion, cement and catheter_1."""
    points, cells = rod(**size)  # type: ignore[arg-type]
    centre = points[cells].mean(axis=1)
    bow = 12 * np.sin(np.pi * centre[:, 2] / 400)
    axial = np.hypot(centre[:, 0], centre[:, 1] - bow)
    endosteum = axial < 8
    lesion = np.linalg.norm(centre - (12, 12 * np.sin(np.pi * 280 / 400), 280), axis=1) < 16
    cement = lesion & (centre[:, 2] < 290)
    catheter = (axial < 4) & (abs(centre[:, 2] - 280) < 55)
    mask = endosteum * 1 + lesion * 2 + cement * 4 + catheter * 8
    return Mesh(points, cells, "tet4", ("endosteum", "lesion", "cement", "catheter_1"), mask.astype(np.int64))
