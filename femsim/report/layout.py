"""Panels in a figure whose axes are millimetres of bone, and the marks that belong on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy import Frame
from femsim.report.style import DOTS_PER_INCH, INK, LINE
from femsim.view.camera import Camera
from femsim.view.raster import Layer, draw


def panel(figure: Any, camera: Camera, box: tuple[float, float, float]) -> Any:
    """Axes in millimetres for what `camera` sees; `box` is left, bottom and height in inches."""
    wide, high = figure.get_size_inches()
    left, bottom, height = box
    width = height * camera.width / camera.height
    axes = figure.add_axes((left / wide, bottom / high, width / wide, height / high))
    axes.set_axis_off()
    axes.set_xlim(*camera.extent[:2])
    axes.set_ylim(*camera.extent[2:])
    return axes


def paint(axes: Any, layers: list[Layer], camera: Camera, height: float) -> None:
    """Draw layers into axes that are `height` inches high."""
    image = draw(layers, camera, DOTS_PER_INCH * height / camera.height)
    axes.imshow(image, extent=camera.extent, aspect="auto", interpolation="nearest", zorder=1)
    axes.set_xlim(*camera.extent[:2])
    axes.set_ylim(*camera.extent[2:])


def scale_bar(axes: Any, camera: Camera) -> None:
    """A bar of a round length below the picture."""
    length = round_length(camera.width / 3)
    left, bottom = camera.extent[0], camera.extent[2]
    y = bottom - 0.02 * camera.height
    axes.plot([left, left + length], [y, y], color=INK, lw=2, clip_on=False, solid_capstyle="butt")
    axes.annotate(
        f"{length:g} mm", (left + length / 2, y), (0, -3), textcoords="offset points", ha="center", va="top",
        fontsize=8, annotation_clip=False,
    )  # fmt: skip


def round_length(about: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not above `about`."""
    power = 10.0 ** np.floor(np.log10(about))
    return float(max(step * power for step in (1, 2, 5) if step * power <= about * (1 + 1e-9)))


def directions(figure: Any, camera: Camera, frame: Frame, place: tuple[float, float], length: float = 0.34) -> None:
    """Anatomical directions as arrows around `place` (inches); a dot in a ring points at the viewer, a cross away."""
    wide, high = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, wide)
    axes.set_ylim(0, high)
    axes.set_zorder(5)
    start = np.array(place)
    seen = {name: camera.turn(getattr(frame, name)) for name in ("lateral", "anterior", "proximal")}
    # The one that points most along the line of sight is shown as a point; two arrows never lie on each other.
    deep = max(("lateral", "anterior"), key=lambda name: abs(seen[name][2]))
    for name in seen:
        if name != deep:
            _direction(axes, start, length * seen[name][:2], name)
    toward = seen[deep][2] > 0
    axes.plot(*start, "o", ms=7, mfc="white", mec=INK, mew=0.9)
    axes.plot(*start, "." if toward else "x", ms=4, color=INK)
    axes.annotate(deep if toward else f"{deep} (away)", start, (0, -7), textcoords="offset points", fontsize=7.5,
                  ha="center", va="top")  # fmt: skip


def _direction(axes: Any, start: NDArray[np.float64], arrow: NDArray[np.float64], name: str) -> None:
    """One arrow from `start`, with its name beyond its head."""
    lines = {"arrowstyle": "-|>", "color": INK, "lw": 1.0, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", start + arrow, start, arrowprops=lines)
    unit = arrow / max(float(np.linalg.norm(arrow)), 1e-9)
    axes.text(
        *(start + arrow + 0.05 * unit), name, fontsize=7.5,
        ha="left" if unit[0] > 0.3 else "right" if unit[0] < -0.3 else "center",
        va="bottom" if unit[1] > 0.3 else "top" if unit[1] < -0.3 else "center",
    )  # fmt: skip


def swatches(figure: Any, codes: Mapping[str, str], place: tuple[float, float], columns: int) -> None:
    """A legend of filled squares with its lower left corner at `place` (inches)."""
    from matplotlib.patches import Patch

    wide, high = figure.get_size_inches()
    handles = [Patch(fc=code, ec=LINE, lw=0.5, label=name.replace("_", " ")) for name, code in codes.items()]
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(place[0] / wide, place[1] / high), ncols=columns,
        fontsize=8.5, handlelength=1.1, handleheight=1.1, columnspacing=1.4, borderpad=0,
    )  # fmt: skip


def spread(wanted: Sequence[float] | NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Positions in the order of `wanted`, as near to it as they can be while at least `gap` apart."""
    values = np.asarray(wanted, float)
    order = np.argsort(values, kind="stable")
    # Blocks of touching labels, each centred on the mean of what it wants; merged while they overlap.
    blocks: list[list[int]] = []
    for index in order:
        blocks.append([int(index)])
        while len(blocks) > 1 and _top(blocks[-2], values, gap) + gap > _bottom(blocks[-1], values, gap) + 1e-12:
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    placed = np.empty(len(values))
    for block in blocks:
        placed[block] = _bottom(block, values, gap) + gap * np.arange(len(block))
    return placed


def _bottom(block: list[int], values: NDArray[np.float64], gap: float) -> float:
    return float(values[block].mean() - gap * (len(block) - 1) / 2)


def _top(block: list[int], values: NDArray[np.float64], gap: float) -> float:
    return _bottom(block, values, gap) + gap * (len(block) - 1)
