"""What a user writes: templates and TOML that read back, keys that never change, units at the door."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import femsim as fs
from femsim import case, treatment
from femsim.case import toml_io
from femsim.errors import FemsimError, InputError, MaterialError
from femsim.units import measured, quantity

CHANGED = case.Comparison(
    name='a "quoted" name',
    body_mass="65000 g",
    load="torsion",
    bone=fs.Tube(outer_diameter="3 cm"),
    lesion=[
        fs.Lesion(site="shaft_middle", diameter=12, direction=30.0),
        fs.Lesion(position=70, shape="slot", length=40, diameter=8, depth=9),
    ],
    mesh={"near": 1.5, "far": 1.5},
    materials={"pmma": {"E": "2.0 GPa", "nu": 0.3, "criterion": "rankine"}, "marrow": {"E": 0.5}},
    strategies={
        "intact": fs.Intact(),
        "untreated": fs.Untreated(),
        "half filled, 50%".replace(",", ""): fs.Cement(fill_fraction=0.5, gravity=(1, 0, -1), void_fraction=0.05),
        "three": fs.CementFilledCatheter(count=3, outer_diameter="3 mm", past_distal=20, position="medial", offset=1),
        "both": fs.CementAndCatheter(
            filling=fs.Cement(fill_fraction=0.7), catheter=fs.CementFilledCatheter(position=45.0)
        ),
    },
)
CASES = {
    "default": case.Comparison(),
    "changed": CHANGED,
    "no lesion": case.Comparison(lesion=[], strategies={"untreated": fs.Untreated()}),
    "humerus": case.Comparison(
        bone=fs.Humerus(sex="female", percentile=30, shaft_ap="2 cm"),
        lesion=fs.Lesion(site="shaft_middle", diameter=12),
        load="torsion",
    ),
    "tibia": case.Comparison(
        bone=fs.Tibia(side="left", torsion=20), lesion=fs.Lesion(site="shaft_middle"), load="bending_sagittal"
    ),
    "shape model": case.Comparison(bone=fs.ShapeModelBone(modes={1: 1.5, 3: -2}), lesion=()),
    "labels": case.Comparison(bone=fs.LabelBone(image="/some/labels.nii.gz", cortex=3)),
    "mapped": case.Comparison(
        bone=fs.SurfaceBone(periosteum="/some/bone.stl", cortical_thickness={0: 1.5, 50: "6 mm", 100: 1.2})
    ),
    "surface": case.Comparison(bone=fs.SurfaceBone(periosteum="/some/bone.stl", endosteum="/some/canal.stl")),
}


@pytest.mark.parametrize("name", CASES)
def test_template_reads_back(name: str) -> None:
    text = case.template(CASES[name])
    again = toml_io.parse(case.Comparison, tomllib.loads(text), "template")
    assert again == CASES[name]
    assert again.key() == CASES[name].key()


@pytest.mark.parametrize("name", CASES)
def test_written_case_reads_back(name: str) -> None:
    text = toml_io.write(CASES[name].model_dump(mode="json"))
    assert toml_io.parse(case.Comparison, tomllib.loads(text), "written") == CASES[name]


def test_template_shows_every_key() -> None:
    text = case.template()
    models = [
        case.Comparison,
        case.Femur,
        case.Humerus,
        case.Tibia,
        case.SurfaceBone,
        case.Lesion,
        case.Mesh,
        case.Risk,
        case.Solver,
        *treatment.TREATMENTS.values(),
    ]
    missing = [f"{one.__name__}.{key}" for one in models for key in one.model_fields if key not in text]
    assert not missing


@pytest.mark.parametrize("line", [one for one in case.template().splitlines() if one.startswith("# ") and " = " in one])
def test_commented_examples_of_the_template_are_allowed(line: str) -> None:
    """Uncommenting any single example gives TOML, and, where the key belongs to a section, an allowed value."""
    assert tomllib.loads(line.removeprefix("# ").strip())


@pytest.mark.parametrize("one", treatment.default_strategies(), ids=lambda one: one.name)
def test_strategies_survive_toml_and_pickle(one: treatment.Treatment) -> None:
    text = toml_io.write(one.model_dump(mode="json"))
    assert type(one)(**tomllib.loads(text)) == one
    assert pickle.loads(pickle.dumps(one)) == one


def test_key_is_the_same_in_every_process_and_another_for_every_change() -> None:
    code = "import femsim as fs; print(fs.Comparison().key())"
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=dict(os.environ, PYTHONHASHSEED=seed),
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip() == case.Comparison().key()
    assert len({one.key() for one in CASES.values()}) == len(CASES)
    assert case.Comparison(body_mass=75.0001).key() != case.Comparison().key()
    assert fs.Lesion(diameter="3 cm") == fs.Lesion(diameter=30)


def test_files_of_a_case_lie_beside_it(tmp_path: Path) -> None:
    (tmp_path / "case.toml").write_text('[bone]\nperiosteum = "a.stl"\nendosteum = "sub/b.stl"\n')
    bone = case.load(tmp_path / "case.toml").bone
    assert (bone.periosteum, bone.endosteum) == (tmp_path / "a.stl", tmp_path / "sub/b.stl")
    assert case.load() == case.Comparison()


def test_changed_materials_reach_the_library_value() -> None:
    assert CHANGED.material("pmma").elastic["E"].value == pytest.approx(2000.0)
    assert case.Case(materials={"pmma": {"E": 2000}}).material("pmma").elastic["E"].value == 2000.0
    assert case.Case().material("pmma").elastic["E"].value == 2500.0


@pytest.mark.parametrize(
    ("make", "error", "place"),
    [
        (lambda: fs.Lesion(diameter=-3), InputError, "Lesion: diameter = -3.0"),
        (lambda: fs.Lesion(diametre=3), InputError, "'diametre' is not known. Did you mean 'diameter'"),
        (lambda: fs.Tube(inner_diameter=28), InputError, "smaller than outer_diameter"),
        (lambda: fs.CementAndCatheter(filling={"fill_fraction": 2}), InputError, "filling.fill_fraction = 2"),
        (lambda: fs.Case(lesion=[{}, {"seed": -1}]), InputError, "lesion 2.seed"),
        (lambda: fs.Case(load="wlking"), InputError, "Did you mean 'walking'"),
        (lambda: fs.Case(materials={"pmma": {"nu": 0.6}}), MaterialError, "nu = 0.6"),
        (lambda: fs.Case(mesh={"near": "x"}), InputError, "mesh: near = 'x'"),
    ],
)
def test_python_users_get_the_same_errors(make, error: type[FemsimError], place: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error) as caught:
        make()
    assert place in caught.value.what
    assert caught.value.why
    assert caught.value.do


# --- units


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1.2 cm", "length", 12.0),
        ("12mm", "length", 12.0),
        ("2.5 GPa", "pressure", 2500.0),
        ("1 kN", "force", 1000.0),
        ("90 deg", "angle", 90.0),
        ("1 rad", "angle", 57.295779513082),
        ("1100 kg/m^3", "density", 1.1),
        ("3 mL", "volume", 3000.0),
        ("165 lb", "mass", 74.84274105),
        ("7", "length", 7.0),
        (" 1e1 mm ", "length", 10.0),
    ],
)
def test_quantities(text: str, kind: str, value: float) -> None:
    assert quantity(text, kind) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "bad", ["", "mm", "3 kg", "3 mm mm", "1/0 mm", "nan", "inf mm", "__import__('os')", "3,5 mm", True, None, [3]]
)
def test_no_quantities(bad: object) -> None:
    with pytest.raises(InputError) as caught:
        quantity(bad, "length", "diameter")
    assert "diameter" in caught.value.what


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=12), st.floats(), st.integers(), st.booleans(), st.none()))
def test_the_door_of_units_never_breaks(value: object) -> None:
    """Whatever is written there: a finite number or an error in three parts."""
    try:
        number = quantity(value, "length")
    except InputError as raised:
        error = raised
    else:
        assert abs(number) < float("inf")
        return
    assert error.why
    assert error.do


def test_dimensionless_numbers_have_no_unit() -> None:
    assert measured("0.3", "-") == 0.3
    with pytest.raises(InputError):
        measured("0.3 mm", "-")


def test_json_of_a_case_reads_back() -> None:
    data = json.loads(json.dumps(CHANGED.model_dump(mode="json")))
    assert case.Comparison(**data) == CHANGED
