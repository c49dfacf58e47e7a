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


def main(source: str, target: str) -> None:
    """Do the job in `source` and write the answer to `target` in one step."""
    with np.load(source) as job:
        answer = {"remesh": remesh, "fill": fill}[str(job["task"])](job)
    part = Path(target).with_suffix(".part.npz")
    np.savez(part, **answer)
    part.replace(target)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
