"""Density laws: the published numbers, their ranges, and bad densities."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from femsim import material
from femsim.errors import FemsimWarning, InputError, MaterialError
from femsim.material import elastic_modulus, yield_strength


@pytest.mark.parametrize(
    ("law", "kind", "density", "modulus"),
    [  # PUBLISHED coefficients, evaluated by hand
        ("morgan_2003_femoral_neck", "apparent", 0.5, 6850 * 0.5**1.49),
        ("keller_1994_femur", "ash", 0.8, 10500 * 0.8**2.29),
        ("keyak_1998", "ash", 0.2, 33900 * 0.2**2.20),
        ("keyak_1998", "ash", 0.4, 5307 * 0.4 + 469),
        ("keyak_1998", "ash", 0.9, 10200 * 0.9**2.01),
        ("keyak_2005", "ash", 1.0, 14900.0),
        ("wirtz_2000_cortical_axial", "apparent", 1.8, 2065 * 1.8**3.09),
    ],
)
def test_published_laws(law: str, kind: str, density: float, modulus: float) -> None:
    assert float(elastic_modulus(density, law, kind=kind)) == pytest.approx(modulus, rel=1e-12)


def test_strain_rate_of_carter_and_hayes_is_written_into_the_coefficients() -> None:
    assert float(elastic_modulus(1.0, "carter_hayes_1977")) == pytest.approx(3790 * 0.01**0.06, rel=1e-4)
    assert float(yield_strength(1.0, "carter_hayes_1977")) == pytest.approx(68 * 0.01**0.06, rel=1e-4)


def test_pieces_of_keyak_meet() -> None:
    for edge in (0.27, 0.6):
        below, above = elastic_modulus([edge - 1e-9, edge], "keyak_1998", kind="ash")
        assert above == pytest.approx(below, rel=0.03)


def test_ash_and_apparent_density_are_told_apart() -> None:
    ratio = material.ash_over_apparent().value
    np.testing.assert_allclose(
        elastic_modulus(1.0, "keyak_2005", kind="apparent"), elastic_modulus(ratio, "keyak_2005", kind="ash")
    )
    with pytest.raises(InputError, match="apparent"):
        elastic_modulus(1.0, "keyak_2005", kind="aparent")


def test_shape_is_kept_and_floor_holds() -> None:
    modulus = elastic_modulus(np.zeros((3, 4)), floor=5.0, warn=True)
    assert modulus.shape == (3, 4)
    assert (modulus == 5.0).all()
    assert elastic_modulus(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize("law", list(material.density_laws()))
def test_modulus_grows_with_density(law: str) -> None:
    low, high = material.density_law(law).range
    kind = material.density_law(law).density
    assert (np.diff(elastic_modulus(np.linspace(low, high, 200), law, kind=kind)) > 0).all()


def test_extrapolation_is_said_with_its_share() -> None:
    with pytest.warns(FemsimWarning, match=r"50% of the points.*0\.9"):
        elastic_modulus([0.5, 0.9], "morgan_2003_femoral_neck")
    with pytest.warns(FemsimWarning, match="strength law keyak_2005"):
        yield_strength([3.0], "keyak_2005", kind="ash")


def test_no_warning_inside_the_range_or_in_marrow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        elastic_modulus([0.0, 0.3, 0.7], floor=5.0)


@pytest.mark.parametrize("bad", [[-0.1], [np.nan], [np.inf]])
def test_impossible_densities_are_refused(bad: list[float]) -> None:
    with pytest.raises(InputError, match="1 of 1"):
        elastic_modulus(bad)


def test_law_without_strength_says_which_have_one() -> None:
    with pytest.raises(MaterialError, match="keyak_2005"):
        yield_strength(0.5, "morgan_2003_pooled")


def test_unknown_law_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="'keyak_2005'"):
        elastic_modulus(0.5, "keyak2005")
