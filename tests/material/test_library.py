"""The material library: complete, sourced, admissible, and hard to misuse."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import femsim.material as room
from femsim import material
from femsim.errors import InputError, MaterialError
from femsim.sourced import TRUST, Value, read_value, references

PACKAGE = Path(room.__file__).parents[1]
NAMES = list(material.materials())


@pytest.mark.parametrize("name", NAMES)
def test_stiffness_is_admissible(name: str) -> None:
    stiffness = material.get(name).stiffness()
    assert stiffness.shape == (6, 6)
    np.testing.assert_array_equal(stiffness, stiffness.T)
    assert np.linalg.eigvalsh(stiffness)[0] > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_number_is_sourced_and_in_its_range(name: str) -> None:
    one = material.get(name)
    for value in (*one.elastic.values(), *one.strength.values(), *one.other.values()):
        assert value.unit
        assert value.trust in TRUST
        assert value.source
        assert set(value.source) <= set(references())
        assert value.range is None or value.range[0] <= value.value <= value.range[1]


def test_every_source_named_in_any_data_file_is_in_the_bibliography() -> None:
    known = {*references(), "by definition"}
    # A verification case says in words where its reference value comes from; every other file names keys.
    files = [path for path in PACKAGE.rglob("*.toml") if PACKAGE / "verify" not in path.parents]
    assert len(files) > 8
    for path in files:
        for source in _sources(tomllib.loads(path.read_text(encoding="utf-8"))):
            assert source in known, f"{path.name}: {source}"


def _sources(data: Any) -> list[str]:
    if isinstance(data, dict):
        own = data.get("source", [])
        here = [own] if isinstance(own, str) else [one for one in own if isinstance(one, str)]
        return here + [one for key, value in data.items() if key != "source" for one in _sources(value)]
    return [one for value in data for one in _sources(value)] if isinstance(data, list) else []


def test_bibliography_has_no_key_twice_and_every_entry_has_author_and_year() -> None:
    text = (PACKAGE / "references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{([\w-]+)", text, re.M)
    assert len(keys) == len(set(keys)) == len(references())
    for one in references().values():
        assert one.fields["author"], one.key
        assert one.fields["year"], one.key
        assert one.fields["year"] in one.text


def test_references_read_as_people_write_them() -> None:
    known = references()
    assert known["mirels1989"].text.startswith("Mirels, H. Metastatic disease")
    assert known["sun2014"].text == "Sun, G. et al. European Radiology 2014;24:731-737. doi:10.1007/s00330-013-3071-z."
    assert "Kühn" in known["kuehn2000"].text
    assert not any(mark in one.text for one in known.values() for mark in "{}\\")


def test_cortical_bone_is_the_measured_transversely_isotropic_one() -> None:
    """PUBLISHED Reilly and Burstein 1975: the compliance gives back the constants; axis 3 is the long axis."""
    compliance = np.linalg.inv(material.get("cortical_bone").stiffness())
    assert 1 / compliance[2, 2] == pytest.approx(17000)
    assert 1 / compliance[0, 0] == pytest.approx(11500)
    assert 1 / compliance[3, 3] == pytest.approx(3300)
    assert 1 / compliance[4, 4] == pytest.approx(3300)
    assert 1 / compliance[5, 5] == pytest.approx(11500 / (2 * 1.58))
    assert -compliance[0, 2] / compliance[2, 2] == pytest.approx(0.46)
    assert -compliance[0, 1] / compliance[0, 0] == pytest.approx(0.58)


def test_orthotropic_constants_come_back() -> None:
    compliance = np.linalg.inv(material.get("cortical_bone_ashman").stiffness())
    np.testing.assert_allclose(1 / np.diag(compliance), [12000, 13400, 20000, 6230, 5610, 4530])
    assert -compliance[0, 1] / compliance[0, 0] == pytest.approx(0.376)  # nu12
    assert -compliance[0, 2] / compliance[0, 0] == pytest.approx(0.222)  # nu13
    assert -compliance[1, 2] / compliance[1, 1] == pytest.approx(0.235)  # nu23


def test_isotropic_cortex_doubles_the_torsional_stiffness() -> None:
    ratio = (
        material.get("cortical_bone_isotropic").axial_shear_modulus / material.get("cortical_bone").axial_shear_modulus
    )
    assert ratio == pytest.approx(1.98, abs=0.02)


def test_strain_limits_and_pure_shear_strength_are_the_published_ones() -> None:
    bone = material.get("cortical_bone")
    assert (bone["strain_tension"], bone["strain_compression"], bone["shear"]) == (0.0073, 0.0104, 51.6)


def test_cement_is_judged_by_principal_stress_and_is_weak_in_tension() -> None:
    for one in material.materials().values():
        if one.kind == "cement" and one.criterion != "none":
            assert one.criterion == "rankine"
            assert one["tension"] < one["shear"] < one["compression"]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_criterion_needs_is_there(name: str) -> None:
    one = material.get(name)
    needs = {
        "principal_strain": ("strain_tension", "strain_compression"),
        "rankine": ("tension", "compression"),
        "von_mises": ("yield",),
        "none": (),
    }[one.criterion]
    assert all(one[key] > 0 for key in needs)


def test_doubtful_values_are_not_called_verified() -> None:
    assert not material.get("marrow").verified
    assert Value(1.0, "MPa", trust="V").verified
    assert not any(Value(1.0, "MPa", trust=tag).verified for tag in ("M", "M?"))


def test_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="'pmma'"):
        material.get("pma")
    with pytest.raises(MaterialError, match="'tension'"):
        material.get("pmma")["tenson"]


def test_override_changes_only_what_was_asked() -> None:
    soft = material.get("pmma").with_(E=2000, tension=35)
    assert (soft["E"], soft["tension"], soft["nu"]) == (2000, 35, 0.3)
    assert soft.elastic["E"].source == ("user",)
    assert material.get("pmma")["E"] == 2500
    assert soft.stiffness()[3, 3] == pytest.approx(2000 / 2.6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"E": 0}, "above zero"),
        ({"E": -1}, "above zero"),
        ({"E": math.nan}, "finite"),
        ({"E": math.inf}, "finite"),
        ({"E": True}, "finite"),
        ({"nu": 0.5}, "nu"),
        ({"nu": -1.2}, "nu"),
        ({"tensoin": 3}, "tension"),
        ({"criterion": "tresca"}, "rankine"),
        ({"density_law": "morgan"}, "not known"),
    ],
)
def test_impossible_overrides_are_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(MaterialError, match=says):
        material.get("pmma").with_(**change)


def test_overrides_may_carry_units() -> None:
    changed = material.get("pmma").with_(E="2 GPa", density="1200 kg/m^3")
    assert (changed["E"], changed["density"]) == pytest.approx((2000.0, 1.2))
    for text in ("stiff", "2 mm", "2 kg"):
        with pytest.raises(InputError, match=r"pmma\.E"):
            material.get("pmma").with_(E=text)
    with pytest.raises(MaterialError, match="above zero"):
        material.get("pmma").with_(E="-2 GPa")


def test_unstable_cortex_is_refused() -> None:
    """nu 0.62 / 0.62 with these moduli has negative strain energy."""
    with pytest.raises(MaterialError, match="not stable"):
        material.get("cortical_bone").with_(nu_axial=0.62, nu_transverse=0.62)


@pytest.mark.parametrize(
    "data",
    [
        {"value": 1.0, "unit": "MPa", "trust": "V"},
        {"value": 1.0, "unit": "MPa", "source": "x", "trust": "V", "colour": 1},
        {"value": 1.0, "unit": "MPa", "source": "x", "trust": "sure"},
        {"value": math.nan, "unit": "MPa", "source": "x", "trust": "V"},
        {"value": 3.0, "unit": "MPa", "source": "x", "trust": "V", "range": [1.0, 2.0]},
    ],
)
def test_a_number_without_provenance_cannot_enter_the_library(data: dict[str, Any]) -> None:
    with pytest.raises(MaterialError):
        read_value(data, "here")


def test_material_prints_itself() -> None:
    assert repr(material.get("pmma")) == "pmma (isotropic): E = 2500 MPa, nu = 0.3"
