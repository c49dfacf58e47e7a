"""Variants of one bone: what they share, walls, leaks, gate."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from femsim.errors import FemsimWarning, GeometryError, MeshError
from femsim.mesh import Mesh, MeshSize, cell_volumes, mesh_arrangement, quality
from femsim.mesh.reference import compartment_volumes
from femsim.mesh.thin import check_leaks
from femsim.solid import Arrangement, Box, Capsule, Cylinder, Solid, Sphere
from femsim.solid.base import Bounds

BONE = Cylinder((0, 0, 0), (0, 0, 120), 12.0)
CANAL = Cylinder((0, 0, -5), (0, 0, 125), 7.0)
SIZE = MeshSize(near=2.0, far=5.0)
#: Where the variants differ; nothing outside may.
REGION = Cylinder((0, 0, 40), (0, 0, 80), 16.0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def build(cache: Path, size: MeshSize = SIZE, thin: Mapping[str, float] | None = None, **solids: Solid) -> Mesh:
    whole = {"endosteum": CANAL, **solids}
    arrangement = Arrangement(BONE, whole, tuple(solids), thin or {}, ("endosteum",), REGION)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        return mesh_arrangement(arrangement, size, cache=cache)


def test_variants_share_every_element_away_from_their_cuts(cache: Path) -> None:
    small = build(cache, lesion=Sphere((8, 0, 60), 7.0))
    large = build(cache, lesion=Sphere((8, 0, 58), 10.0), cement=Sphere((8, 0, 58), 8.0))
    away = []
    for mesh in (small, large):
        z = mesh.points[mesh.cells][:, :, 2]
        away.append((z.max(axis=1) < 38.0) | (z.min(axis=1) > 82.0))
    assert away[0].sum() > 1000
    # The same cells, under the same numbers, of the same nodes, at the same places to the last bit, curved nodes too.
    rows = np.flatnonzero(away[0])
    assert np.array_equal(rows, np.flatnonzero(away[1]))
    assert np.array_equal(small.cells[rows], large.cells[rows])
    assert np.array_equal(small.points[small.cells[rows]], large.points[large.cells[rows]])
    assert np.array_equal(small.compartment[rows], large.compartment[rows])


def test_a_variant_does_not_depend_on_what_was_meshed_before(cache: Path, tmp_path: Path) -> None:
    solids = {"lesion": Sphere((8, 0, 60), 8.0)}
    one, two = build(cache, **solids), build(tmp_path, **solids)
    assert np.array_equal(one.points, two.points)
    assert np.array_equal(one.cells, two.cells)


def test_only_used_nodes_and_sound_cells(cache: Path) -> None:
    mesh = build(cache, lesion=Sphere((12, 0, 60), 7.0), screw=Cylinder((-20, 0, 60), (20, 0, 60), 2.0))
    assert len(np.unique(mesh.cells)) == len(mesh.points)
    assert cell_volumes(mesh).min() > 0
    assert cell_volumes(mesh).sum() == pytest.approx(np.pi * 144 * 120, rel=2e-3)


def test_volumes_of_all_compartments(cache: Path) -> None:
    """Against closed forms: a screw through canal and cortex, a lesion inside the canal."""
    mesh = build(cache, screw=Cylinder((-20, 0, 70), (20, 0, 70), 2.5), lesion=Sphere((0, 0, 52), 5.0))
    volume = cell_volumes(mesh)
    canal, screw = mesh.inside("endosteum"), mesh.inside("screw")
    assert volume[mesh.inside("lesion")].sum() == pytest.approx(4 / 3 * np.pi * 125, rel=5e-3)
    # Two cylinders that cross at right angles: the chord of the larger, summed over the smaller's section.
    y = (np.arange(4000) + 0.5) / 4000 * 5.0 - 2.5
    height = 2 * np.sqrt(2.5**2 - y**2) * 5.0 / 4000

    def crossing(radius: float) -> float:
        return float((2 * np.sqrt(radius**2 - y**2) * height).sum())

    assert volume[screw & canal].sum() == pytest.approx(crossing(7.0), rel=0.01)
    assert volume[screw & ~canal].sum() == pytest.approx(crossing(12.0) - crossing(7.0), rel=0.01)


def test_thin_cortex_is_kept_or_its_loss_is_said(tmp_path: Path) -> None:
    canal = Cylinder((0, 0, -5), (0, 0, 45), 11.0)
    bone = Cylinder((0, 0, 0), (0, 0, 40), 12.0)

    def meshed(size: MeshSize) -> Mesh:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FemsimWarning)
            return mesh_arrangement(
                Arrangement(bone, {"endosteum": canal}, layers=("endosteum",)), size, cache=tmp_path
            )

    kept = meshed(MeshSize(near=2.0, far=5.0))
    cortex = cell_volumes(kept)[~kept.inside("endosteum")].sum()
    assert cortex == pytest.approx(np.pi * (144 - 121) * 40, rel=0.02)
    assert not any("endosteum" in note for note in kept.notes)
    lost = meshed(MeshSize(near=9.0, far=12.0, layers=False))
    assert any("layer over endosteum" in note and "merged" in note for note in lost.notes)


def catheter(wall: float) -> dict[str, Solid]:
    ends = (0.0, 0.0, 48.0), (0.0, 0.0, 72.0)
    return {"catheter_1": Capsule(*ends, 2.5), "catheter_1_lumen": Capsule(*ends, 2.5 - wall)}


@pytest.mark.parametrize("wall", [0.5, 0.3])
def test_a_wall_is_resolved_where_that_is_asked(tmp_path: Path, wall: float) -> None:
    mesh = build(tmp_path, replace(SIZE, walls="resolve"), {"catheter_1": wall}, **catheter(wall))
    volume = cell_volumes(mesh)
    inner, outer = mesh.inside("catheter_1_lumen"), mesh.inside("catheter_1")

    def capsule(r: float) -> float:
        return float(np.pi * r * r * (24 + 4 / 3 * r))

    assert volume[inner].sum() == pytest.approx(capsule(2.5 - wall), rel=0.01)
    assert volume[outer & ~inner].sum() == pytest.approx(capsule(2.5) - capsule(2.5 - wall), rel=0.03)
    assert not (inner & ~outer).any()
    assert not mesh.fractions
    assert check_leaks(mesh, {"catheter_1": wall}, SIZE) == []


def test_a_homogenised_wall_keeps_its_volume(cache: Path) -> None:
    mesh = build(cache, SIZE, {"catheter_1": 0.3}, **catheter(0.3))
    share = mesh.fractions["catheter_1"]
    assert not mesh.inside("catheter_1").any()
    wall = np.pi * (2.5**2 * (24 + 4 / 3 * 2.5) - 2.2**2 * (24 + 4 / 3 * 2.2))
    assert (share * cell_volumes(mesh)).sum() == pytest.approx(wall, rel=0.01)
    assert share.min() >= 0.0
    assert share.max() <= 1.0
    # It lies around the lumen, and nowhere in it.
    assert not share[mesh.inside("catheter_1_lumen")].any()
    middle = mesh.points[mesh.cells[share > 0]].mean(axis=1)
    assert np.hypot(middle[:, 0], middle[:, 1]).max() < 4.5


def test_a_slender_column_is_whole(tmp_path: Path) -> None:
    """Without its width the column of a 3 mm lumen has necks at elements of 2.2 mm; with it every section is full."""
    lumen = Capsule((1.3, 0.4, 30), (2.1, 1.2, 90), 1.5)
    arrangement = Arrangement(BONE, {"lumen": lumen}, ("lumen",), region=REGION, slender={"lumen": 3.0})
    mesh = mesh_arrangement(arrangement, MeshSize(near=2.2, far=5.0), cache=tmp_path)
    inside = mesh.inside("lumen")
    centres, volume = mesh.points[mesh.cells[inside, :4]].mean(axis=1), cell_volumes(mesh)[inside]
    slabs = np.histogram(centres[:, 2], np.arange(34.0, 87.0, 4.0), weights=volume)[0]
    full = 4.0 * np.pi * 1.5**2
    assert slabs.min() > 0.75 * full  # cells are counted by their centres, so a slab wins or loses some at its ends
    assert volume.sum() == pytest.approx(lumen_volume(3.0, 60.0), rel=0.01)


def lumen_volume(diameter: float, length: float) -> float:
    return float(np.pi / 4 * diameter**2 * length + np.pi / 6 * diameter**3)


def test_a_leak_is_found_and_closes_the_gate(cache: Path) -> None:
    mesh = build(cache, replace(SIZE, walls="resolve"), {"catheter_1": 1.2}, **catheter(1.2))
    # Take the wall away on one side of the lumen.
    bit = 1 << mesh.solids.index("catheter_1")
    inner = mesh.inside("catheter_1_lumen")
    side = mesh.points[mesh.cells].mean(axis=1)[:, 0] > 0
    holed = replace(mesh, compartment=np.where(side & ~inner, mesh.compartment & ~bit, mesh.compartment))
    with pytest.warns(FemsimWarning, match="no wall"):
        (note,) = check_leaks(holed, {"catheter_1": 1.2}, SIZE)
    assert 40.0 < float(note.split(":")[1].split("%")[0]) < 60.0
    with pytest.raises(MeshError, match="no wall"):
        check_leaks(holed, {"catheter_1": 1.2}, replace(SIZE, walls="resolve"))


class Broken(Solid):
    """A solid that gives no distance in one half of itself."""

    def distance(self, points: np.ndarray) -> np.ndarray:
        value = Sphere((8, 0, 60), 8.0).distance(points)
        return np.where(np.asarray(points)[:, 2] > 60, np.nan, value)

    @property
    def bounds(self) -> Bounds:
        return Sphere((8, 0, 60), 8.0).bounds

    def key(self) -> str:
        return "broken"


def test_a_solid_without_distances_is_refused_with_its_place(cache: Path) -> None:
    with pytest.raises(GeometryError, match=r"no distance at \("):
        build(cache, lesion=Broken())


NASTY: dict[str, dict[str, Solid]] = {
    "covers everything": {"lesion": Sphere((0, 0, 60), 200.0)},
    "lies outside": {"lesion": Sphere((90, 0, 60), 8.0)},
    "touches from outside": {"lesion": Sphere((22, 0, 60), 10.0)},
    "three times the same": {name: Sphere((8, 0, 60), 8.0) for name in ("lesion", "cement", "again")},
    "the bone itself": {"lesion": BONE},
    "the canal itself": {"lesion": CANAL},
    "slice of a hundredth": {"lesion": Box((-20, -20, 60), (20, 20, 60.01))},
    "slice of a tenth": {"lesion": Box((-20, -20, 60), (20, 20, 60.1))},
    "needle": {"lesion": Cylinder((-20, 0, 60), (20, 0, 60), 0.05)},
    "crossing planes": {"lesion": Box((-20, -20, 50), (20, 20, 60)), "cement": Box((-20, 0.001, 55), (20, 20, 65))},
    "ten spheres in a point": {f"s{i}": Sphere((8 + 0.01 * i, 0.02 * i, 60), 7.0) for i in range(10)},
    "two shells": {f"s{i}": Sphere((8, 0, 60), 8.0 - 0.2 * i) for i in range(2)},
    "shells": {f"s{i}": Sphere((8, 0, 60), 8.0 - 0.2 * i) for i in range(4)},
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n == "shells" else ()) for n in NASTY])
def test_nasty_arrangements_are_meshed(cache: Path, name: str) -> None:
    mesh = build(cache, **NASTY[name])
    found = quality(mesh)
    assert found.worst >= 0.1
    assert found.jacobian > 0
    assert cell_volumes(mesh).sum() == pytest.approx(np.pi * 144 * 120, rel=3e-3)
    if name == "three times the same":
        assert np.array_equal(mesh.inside("lesion"), mesh.inside("again"))
    if name in ("covers everything", "the bone itself"):
        assert mesh.inside("lesion").all()
    if name == "the canal itself":
        # Flat cells with all vertices on the surface may fall to either side.
        apart = mesh.inside("lesion") != mesh.inside("endosteum")
        assert cell_volumes(mesh)[apart].sum() < 1e-3 * np.pi * 49 * 120


def test_reference_volumes_of_nested_and_equal_spheres() -> None:
    large, small = Sphere((0, 0, 60), 9.0), Sphere((0, 0, 60), 6.0)
    found = compartment_volumes(BONE, {0: large, 1: small, 2: small}, large.bounds)

    def ball(r: float) -> float:
        return float(4 / 3 * np.pi * r**3)

    assert found[1] == pytest.approx(ball(9) - ball(6), rel=3e-3)
    assert found[7] == pytest.approx(ball(6), rel=5e-3)
    assert sum(v for m, v in found.items() if m not in (0, 1, 7)) < 1e-9
