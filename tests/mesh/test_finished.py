"""The finished meshes: what their README says of them, and volumes with a closed form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femsim.mesh import cell_volumes, quality, read_mesh
from femsim.mesh.topology import boundary_faces

FOLDER = Path(__file__).parents[2] / "meshes"


def test_table_is_of_the_files() -> None:
    rows = [line.split("|") for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if len(row) == 9 and ".vtu" in row[1]]
    assert {row[1].strip(" `") for row in rows} == {file.name for file in FOLDER.glob("*.vtu")}
    assert len(rows) == 5
    for row in rows:
        mesh = read_mesh(FOLDER / row[1].strip(" `"))
        found = quality(mesh)
        assert (len(mesh.cells), len(mesh.points)) == (int(row[3]), int(row[4]))
        assert found.worst == pytest.approx(float(row[5]), abs=6e-4)
        assert 100 * found.above_quarter == pytest.approx(float(row[6].strip(" %")), abs=6e-3)
        printed = sorted(float(part.rsplit(":", 1)[1]) for part in row[7].split(";"))
        assert sorted(found.volumes.values()) == pytest.approx(printed, abs=0.06)


def test_volumes_are_those_of_the_shapes() -> None:
    block, tube = read_mesh(FOLDER / "sphere_in_block.vtu"), read_mesh(FOLDER / "filled_tube.vtu")
    assert cell_volumes(block).sum() == pytest.approx(1e6, rel=1e-4)
    assert cell_volumes(block)[block.inside("sphere")].sum() == pytest.approx(4 / 3 * np.pi * 10**3, rel=5e-3)
    assert cell_volumes(tube).sum() == pytest.approx(np.pi / 4 * 28**2 * 200, rel=5e-3)
    assert cell_volumes(tube)[tube.inside("pmma")].sum() == pytest.approx(np.pi / 4 * 13**2 * 200, rel=5e-3)


@pytest.mark.parametrize("name", ["femur", "humerus", "tibia"])
def test_the_cortex_of_the_bones_is_whole(name: str) -> None:
    """No face of the outer surface belongs to an element inside the endosteum but where the lesion breaks through."""
    mesh = read_mesh(FOLDER / f"{name}.vtu")
    outside = boundary_faces(mesh)[:, 0]
    holed = mesh.inside("endosteum")[outside] & ~mesh.inside("lesion")[outside]
    assert holed.mean() < 1e-3
