"""The non-linear failure load from the case to the table, the fields and the files."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import femsim as fs
from femsim.case import Mesh, Tube
from femsim.fields import FIELDS
from femsim.report import write
from femsim.study import Progress, compare
from femsim.treatment import Untreated

pytestmark = pytest.mark.slow  # half a minute of path following


@pytest.fixture(scope="module")
def table():
    case = fs.Case(
        bone=Tube(length=110.0),
        lesion=fs.Lesion(site="shaft_middle", diameter=18.0),
        load="bending_frontal",
        mesh=Mesh(near=4.5, far=6.0),
    )
    return compare(case, {"untreated": Untreated()}, nonlinear=True, progress=Progress(show=False))


def test_intact_tube_fails_between_first_yield_and_its_plastic_moment(table):
    """Beam theory bounds it: yield stress times I / c from below, the larger strength times the plastic modulus."""
    intact = table["intact"].curve
    outer, inner = 28.0, 13.0
    modulus = math.pi / 32.0 * (outer**4 - inner**4) / outer
    plastic = (outer**3 - inner**3) / 6.0
    assert intact.peak_reached
    assert intact.peak * 1000.0 > 0.0073 * 17000.0 * modulus
    assert intact.peak * 1000.0 < 193.0 * plastic
    # equal where it breaks before 5 % of the stiffness is lost
    assert intact.peak >= intact.yield_load > intact.load[1]


def test_lesion_weakens_and_nonlinear_is_above_linear(table):
    frame = table.frame
    assert frame.nonlinear_failure_moment["untreated"] < 0.8 * frame.nonlinear_failure_moment["intact"]
    assert (frame.nonlinear_failure_moment > frame.failure_moment).all()
    assert (frame.energy_to_peak > 0.0).all()
    assert frame.nonlinear_failure_place["untreated"].startswith("cortical bone")
    assert frame.nonlinear_failure_kind["untreated"] == "tension"


def test_first_slope_is_the_linear_stiffness(table):
    for one in table:
        assert one.curve.stiffness == pytest.approx(one.metrics["torsional_stiffness"], rel=1e-4)


def test_damage_lies_at_the_lesion_and_nowhere_under_the_loads(table):
    damage = table["untreated"].fields["damage"]
    assert 0.0 < damage.max() <= 1.0
    place = table.mesh.points[table.mesh.cells[:, :4]].mean(axis=1)[damage > 0.1]
    assert (np.abs(place[:, 2] - 55.0) < 18.0).all()
    assert damage[table["untreated"].fields["excluded"] == 1].max() == 0.0


def test_every_column_is_declared_and_the_curve_is_written(table, tmp_path):
    row = table["untreated"].metrics
    new = [name for name in row if name.startswith(("nonlinear", "yield_", "energy_to"))]
    assert len(new) == 6
    assert set(new) <= set(FIELDS)
    write(table, tmp_path / "out", figures=False)
    written = next((tmp_path / "out" / "cases").glob("untreated-*"))
    header, *lines = (written / "curve.csv").read_text().splitlines()
    assert header == "displacement [deg],load [N m]"
    assert len(lines) == len(table["untreated"].curve.load)
    assert json.loads((written / "metrics.json").read_text())["metrics"]["nonlinear_peak_reached"] == "yes"
