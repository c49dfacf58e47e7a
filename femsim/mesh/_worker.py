"""Runs gmsh and MMGS in a process of their own: ``python -m femsim.mesh._worker in.npz out.npz``.

Both are C and C++ libraries with global state that can crash or never return; the caller kills this process then.
Imports nothing of femsim but what it needs to run.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np


def remesh(job: Any) -> dict[str, Any]:
    """Triangles of the size given at their points, by MMGS. Ridges sharper than `angle` degrees are kept."""
    import mmgpy

    mesh = mmgpy.MmgMeshS(np.ascontiguousarray(job["points"]), np.ascontiguousarray(job["triangles"], np.int32))
    sizes = np.ascontiguousarray(job["sizes"], np.float64).reshape(-1, 1)
    mesh.set_field("metric", sizes)
    mesh.remesh(
        hausd=float(job["hausd"]),
        hgrad=float(job["gradation"]),
        hmin=float(job["shortest"]),
        hmax=float(sizes.max()),
        angle=int(job["angle"]),
        verbose=-1,
    )
    return {"points": mesh.get_vertices(), "triangles": np.asarray(mesh.get_triangles(), np.int64)}


def fill(job: Any) -> dict[str, Any]:
    """Tetrahedra inside a closed surface of triangles, by gmsh; the surface's own points come first, in order."""
    import gmsh

    gmsh.initialize(interruptible=False)
    try:
        for name, value in {
            "General.Terminal": 0,
            "General.NumThreads": 1,
            "Mesh.MaxNumThreads3D": 1,
            "Mesh.Algorithm3D": int(job["algorithm"]),
            "Mesh.Optimize": int(job["optimize"]),
            "Mesh.MeshSizeExtendFromBoundary": 0,
            "Mesh.MeshSizeFromPoints": 0,
            "Mesh.RandomSeed": 1,
        }.items():
            gmsh.option.setNumber(name, value)
        points, triangles = job["points"], job["triangles"]
        surface = gmsh.model.addDiscreteEntity(2)
        tags = np.arange(1, len(points) + 1)
        gmsh.model.mesh.addNodes(2, surface, tags, points.ravel())
        gmsh.model.mesh.addElementsByType(surface, 2, [], (triangles + 1).ravel())
        volume = gmsh.model.geo.addVolume([gmsh.model.geo.addSurfaceLoop([surface])])
        gmsh.model.geo.synchronize()
        _size(gmsh, job)
        gmsh.model.mesh.generate(3)
        return _result(gmsh, volume)
    finally:
        gmsh.finalize()


def _size(gmsh: Any, job: Any) -> None:
    fields = []
    for number in range(int(job["size_count"])):
        values = job[f"size_{number}_values"]
        with tempfile.NamedTemporaryFile("wb", suffix=".grid", delete=False) as handle:
            np.asarray(job[f"size_{number}_origin"], np.float64).tofile(handle)
            np.full(3, float(job[f"size_{number}_spacing"])).tofile(handle)
            np.asarray(values.shape, np.int32).tofile(handle)
            np.ascontiguousarray(values, np.float64).tofile(handle)
        fields.append(gmsh.model.mesh.field.add("Structured"))
        gmsh.model.mesh.field.setString(fields[-1], "FileName", handle.name)
        gmsh.model.mesh.field.setNumber(fields[-1], "TextFormat", 0)
        gmsh.model.mesh.field.setNumber(fields[-1], "SetOutsideValue", 1)
        # Outside a finer grid the first one, which holds everything, decides.
        outside = float(values.max()) if number == 0 else 1e3
        gmsh.model.mesh.field.setNumber(fields[-1], "OutsideValue", outside)
    smallest = gmsh.model.mesh.field.add("Min")
    gmsh.model.mesh.field.setNumbers(smallest, "FieldsList", fields)
    gmsh.model.mesh.field.setAsBackgroundMesh(smallest)


def _result(gmsh: Any, volume: int) -> dict[str, Any]:
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    order = np.argsort(tags)
    points = coordinates.reshape(-1, 3)[order]
    where = np.full(int(tags.max()) + 1, -1)
    where[tags[order]] = np.arange(len(tags))
    cells = where[gmsh.model.mesh.getElementsByType(4, volume)[1].astype(np.int64)].reshape(-1, 4)
    used = np.zeros(len(points), bool)
    used[cells] = True
    number = np.cumsum(used) - 1
    return {"points": points[used], "cells": number[cells]}


