"""The pictures of a comparison: how it was set up, and the factor of risk of every strategy side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.report import layout
from femsim.report.style import INK, LINE, risk_map, style
from femsim.view import palette
from femsim.view.camera import Camera
from femsim.view.raster import Layer
from femsim.view.scene import Scene

_CLOSE_HEIGHT = 4.6  # inches
_WHOLE_HEIGHT = 5.6
_GAP = 0.28
_PER_ROW = 6


@dataclass(frozen=True, eq=False)
class Look:
    """One strategy as the pictures need it.

    Attributes
    ----------
    label : str
    materials : tuple of str
    material : (m,) int
        Index into `materials` of every cell.
    risk : (m,) float, optional
        Factor of risk; not a number where it was not assessed.
    caption : str
        A line below the picture, such as the failure load.
    """

    label: str
    materials: tuple[str, ...]
    material: NDArray[np.int64]
    risk: NDArray[np.float64] | None = None
    caption: str = ""


def codes_of(looks: Sequence[Look]) -> dict[str, str]:
    """The colour of every material that is present in at least one strategy."""
    names = [name for look in looks for i, name in enumerate(look.materials) if np.any(look.material == i)]
    return palette.material_codes(names)


def setup(scene: Scene, looks: Sequence[Look]) -> Any:
    """The whole bone with loads and supports, and a cut through every strategy coloured by material.

    Returns
    -------
    matplotlib.figure.Figure
    """
    codes = codes_of(looks)
    with style() as new:
        rows = _rows(looks)
        close_width = _CLOSE_HEIGHT * scene.close.width / scene.close.height
        whole_width = _WHOLE_HEIGHT * scene.whole.width / scene.whole.height
        left = 1.55 + whole_width + (1.55 if scene.arrows else 0.5)
        width = left + max(len(row) for row in rows) * (close_width + _GAP) + 0.1
        height = max(_WHOLE_HEIGHT + 1.5, len(rows) * (_CLOSE_HEIGHT + 0.85) + 0.75)
        figure = new(width, height)
        whole = layout.panel(figure, scene.whole, (1.55, height - _WHOLE_HEIGHT - 0.75, _WHOLE_HEIGHT))
        draw_whole(whole, scene, richest(looks), codes, _WHOLE_HEIGHT)
        figure.text(0.15 / width, 1 - 0.15 / height, "Bone, loads and supports", va="top", fontsize=10.5, weight="bold")
        layout.directions(figure, scene.whole, scene.frame, (0.95, 0.55))
        figure.text(left / width, 1 - 0.15 / height, "Cut through the lesion", va="top", fontsize=10.5, weight="bold")
        for axes, look, camera in _close_panels(figure, scene, rows, left, height):
            triangles = scene.opened
            colours = palette.material_colours(look.materials, {**_unused(look), **codes})
            material = look.material[triangles.cell]
            layout.paint(axes, [Layer(triangles, colours[material], material)], camera, _CLOSE_HEIGHT)
        layout.swatches(figure, codes, (left, 0.12), columns=max(2, int((width - left) / 1.7)))
    return figure


def risk(scene: Scene, looks: Sequence[Look]) -> Any:
    """The factor of risk of every strategy: same camera, same cut, one colour bar that turns at 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with style() as new:
        rows = _rows(looks)
        close_width = _CLOSE_HEIGHT * scene.close.width / scene.close.height
        small = _CLOSE_HEIGHT * 0.8
        whole_width = small * scene.bare.width / scene.bare.height
        column = max(close_width, whole_width) + _GAP
        row_height = _CLOSE_HEIGHT + small + 1.0
        width = max(len(row) for row in rows) * column + 1.35
        height = len(rows) * row_height + 0.15
        figure = new(width, height)
        highest = 0.0
        for r, row in enumerate(rows):
            top = height - r * row_height - 0.6
            for c, look in enumerate(row):
                values = np.full(len(scene.mesh.cells), np.nan) if look.risk is None else np.asarray(look.risk, float)
                highest = max(highest, float(np.nanmax(values, initial=0.0)))
                x = 0.15 + c * column
                _title(figure, look, x, top, column - _GAP)
                for camera, size, bottom in (
                    (scene.bare, small, top - small),
                    (scene.close, _CLOSE_HEIGHT, top - small - 0.1 - _CLOSE_HEIGHT),
                ):
                    shift = (column - _GAP - size * camera.width / camera.height) / 2
                    axes = layout.panel(figure, camera, (x + shift, bottom, size))
                    colours = palette.risk_colours(values)[scene.opened.cell]
                    group = look.material[scene.opened.cell] if camera is scene.close else None
                    layout.paint(axes, [Layer(scene.opened, colours, group)], camera, size)
                    if camera is scene.close and c == 0:
                        layout.scale_bar(axes, camera)
        _risk_bar(figure, highest)
    return figure


