"""From an arrangement of solids to one conforming mesh: the mesher's front door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.mesh._gather_kernels import borders
from femsim.mesh.base import base
from femsim.mesh.mesh import Mesh
from femsim.mesh.quality import check
from femsim.mesh.reference import compartment_volumes
from femsim.mesh.report import layer_notes, outer_notes, reference_volume, volume_notes
from femsim.mesh.size import MeshSize
from femsim.mesh.surface import Surface
from femsim.mesh.thin import check_leaks, homogenised, lumen_of, wall_fractions
from femsim.mesh.topology import neighbours
from femsim.mesh.variant import Made, variant
from femsim.solid.arrangement import Arrangement
from femsim.solid.base import Solid
from femsim.store import Store


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
        Folder that keeps the meshes of bones before lesions and devices are cut in, by content; by default that of
        `femsim.store`.
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
        If `fine`, `thin` or `layers` names no solid, or the domain has no bounds.
    MeshError
        If the background cannot be made, the result does not pass `check`, or a wall that was to be resolved leaks.
    """
    size = MeshSize() if size is None else size
    _check_names(arrangement)
    if not np.isfinite(np.concatenate([np.asarray(b, float) for b in arrangement.domain.bounds])).all():
        raise InputError("The domain has no bounds.", "What is meshed must end somewhere.", "Cut it to a box.")
    bone = base(arrangement, size, surface, None if cache is None else Store(cache))
    used = replace(size, near=bone.near, far=bone.far)
    skipped, notes = homogenised(arrangement, used)
    names = tuple(arrangement.solids)
    layers = [(names.index(name), arrangement.solids[name]) for name in arrangement.layers]
    others = {n: s for n, s in arrangement.solids.items() if n not in skipped and n not in arrangement.layers}
    compartments = _compartments(arrangement, others)
    wanted = {n: sum(v for m, v in compartments.items() if m >> names.index(n) & 1) for n in others}
    made = variant(
        bone, arrangement.domain, layers, [others.get(name) for name in names], compartments, size.curved
    )  # fmt: skip
    if made.straightened:
        notes.append(f"{made.straightened} elements have straighter edges than the surfaces they lie on, to stay sound")
    mesh = Mesh(
        made.points, made.cells, "tet10", names, made.mask, {}, _face_sets(names, made),
        _fractions(arrangement, skipped, wanted, made),
    )  # fmt: skip
    if bone.released:
        notes.extend(outer_notes(mesh, arrangement.domain, bone.released, used))
    notes.extend(volume_notes(mesh, wanted, used))
    notes.extend(check_leaks(mesh, arrangement.thin, used))
    notes.extend(layer_notes(mesh, {name: arrangement.solids[name] for name in arrangement.layers}, used))
    mesh = replace(mesh, notes=tuple(notes))
    check(mesh, faces=False)  # they were matched for the face sets
    return mesh


def _compartments(arrangement: Arrangement, others: Mapping[str, Solid]) -> dict[int, float]:
    """Volume of every compartment that lesions and devices make, mm3, by mask."""
    if not others:
        return {}
    names = tuple(arrangement.solids)
    bits = {names.index(name): arrangement.solids[name] for name in (*arrangement.layers, *others)}
    lower = np.min([solid.bounds[0] for solid in others.values()], axis=0)
    upper = np.max([solid.bounds[1] for solid in others.values()], axis=0)
    own = sum(1 << names.index(name) for name in others)
    found = compartment_volumes(arrangement.domain, bits, (lower, upper))
    return {mask: volume for mask, volume in found.items() if mask & own}


def _fractions(
    arrangement: Arrangement, skipped: list[str], wanted: Mapping[str, float], made: Made
) -> dict[str, NDArray[np.float64]]:
    names, result = tuple(arrangement.solids), {}
    for name in skipped:
        lumen = lumen_of(name)
        wall = arrangement.solids[name] - arrangement.solids[lumen]
        inside = (made.mask >> names.index(lumen)) & 1 == 1
        volume = reference_volume(arrangement.solids[name], arrangement.domain) - wanted[lumen]
        result[name] = wall_fractions(made.points, made.cells, inside, wall, volume)
    return result


def _face_sets(names: tuple[str, ...], made: Made) -> dict[str, NDArray[np.int64]]:
    beside = neighbours(made.cells)
    sets = {"boundary": np.stack(borders(made.mask, beside, -1), axis=1)}
    for bit, name in enumerate(names):
        sets[name] = np.stack(borders(made.mask, beside, bit), axis=1)
    return sets


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