def write_msh(job: Any) -> dict[str, Any]:
    """Tetrahedra as a gmsh file: a volume for every compartment, a physical group for every solid and face set."""
    import gmsh

    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Mesh.SaveAll", 1)
        gmsh.option.setNumber("Mesh.Binary", 1)
        cells, mask = job["cells"], job["mask"]
        masks = np.unique(mask)
        volumes = [gmsh.model.addDiscreteEntity(3) for _ in masks]
        tags = np.arange(1, len(job["points"]) + 1)
        gmsh.model.mesh.addNodes(3, volumes[0], tags, job["points"].ravel())
        for volume, value in zip(volumes, masks, strict=True):
            members = np.flatnonzero(mask == value)
            kind = 11 if cells.shape[1] == 10 else 4
            gmsh.model.mesh.addElementsByType(volume, kind, members + 1, (cells[members] + 1).ravel())
        for bit, name in enumerate(job["names"]):
            inside = [v for v, value in zip(volumes, masks, strict=True) if int(value) >> bit & 1]
            if inside:
                gmsh.model.addPhysicalGroup(3, inside, name=str(name))
        for i, name in enumerate(job["face_names"]):
            surface = gmsh.model.addDiscreteEntity(2)
            nodes = job[f"face_{i}"]
            gmsh.model.mesh.addElementsByType(surface, 9 if nodes.shape[1] == 6 else 2, [], (nodes + 1).ravel())
            gmsh.model.addPhysicalGroup(2, [surface], name=str(name))
        gmsh.write(str(job["target_file"]))
        return {}
    finally:
        gmsh.finalize()


def read_msh(job: Any) -> dict[str, Any]:
    """Tetrahedra of a gmsh file with its physical groups, which need not hold all of them; nodes in gmsh's order."""
    import gmsh

    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.open(str(job["source_file"]))
        tags, coordinates, _ = gmsh.model.mesh.getNodes()
        where = np.full(int(tags.max()) + 1, -1)
        where[tags.astype(np.int64)] = np.arange(len(tags))
        kind = 11 if 11 in gmsh.model.mesh.getElementTypes(3) else 4
        width = 10 if kind == 11 else 4
        start, blocks, count = {}, [], 0
        for _, entity in gmsh.model.getEntities(3):
            nodes = where[gmsh.model.mesh.getElementsByType(kind, entity)[1].astype(np.int64)].reshape(-1, width)
            start[entity] = np.arange(count, count + len(nodes))
            blocks.append(nodes)
            count += len(nodes)
        result = {
            "points": coordinates.reshape(-1, 3),
            "cells": np.concatenate(blocks) if blocks else np.zeros((0, width), np.int64),
        }
        names: list[str] = []
        face_names: list[str] = []
        for dimension, group in gmsh.model.getPhysicalGroups():
            name = gmsh.model.getPhysicalName(dimension, group) or f"group_{dimension}_{group}"
            entities = gmsh.model.getEntitiesForPhysicalGroup(dimension, group)
            if dimension == 3:
                result[f"group_{len(names)}"] = np.concatenate([start[e] for e in entities])
                names.append(name)
            elif dimension == 2:
                width, kind = (6, 9) if 9 in gmsh.model.mesh.getElementTypes(2) else (3, 2)
                faces = [gmsh.model.mesh.getElementsByType(kind, e)[1].astype(np.int64) for e in entities]
                result[f"face_{len(face_names)}"] = where[np.concatenate(faces)].reshape(-1, width)
                face_names.append(name)
        return result | {"names": np.array(names, str), "face_names": np.array(face_names, str)}
    finally:
        gmsh.finalize()


def sicn_msh(job: Any) -> dict[str, Any]:
    """Signed inverse condition number of the tetrahedra of a file, by gmsh's own code, in the order of their tags."""
    import gmsh

    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.open(str(job["source_file"]))
        tags, _ = gmsh.model.mesh.getElementsByType(4)
        return {"sicn": np.asarray(gmsh.model.mesh.getElementQualities(np.sort(tags), "minSICN"))}
    finally:
        gmsh.finalize()


TASKS = {"remesh": remesh, "fill": fill, "write_msh": write_msh, "read_msh": read_msh, "sicn_msh": sicn_msh}


def main(source: str, target: str) -> None:
    """Do the job in `source` and write the answer to `target` in one step."""
    with np.load(source) as job:
        answer = TASKS[str(job["task"])](job)
    part = Path(target).with_suffix(".part.npz")
    np.savez(part, **answer)
    part.replace(target)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
