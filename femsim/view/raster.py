"""Pictures of triangles without a display, a graphics driver or OpenGL.

A z-buffer in compiled Python. It draws the figures of a study: a hundred thousand triangles in a tenth of a second, the
same pixels on every machine, and nothing that can crash or be missing. PyVista stays for what has to move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.view.camera import Camera
from femsim.view.geometry import Triangles

Image = NDArray[np.float32]

#: Light in picture coordinates: a little from the upper left, so that round things look round.
_LIGHT = np.array([-0.32, 0.38, 0.87])
_AMBIENT = 0.42
#: Pixels are drawn this many times finer in both directions and averaged.
_FINER = 3


@dataclass(frozen=True, eq=False)
class Layer:
    """Triangles and how they look.

    Attributes
    ----------
    triangles : Triangles
    colour : (t, 3) float
        Red, green and blue of every triangle, 0 to 1.
    group : (t,) int, optional
        Thin dark lines are drawn between triangles of different groups.
    glass : float
        0 for opaque; above it, the share of the colour that is seen when looking straight at the surface.
    """

    triangles: Triangles
    colour: NDArray[np.float64]
    group: NDArray[np.int64] | None = None
    glass: float = 0.0


def draw(layers: list[Layer], camera: Camera, pixels_per_mm: float) -> Image:
    """Draw layers into one picture; transparent where there is nothing.

    Parameters
    ----------
    layers : list of Layer
        Opaque layers hide each other by depth; glass layers are laid over them in the given order.
    camera : Camera
    pixels_per_mm : float

    Returns
    -------
    (height, width, 4) float32
        Red, green, blue and opacity, 0 to 1; colours are not multiplied by the opacity.
    """
    rows = max(1, round(camera.height * pixels_per_mm)) * _FINER
    columns = max(1, round(camera.width * pixels_per_mm)) * _FINER
    image, depth, line = _blank(rows, columns)
    for layer in (one for one in layers if one.glass <= 0):
        _draw_one(layer, camera, image, depth, line)
    _outline(image, line)
    for layer in (one for one in layers if one.glass > 0):
        over, over_depth, over_line = _blank(rows, columns)
        _draw_one(layer, camera, over, over_depth, over_line)
        _lay_over(image, depth, over, over_depth)
    return _average(image)


def _blank(rows: int, columns: int) -> tuple[Image, Image, NDArray[np.int64]]:
    image = np.zeros((rows, columns, 4), np.float32)
    return image, np.full((rows, columns), -np.inf, np.float32), np.full((rows, columns), -1, np.int64)


def _draw_one(layer: Layer, camera: Camera, image: Image, depth: Image, line: NDArray[np.int64]) -> None:
    triangles = layer.triangles
    if len(triangles) == 0:
        return
    rows, columns = depth.shape
    seen = camera.project(triangles.corners.reshape(-1, 3)).reshape(-1, 3, 3)
    seen[..., 0] = (seen[..., 0] / camera.width + 0.5) * columns
    seen[..., 1] = (0.5 - seen[..., 1] / camera.height) * rows
    normals = camera.turn(triangles.normals.reshape(-1, 3)).reshape(-1, 3, 3)
    group = np.zeros(len(triangles), np.int64) if layer.group is None else np.asarray(layer.group, np.int64)
    colour = np.ascontiguousarray(layer.colour, dtype=np.float32)
    light = _LIGHT / np.linalg.norm(_LIGHT)
    _fill(image, depth, line, seen, normals, colour, group, light, _AMBIENT, float(layer.glass))


@njit(cache=True)
def _fill(image, depth, line, corners, normals, colour, group, light, ambient, glass):  # type: ignore[no-untyped-def]
    rows, columns = depth.shape
    for t in range(corners.shape[0]):
        x0, y0, z0 = corners[t, 0]
        x1, y1, z1 = corners[t, 1]
        x2, y2, z2 = corners[t, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if not (abs(area) > 1e-12):  # edge-on, or not a number
            continue
        left = max(0, int(np.ceil(min(x0, x1, x2) - 0.5)))
        right = min(columns - 1, int(np.floor(max(x0, x1, x2) - 0.5)))
        top = max(0, int(np.ceil(min(y0, y1, y2) - 0.5)))
        bottom = min(rows - 1, int(np.floor(max(y0, y1, y2) - 0.5)))
        for row in range(top, bottom + 1):
            y = row + 0.5
            for column in range(left, right + 1):
                x = column + 0.5
                b = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) / area
                c = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) / area
                a = 1.0 - b - c
                if a < -1e-9 or b < -1e-9 or c < -1e-9:
                    continue
                z = a * z0 + b * z1 + c * z2
                if z <= depth[row, column]:
                    continue
                nx = a * normals[t, 0, 0] + b * normals[t, 1, 0] + c * normals[t, 2, 0]
                ny = a * normals[t, 0, 1] + b * normals[t, 1, 1] + c * normals[t, 2, 1]
                nz = a * normals[t, 0, 2] + b * normals[t, 1, 2] + c * normals[t, 2, 2]
                size = np.sqrt(nx * nx + ny * ny + nz * nz)
                bright, facing = 1.0, 1.0
                if size > 1e-12:  # a zero normal marks a cut face: its colour is data and is not shaded
                    turned = 1.0 if nz >= 0 else -1.0
                    lit = turned * (nx * light[0] + ny * light[1] + nz * light[2]) / size
                    bright = ambient + (1.0 - ambient) * max(0.0, lit)
                    facing = abs(nz) / size
                depth[row, column] = z
                line[row, column] = group[t]
                for k in range(3):
                    image[row, column, k] = min(1.0, colour[t, k] * bright)
                # glass shows its rim: looking along a thin shell one sees more of it
                rim = 0.8 * (1.0 - facing) ** 2
                image[row, column, 3] = 1.0 if glass <= 0 else min(1.0, glass + (1.0 - glass) * rim)


def _outline(image: Image, line: NDArray[np.int64]) -> None:
    """Darken the pixels beside which another group begins."""
    edge = np.zeros(line.shape, bool)
    edge[:, 1:] |= line[:, 1:] != line[:, :-1]
    edge[1:] |= line[1:] != line[:-1]
    # one more pixel keeps the line visible after averaging
    edge[:, :-1] |= edge[:, 1:]
    edge[:-1] |= edge[1:]
    edge &= line >= 0
    image[edge, :3] *= 0.35


def _lay_over(image: Image, depth: Image, over: Image, over_depth: Image) -> None:
    """Blend a glass layer where it lies in front of what is drawn."""
    front = over_depth > depth
    share = np.where(front, over[..., 3], 0.0)[..., None].astype(np.float32)
    before = image[..., 3:] * (1 - share)
    total = share + before
    mixed = over[..., :3] * share + image[..., :3] * before
    image[..., :3] = np.where(total > 0, mixed / np.where(total > 0, total, 1), 0)
    image[..., 3:] = total


@njit(cache=True)
def _average(image):  # type: ignore[no-untyped-def]
    """Average blocks of pixels; colours are weighted by their opacity, so that rims do not darken."""
    rows, columns = image.shape[0] // _FINER, image.shape[1] // _FINER
    small = np.zeros((rows, columns, 4), np.float32)
    for row in range(rows):
        for column in range(columns):
            for i in range(row * _FINER, (row + 1) * _FINER):
                for j in range(column * _FINER, (column + 1) * _FINER):
                    opacity = image[i, j, 3]
                    small[row, column, 3] += opacity
                    for k in range(3):
                        small[row, column, k] += opacity * image[i, j, k]
            total = small[row, column, 3]
            if total > 0:
                for k in range(3):
                    small[row, column, k] = min(1.0, small[row, column, k] / total)
            small[row, column, 3] = min(1.0, total / (_FINER * _FINER))
    return small
