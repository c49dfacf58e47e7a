"""The interactive viewer: strategies side by side with linked cameras, one colour range and one cut.

python -m femsim.view.viewer OUT [CASE ...] [--field risk] [--screenshot FILE]
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from femsim.errors import InputError
from femsim.fields import FIELDS
from femsim.view import palette

if TYPE_CHECKING:
    import pyvista as pv


def load(out: Path, names: Sequence[str] = ()) -> dict[str, pv.UnstructuredGrid]:
    """Read the solved strategies of an output folder.

    Parameters
    ----------
    out : Path
        Folder written by ``femsim compare``.
    names : sequence of str
        Strategies to read; all when empty.

    Raises
    ------
    InputError
        If the folder holds no solution, or not the one asked for.
    """
    import pyvista as pv

    found = {re.sub(r"-[0-9a-f]{8}$", "", f.parent.name): f for f in sorted(out.glob("cases/*/solution.vtu"))}
    if not found:
        raise InputError(
            f"{out} holds no solution.", "There is nothing to show.", f"Make one with: femsim compare -o {out}"
        )
    for name in names:
        if name not in found:
            raise InputError(
                f"There is no strategy {name!r} in {out}.", "It cannot be shown.", f"Use one of {', '.join(found)}."
            )
    return {name: pv.UnstructuredGrid(str(found[name])) for name in (names or found)}


def values(grid: pv.UnstructuredGrid, field: str) -> np.ndarray[Any, Any]:
    """A field as one number a cell or node; a vector or tensor as its length.

    Raises
    ------
    InputError
        If the solution does not hold the field.
    """
    known = sorted({*grid.cell_data.keys(), *grid.point_data.keys()})
    if field not in known:
        raise InputError(f"There is no field {field!r}.", "It cannot be shown.", f"Use one of {', '.join(known)}.")
    data = np.asarray(grid[field], float)
    if field == "risk" and "excluded" in grid.cell_data:
        data = np.where(np.asarray(grid.cell_data["excluded"]) > 0, np.nan, data)
    return data if data.ndim == 1 else np.linalg.norm(data, axis=1)


def difference(first: pv.UnstructuredGrid, second: pv.UnstructuredGrid, field: str) -> np.ndarray[Any, Any]:
    """`field` of the second strategy minus that of the first; exact, because both share one mesh.

    Raises
    ------
    InputError
        If the two do not lie on the same mesh.
    """
    if first.n_cells != second.n_cells or not np.array_equal(first.points, second.points):
        raise InputError(
            "The two strategies do not lie on the same mesh.",
            "Their difference would be one of meshes, not of treatment.",
            "Take both from one comparison.",
        )
    return values(second, field) - values(first, field)


def show(
    grids: dict[str, pv.UnstructuredGrid],
    field: str = "risk",
    *,
    deformation: float = 0.0,
    screenshot: Path | None = None,
) -> None:
    """Open a window with the strategies side by side, or write a picture of it.

    Drag the plane to cut all strategies at once; the cameras move together.

    Parameters
    ----------
    grids : dict of str to pyvista.UnstructuredGrid
        As read by `load`.
    field : str
        A field of the solutions.
    deformation : float
        Factor by which the displacement is drawn.
    screenshot : Path, optional
        Write a PNG instead of opening a window.
    """
    import pyvista as pv

    columns = min(len(grids), 3)
    rows = -(-len(grids) // columns)
    plotter = pv.Plotter(
        shape=(rows, columns), off_screen=screenshot is not None, window_size=[520 * columns, 800 * rows]
    )
    shown = {name: _prepared(grid, field, deformation) for name, grid in grids.items()}
    options = _colours(field, np.concatenate([grid["shown"] for grid in shown.values()]))
    actors = []
    first = next(iter(shown.values()))
    origin = np.asarray(first.center)
    for index, (name, grid) in enumerate(shown.items()):
        plotter.subplot(index // columns, index % columns)
        plotter.add_text(name, font_size=11)
        cut = grid.clip("y", origin=origin)
        actors.append(plotter.add_mesh(cut, scalars="shown", show_scalar_bar=index == 0, **options))
        plotter.add_axes()  # type: ignore[call-arg]
        plotter.view_xz(negative=True)  # type: ignore[call-arg]  # onto the cut
    if screenshot is None:
        _cut_together(plotter, list(shown.values()), actors, columns)
    plotter.link_views()
    plotter.show(screenshot=str(screenshot) if screenshot else False)


def _prepared(grid: pv.UnstructuredGrid, field: str, deformation: float) -> pv.UnstructuredGrid:
    moved = grid.warp_by_vector("displacement", factor=deformation) if deformation else grid.copy()
    moved["shown"] = values(grid, field)
    return moved


def _colours(field: str, every: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Colour map and range shared by all strategies."""
    title = FIELDS[field].label if field in FIELDS else field
    options: dict[str, Any] = {"scalar_bar_args": {"title": title}, "nan_color": palette.MISSING}
    if field == "risk":
        from matplotlib.colors import LinearSegmentedColormap

        return options | {
            "cmap": LinearSegmentedColormap.from_list("risk", palette.risk_stops(), N=512),
            "clim": palette.RISK_RANGE,
        }
    # the few extreme elements beside corners would leave one colour for all others
    low, high = np.nanpercentile(every, [0.5, 99.5]) if np.isfinite(every).any() else (0.0, 1.0)
    return options | {"cmap": "viridis", "clim": (float(low), float(high) if high > low else float(low) + 1.0)}


def _cut_together(plotter: Any, grids: list[Any], actors: list[Any], columns: int) -> None:
    """One plane that cuts every strategy."""

    def moved(normal: Any, origin: Any) -> None:
        for grid, actor in zip(grids, actors, strict=True):
            actor.mapper.dataset.copy_from(grid.clip(normal, origin=origin))

    plotter.subplot(0, 0)
    plotter.add_plane_widget(moved, normal="y", origin=grids[0].center, bounds=grids[0].bounds, interaction_event="end")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the rendering process; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="femsim view")
    parser.add_argument("out", type=Path)
    parser.add_argument("case", nargs="*")
    parser.add_argument("--field", default="risk")
    parser.add_argument("--deformation", type=float, default=0.0)
    parser.add_argument("--screenshot", type=Path)
    asked = parser.parse_args(arguments)
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY") and asked.screenshot is None:
        raise InputError(
            "There is no display to open a window on.",
            "The viewer needs one.",
            "Give --screenshot FILE, or open report.html in a browser: it holds the model too.",
        )
    show(load(asked.out, asked.case), asked.field, deformation=asked.deformation, screenshot=asked.screenshot)


if __name__ == "__main__":
    main()
