"""Clinical rules and error bars."""

from __future__ import annotations

import math

import pytest

from femsim.errors import InputError
from femsim.risk.clinical import judge, mirels_probability, mirels_score, rules
from femsim.risk.errorbar import error_bar
from femsim.sourced import TRUST, references


def test_mirels_from_the_published_table() -> None:
    assert mirels_score("upper limb", "mild", "blastic", 0.1) == 4
    assert mirels_score("peritrochanteric", "functional", "lytic", 0.9) == 12
    assert mirels_score("lower limb", "moderate", "lytic", 0.5) == 9
    assert [mirels_probability(s) for s in (4, 6, 8, 9, 12)] == [0, 0, 15, 33, 100]


@pytest.mark.parametrize("bad", [("hip", "mild", "lytic", 0.5), ("lower limb", "mild", "lytic", math.nan)])
def test_mirels_refuses(bad: tuple[str, str, str, float]) -> None:
    with pytest.raises(InputError):
        mirels_score(*bad)
    with pytest.raises(InputError):
        mirels_probability(13)


@pytest.mark.parametrize(
    ("measure", "safe", "risky"),
    [("mirels_score", 8, 9), ("axial_cortical_involvement", 30.0, 30.1), ("rigidity_loss", 34.9, 35.0),
     ("strain_fold_ratio", 1.47, 1.48), ("failure_load_bw", 7.5, 7.4),
     ("circumferential_cortical_involvement", 50.0, 51.0)],
)  # fmt: skip
def test_thresholds(measure: str, safe: float, risky: float) -> None:
    for value, wanted in ((safe, False), (risky, True), (None, None)):
        verdict = next(v for v in judge({measure: value}) if v.rule.measure == measure)
        assert verdict.at_risk is wanted
        assert verdict.value == value


def test_every_rule_says_where_it_comes_from() -> None:
    known = references()
    for rule in rules().values():
        assert rule.evidence
        for one in (rule, *rule.evidence):
            assert one.source in known
            assert one.trust in TRUST


@pytest.mark.parametrize("bad", [{"weather": 1.0}, {"rigidity_loss": math.nan}, {"failure_load_bw": -1.0}])
def test_impossible_measures(bad: dict[str, float]) -> None:
    with pytest.raises(InputError):
        judge(bad)


def test_error_bar_finds_the_order_and_the_limit() -> None:
    sizes = (1.0, 1.5, 2.7)
    found = error_bar(sizes, tuple(10.0 + 0.3 * h**1.7 for h in sizes))
    assert found.order == pytest.approx(1.7, abs=1e-6)
    assert found.extrapolated == pytest.approx(10.0, abs=1e-6)
    assert found.half_width == pytest.approx(1.25 * 0.3, rel=1e-6)


def test_error_bar_of_one_and_two_meshes() -> None:
    assert error_bar((1.0,), (5.0,)).words.startswith("no error bar")
    two = error_bar((1.0, 2.0), (5.0, 5.2))
    assert two.extrapolated == pytest.approx(4.8)
    assert two.half_width == pytest.approx(0.6)


def test_no_convergence_gives_no_order() -> None:
    up_and_down = error_bar((1.0, 2.0, 4.0), (5.0, 5.2, 5.1))
    assert math.isnan(up_and_down.order)
    assert math.isnan(up_and_down.extrapolated)
    assert up_and_down.half_width == pytest.approx(3.0 * 0.1)
    ever_faster = error_bar((1.0, 2.0, 4.0), (5.0, 5.2, 5.3))
    assert math.isnan(ever_faster.order)
    assert math.isnan(ever_faster.extrapolated)
    assert ever_faster.half_width == pytest.approx(3.0 * 0.3)
    assert error_bar((1.0, 2.0, 4.0), (5.0, 5.0, 5.0)).half_width == 0.0


def test_an_order_that_is_not_believed_gives_way_to_the_spread() -> None:
    slow = error_bar((1.0, 2.0, 4.0), tuple(5.0 + h**0.2 for h in (1.0, 2.0, 4.0)))
    assert math.isnan(slow.order)
    assert slow.half_width == pytest.approx(3.0 * (4.0**0.2 - 1.0))
    fast = error_bar((1.0, 2.0, 4.0), tuple(5.0 + h**6 for h in (1.0, 2.0, 4.0)))
    assert math.isnan(fast.order)
    assert math.isnan(fast.extrapolated)
    assert fast.half_width == pytest.approx(1.5 * (4.0**6 - 1.0))
    assert "order of 6" in fast.words


def test_noise_on_meshes_of_nearly_one_size_is_not_magnified() -> None:
    """Stiffness of the default femur, where half the element size moves it by 0.2 %."""
    found = error_bar((3.83, 4.21, 4.78), (622.02, 623.53, 624.35))
    assert found.percent == pytest.approx(1.12, abs=0.02)
    jumping = error_bar((3.83, 4.21, 4.78), (4109.5, 4140.7, 4434.3))
    assert abs(3860.1 - jumping.value) < jumping.half_width < 0.2 * jumping.value


def test_impossible_meshes() -> None:
    with pytest.raises(InputError):
        error_bar((2.0, 1.0), (5.0, 5.2))
    with pytest.raises(InputError):
        error_bar((1.0, 2.0), (5.0, math.nan))
