"""From a folder on disk to what the stage shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from femsim.errors import InputError
from femsim.study import export, stored
from femsim.view.panel import Panel
from femsim.view.scene import scene
from femsim.view.stage import Look, Stage, stage


def files(out: Path) -> dict[str, Path]:
    """The solved strategies of a folder by name: of a comparison, or of one case of a study.

    Raises
    ------
    InputError
        If it holds none.
    """
    found = {re.sub(r"-[0-9a-f]{8}$", "", one.parent.name): one for one in sorted(out.glob("cases/*/solution.vtu"))}
    found |= {one.stem: one for one in sorted(out.glob("fields/*.vtu"))}
    if not found:
        raise InputError(
            f"{out} holds no solution.", "There is nothing to show.", f"Make one with: femsim compare -o {out}"
        )
    return found


def chosen(out: Path, names: Sequence[str] = ()) -> list[str]:
    """The strategies asked for, by name; all where none is named.

    Raises
    ------
    InputError
        If the folder holds no solution, or not the one asked for. A name is never a path.
    """
    known = files(out)
    for name in names:
        if name not in known:
            raise InputError(
                f"There is no strategy {name!r} in {out}.", "It cannot be shown.", f"Use one of {', '.join(known)}."
            )
    return list(names or known)


def load(out: Path, names: Sequence[str] = ()) -> tuple[list[Panel], Look]:
    """Read strategies of a folder, and how to look at them.

    Raises
    ------
    InputError
        If the folder holds no solution, or not the one asked for.
    StudyError
        If a file is damaged.
    """
    wanted = chosen(out, names)
    if (out / stored.FILE).is_file():
        result = stored.comparison(out)
        ordered = [name for name in result.results if name in wanted] if not names else wanted
        return [panel_of(result.results[name]) for name in ordered], look_of(result)
    known = files(out)
    panels = [_bare(name, known[name]) for name in wanted]
    return panels, _plain_look(panels[0])


def on_stage(result: Any, names: Sequence[str] = (), **options: Any) -> Stage:
    """A comparison, in memory or stored, on a stage; in a notebook ``on_stage(result).plotter.show()`` shows it.

    Parameters
    ----------
    result : femsim.study.ComparisonResult or femsim.study.stored.Stored
    names : sequence of str
        Strategies to show; all when empty.
    **options
        Those of `femsim.view.stage.stage`, such as ``field="risk"``, ``cut="lesion"``, ``off_screen=True``.

    Raises
    ------
    InputError
        If a strategy, a field or a cut is not there.
    """
    for name in names:
        if name not in result.results:
            raise InputError(
                f"There is no strategy {name!r}.", "It cannot be shown.", f"Use one of {', '.join(result.results)}."
            )
    panels = [panel_of(result.results[name]) for name in (names or result.results)]
    return stage(panels, look_of(result), **options)


def panel_of(one: Any) -> Panel:
    """A strategy of a comparison, in memory or stored, as the stage shows it."""
    return Panel(one.name, one.label, one.mesh, one.fields, tuple(one.materials))


def look_of(result: Any) -> Look:
    """Cuts and camera of a comparison: those of the figures."""
    made = scene(result.mesh, result.bone.frame, centreline=result.bone.centreline)
    frame = result.bone.frame
    normals = {"lesion": np.asarray(made.plane.normal, float)}
    normals |= {name: np.asarray(getattr(frame, name), float) for name in ("anterior", "lateral", "proximal")}
    return Look(np.asarray(made.plane.origin, float), normals, made.close.toward, np.asarray(frame.proximal, float))


def _bare(name: str, file: Path) -> Panel:
    """A strategy of which only the ``.vtu`` is known."""
    grid = export.read_grid(file)
    mesh = export.mesh_of(grid)
    fields = export.fields_of(grid)
    count = int(np.max(fields.get("material", np.zeros(1)))) + 1
    return Panel(name, name, mesh, fields, tuple(f"material_{i}" for i in range(count)))


def _plain_look(panel: Panel) -> Look:
    """Cuts through the middle along the axes of coordinates; the longest extent points up."""
    points = panel.mesh.points
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    up = np.eye(3)[int(np.argmax(np.ptp(points, axis=0)))]
    toward = np.eye(3)[int(np.argmin(up[::-1]))] if up[1] == 0 else np.eye(3)[0]
    toward = np.array([0.0, -1.0, 0.0]) if up[1] == 0 else toward
    normals = {"lesion": toward, "anterior": toward, "lateral": np.cross(up, toward), "proximal": up}
    return Look(middle, normals, toward, up)
