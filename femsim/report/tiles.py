"""The pictures of the page, one figure a strategy, so that they wrap on a narrow screen and their text stays text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy import Centreline
from femsim.report import layout, pictures
from femsim.report.pictures import Look
from femsim.report.style import INK, PAPER, style
from femsim.view import palette
from femsim.view.camera import Camera, looking
from femsim.view.raster import Layer
from femsim.view.scene import Scene

_HEIGHT = 3.3  # inches
_WHOLE = 4.6
_FOOT = 0.24


def whole(scene: Scene, looks: Sequence[Look]) -> Any:
    """The whole bone as glass around lesion and devices, with forces and supports."""
    side = 1.5 if scene.arrows else 0.6
    width = _WHOLE * scene.whole.width / scene.whole.height
    with style() as new:
        figure = new(width + 2 * side, _WHOLE + 0.75)
        axes = layout.panel(figure, scene.whole, (side, 0.6, _WHOLE))
        pictures.draw_whole(axes, scene, pictures.richest(looks), pictures.codes_of(looks), _WHOLE)
        layout.directions(figure, scene.whole, scene.frame, (0.55, 0.3))
    return figure


def material(scene: Scene, look: Look, codes: dict[str, str]) -> Any:
    """The cut through the lesion of one strategy, coloured by material."""
    colours = palette.material_colours(look.materials, {**dict.fromkeys(look.materials, palette.MISSING), **codes})
    return _cut(scene, scene.close, colours[look.material], look.material)


def field(scene: Scene, look: Look, colours: NDArray[np.float64]) -> Any:
    """The cut of one strategy in the colours (m, 3) of a field, with the borders of the materials."""
    return _cut(scene, scene.close, colours, look.material)


def facing(scene: Scene, place: NDArray[np.float64], centreline: Centreline) -> Camera:
    """A camera on the whole bone from the side of its axis on which `place` (3,) lies."""
    line = centreline.point(np.linspace(centreline.fractions[0], centreline.fractions[-1], 200))
    out = place - line[np.argmin(np.abs((line - place) @ scene.frame.proximal))]
    out = out - (out @ scene.frame.proximal) * scene.frame.proximal
    back = out if np.linalg.norm(out) > 1.0 else scene.frame.anterior
    return looking(back, scene.frame.proximal, place).framing(scene.mesh.points, margin=4.0)


def outside(scene: Scene, colours: NDArray[np.float64], camera: Camera, place: NDArray[np.float64] | None) -> Any:
    """The whole bone from outside in the colours (m, 3) of a field; a ring marks `place`, with a cross where hidden."""
    width = _HEIGHT * camera.width / camera.height
    shell = scene.outside
    with style() as new:
        figure = new(width, _HEIGHT + _FOOT)
        axes = layout.panel(figure, camera, (0.0, _FOOT, _HEIGHT))
        layout.paint(axes, [Layer(shell, colours[shell.cell])], camera, _HEIGHT)
        if place is not None:
            _ring(axes, camera, shell.corners.mean(axis=1), place)
        layout.scale_bar(axes, camera)
    return figure


def _ring(axes: Any, camera: Camera, shell: NDArray[np.float64], place: NDArray[np.float64]) -> None:
    at = camera.project(place[None])[0]
    seen = camera.project(shell)
    beside = np.linalg.norm(seen[:, :2] - at[:2], axis=1) < 0.02 * camera.height
    hidden = bool(beside.any()) and at[2] < seen[beside, 2].max() - 0.02 * camera.height
    for colour, wide in ((PAPER, 3.2), (INK, 1.4)):
        axes.plot(*at[:2], "o", ms=11, mfc="none", mec=colour, mew=wide, zorder=5, clip_on=False)
    if hidden:
        axes.plot(*at[:2], "x", ms=5, color=INK, mew=1.4, zorder=5, clip_on=False)


def _cut(scene: Scene, camera: Camera, colours: NDArray[np.float64], group: NDArray[np.int64] | None) -> Any:
    width = _HEIGHT * camera.width / camera.height
    with style() as new:
        figure = new(width, _HEIGHT + _FOOT)
        axes = layout.panel(figure, camera, (0.0, _FOOT, _HEIGHT))
        cells = scene.opened.cell
        layout.paint(
            axes, [Layer(scene.opened, colours[cells], None if group is None else group[cells])], camera, _HEIGHT
        )
        layout.scale_bar(axes, camera)
    return figure
