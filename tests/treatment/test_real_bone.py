"""The default strategies on the real femur: they fit, and hold the cement they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from femsim import anatomy, treatment
from femsim.errors import GeometryError
from femsim.treatment import CementFilledCatheter

DATA = Path(__file__).parents[2] / "../shared/data/femur_real"


@pytest.fixture(scope="module")
def bone() -> anatomy.Bone:
    outer, inner = DATA / "femur_periosteal_12k.stl", DATA / "femur_endosteal_clean_12k.stl"
    if not outer.exists():
        pytest.skip("the real femur is not beside the checkout")
    return anatomy.bone_from_surfaces(outer, inner, kind="femur")


def test_default_strategies_fit_the_default_lesion(bone: anatomy.Bone) -> None:
    lesion = anatomy.place_lesion(bone, anatomy.LesionPlan())
    inside = lesion.measures.volume / 1000
    volumes = {
        name: one.cement_volume(bone, lesion.solid, lesion.span)
        for name, one in treatment.named(treatment.default_strategies()).items()
    }
    assert volumes["intact"] == volumes["untreated"] == 0.0
    assert volumes["cement"] == pytest.approx(inside, rel=0.01)
    # the lumen runs straight but for the bow of the shaft: its volume is that of a capsule
    assert 0.55 < volumes["catheter"] < 0.70
    assert volumes["cement"] < volumes["cement_and_catheter"] < volumes["cement"] + volumes["catheter"]


def test_catheters_lie_in_the_canal(bone: anatomy.Bone) -> None:
    lesion = anatomy.place_lesion(bone, anatomy.LesionPlan())
    catheter = CementFilledCatheter(count=2, position="medial", clearance=1.0)
    for line in catheter.lines(bone, lesion.span):
        assert -bone.endosteum.distance(line).max() >= 2.0 + 1.0 - 0.1


def test_what_does_not_fit_names_where_it_would(bone: anatomy.Bone) -> None:
    lesion = anatomy.place_lesion(bone, anatomy.LesionPlan())
    with pytest.raises(GeometryError, match=r"wider than the canal.* mm from the distal end") as caught:
        CementFilledCatheter(outer_diameter=16.0).solids(bone, lesion.solid, lesion.span)
    assert "it would fit" in caught.value.why
