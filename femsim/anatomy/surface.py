"""A bone from the triangle surfaces of a file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy.bone import Bone
from femsim.anatomy.bone_axis import BoneAxis
from femsim.anatomy.cortex import Thickness, ThicknessMap, thick, walled
from femsim.anatomy.density import trabecular_density
from femsim.anatomy.distance import surface_solid
from femsim.anatomy.landmarks import Anatomy, find_anatomy
from femsim.anatomy.repair import Surface, repaired
from femsim.anatomy.sites import sites_of
from femsim.errors import FemsimWarning, GeometryError, InputError
from femsim.solid import GridSolid

#: File types that are read.
SUFFIXES = (".stl", ".ply", ".obj", ".vtp")
#: Plausible length of an adult or adolescent long bone, mm.
LENGTH = (150.0, 600.0)
#: Extent of any bone whose unit is given, those of small animals included, mm.
SIZES = (5.0, 1000.0)
SCALES = {"mm": 1.0, "cm": 10.0, "m": 1000.0}


def read_surface(path: str | Path, units: str = "auto", hole: float = 5.0) -> Surface:
    """Read and repair a closed triangle surface.

    Parameters
    ----------
    path : path
        STL, PLY, OBJ or VTP.
    units : {"auto", "mm", "cm", "m"}
        Unit of the file. "auto" takes mm, and cm or m where only that gives a long bone of `LENGTH`; it says so in
        the notes.
    hole : float
        See `repaired`.

    Raises
    ------
    InputError
        If the file is missing, of another type, or `units` is unknown.
    GeometryError
        If no unit gives a long bone, or the surface cannot be repaired.
    """
    path = Path(path)
    if units not in (*SCALES, "auto"):
        raise InputError(f"units = {units!r} is not known.", "The bone has no size.", "Use mm, cm, m or auto.")
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        state = "is not there" if path.suffix.lower() in SUFFIXES else "is of a type that is not read"
        raise InputError(f"{path} {state}.", "A bone needs its surface.", f"Give a file of {', '.join(SUFFIXES)}.")
    points, triangles = _read(path)
    unit = _unit(path, points, units)
    surface = repaired(points * SCALES[unit], triangles, path.name, hole)
    if units == "auto" and unit != "mm":
        surface = replace(surface, notes=(f"{path.name}: coordinates taken as {unit}.", *surface.notes))
    return surface


def _unit(path: Path, points: NDArray[np.float64], units: str) -> str:
    """Unit in which the points of a file are those of a long bone."""
    extent = float(np.linalg.norm(np.ptp(points, axis=0))) if len(points) else 0.0
    fits = [u for u, s in SCALES.items() if LENGTH[0] <= s * extent <= 1.5 * LENGTH[1]]
    if units == "auto" and len(fits) == 0:
        raise GeometryError(
            f"{path.name} is {extent:g} units long.",
            "In mm, cm or m that is no human long bone.",
            'Scale the file, or give its units (units = "mm").',
        )
    unit = units if units != "auto" else fits[0]
    if not SIZES[0] <= SCALES[unit] * extent <= SIZES[1]:
        raise GeometryError(
            f"{path.name} is {SCALES[unit] * extent:g} mm long when read in {unit}.",
            "No long bone has that size.",
            'Mend its units, or leave them out (units = "auto").',
        )
    return unit


def bone_from_surfaces(
    periosteum_file: str | Path,
    endosteum_file: str | Path | None = None,
    kind: str = "femur",
    side: str | None = None,
    thickness: float | Mapping[float, float] | str | None = None,
    units: str = "auto",
    spacing: float = 1.0,
    min_wall: float = 0.8,
    name: str = "",
) -> Bone:
    """A bone from its outer surface and, where there is one, its inner surface.

    Parameters
    ----------
    periosteum_file, endosteum_file : path
        Closed surfaces in one frame and unit: STL, PLY, OBJ or VTP.
    kind : {"femur", "humerus", "tibia"}
    side : {"left", "right"}, optional
        Checked against the shape; needed where the shape does not tell.
    thickness : float, mapping of float to float, or str, optional
        Cortical thickness in mm where there is no inner surface: one number; position along the bone (0 distal, 1
        proximal) to thickness, linear between; or the name of an array of the periosteum's points (VTP, PLY) in the
        unit of the file.
    units : {"auto", "mm", "cm", "m"}
        Of both files.
    spacing : float
        Of the distance grids, mm.
    min_wall : float
        The endosteum is held at least this far inside the periosteum, mm.

    Raises
    ------
    InputError
        If neither or both of `endosteum_file` and `thickness` are given, or `side` contradicts the shape.
    GeometryError
        If a surface cannot be repaired or the two do not belong together.
    """
    if (endosteum_file is None) == (thickness is None):
        raise InputError(
            "The cortex needs an endosteal surface or a thickness, and not both.",
            "Without one the bone would have no canal.",
            "Give endosteum_file, or thickness in mm.",
        )
    outer = read_surface(periosteum_file, units)
    inner = None if endosteum_file is None else read_surface(endosteum_file, units)
    mapped = thickness_map(Path(periosteum_file), thickness, units) if isinstance(thickness, str) else thickness
    return assembled(outer, inner, kind, side, mapped, spacing, min_wall, name or Path(periosteum_file).stem)


def assembled(
    outer: Surface,
    inner: Surface | None,
    kind: str,
    side: str | None,
    thickness: Thickness | None,
    spacing: float,
    min_wall: float,
    name: str,
) -> Bone:
    """A bone from surfaces that are closed and outward; the arguments are those of `bone_from_surfaces`."""
    anatomy = _anatomy(outer, kind, side, name)
    periosteum = surface_solid(outer.points, outer.triangles, spacing)
    notes = [*outer.notes, *anatomy.notes]
    if inner is not None:
        endosteum, note = walled(inner, periosteum, spacing, min_wall)
        notes += [*inner.notes, *note]
    else:
        assert thickness is not None
        endosteum = thick(periosteum, anatomy, thickness, min_wall)
        notes.append("Endosteum made from the periosteum and a given thickness; no image says where it is.")
    for text in notes:
        warnings.warn(text, FemsimWarning, stacklevel=3)
    return _bone(kind, outer, anatomy, periosteum, endosteum, tuple(notes), name)


def _bone(
    kind: str,
    outer: Surface,
    anatomy: Anatomy,
    periosteum: GridSolid,
    endosteum: GridSolid,
    notes: tuple[str, ...],
    name: str,
) -> Bone:
    frame, line, marks, length = anatomy.frame, anatomy.centreline, anatomy.landmarks, anatomy.length
    neck_base = _neck_base(anatomy) if "neck_centre" in marks else None
    return Bone(
        kind=kind,
        side=frame.side,
        periosteum=periosteum,
        endosteum=endosteum,
        frame=frame,
        landmarks=marks,
        centreline=line,
        length=length,
        surface=(outer.points, outer.triangles),
        density=trabecular_density(kind, frame, length, marks, anatomy.measures.get("head_radius")),
        axis=BoneAxis(frame, line, length, neck_base, marks.get("head_centre")),
        sites=sites_of(kind, frame, line, marks, length),
        name=name,
        notes=notes,
    )


def _neck_base(anatomy: Anatomy) -> NDArray[np.float64]:
    """Point of the neck axis that is closest to the long axis, mm."""
    frame, marks = anatomy.frame, anatomy.landmarks
    neck = frame.to_local(marks["neck_centre"])
    along = frame.to_local(marks["head_centre"]) - neck
    share = float(neck[:2] @ along[:2] / (along[:2] @ along[:2]))
    # A humeral neck nearly in line with the shaft would meet it far away.
    return frame.to_world(neck - np.clip(share, -1.0, 3.0) * along)


def thickness_map(path: Path, name: str, units: str = "auto") -> ThicknessMap:
    """Cortical thickness at the points of a surface file, from a point array of it.

    Raises
    ------
    InputError
        If the file has no such array of one number a point.
    """
    mesh = _mesh(path)
    array = np.asarray(mesh.point_data[name], float) if name in mesh.point_data else np.zeros((0, 0))
    if array.shape != (mesh.n_points,):
        raise InputError(
            f"{path.name} has no point array {name!r} of one number a point; it has "
            f"{', '.join(mesh.point_data.keys()) or 'none'}.",
            "The thickness of the cortex is not known.",
            "Give the name of an array of a VTP or PLY file, a thickness in mm, or an endosteum.",
        )
    scale = SCALES[_unit(path, np.asarray(mesh.points, float), units)]
    return ThicknessMap(scale * np.asarray(mesh.points, float), scale * array)


def _read(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    mesh = _mesh(path)
    return np.asarray(mesh.points, float), np.asarray(mesh.regular_faces, np.int64).reshape(-1, 3)


def _mesh(path: Path) -> Any:
    import pyvista

    # VTK tells what it dislikes through the root logger and a warning of PyVista, and returns what it has.
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            mesh = pyvista.read(path).extract_surface(algorithm=None).triangulate()
    except (RuntimeError, ValueError, OSError, TypeError, AttributeError) as error:
        raise InputError(f"{path} cannot be read: {error}", "It may be damaged.", "Export it again.") from error
    finally:
        logging.disable(disabled)
    if mesh.n_cells == 0 or any("while reading" in str(one.message) for one in told):
        raise InputError(
            f"{path} cannot be read: it holds {mesh.n_cells or 'no'} triangles that can be understood.",
            "It is empty, cut short, damaged, or of another type than its name says.",
            "Export it again.",
        )
    return mesh


def _anatomy(outer: Surface, kind: str, side: str | None, name: str) -> Anatomy:
    try:
        return find_anatomy(outer.points, outer.triangles, kind, side)
    except (ArithmeticError, IndexError, ValueError) as error:
        # Fits and searches on a shape that has none of what is looked for end in many ways.
        raise GeometryError(
            f"{name} does not have the shape of a {kind}: its landmarks cannot be found.",
            "Loads, lesions and devices are placed by them.",
            "Give a whole bone, and name the right one.",
        ) from error
