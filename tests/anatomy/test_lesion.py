"""Lesions on the tube, where everything has a closed form, and on the femur."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from femsim.anatomy import LesionPlan, femur, mirels_size, place_lesion, tube
from femsim.errors import FemsimError, FemsimWarning, GeometryError, InputError

TUBE = tube(28.0, 13.0, 200.0)


def test_hole_touches_cortex_over_its_diameter() -> None:
    lesion = place_lesion(TUBE, LesionPlan(site="shaft_middle", shape="hole", diameter=8.0))
    size = lesion.measures
    assert size.axial_involvement == pytest.approx(8.0, abs=0.1)
    assert size.breach_length == pytest.approx(8.0, abs=0.1)
    # seen from the axis, the hole is widest where it enters the canal: asin(4 / 6.5)
    assert size.circumferential_involvement == pytest.approx(2 * np.arcsin(4 / 6.5) / (2 * np.pi), abs=0.01)
    assert size.breached
    np.testing.assert_allclose(lesion.centre, [14, 0, 100], atol=1e-6)


def test_half_circumference_slot() -> None:
    # a window down to the axis whose edges run through the outer corners of a 90 degree sector of the canal
    width = 2 * 6.5 * np.sin(np.pi / 4)
    size = place_lesion(TUBE, LesionPlan(site="shaft_middle", shape="slot", diameter=width, length=50.0)).measures
    assert size.axial_involvement == pytest.approx(50.0, abs=0.2)
    assert size.circumferential_involvement == pytest.approx(0.25, abs=0.01)


def test_ball_in_the_canal_touches_nothing() -> None:
    size = place_lesion(TUBE, LesionPlan(site="shaft_middle", diameter=12.0, depth=14.0)).measures
    assert size.axial_involvement == size.circumferential_involvement == size.breach_length == 0.0
    assert not size.breached
    assert size.cortical_volume == 0.0
    assert size.volume == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.01)
    assert size.diameter_fraction == pytest.approx(12 / 28, abs=0.02)
    assert size.mirels_size == 2
    assert size.span == pytest.approx((0.47, 0.53), abs=0.003)


def test_ball_through_the_wall() -> None:
    # centre on the outer surface: the breach is a chord of the ball in the surface, along the tube its diameter
    size = place_lesion(TUBE, LesionPlan(site="shaft_middle", diameter=10.0, depth=0.0)).measures
    assert size.axial_involvement == pytest.approx(10.0, abs=0.3)
    assert size.breach_length == pytest.approx(10.0, abs=0.3)
    # circles of 14 and 5 mm around points 14 mm apart meet at 2 asin(5 / 28)
    assert size.circumferential_involvement == pytest.approx(2 * 2 * np.arcsin(5 / 28) / (2 * np.pi), abs=0.01)


@pytest.mark.parametrize("direction", ["anterior", "medial", 200.0])
def test_every_side_of_a_tube_is_the_same(direction: Any) -> None:
    reference = place_lesion(TUBE, LesionPlan(site="shaft_middle", diameter=15.0)).measures
    size = place_lesion(TUBE, LesionPlan(site="shaft_middle", diameter=15.0, direction=direction)).measures
    assert size.volume == pytest.approx(reference.volume, rel=0.01)
    assert size.circumferential_involvement == pytest.approx(reference.circumferential_involvement, abs=0.01)


@pytest.mark.parametrize(
    ("wish", "value"),
    [("axial_involvement", 22.0), ("circumferential_involvement", 0.35), ("width_fraction", 0.5)],
)
@pytest.mark.parametrize("shape", ["sphere", "ellipsoid", "slot"])
def test_size_is_found_for_a_wanted_involvement(wish: str, value: float, shape: Any) -> None:
    lesion = place_lesion(TUBE, LesionPlan(site="shaft_middle", shape=shape, **{wish: value}))
    if wish == "width_fraction":
        assert lesion.plan.diameter == pytest.approx(14.0, abs=0.3)
    else:
        assert getattr(lesion.measures, wish) == pytest.approx(value, rel=0.02)


def test_default_lesion_of_the_femur() -> None:
    bone = femur()
    lesion = place_lesion(bone)
    size = lesion.measures
    assert lesion.plan.diameter == 30.0
    assert size.breached
    assert size.axial_involvement == pytest.approx(30.0, abs=0.5)
    assert 0.4 < size.circumferential_involvement < 0.75
    assert size.mirels_size == 3
    assert (lesion.centre - bone.sites["subtrochanteric"].point) @ bone.frame.lateral > 5.0
    low = bone.fraction(bone.landmarks["lesser_trochanter"])[0]
    assert lesion.span[1] < low + 0.01


@pytest.mark.parametrize("site", ["head", "neck", "intertrochanteric", "shaft_middle", "supracondylar"])
def test_every_site_of_left_and_right_is_the_same_lesion(site: str) -> None:
    direction = "superior" if site == "neck" else "anterior"
    plan = LesionPlan(site=site, diameter=14.0, direction=direction)
    right, left = place_lesion(femur(), plan), place_lesion(femur(side="left"), plan)
    np.testing.assert_allclose(left.centre, right.centre * [-1, 1, 1], atol=1e-3)
    assert left.measures.volume == pytest.approx(right.measures.volume, rel=0.01)
    assert right.measures.axial_involvement > 5.0


def test_position_and_site_agree() -> None:
    bone = femur()
    by_name = place_lesion(bone, LesionPlan(site="shaft_middle", diameter=12.0))
    by_number = place_lesion(bone, LesionPlan(position=50.0, diameter=12.0))
    np.testing.assert_allclose(by_name.centre, by_number.centre, atol=1e-9)


def test_blob_is_reproducible_and_seeded() -> None:
    plans = [LesionPlan(site="shaft_middle", shape="blob", diameter=14.0, seed=s) for s in (1, 1, 2)]
    keys = [place_lesion(TUBE, plan).solid.key() for plan in plans]
    assert keys[0] == keys[1] != keys[2]


def test_permeative_lesion_fades() -> None:
    plan = LesionPlan(site="shaft_middle", diameter=12.0, depth=14.0, remaining=0.3, fade=4.0)
    lesion = place_lesion(TUBE, plan)
    points = lesion.centre + np.array([[0, 0, 0], [0, 0, 5.9], [0, 0, 8.0], [0, 0, 10.1]])
    assert lesion.density_factor(points) == pytest.approx([0.3, 0.3, 0.65, 1.0])
    lytic = place_lesion(TUBE, LesionPlan(site="shaft_middle", diameter=12.0))
    assert set(lytic.density_factor(lytic.centre + np.array([[0, 0, 0], [0, 0, 30.0]]))) == {0.0, 1.0}


def test_a_lesion_that_parts_the_bone_is_announced() -> None:
    with pytest.warns(FemsimWarning, match="two pieces"):
        place_lesion(TUBE, LesionPlan(site="shaft_middle", diameter=40.0, depth=14.0))


@pytest.mark.parametrize(
    "changes",
    [
        {"site": "nose"},
        {"diameter": -3.0},
        {"diameter": float("nan")},
        {"diameter": 0.03},
        {"shape": "cube"},
        {"direction": "upwards"},
        {"direction": "superior"},  # along the shaft
        {"position": 120.0},
        {"position": float("nan")},
        {"depth": -40.0},  # outside the bone
        {"depth": -6.0, "shape": "hole"},
        {"remaining": 1.5},
        {"axial_involvement": 20.0, "width_fraction": 0.5},
        {"circumferential_involvement": 0.9, "shape": "hole"},
        {"shape": "blob", "roughness": 2.0},
    ],
)
def test_impossible_lesions_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((InputError, GeometryError)) as error:
        place_lesion(TUBE, LesionPlan(**{"site": "shaft_middle", "diameter": 10.0, **changes}))
    assert isinstance(error.value, FemsimError)
    assert error.value.do


def test_mirels_classes() -> None:
    assert [mirels_size(f) for f in (0.1, 0.34, 0.66, 0.7)] == [1, 2, 2, 3]


def test_nothing_is_said_without_need() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        place_lesion(femur())
