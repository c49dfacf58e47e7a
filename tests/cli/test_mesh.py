"""femsim mesh: figures printed, file written, bad targets refused before anything is meshed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from femsim.cli import main
from femsim.mesh import cell_volumes, read_mesh

CASE = """
load = "axial_compression"
[bone]
kind = "tube"
length = 80
[lesion]
position = 50
diameter = 16
[mesh]
near = 3
far = 6
[strategies.untreated]
[strategies.cement]
"""


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "case.toml"
    path.write_text(CASE)
    return path


def test_figures_are_those_of_the_file(case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tube.msh"
    assert main(["mesh", str(case), "-o", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    mesh = read_mesh(out)
    assert told["cells"] == len(mesh.cells)
    assert told["quality"]["worst_sicn"] >= 0.1
    assert sum(told["volumes_mm3"].values()) == pytest.approx(cell_volumes(mesh).sum())
    assert sum(told["volumes_mm3"].values()) == pytest.approx(np.pi * 14**2 * 80, rel=5e-3)
    assert main(["mesh", str(case), "-o", str(tmp_path / "tube.vtu")]) == 0
    assert "SICN worst" in capsys.readouterr().out


def test_a_target_that_cannot_be_written_is_refused_first(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mesh", str(case), "-o", str(tmp_path / "tube.docx")]) != 0
    assert "ending" in capsys.readouterr().err
