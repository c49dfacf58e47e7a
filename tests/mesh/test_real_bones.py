"""Bones of files whose coarse facets look like sharp edges: the mesher has to answer."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from femsim.anatomy import LesionPlan, bone_from_surfaces, place_lesion
from femsim.errors import FemsimWarning
from femsim.mesh import MeshSize, face_nodes, mesh_arrangement, quality
from femsim.mesh.base import base
from femsim.solid import Arrangement, SweptTube
from femsim.store import Store

FILE = Path(__file__).parents[2] / "../shared/data/humerus_lowres/humerus_rv_mm.stl"


@pytest.fixture(scope="module")
def arrangement():
    if not FILE.is_file():
        pytest.skip(f"{FILE.name} is not there")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        bone = bone_from_surfaces(FILE, kind="humerus", thickness=2.0)
        lesion = place_lesion(bone, LesionPlan(site="shaft_middle", diameter=14.0))
    low, high = (at * bone.length for at in lesion.span)
    line = bone.centreline.point(np.linspace(low - 20.0, high + 20.0, 15) / bone.length)
    solids = {"endosteum": bone.endosteum, "lesion": lesion.solid, "lumen": SweptTube(line, 1.25)}
    fine = ("lesion", "lumen")
    return bone, Arrangement(bone.periosteum, solids, fine, layers=("endosteum",), slender={"lumen": 2.5})


def test_sharp_facets_are_let_go_where_nothing_else_helps(arrangement, tmp_path):
    """Without the bone's own triangles its surface is extracted from a grid, which folds at such facets."""
    bone, solids = arrangement
    size = MeshSize(near=5.0, far=9.0)
    mesh = mesh_arrangement(solids, size, cache=tmp_path)
    found = quality(mesh)
    assert found.worst >= 0.1
    assert found.above_quarter >= 0.999
    assert base(solids, size, held=Store(tmp_path)).released > 0
    assert any("sharp edges" in note for note in mesh.notes)
    # what was let go must not have left the bone
    outer = np.unique(face_nodes(mesh, mesh.face_sets["boundary"])[:, :3])
    off = np.abs(bone.periosteum.distance(mesh.points[outer]))
    assert np.quantile(off, 0.99) < 0.25
    assert off.max() < 1.5
