"""From an arrangement of solids to one conforming mesh: the mesher's front door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from femsim.errors import InputError
from femsim.mesh.background import Background, background
from femsim.mesh.cut import Cells, cut
from femsim.mesh.improve import improve
from femsim.mesh.mesh import Mesh
from femsim.mesh.promote import curved, to_tet10
from femsim.mesh.quality import cell_volumes, check, quality
from femsim.mesh.report import layer_notes, references, shifts, volume_notes
from femsim.mesh.size import MeshSize, size_field
from femsim.mesh.surface import Surface
from femsim.mesh.thin import homogenised
from femsim.mesh.topology import neighbours
from femsim.solid.arrangement import Arrangement
from femsim.solid.base import Solid
from femsim.solid.boolean import Offset

#: Vertices closer to a surface than this share of `near` lie on it; crossings are found to a tenth of that.
ON = 1e-3


def mesh_arrangement(
    arrangement: Arrangement,
    size: MeshSize | None = None,
    *,
    cache: Path | None = None,
    surface: Surface | None = None,
) -> Mesh:
    """One conforming tet10 mesh of a domain, cut by the surface of every solid.

    Parameters
    ----------
    arrangement : Arrangement
        What to mesh. The domain must be bounded.
    size : MeshSize, optional
        Edge lengths; 1.6 mm near the fine solids and 4 mm far away by default.
    cache : Path, optional
        Folder that keeps background meshes, by content.
    surface : (points (p, 3), triangles (t, 3)), optional
        Closed outward triangles of the domain, where they are known; otherwise extracted from its distance.

    Returns
    -------
    Mesh
        With face sets ``"boundary"`` and one of every solid's name (its surface inside the domain, seen from
        inside), and notes on what was homogenised, missing or off in volume.

    Raises
    ------
    InputError
        If `fine` or `thin` names no solid.
    MeshError
        If the background cannot be made or the result does not pass `check`.
    """
    size = MeshSize() if size is None else size
    _check_names(arrangement)
    box = (np.asarray(arrangement.domain.bounds[0], float), np.asarray(arrangement.domain.bounds[1], float))
    if not np.isfinite(np.concatenate(box)).all():
        raise InputError("The domain has no bounds.", "What is meshed must end somewhere.", "Cut it to a box.")
    field, used = size_field(arrangement, size, box)
    base = background(arrangement.domain, field, surface, cache)
    skipped, notes = homogenised(arrangement, used)
    names = tuple(arrangement.solids)
    surfaces: list[Solid | None] = [None if name in skipped else arrangement.solids[name] for name in names]
    wanted = references(arrangement.domain, dict(zip(names, surfaces, strict=True)))
    mesh = _cut_all(arrangement.domain, names, surfaces, base, used)
    moved = shifts(mesh, wanted, used)
    if moved:
        grown = [
            Offset(s, moved[n]) if s is not None and n in moved else s for n, s in zip(names, surfaces, strict=True)
        ]
        mesh = _nearer(mesh, _cut_all(arrangement.domain, names, grown, base, used), wanted)
    notes.extend(volume_notes(mesh, wanted, used))
    notes.extend(layer_notes(mesh, {name: arrangement.solids[name] for name in arrangement.layers}, used))
    mesh = replace(mesh, notes=(*notes, *mesh.notes))
    check(mesh)
    return mesh


def _nearer(one: Mesh, two: Mesh, wanted: Mapping[str, float]) -> Mesh:
    """The mesh whose volumes come nearer to the wanted ones, unless it is the second and much worse in shape."""
    if not wanted or quality(two).worst < min(0.1, quality(one).worst):
        return one

    def error(mesh: Mesh) -> float:
        volumes = cell_volumes(mesh)
        return sum(abs(volumes[mesh.inside(n)].sum() / v - 1.0) for n, v in wanted.items() if v > 0)

    return two if error(two) < error(one) else one


def _cut_all(
    domain: Solid, names: tuple[str, ...], surfaces: Sequence[Solid | None], base: Background, size: MeshSize
) -> Mesh:
    cells = Cells(base.points, base.cells, np.zeros(len(base.cells), np.int64), base.ridge, np.zeros(len(base.points)))
    for bit, solid in enumerate(surfaces):
        if solid is not None:
            cells = cut(cells, solid, bit, ON * size.near)
    cells = improve(cells, domain, surfaces)
    notes = []
    if size.curved:
        points, tetrahedra, straightened = curved(cells, domain, surfaces)
        if straightened:
            notes.append(f"{straightened} elements have straighter edges than the surfaces they lie on, to stay sound")
    else:
        points, tetrahedra = to_tet10(cells.points, cells.cells)
    beside = neighbours(cells.cells)
    sets = {"boundary": np.argwhere(beside < 0)}
    for bit, name in enumerate(names):
        inside = (cells.mask >> bit) & 1 == 1
        sets[name] = np.argwhere(inside[:, None] & (beside >= 0) & ~inside[beside])
    return Mesh(points, tetrahedra, "tet10", names, cells.mask, {}, sets, tuple(notes))


def _check_names(arrangement: Arrangement) -> None:
    for what, given in (("fine", arrangement.fine), ("thin", tuple(arrangement.thin)), ("layers", arrangement.layers)):
        for name in given:
            if name not in arrangement.solids:
                raise InputError(
                    f"{what} names {name!r}, which is no solid.",
                    "The mesh cannot be sized there.",
                    f"Use one of {', '.join(arrangement.solids) or 'no names (there are no solids)'}.",
                )
    if len(arrangement.solids) > 60:
        raise InputError(
            f"{len(arrangement.solids)} solids were given.",
            "A cell can remember 60.",
            "Unite solids that always get the same material.",
        )
