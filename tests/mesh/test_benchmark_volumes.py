"""How the benchmark judges volumes: its reference, and that what is thick is judged whatever a mesh reports."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from femsim.errors import FemsimWarning
from femsim.mesh import Mesh, MeshSize, mesh_arrangement
from femsim.solid import Arrangement, Box, Capsule, Cylinder, Sphere

BLOCK = Box(np.zeros(3), np.full(3, 40.0))


@pytest.fixture(scope="module")
def volumes() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        yield importlib.import_module("mesher_volumes")


def ball(radius: float) -> float:
    return 4.0 / 3.0 * np.pi * radius**3


def test_reference(volumes: ModuleType) -> None:
    """Closed forms of a thin cylinder, of two that cross, and of a ball close under another surface."""
    tilted = Cylinder((-10.1, 0.0, 0.1), (10.2, 3.0, 2.0), 1.5)
    length = float(np.linalg.norm(tilted.end - tilted.start))
    crossing = {"one": Cylinder((-20, 0, 0), (20, 0, 0), 3.0), "other": Cylinder((0, -20, 0), (0, 20, 0), 3.0)}
    shell = {"one": Sphere((0.1, 0.2, 0.3), 5.0), "other": Sphere((0.1, 0.2, 0.3), 4.9)}
    for solids, mask, true, thickness in (
        ({"one": tilted}, 1, np.pi * 1.5**2 * length, 3.0),
        (crossing, 3, 144.0, 6.0),
        (shell, 3, ball(4.9), 9.8),
    ):
        found = volumes.reference(Arrangement(BLOCK, solids, tuple(solids)), list(solids))[mask]
        assert found.volume == pytest.approx(true, rel=5e-3)
        assert found.ball == pytest.approx(thickness, abs=0.1)


@pytest.fixture(scope="module")
def rods(tmp_path_factory: pytest.TempPathFactory) -> tuple[Arrangement, Mesh]:
    """A rod of 3 mm and one of 1 mm that crosses a ball."""
    solids = {
        "ball": Sphere((0.0, 0.0, 0.0), 6.0),
        "thick": Capsule((-8.0, 9.0, 0.0), (8.0, 9.0, 0.0), 1.5),
        "thin": Capsule((0.0, 0.0, -8.0), (0.5, 0.0, 8.0), 0.5),
    }
    drawn = Arrangement(BLOCK, solids, tuple(solids), region=Box(np.zeros(3), np.full(3, 24.0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        return drawn, mesh_arrangement(drawn, MeshSize(near=1.8, far=6.0), cache=tmp_path_factory.mktemp("cache"))


def test_a_thick_compartment_of_a_reported_solid_is_judged(volumes: ModuleType, rods: tuple[Arrangement, Mesh]) -> None:
    drawn, made = rods
    assert volumes.judged(drawn, made).alone == 0
    noted = replace(made, notes=(*made.notes, "thick: so it says"))
    assert volumes.judged(drawn, noted).alone == 1
    assert volumes.judged(drawn, noted).error < 0.01
    # 5 % of it gone: the note must not hide that.
    rows = np.flatnonzero(made.inside("thick"))
    mask = made.compartment.copy()
    mask[rows[:: len(rows) // (len(rows) // 20)]] = 0
    found = volumes.judged(drawn, replace(noted, compartment=mask))
    assert 0.02 < found.error < 0.1
    assert found.worst.startswith("thick")


def test_a_thin_compartment_of_a_reported_solid_is_merged(volumes: ModuleType, rods: tuple[Arrangement, Mesh]) -> None:
    """The ball has what the thin rod lost in it, and nothing else."""
    drawn, made = rods
    mask = np.where(made.compartment == 0b101, 0b001, np.where(made.compartment == 0b100, 0, made.compartment))
    lost = replace(made, compartment=mask, notes=("thin: not in the mesh",))
    found = volumes.judged(drawn, lost)
    assert found.thin == 2
    assert 0.9 < found.thinnest < 1.2
    assert found.error < 0.01
    assert found.count == 2
    silent = volumes.judged(drawn, replace(lost, notes=()))
    assert silent.silent.startswith("thin")
    assert silent.error > 0.01
