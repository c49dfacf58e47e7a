"""The whole mesher on a tube: volumes, conformity, quality, hard relations, determinism."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from femsim.errors import FemsimWarning, InputError, MeshError
from femsim.mesh import (
    Mesh,
    MeshSize,
    cell_volumes,
    check,
    face_nodes,
    interface_faces,
    mesh_arrangement,
    quality,
)
from femsim.mesh.topology import neighbours
from femsim.solid import Arrangement, Capsule, Cylinder, Solid, Sphere

SIZE = MeshSize(near=1.6, far=4.0)
TUBE = Cylinder((0, 0, 0), (0, 0, 60), 12.0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def build(cache: Path, fine: tuple[str, ...] = ("lesion",), size: MeshSize = SIZE, **solids: Solid) -> Mesh:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        return mesh_arrangement(Arrangement(TUBE, solids, fine), size, cache=cache)


@pytest.fixture(scope="module")
def nested(cache: Path) -> Mesh:
    return build(
        cache,
        endosteum=Cylinder((0, 0, -5), (0, 0, 65), 7.0),
        lesion=Sphere((6, 0, 30), 9.0),
        cement=Sphere((6, 0, 30), 7.5),
    )


def test_volumes_of_curved_compartments(nested: Mesh) -> None:
    volumes = cell_volumes(nested)
    assert volumes.sum() == pytest.approx(np.pi * 144 * 60, rel=5e-3)
    inside_cement = volumes[nested.inside("cement")].sum()
    from femsim.solid import volume

    assert inside_cement == pytest.approx(volume(Sphere((6, 0, 30), 7.5) & TUBE, 0.2), rel=0.01)
    lesion = volume(Sphere((6, 0, 30), 9.0) & TUBE, 0.2)
    assert volumes[nested.inside("lesion")].sum() == pytest.approx(lesion, rel=0.01)


def test_flat_ends_stay_flat_and_the_length_is_kept(nested: Mesh) -> None:
    assert nested.points[:, 2].min() == pytest.approx(0.0, abs=0.03)
    assert nested.points[:, 2].max() == pytest.approx(60.0, abs=0.03)


def test_quality(nested: Mesh) -> None:
    found = check(nested)
    assert found.worst >= 0.1
    assert found.above_quarter >= 0.999
    assert found.jacobian > 0.1
    assert sum(found.volumes.values()) == pytest.approx(cell_volumes(nested).sum())


def test_conforming(nested: Mesh) -> None:
    beside = neighbours(nested.cells)
    outer = beside < 0
    assert np.array_equal(np.argwhere(outer), nested.face_sets["boundary"])
    # A closed surface: the area vectors of the outer faces cancel.
    nodes = face_nodes(nested, nested.face_sets["boundary"])
    a, b, c = (nested.points[nodes[:, k]] for k in range(3))
    assert np.abs(np.cross(b - a, c - a).sum(axis=0)).max() < 1e-6
    # Every mid-side node belongs to one pair of vertices only.
    pairs = {}
    for column, (i, j) in enumerate([(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)]):
        ends = np.sort(nested.cells[:, [i, j]], axis=1)
        for node, pair in zip(nested.cells[:, 4 + column].tolist(), ends.tolist(), strict=True):
            assert pairs.setdefault(node, pair) == pair


def test_interface_nodes_lie_on_their_surface(nested: Mesh) -> None:
    faces = interface_faces(nested, "cement")
    assert np.array_equal(faces, nested.face_sets["cement"])
    nodes = np.unique(face_nodes(nested, faces)[:, :3])
    off = np.abs(Sphere((6, 0, 30), 7.5).distance(nested.points[nodes]))
    # The surface is moved, by a few micrometres here, until the compartment has its volume.
    assert np.median(off) < 0.01
    assert np.quantile(off, 0.99) < 0.25


def test_cement_never_reaches_beyond_the_lesion(nested: Mesh) -> None:
    assert not (nested.inside("cement") & ~nested.inside("lesion")).any()


def test_same_case_same_mesh(cache: Path, tmp_path: Path) -> None:
    solids = {"lesion": Sphere((6, 0, 30), 8.0)}
    one = build(tmp_path / "one", **solids)
    two = build(tmp_path / "two", **solids)
    assert np.array_equal(one.points, two.points)
    assert np.array_equal(one.cells, two.cells)
    assert np.array_equal(one.compartment, two.compartment)


HARD = {
    "tangent": Sphere((8, 0, 30), 6.0),
    "coincident": Sphere((6, 0, 30), 8.0),
    "grazing": Sphere((6, 0, 30 + 8 + 5 - 1e-3), 5.0),
    "nearly touching": Sphere((6, 0, 30), 7.98),
    "tangent to the tube": Sphere((6, 0, 20), 6.0),
    "wholly outside": Sphere((60, 0, 20), 6.0),
    "around everything": Sphere((0, 0, 30), 90.0),
    "smaller than an element": Sphere((3, 0, 30.2), 0.2),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_relations_do_not_fail(cache: Path, name: str) -> None:
    mesh = build(cache, lesion=Sphere((6, 0, 30), 8.0), cement=HARD[name])
    assert quality(mesh).worst > 0.1
    inside = cell_volumes(mesh)[mesh.inside("cement")].sum()
    if name == "wholly outside":
        assert inside == 0.0
    if name == "around everything":
        assert inside == pytest.approx(cell_volumes(mesh).sum())
    if name == "coincident":
        assert np.array_equal(mesh.inside("cement"), mesh.inside("lesion"))


def test_what_is_missing_is_said(cache: Path) -> None:
    solids = {"lesion": Sphere((6, 0, 30), 8.0), "speck": Sphere((-6.3, 0, 10.2), 0.4)}
    with pytest.warns(FemsimWarning, match="speck"):
        mesh = mesh_arrangement(Arrangement(TUBE, solids, ("lesion",)), SIZE, cache=cache)
    assert any("speck" in note for note in mesh.notes)


def test_thin_wall_is_homogenised_and_said(cache: Path) -> None:
    outer, lumen = (Capsule((3, 0, 20), (3, 0, 40), r) for r in (2.5, 2.2))
    solids = {"lesion": Sphere((6, 0, 30), 8.0), "catheter_1": outer, "catheter_1_lumen": lumen}
    arrangement = Arrangement(TUBE, solids, ("lesion",), {"catheter_1": 0.3})
    with pytest.warns(FemsimWarning, match="homogenised"):
        mesh = mesh_arrangement(arrangement, SIZE, cache=cache)
    assert mesh.inside("catheter_1_lumen").any()
    assert not mesh.inside("catheter_1").any()


def test_wanted_number_of_elements(cache: Path) -> None:
    mesh = build(cache, size=MeshSize(elements=12_000), lesion=Sphere((6, 0, 30), 8.0))
    assert len(mesh.cells) == pytest.approx(12_000, rel=0.35)


def test_unknown_names_are_refused(cache: Path) -> None:
    with pytest.raises(InputError, match="nothing"):
        mesh_arrangement(Arrangement(TUBE, {"lesion": Sphere((0, 0, 30), 5.0)}, ("nothing",)), SIZE)


def test_unbounded_domain_is_refused() -> None:
    with pytest.raises(InputError, match="bounds"):
        mesh_arrangement(Arrangement(~TUBE, {}), SIZE)


@pytest.mark.parametrize(
    "bad", [{"near": 0.0}, {"far": -1.0}, {"near": 5.0, "far": 4.0}, {"elements": 3}, {"near": np.nan}]
)
def test_impossible_sizes_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError):
        MeshSize(**bad)  # type: ignore[arg-type]


def test_gate_names_the_place() -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0.3, 0.3, 1e-3]], float)
    flat = Mesh(points, np.array([[0, 1, 2, 3]]), "tet4", (), np.zeros(1, np.int64))
    with pytest.raises(MeshError, match="element 0 at"):
        check(flat)
    turned = Mesh(points, np.array([[1, 0, 2, 3]]), "tet4", (), np.zeros(1, np.int64))
    assert quality(turned).worst < 0
    with pytest.raises(MeshError):
        check(Mesh(points * np.nan, np.array([[0, 1, 2, 3]]), "tet4", (), np.zeros(1, np.int64)))
    with pytest.raises(MeshError):
        check(Mesh(points, np.zeros((0, 4), np.int64), "tet4", (), np.zeros(0, np.int64)))
