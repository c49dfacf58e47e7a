"""The load library: complete, sourced, and physically the right way round."""

from __future__ import annotations

import math
from typing import Any

import pytest

from femsim import loads
from femsim.errors import InputError
from femsim.loads import LoadItem, read_case
from femsim.sourced import TRUST, references

NAMES = list(loads.load_cases())


def item(case: str, name: str) -> LoadItem:
    return next(one for one in loads.get(case).items if one.name == name)


@pytest.mark.parametrize("name", NAMES)
def test_every_case_is_sourced(name: str) -> None:
    case = loads.get(name)
    assert case.title
    assert case.bones
    assert case.trust in TRUST
    assert case.source
    assert set(case.source) <= set(references())
    assert case.numbers
    size, unit = case.reference(75.0)
    assert size > 0
    assert unit in ("N", "N mm")


@pytest.mark.parametrize(("case", "percent"), [("walking", 237.7), ("stairs", 251.1)])
def test_hip_force_is_the_measured_one(case: str, percent: float) -> None:
    """PUBLISHED Bergmann 2001: 238 and 251 %BW."""
    assert math.hypot(*item(case, "hip joint").vector) == pytest.approx(percent, abs=0.06)


@pytest.mark.parametrize("case", ["walking", "stairs"])
def test_forces_point_where_anatomy_says(case: str) -> None:
    """The pelvis presses the head down and sideways away from the midline; abductors pull towards it and up."""
    hip, abductors, vastus = (item(case, name).vector for name in ("hip joint", "abductors", "vastus lateralis"))
    assert hip[0] > 0 > hip[2]
    assert abductors[0] < 0 < abductors[2]
    assert vastus[2] < 0 < vastus[1]
    # together they leave little sideways force: the muscles balance the joint
    assert abs(sum(one.vector[0] for one in loads.get(case).items)) < 0.2 * abs(hip[2])


def test_stance_and_fall_directions() -> None:
    stance, fall = loads.get("stance").main, loads.get("fall").main
    assert math.degrees(math.atan2(stance.vector[0], -stance.vector[2])) == pytest.approx(20.0)
    assert math.degrees(math.asin(fall.vector[2] / 1000)) == pytest.approx(10.0)
    assert math.degrees(math.atan2(-fall.vector[1], fall.vector[0])) == pytest.approx(15.0)
    assert loads.get("fall").rollers[0].direction == pytest.approx([v / 1000 for v in fall.vector], abs=1e-6)


def test_body_weight_is_mass_times_standard_gravity() -> None:
    assert loads.get("walking").reference(75.0)[0] == pytest.approx(0.01 * math.hypot(54, 32.8, 229.2) * 75 * 9.80665)
    assert loads.get("torsion").reference(75.0) == (pytest.approx(10_000.0), "N mm")


def test_scaling() -> None:
    twice = loads.get("walking").scaled(2.0)
    assert twice.reference(75.0)[0] == pytest.approx(2 * loads.get("walking").reference(75.0)[0])
    assert loads.get("three_point_bending").scaled(0.5).reference(75.0)[0] == pytest.approx(500.0)
    for factor in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(InputError):
            loads.get("walking").scaled(factor)


def test_unknown_case_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="'walking'"):
        loads.get("waking")


GOOD: dict[str, Any] = {
    "title": "t",
    "bones": ["femur"],
    "source": "heller2005",
    "trust": "M",
    "force": [
        {
            "name": "f",
            "at": "head_centre",
            "patch": "cap",
            "radius": 5.0,
            "vector": [0, 0, -1],
            "unit": "N",
            "main": True,
        }
    ],
    "held": [{"end": "distal", "extent": 5.0}],
}


def test_a_case_of_ones_own() -> None:
    assert read_case("own", GOOD).main.vector == (0.0, 0.0, -1.0)


@pytest.mark.parametrize(
    "change",
    [
        {"held": []},
        {"held": [{"end": "middle", "extent": 5.0}]},
        {"held": [{"end": "distal", "extent": 60.0}]},
        {"force": [GOOD["force"][0] | {"main": False}]},
        {"force": GOOD["force"] * 2},
        {"force": [GOOD["force"][0] | {"unit": "lbf"}]},
        {"force": [GOOD["force"][0] | {"patch": "point"}]},
        {"force": [GOOD["force"][0] | {"vector": [0, 0, 0]}]},
        {"force": [GOOD["force"][0] | {"vector": [0, 0, math.nan]}]},
        {"force": [GOOD["force"][0] | {"vector": [0, 1]}]},
        {"force": [GOOD["force"][0] | {"colour": 1}]},
        {"colour": 1},
        {"pin": [{"at": "head_centre", "direction": "up", "radius": 5.0}]},
        {"pin": [{"at": "head_centre", "direction": "across", "radius": 5.0}]},
        {"pin": [{"at": "head_centre", "direction": "all", "radius": 0.0}]},
        {"trust": "sure"},
        {"bench": {"supports": [20, 80], "loads": [90], "force": 1.0, "towards": "anterior", "radius": 5.0}},
    ],
)
def test_impossible_cases_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        read_case("own", GOOD | change)


def test_both_ways_of_walking_carry_the_same_forces() -> None:
    assert loads.get("walking").items == loads.get("walking_free_knee").items
