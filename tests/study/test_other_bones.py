"""From case to table on humerus and tibia, made and real: what is printed about the lesion against closed forms.

The wall of the real humerus is 2 mm everywhere, so that its lesion is a ball in a flat layer.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import femsim as fs
from femsim.case import Risk
from femsim.errors import FemsimWarning, MeshError
from femsim.study import Progress, compare

FILE = Path(__file__).parents[2] / "../shared/data/humerus_lowres/humerus_rv_mm.stl"
DIAMETER, DEPTH = 14.0, 6.0
COARSE = fs.Mesh(near=5.0, far=9.0)


def solved(bone, load="torsion", site="shaft_middle"):
    case = fs.Case(
        bone=bone,
        lesion=fs.Lesion(site=site, diameter=DIAMETER, depth=DEPTH),
        load=load,
        mesh=COARSE,
        risk=Risk(pain="moderate"),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        return compare(case, [fs.Untreated(), fs.Cement()], progress=Progress(show=False))


@pytest.fixture(scope="module", params=["humerus", "tibia", "real humerus"])
def table(request):
    if request.param == "humerus":
        return solved(fs.Humerus())
    if request.param == "tibia":
        return solved(fs.Tibia(), load="bending_frontal")
    if not FILE.is_file():
        pytest.skip(f"{FILE.name} is not there")
    return solved(fs.SurfaceBone(periosteum=FILE, anatomy="humerus", cortical_thickness=2.0))


def wall(bone, place):
    """Thickness of the cortex below a place of the lateral outer surface, mm, from the two distances alone."""
    inward = -bone.frame.direction("lateral")
    steps = np.arange(0.0, 12.0, 0.02)
    inner = bone.endosteum.distance(place + steps[:, None] * inward)
    outer = bone.periosteum.distance(place + steps[:, None] * inward)
    return steps[np.argmax(inner < 0.0)] - steps[np.argmax(outer < 0.0)]


def width(bone, place):
    """Width of the bone at a level as seen along and across: extremes over every 15 degrees of view, mm."""
    points = bone.frame.to_local(bone.surface[0])
    triangles = bone.surface[1]
    level = bone.frame.to_local(place[None])[0, 2]
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    a, b = points[edges[:, 0]], points[edges[:, 1]]
    crosses = (a[:, 2] - level) * (b[:, 2] - level) < 0
    a, b = a[crosses], b[crosses]
    share = (level - a[:, 2]) / (b[:, 2] - a[:, 2])
    section = (a + share[:, None] * (b - a))[:, :2]
    views = np.radians(np.arange(0, 180, 15))
    seen = section @ np.array([np.cos(views), np.sin(views)])
    return np.ptp(seen, axis=0)


def test_treatments_come_in_their_order(table):
    frame = table.frame
    stiffness = frame["torsional_stiffness" if "torsional_stiffness" in frame else "stiffness"]
    failure = frame["failure_moment" if "failure_moment" in frame else "failure_load"]
    assert stiffness["untreated"] < stiffness["cement"] < stiffness["intact"]
    assert failure["untreated"] < failure["intact"]
    assert failure["cement"] < 1.02 * failure["intact"]
    for name in ("force_residual", "moment_residual", "energy_residual"):
        assert frame[name].max() < 1e-6


def test_volumes_of_lesion_and_cement(table):
    ball = np.pi * DIAMETER**3 / 6.0 / 1000.0
    volume = table.frame["lesion_volume"].iloc[0]
    cap = DIAMETER / 2 - DEPTH  # sticks out of the bone: at most as much as above a plane, and no more than 6 % of it
    outside = np.pi * cap**2 * (1.5 * DIAMETER - cap) / 3.0 / 1000.0
    assert ball - 4.0 * outside < volume < ball
    assert table.frame.loc["cement", "cement_volume"] == pytest.approx(volume, rel=0.03)


def test_involvement_of_the_cortex_is_that_of_a_ball_in_a_layer(table):
    bone, frame = table.bone, table.frame
    lesion = table.setup.lesions[0]
    surface = lesion.centre + DEPTH * bone.frame.direction("lateral")
    thickness = wall(bone, surface + 2.0 * bone.frame.direction("lateral"))
    radius = DIAMETER / 2.0
    along = 2.0 * np.sqrt(radius**2 - max(DEPTH - thickness, 0.0) ** 2)
    assert frame["axial_cortical_involvement"].iloc[0] == pytest.approx(along, rel=0.06)


def test_share_of_the_width_and_mirels_points(table):
    bone, frame = table.bone, table.frame
    lesion = table.setup.lesions[0]
    shares = 100.0 * DIAMETER / width(bone, lesion.centre)
    share = frame["lesion_diameter_fraction"].iloc[0]
    assert shares.min() * 0.97 < share < shares.max() * 1.03
    size = 1 + (share > 100 / 3) + (share > 200 / 3)
    assert frame["mirels_size_points"].iloc[0] == size
    score = next(row.value for row in table.clinical if row.rule.name == "mirels" and row.strategy == "untreated")
    # site + moderate pain + lytic + size
    assert score == (1 if bone.kind == "humerus" else 2) + 2 + 3 + size


def test_a_mesh_without_the_cortex_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tube whose wall the mesh lost on most of its surface must not be judged."""
    from femsim.mesh import Mesh
    from femsim.study import problem

    real = problem.arrangement_mesh

    def without_wall(setup, size) -> Mesh:
        made = real(setup, size)
        inside = 1 << made.solids.index("endosteum")
        return replace(made, compartment=made.compartment | inside)

    monkeypatch.setattr(problem, "arrangement_mesh", without_wall)
    tube = fs.Tube(outer_diameter=28, inner_diameter=13, length=200)
    case = fs.Case(bone=tube, lesion=(), load="torsion", mesh=fs.Mesh(near=6, far=6))
    with pytest.raises(MeshError, match="endosteum is missing on"):
        compare(case, [fs.Untreated()], progress=Progress(show=False))
