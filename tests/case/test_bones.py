"""Bones as a user writes them: presets, what wins over them, and what is refused."""

from __future__ import annotations

from dataclasses import asdict

import pytest

import femsim as fs
from femsim import anatomy, case
from femsim.errors import GeometryError, InputError

PARAMETRIC = {"femur": fs.Femur, "humerus": fs.Humerus, "tibia": fs.Tibia}


@pytest.mark.parametrize("kind", PARAMETRIC)
def test_every_parameter_of_the_shape_can_be_written_and_shows_its_default(kind: str) -> None:
    fields = PARAMETRIC[kind].model_fields
    shape = asdict(anatomy.SHAPES[kind]())
    assert set(fields) - {"kind", "sex", "percentile"} == set(shape)
    for name, default in shape.items():
        shown = fields[name].examples
        assert (fields[name].default if shown is None else shown[0]) == default, name


@pytest.mark.parametrize("kind", PARAMETRIC)
def test_sex_and_percentile_set_what_is_left_out(kind: str) -> None:
    make = PARAMETRIC[kind]
    found = make(sex="female", percentile=10, shaft_ml="22 mm", side="left").parameters()
    wanted = anatomy.preset(kind, "female", 10)
    assert found == wanted | {"shaft_ml": 22.0, "side": "left", "density_factor": 1.0}
    assert make(sex="male").parameters()["length"] == anatomy.preset(kind, "male", 50)["length"]
    assert make().parameters() == {"side": "right", "density_factor": 1.0}


@pytest.mark.parametrize("kind", PARAMETRIC)
def test_what_was_written_reaches_the_bone(kind: str) -> None:
    make = PARAMETRIC[kind]
    small, large = make(sex="female", percentile=10).build(), make(sex="male", percentile=90, side="left").build()
    assert (small.kind, small.side, large.side) == (kind, "right", "left")
    assert small.length == pytest.approx(anatomy.preset(kind, "female", 10)["length"], rel=0.02)
    assert large.length == pytest.approx(anatomy.preset(kind, "male", 90)["length"], rel=0.02)


def test_presets_stay_open_to_a_sweep() -> None:
    """A parameter that the preset gave is not frozen into the case: changing the percentile changes the bone."""
    written = case.Comparison(bone=fs.Tibia(sex="male", percentile=20), lesion=(), load="torsion").model_dump()
    written["bone"]["percentile"] = 80.0
    assert case.Comparison(**written).bone.parameters() == fs.Tibia(sex="male", percentile=80).parameters()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: fs.Humerus(percentile=30), InputError, "without sex"),
        (lambda: fs.Humerus(sex="child"), InputError, "sex = 'child'"),
        (lambda: fs.Tibia(sex="male", percentile=100), InputError, "percentile"),
        (lambda: fs.Tibia(anteversion=3), InputError, "'anteversion' is not known"),
        (lambda: fs.Humerus(length="3 m").build(), GeometryError, "length = 3000"),
        (lambda: fs.Case(bone={"kind": "humrus"}), InputError, "Did you mean 'humerus'"),
    ],
)
def test_impossible_bones_are_refused(make, error, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error) as caught:
        make()
    assert words in caught.value.what