def _rows(looks: Sequence[Look]) -> list[list[Look]]:
    """Strategies in rows of equal length."""
    count = -(-len(looks) // _PER_ROW)
    each = -(-len(looks) // count)
    return [list(looks[i : i + each]) for i in range(0, len(looks), each)]


def _close_panels(
    figure: Any, scene: Scene, rows: list[list[Look]], left: float, height: float
) -> list[tuple[Any, Look, Camera]]:
    """Axes for a close-up of every strategy, titled, in rows; the first carries the scale bar."""
    made = []
    width = _CLOSE_HEIGHT * scene.close.width / scene.close.height
    for r, row in enumerate(rows):
        top = height - 0.8 - r * (_CLOSE_HEIGHT + 0.85)
        for c, look in enumerate(row):
            x = left + c * (width + _GAP)
            axes = layout.panel(figure, scene.close, (x, top - _CLOSE_HEIGHT, _CLOSE_HEIGHT))
            _title(figure, replace(look, caption=""), x, top, width)
            if r == c == 0:
                layout.scale_bar(axes, scene.close)
            made.append((axes, look, scene.close))
    return made


def _title(figure: Any, look: Look, left: float, bottom: float, width: float) -> None:
    """Name of a strategy, and its caption, centred above a panel; all in inches."""
    wide, high = figure.get_size_inches()
    lines = textwrap.wrap(look.label, max(10, int(width / 0.082))) or [""]
    x = (left + width / 2) / wide
    if look.caption:
        figure.text(x, (bottom + 0.06) / high, look.caption, ha="center", va="bottom", fontsize=8)
    y = bottom + (0.22 if look.caption else 0.07)
    text = "\n".join(lines[:2])
    figure.text(x, y / high, text, ha="center", va="bottom", fontsize=9.5, weight="bold", linespacing=1.05)


def _unused(look: Look) -> dict[str, str]:
    return dict.fromkeys(look.materials, palette.MISSING)


def richest(looks: Sequence[Look]) -> Look:
    """The strategy that puts most into the bone: its devices are shown in the whole bone."""
    return max(looks, key=lambda look: len(np.unique(look.material)))


def draw_whole(axes: Any, scene: Scene, look: Look, codes: Mapping[str, str], height: float) -> None:
    """Bone as glass around lesion, cement and devices; forces as arrows; held parts hatched."""
    inside = ~np.array([_is_bone(name) for name in look.materials])[look.material]
    colours = palette.material_colours(look.materials, {**_unused(look), **codes})
    shell = scene.outside
    bone = np.broadcast_to(palette.rgb("#cdb88a"), (len(shell), 3))
    layers = [Layer(shell, np.asarray(bone), glass=0.42)]
    if inside.any():
        parts = scene.part(inside)
        layers.insert(0, Layer(parts, colours[look.material[parts.cell]], look.material[parts.cell]))
    layout.paint(axes, layers, scene.whole, height)
    layout.scale_bar(axes, scene.whole)
    _mark_held(axes, scene)
    _draw_arrows(axes, scene)


def _is_bone(material: str) -> bool:
    """Whether a material is the patient's own, judged by its name; cement with bone in it is not."""
    low = material.lower()
    words = ("cortical", "cortex", "trabecular", "cancellous", "marrow", "medullary", "bone")
    return any(word in low for word in words) and "cement" not in low


def _mark_held(axes: Any, scene: Scene) -> None:
    if len(scene.held) == 0:
        return
    seen = scene.whole.project(scene.mesh.points[scene.held])
    low, high = seen.min(axis=0), seen.max(axis=0)
    from matplotlib.patches import Rectangle

    box = Rectangle(
        (low[0] - 2, low[1] - 1), high[0] - low[0] + 4, high[1] - low[1] + 2,
        fill=False, hatch="//////", ec=INK, lw=0.8, zorder=3, clip_on=False,
    )  # fmt: skip
    axes.add_patch(box)
    axes.annotate("held", (high[0] + 3, (low[1] + high[1]) / 2), (4, 0), textcoords="offset points",
                  va="center", fontsize=8, annotation_clip=False)  # fmt: skip


def _draw_arrows(axes: Any, scene: Scene) -> None:
    """Arrows as long as the force is large, moments with two heads, with labels that do not overlap."""
    camera = scene.whole
    if not scene.arrows:
        return
    tips = camera.project(scene.tips)[:, :2]
    tails = camera.project(scene.tails)[:, :2]
    for side in (-1, 1):
        here = [i for i in range(len(tails)) if (tails[i, 0] >= 0) == (side > 0)]
        level = layout.spread(tails[here, 1], 0.052 * camera.height)
        x = side * (camera.width / 2 + 0.03 * camera.height)
        for i, y in zip(here, level, strict=True):
            axes.plot([tails[i, 0], x], [tails[i, 1], y], color=LINE, lw=0.6, clip_on=False, zorder=2)
            axes.text(
                x, y, scene.arrows[i].label, ha="left" if side > 0 else "right", va="center", fontsize=7.5,
                linespacing=1.0,
            )  # fmt: skip
    for arrow, tip, tail in zip(scene.arrows, tips, tails, strict=True):
        for end in (tip, tip + 0.25 * (tail - tip)) if arrow.moment else (tip,):
            axes.annotate(
                "", end, tail, annotation_clip=False, zorder=4,
                arrowprops={"arrowstyle": "-|>,head_width=0.22,head_length=0.5", "color": "#b3001b", "lw": 1.8,
                            "shrinkA": 0, "shrinkB": 0},
            )  # fmt: skip


def _risk_bar(figure: Any, highest: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    wide, high = figure.get_size_inches()
    size = min(4.0, high - 1.2)
    axes = figure.add_axes(((wide - 0.98) / wide, (high - size) / 2 / high, 0.17 / wide, size / high))
    mapped = ScalarMappable(Normalize(*palette.RISK_RANGE), risk_map())
    bar = figure.colorbar(mapped, cax=axes, extend="max" if highest > palette.RISK_RANGE[1] else "neither")
    bar.set_ticks([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2])
    bar.set_label("factor of risk (1: the load is the failure load)")
    bar.outline.set_linewidth(0.5)
    axes.axhline(1.0, color=INK, lw=1.2)
