"""Stages of a comparison that are found again by content: the bone in memory, the mesh in the store on disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from femsim import mesh, store
from femsim.mesh import Mesh, MeshSize
from femsim.mesh.base import source
from femsim.solid import Arrangement, Solid
from femsim.study.setup import Setup


def arrangement_mesh(setup: Setup, size: MeshSize) -> Mesh:
    """The mesh of all solids of a comparison, from the store where it has been made before."""
    surface = setup.bone.surface
    parts = (_content(setup.arrangement), _content(size), *(() if surface is None else surface))

    def make() -> Mapping[str, Any]:
        return packed(mesh.mesh_arrangement(setup.arrangement, size, surface=surface))

    return unpacked(store.remember("mesh", parts, make, recipe=source()))


def _content(value: Any) -> Any:
    """Plain data that says what an arrangement or a size holds, in the order in which it is used."""
    if isinstance(value, Solid):
        return value.key()
    if dataclasses.is_dataclass(value) and isinstance(value, (Arrangement, MeshSize)):
        return [(field.name, _content(getattr(value, field.name))) for field in dataclasses.fields(value)]
    if isinstance(value, Mapping):
        return [(name, _content(one)) for name, one in value.items()]
    if isinstance(value, (tuple, list)):
        return [_content(one) for one in value]
    return value


def packed(made: Mesh) -> dict[str, Any]:
    """A mesh as arrays."""
    arrays: dict[str, Any] = {
        "points": made.points,
        "cells": made.cells,
        "kind": np.array(made.kind),
        "solids": np.array(made.solids, dtype=str),
        "compartment": made.compartment,
        "notes": np.array(made.notes, dtype=str),
    }
    arrays |= {f"fractions/{name}": share for name, share in made.fractions.items()}
    arrays |= {f"node_sets/{name}": nodes for name, nodes in made.node_sets.items()}
    return arrays | {f"face_sets/{name}": faces for name, faces in made.face_sets.items()}


def unpacked(arrays: Mapping[str, Any]) -> Mesh:
    """The mesh of `packed` arrays."""

    def sets(kind: str) -> dict[str, Any]:
        return {name.removeprefix(kind): array for name, array in arrays.items() if name.startswith(kind)}

    return Mesh(
        points=arrays["points"],
        cells=arrays["cells"],
        kind=str(arrays["kind"]),
        solids=tuple(str(name) for name in arrays["solids"]),
        compartment=arrays["compartment"],
        node_sets=sets("node_sets/"),
        face_sets=sets("face_sets/"),
        fractions=sets("fractions/"),
        notes=tuple(str(note) for note in arrays["notes"]),
    )
