"""Strategies side by side in PyVista: one camera, one cut, one colour range. The window, the browser and the notebook
all show this stage; they differ in how they change its `Choice`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.mesh import Mesh
from femsim.view import geometry, palette, scale
from femsim.view.geometry import Plane
from femsim.view.offscreen import WINDOWS, headless
from femsim.view.panel import CUTS, Choice, Panel, drawn, polydata, principal_lines

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Look:
    """From where one looks and what the cuts pass through.

    Attributes
    ----------
    target : (3,) float64
        A point of every cut: the middle of the lesion.
    normals : mapping of str to (3,)
        Normal of every cut but "none".
    toward, up : (3,) float64
        Unit vectors from the scene to the viewer and upwards.
    """

    target: Floats
    normals: Mapping[str, Floats]
    toward: Floats
    up: Floats


@dataclass(eq=False)
class Stage:
    """The plotter and what stands on it. `choose` is the only way to change it.

    Attributes
    ----------
    panels : sequence of Panel
    look : Look
    plotter : pyvista.Plotter
    choice : Choice
    """

    panels: Sequence[Panel]
    look: Look
    plotter: Any
    choice: Choice = field(default_factory=Choice)
    shown: dict[str, Any] = field(default_factory=dict)

    def choose(self, **changes: Any) -> None:
        """Change what is shown; see `Choice` for the names.

        Raises
        ------
        InputError
            If a field, a cut or a material is not there; nothing is changed then.
        """
        new = replace(self.choice, **changes)
        values = self.values(new)
        if new.cut not in CUTS:
            raise InputError(f"There is no cut {new.cut!r}.", "It cannot be shown.", f"Use one of {', '.join(CUTS)}.")
        unknown = set(new.hidden) - set(self.materials)
        if unknown:
            raise InputError(
                f"There is no material {sorted(unknown)[0]!r}.",
                "It cannot be hidden.",
                f"Use some of {', '.join(self.materials)}.",
            )
        self.choice = new
        self._draw(values)

    def home(self, aspect: float = 0.5) -> None:
        """Look at the whole bone of every strategy again, square to the cut through the lesion."""
        for index, panel in enumerate(self.panels):
            self.at(index)
            camera = self.plotter.camera
            camera.focal_point, camera.parallel_scale = frame_of(panel, self.look, aspect)
            camera.position = np.asarray(camera.focal_point) + 1000.0 * self.look.toward
            camera.up = self.look.up
            self.plotter.reset_camera_clipping_range()

    def at(self, index: int) -> None:
        """Make the view of a strategy the one that is drawn into."""
        self.plotter.subplot(*self._place(index))

    def under(self, x: int, y: int) -> tuple[Panel, int] | None:
        """The strategy and the element under a place of the window, pixels from its lower left; None beside them."""
        from vtkmodules.vtkRenderingCore import vtkCellPicker

        picker = vtkCellPicker()
        picker.SetTolerance(0.0)
        picker.Pick(x, y, 0, self.plotter.iren.interactor.FindPokedRenderer(x, y))
        return self.owner(picker.GetActor(), picker.GetCellId())

    def owner(self, actor: Any, triangle: int) -> tuple[Panel, int] | None:
        """The strategy and the element that a drawn triangle belongs to; None where it belongs to none."""
        for key, one in self.shown.items():
            if one is actor and triangle >= 0:
                panel = self.panels[int(key.rsplit("-", 1)[1])]
                return panel, int(one.mapper.dataset.cell_data["cell"][triangle])
        return None

    @cached_property
    def materials(self) -> tuple[str, ...]:
        """Names of all materials that occur."""
        found: dict[str, None] = {}
        for panel in self.panels:
            found |= {panel.materials[i]: None for i in np.unique(panel.material) if i < len(panel.materials)}
        return tuple(found)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Fields that all strategies hold, usual ones first; "material" is always there."""
        common = set.intersection(*(set(panel.fields) for panel in self.panels)) - {
            "material",
            "compartment",
            "excluded",
        }
        usual = [name for name in scale.USUAL if name in common]
        return (*usual, *sorted(common - set(usual)), "material")

    def values(self, choice: Choice) -> list[Floats]:
        """The field of every strategy, one number a cell; differences where they are asked for."""
        if choice.field == "material":
            return [panel.material.astype(float) for panel in self.panels]
        found = [scale.numbers(panel.fields, choice.field, panel.mesh.cells) for panel in self.panels]
        if not choice.difference:
            return found
        for panel in self.panels[1:]:
            same_mesh(self.panels[0].mesh, panel.mesh)
        return [one - found[0] for one in found]

    def colouring(self, values: Sequence[Floats]) -> scale.Scale:
        """The colour scale of the present choice."""
        make = scale.difference if self.choice.difference else scale.shared
        return make(self.choice.field, values)

    def plane(self) -> Plane | None:
        """The cut of the present choice."""
        if self.choice.cut == "none":
            return None
        normal = np.asarray(self.look.normals[self.choice.cut], float)
        points = self.panels[0].mesh.points
        height = points @ normal
        middle, t = float(self.look.target @ normal), self.choice.depth
        at = (
            height.min() + (middle - height.min()) * 2 * t
            if t < 0.5
            else middle + (height.max() - middle) * (2 * t - 1)
        )
        return Plane(normal * at, normal)

    def _draw(self, values: Sequence[Floats]) -> None:
        coloured = None if self.choice.field == "material" else self.colouring(values)
        codes = palette.material_codes(self.materials)
        plane = self.plane()
        for index, (panel, numbers) in enumerate(zip(self.panels, values, strict=True)):
            self.at(index)
            parts = drawn(panel, plane, self.choice)
            if coloured is None:
                rows = palette.material_colours(
                    panel.materials, {**dict.fromkeys(panel.materials, palette.MISSING), **codes}
                )
                colours = rows[panel.material]
            else:
                colours = coloured.paint(numbers)
            for name, triangles in parts.items():
                self._put(index, name, triangles, colours)
            self._arrows(index, panel, parts)
        self._bar(coloured, codes)

    def _place(self, index: int) -> tuple[int, int]:
        columns = int(self.plotter.shape[1])
        return index // columns, index % columns

    def _put(self, index: int, name: str, triangles: geometry.Triangles, colours: Floats) -> None:
        """Put triangles on the stage in place of those that stood there; what lies on a cut is not shaded."""
        key = f"{name}-{index}"
        self.plotter.remove_actor(key, render=False)
        if len(triangles) == 0:
            return
        data = polydata(triangles, colours)
        self.shown[key] = self.plotter.add_mesh(
            data, name=key, scalars="colour", rgb=True, lighting=name == "outside", smooth_shading=False,
            show_scalar_bar=False, reset_camera=False, render=False, pickable=True,
        )  # fmt: skip

    def _arrows(self, index: int, panel: Panel, parts: Mapping[str, geometry.Triangles]) -> None:
        for kind in ("tension", "compression"):
            self.plotter.remove_actor(f"{kind}-{index}", render=False)
        if not self.choice.directions or "stress" not in panel.fields:
            return
        base = parts["cut"] if len(parts["cut"]) else parts["outside"]
        for kind, lines in principal_lines(panel, base).items():
            colour = "#d55e00" if kind == "tension" else "#0072b2"
            self.plotter.add_mesh(
                lines, name=f"{kind}-{index}", color=colour, line_width=2.5, lighting=False, reset_camera=False,
                render=False, pickable=False,
            )  # fmt: skip

    def _bar(self, coloured: scale.Scale | None, codes: Mapping[str, str]) -> None:
        """The colour bar, or the legend of the materials, in the first panel."""
        import pyvista as pv

        self.plotter.subplot(0, 0)
        for title in list(self.plotter.scalar_bars.keys()):
            self.plotter.remove_scalar_bar(title, render=False)
        self.plotter.remove_actor("bar", render=False)
        self.plotter.remove_legend(render=False)
        if coloured is None:
            # the plotter keeps legends by renderer; faces are squares of the colour
            self.plotter.add_legend(
                [[name.replace("_", " "), code] for name, code in codes.items()], bcolor=None, face="rectangle",
                size=(0.4, 0.03 * (1 + len(codes))), loc="lower left",
            )  # fmt: skip
            return
        # an invisible point carries the scale: the meshes themselves have their colours
        point = pv.PolyData(self.look.target[None])
        point["bar"] = np.array([coloured.low])
        self.plotter.add_mesh(
            point, name="bar", scalars="bar", cmap=coloured.cmap, clim=(coloured.low, coloured.high), opacity=0.0,
            point_size=1, reset_camera=False, render=False, pickable=False,
            scalar_bar_args={"title": coloured.label, "n_labels": 5, "fmt": "%.3g", "color": "#222222", "width": 0.8,
                             "position_x": 0.1, "title_font_size": 15, "label_font_size": 13},
        )  # fmt: skip


