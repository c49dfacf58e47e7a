"""The basic strategies: what they put into the bone, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import TypeAdapter, ValidationError

from femsim import anatomy, treatment
from femsim.errors import FemsimError, GeometryError, InputError
from femsim.solid import Sphere
from femsim.treatment import Cement, CementAndCatheter, CementFilledCatheter, Intact, Untreated, canal

BONE = anatomy.tube(28.0, 13.0, 200.0)
RADIUS = 6.0
LESION = Sphere((0.0, 0.0, 100.0), RADIUS)
SPAN = ((100 - RADIUS) / 200, (100 + RADIUS) / 200)
BALL = 4 / 3 * math.pi * RADIUS**3 / 1000


def test_default_comparison_is_the_five_strategies() -> None:
    assert list(treatment.named(treatment.default_strategies())) == [
        "intact", "untreated", "cement", "catheter", "cement_and_catheter",
    ]  # fmt: skip


def test_names_are_made_different() -> None:
    assert list(treatment.named([Cement(), Cement(), Cement()])) == ["cement", "cement_2", "cement_3"]


@pytest.mark.parametrize("one", [Intact(), Untreated()])
def test_nothing_is_added_by_doing_nothing(one: treatment.Treatment) -> None:
    assert one.solids(BONE, LESION, SPAN) == one.solids(BONE, None, None) == {}
    assert one.rules() == ()
    assert one.cement_volume(BONE, LESION, SPAN) == 0.0


def test_only_the_twin_is_healed() -> None:
    assert [one.heals for one in treatment.default_strategies()] == [True, False, False, False, False]


@pytest.mark.parametrize("one", [Cement(), CementFilledCatheter(), CementAndCatheter()])
def test_nothing_to_treat_is_said(one: treatment.Treatment) -> None:
    with pytest.raises(InputError, match="without a lesion"):
        one.solids(BONE, None, None)


# ------------------------------------------------------------------------------------------------ cement


def test_full_cement_is_the_lesion_itself_so_that_both_share_one_surface() -> None:
    assert Cement().solids(BONE, LESION, SPAN)["cement"].key() == LESION.key()


def test_cement_volume_of_a_ball() -> None:
    """ANALYTIC."""
    assert Cement().cement_volume(BONE, LESION, SPAN, 0.25) == pytest.approx(BALL, rel=2e-3)


def test_only_cement_inside_the_bone_counts() -> None:
    half_out = Sphere((14.0, 0.0, 100.0), RADIUS)
    volume = Cement().cement_volume(BONE, half_out, SPAN, 0.25)
    assert 0.35 * BALL < volume < 0.5 * BALL


@pytest.mark.parametrize("fraction", [0.02, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("gravity", ["posterior", "lateral", "distal", (1.0, -2.0, 0.5)])
def test_partial_fill_has_the_wanted_volume(fraction: float, gravity: Any) -> None:
    volume = Cement(fill_fraction=fraction, gravity=gravity).cement_volume(BONE, LESION, SPAN, 0.2)
    assert volume == pytest.approx(fraction * BALL, rel=0.02)


def test_level_of_a_partial_fill_is_that_of_a_spherical_cap() -> None:
    """ANALYTIC: V = pi h^2 (3 r - h) / 3; the cement lies at the bottom along gravity."""
    height = 0.7 * RADIUS
    share = math.pi * height**2 * (3 * RADIUS - height) / 3 / (1000 * BALL)
    cement = Cement(fill_fraction=share, gravity="distal").solids(BONE, LESION, SPAN)["cement"]
    level = 100.0 - RADIUS + height
    assert cement.contains([[0, 0, level - 0.05]])[0]
    assert not cement.contains([[0, 0, level + 0.05]])[0]


def test_gravity_is_anatomical() -> None:
    back = Cement(fill_fraction=0.5, gravity="posterior").solids(BONE, LESION, SPAN)["cement"]
    assert back.contains([[0, -3.0, 100.0]])[0]
    assert not back.contains([[0, 3.0, 100.0]])[0]


def test_lesion_outside_the_bone_cannot_be_filled() -> None:
    with pytest.raises(GeometryError, match="no volume inside the bone"):
        Cement().solids(BONE, Sphere((100.0, 0.0, 100.0), RADIUS), SPAN)


def test_voids_take_their_share_and_are_reproducible() -> None:
    one, same, other = (Cement(void_fraction=0.1, void_diameter=1.5, seed=seed) for seed in (1, 1, 2))
    solids = [c.solids(BONE, LESION, SPAN)["cement"] for c in (one, same, other)]
    assert solids[0].key() == solids[1].key() != solids[2].key()
    assert one.cement_volume(BONE, LESION, SPAN, 0.15) == pytest.approx(0.9 * BALL, rel=0.02)


def test_voids_that_do_not_fit_are_refused() -> None:
    with pytest.raises(GeometryError, match="One void of 11 mm is 77%"):
        Cement(void_fraction=0.3, void_diameter=11.0).solids(BONE, LESION, SPAN)
    with pytest.raises(GeometryError, match=r"Only \d of \d voids"):
        Cement(void_fraction=0.3, void_diameter=5.5).solids(BONE, LESION, SPAN)


# ------------------------------------------------------------------------------------------------ catheters


def test_catheter_bridges_the_lesion_by_the_length_asked_for() -> None:
    solids = CementFilledCatheter(past_lesion=40.0).solids(BONE, LESION, SPAN)
    lower, upper = solids["catheter_1"].bounds
    assert (lower[2], upper[2]) == pytest.approx((100 - RADIUS - 40, 100 + RADIUS + 40))


def test_each_end_can_have_its_own_length() -> None:
    catheter = CementFilledCatheter(past_lesion=10.0, past_proximal="5 cm")
    lower, upper = catheter.solids(BONE, LESION, SPAN)["catheter_1"].bounds
    assert (lower[2], upper[2]) == pytest.approx((100 - RADIUS - 10, 100 + RADIUS + 50))


def test_cement_volume_of_a_catheter() -> None:
    """ANALYTIC: a lumen with round ends."""
    length = 2 * RADIUS + 60 - 4.0
    expected = (math.pi * 1.5**2 * length + 4 / 3 * math.pi * 1.5**3) / 1000
    assert CementFilledCatheter().cement_volume(BONE, LESION, SPAN, 0.2) == pytest.approx(expected, rel=0.01)


def test_both_together_count_cement_once() -> None:
    """ANALYTIC: ball, less the outer catheter in it, plus the whole lumen."""
    both = CementAndCatheter().cement_volume(BONE, LESION, SPAN, 0.25)
    lumen = CementFilledCatheter().cement_volume(BONE, LESION, SPAN, 0.25)
    r, a = RADIUS, 2.0
    pierced = (4 / 3) * math.pi * (r**2 - a**2) ** 1.5 / 1000  # ball with a round hole through its centre
    assert both == pytest.approx(pierced + lumen, rel=0.01)


@given(count=some.integers(1, 12), diameter=some.floats(0.6, 5.0), gap=some.floats(0.0, 2.0))
@settings(max_examples=60, deadline=None)
def test_bundled_catheters_keep_their_gap_and_touch_their_ring(count: int, diameter: float, gap: float) -> None:
    places = canal.bundle(count, diameter, gap)
    assert places.shape == (count, 2)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)[~np.eye(count, dtype=bool)]
    if count > 1:
        assert distance.min() == pytest.approx(diameter + gap, rel=1e-9)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("position", ["centred", "lateral", 200.0])
def test_every_catheter_lies_in_the_canal_and_beside_its_neighbours(count: int, position: Any) -> None:
    catheter = CementFilledCatheter(count=count, outer_diameter=3.0, position=position)
    lines = catheter.lines(BONE, SPAN)
    assert len(lines) == count
    for line in lines:
        assert np.hypot(line[:, 0], line[:, 1]).max() <= 6.5 - 0.5 - 1.5 + 0.005
    for i, one in enumerate(lines):
        for other in lines[i + 1 :]:
            assert np.linalg.norm(one - other, axis=1).min() >= 3.5 - 1e-9


def test_pushed_to_a_side_it_keeps_its_clearance_exactly() -> None:
    line = CementFilledCatheter(position="medial", clearance=0.7).lines(BONE, SPAN)[0]
    np.testing.assert_allclose(line[:, 0], -(6.5 - 0.7 - 2.0), atol=0.05)
    np.testing.assert_allclose(line[:, 1], 0.0, atol=1e-9)


def test_offset_is_kept() -> None:
    line = CementFilledCatheter(position="anterior", offset=2.0).lines(BONE, SPAN)[0]
    np.testing.assert_allclose(line[:, :2], [[0.0, 2.0]] * len(line), atol=1e-9)


def test_catheter_wider_than_the_canal_names_the_place_and_the_width() -> None:
    with pytest.raises(GeometryError, match=r"wider than the canal.*15\.0 mm.*13\.0 mm wide") as caught:
        CementFilledCatheter(outer_diameter=14.0).solids(BONE, LESION, SPAN)
    assert "cortex by 1.0 mm" in caught.value.why
    with pytest.raises(GeometryError, match="bundle of 7"):
        CementFilledCatheter(count=7).solids(BONE, LESION, SPAN)
    with pytest.raises(GeometryError, match=r"shifted by 5\.0 mm"):
        CementFilledCatheter(position="lateral", offset=5.0).solids(BONE, LESION, SPAN)


def test_catheter_longer_than_the_bone_names_the_end() -> None:
    with pytest.raises(GeometryError, match="10 mm past the distal end"):
        CementFilledCatheter(past_lesion=0.0, past_distal=104.0).solids(BONE, LESION, SPAN)
    with pytest.raises(GeometryError, match="proximal end"):
        CementFilledCatheter(past_lesion=0.0, past_proximal=104.0).solids(BONE, LESION, SPAN)


def test_catheter_shorter_than_wide_is_refused() -> None:
    with pytest.raises(GeometryError, match="shorter than it is wide"):
        CementFilledCatheter(past_lesion=0.0).solids(BONE, LESION, (0.5, 0.51))


def test_walls_are_told_to_the_mesher() -> None:
    assert CementFilledCatheter(count=2).thin() == {"catheter_1": 0.5, "catheter_2": 0.5}
    assert CementAndCatheter().thin() == {"catheter_1": 0.5}


def test_same_strategy_gives_the_same_solids() -> None:
    first, second = (CementAndCatheter().solids(BONE, LESION, SPAN) for _ in range(2))
    assert {k: s.key() for k, s in first.items()} == {k: s.key() for k, s in second.items()}


# ------------------------------------------------------------------------------------------------ what users write

BAD: list[tuple[type[treatment.Treatment], dict[str, Any]]] = [
    (Cement, {"fill_fraction": 0.0}),
    (Cement, {"fill_fraction": 1.1}),
    (Cement, {"fill_fraction": math.nan}),
    (Cement, {"material": "pma"}),
    (Cement, {"gravity": "down"}),
    (Cement, {"gravity": (0.0, 0.0, 0.0)}),
    (Cement, {"void_fraction": 0.5}),
    (Cement, {"void_diameter": -1.0}),
    (Cement, {"seed": -1}),
    (Cement, {"colour": "white"}),
    (CementFilledCatheter, {"count": 0}),
    (CementFilledCatheter, {"count": 1.5}),
    (CementFilledCatheter, {"outer_diameter": -4.0}),
    (CementFilledCatheter, {"outer_diameter": math.nan}),
    (CementFilledCatheter, {"outer_diameter": "4 kg"}),
    (CementFilledCatheter, {"outer_diameter": 0.004}),
    (CementFilledCatheter, {"wall_thickness": 2.0}),
    (CementFilledCatheter, {"wall_thickness": 0.0}),
    (CementFilledCatheter, {"wall_material": "rubber"}),
    (CementFilledCatheter, {"past_lesion": -1.0}),
    (CementFilledCatheter, {"position": "left"}),
    (CementFilledCatheter, {"offset": 2.0}),
    (CementFilledCatheter, {"clearance": -0.1}),
    (CementAndCatheter, {"catheter": {"count": 0}}),
    (CementAndCatheter, {"cement": {}}),
]


@pytest.mark.parametrize(("kind", "bad"), BAD)
def test_impossible_input_is_refused(kind: type[treatment.Treatment], bad: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, FemsimError)):
        kind(**bad)


def test_units_are_read_and_misspelt_materials_answered() -> None:
    assert CementFilledCatheter(outer_diameter="0.5 cm").outer_diameter == 5.0
    with pytest.raises(InputError, match="'pmma'"):
        Cement(material="pma")


def test_strategies_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        Cement().fill_fraction = 0.5  # type: ignore[misc]


@pytest.mark.parametrize("one", treatment.default_strategies())
def test_round_trip_through_plain_data(one: treatment.Treatment) -> None:
    adapter: TypeAdapter[treatment.Treatment] = TypeAdapter(treatment.AnyTreatment)
    assert adapter.validate_python(one.model_dump(mode="json")) == one


def test_registry_holds_every_kind() -> None:
    for kind, cls in treatment.TREATMENTS.items():
        assert cls().model_dump()["kind"] == kind
        assert cls.__doc__