def headless_window() -> None:
    """In a process without a display, a notebook for one, let VTK draw by EGL: else it first looks for an X server."""
    if headless():
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", WINDOWS[0])


def same_mesh(first: Mesh, second: Mesh) -> None:
    """Make sure that two strategies lie on one mesh.

    Raises
    ------
    InputError
        If they do not.
    """
    if len(first.cells) != len(second.cells) or not np.array_equal(first.points, second.points):
        raise InputError(
            "The two strategies do not lie on the same mesh.",
            "Their difference would be one of meshes, not of treatment.",
            "Take both from one comparison.",
        )


def stage(
    panels: Sequence[Panel],
    look: Look,
    *,
    off_screen: bool = False,
    width: int = 460,
    height: int = 860,
    **changes: Any,
) -> Stage:
    """Set up strategies side by side; keywords of `Choice` say what is shown first.

    Raises
    ------
    InputError
        If nothing is to be shown, or a choice is not possible.
    """
    import pyvista as pv

    headless_window()
    if not panels:
        raise InputError("No strategy was given.", "There is nothing to show.", "Name one or more.")
    columns = min(len(panels), 5)
    rows = -(-len(panels) // columns)
    plotter: Any = pv.Plotter(
        shape=(rows, columns), off_screen=off_screen, window_size=[width * columns, height * rows]
    )
    made = Stage(panels, look, plotter)
    made.choose(**{"field": made.fields[0], **changes})
    for index, panel in enumerate(panels):
        made.at(index)
        plotter.set_background("white")
        plotter.add_text(panel.label, font_size=11, color="#222222", name=f"title-{index}")
        plotter.enable_parallel_projection()
    made.home(width / height)
    plotter.link_views()
    return made


def frame_of(panel: Panel, look: Look, aspect: float) -> tuple[Floats, float]:
    """Middle of the whole bone, and half the height of a picture of this width over height that shows all of it."""
    points = panel.mesh.points
    right = np.cross(look.up, look.toward)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    across, along = np.ptp(points @ right), np.ptp(points @ look.up)
    # room for the title above and the colour bar below
    return middle - 0.05 * along * look.up, float(max(along * 0.62, across / aspect * 0.55))
