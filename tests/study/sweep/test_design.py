"""The values of a study: names that lead somewhere, designs that are what they say, samples that repeat."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import femsim as fs
from femsim.errors import FemsimError, InputError
from femsim.study.sweep import Study
from femsim.study.sweep.design import transformed
from femsim.study.sweep.names import with_values
from femsim.study.sweep.spec import StudySpec, Variation, read
from femsim.study.sweep.tasks import expand, in_order

BASE = fs.Comparison().model_dump(mode="json")


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("lesion.diameter", 17.5, lambda d: d["lesion"][0]["diameter"]),
        ("lesion.1.direction", "medial", lambda d: d["lesion"][0]["direction"]),
        ("bone.length", 400.0, lambda d: d["bone"]["length"]),
        ("load", "torsion", lambda d: d["load"]),
        ("mesh.near", 3.0, lambda d: d["mesh"]["near"]),
        ("materials.pmma.E", 1800.0, lambda d: d["materials"]["pmma"]["E"]),
        ("strategies.cement.fill_fraction", 0.5, lambda d: d["strategies"]["cement"]["fill_fraction"]),
    ],
)
def test_any_key_can_be_set_by_its_name(name, value, where):
    changed = with_values(BASE, {name: value})
    assert where(changed) == value
    assert where(changed) != (where(BASE) if not name.startswith("materials") else None)
    assert fs.Comparison().model_dump(mode="json") == BASE  # the base stays as it was


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("lesoin.diameter", "'lesion'"),
        ("lesion.diamter", "'diameter'"),
        ("strategies.cathter.count", "'catheter'"),
        ("materials.pma.E", "'pmma'"),
        ("bone.lenght", "'length'"),
        ("lode", "'load'"),
    ],
)
def test_unknown_key_says_what_was_meant(name, nearest):
    with pytest.raises(InputError, match=f"Did you mean {nearest}"):
        expand(StudySpec(vary={name: [1]}))


@pytest.mark.parametrize("name", ["lesion.diameter.x", "load.x", "materials.pmma", "lesion.2.diameter", "lesion.1"])
def test_name_that_leads_nowhere_is_refused(name):
    with pytest.raises(InputError):
        expand(StudySpec(vary={name: [1]}))


def test_value_that_is_not_allowed_names_the_case():
    with pytest.raises(FemsimError, match=r"diameter.*in the case lesion\.diameter = -3"):
        expand(StudySpec(vary={"lesion.diameter": [10, -3]}))


def test_levels_are_combined_rows_are_not():
    spec = StudySpec(
        vary={"lesion.diameter": [10, 20], "body_mass": {"linspace": [60, 80, 3]}},
        paired={"bone.length": [400, 450], "load": ["walking", "torsion"]},
    )
    found = [dict(one.params) for one in expand(spec)]
    assert len(found) == 2 * 3 * 2
    assert {(one["bone.length"], one["load"]) for one in found} == {(400, "walking"), (450, "torsion")}
    assert {one["body_mass"] for one in found} == {60.0, 70.0, 80.0}
    assert len({tuple(one.values()) for one in found}) == len(found)


def test_cohort_is_done_bone_by_bone():
    spec = StudySpec(cohort={"anna": fs.Femur(length=420), "ben": fs.Humerus()}, vary={"load": ["torsion"]})
    tasks = expand(spec)
    assert [one.params["cohort"] for one in tasks] == ["anna", "ben"]
    assert [one.case["bone"]["kind"] for one in tasks] == ["femur", "humerus"]
    assert [one.mesh for one in tasks] == sorted({one.mesh for one in tasks}, key=[t.mesh for t in tasks].index)


@pytest.mark.parametrize(
    ("law", "check"),
    [
        ({"uniform": [2.0, 4.0]}, stats.uniform(2.0, 2.0)),
        ({"normal": [75.0, 12.0]}, stats.norm(75.0, 12.0)),
        ({"lognormal": [10.0, 3.0]}, None),
        ({"normal": [0.0, 1.0], "minimum": -1.0, "maximum": 2.0}, stats.truncnorm(-1.0, 2.0)),
    ],
)
def test_samples_follow_their_distribution(law, check):
    values = np.array(transformed(Variation(**law), (np.arange(20000) + 0.5) / 20000))
    if check is None:  # lognormal is given by mean and deviation of the value itself
        assert values.mean() == pytest.approx(10.0, rel=1e-3)
        assert values.std() == pytest.approx(3.0, rel=1e-2)
        assert stats.skew(np.log(values)) == pytest.approx(0.0, abs=1e-3)
    else:
        assert stats.kstest(values, check.cdf).statistic < 1e-3


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol", "random"])
def test_same_seed_same_samples(method):
    vary = {"materials.pmma.E": {"uniform": [1500, 3500]}, "lesion.direction": {"choice": ["lateral", "medial"]}}
    a, b, c = (
        [
            tuple(t.params.values())
            for t in expand(StudySpec(vary=vary, sampling={"method": method, "samples": 32, "seed": s}))
        ]
        for s in (1, 1, 2)
    )
    assert a == b
    assert a != c
    assert len(a) == 32
    if method == "latin_hypercube":  # one value in each of 32 equal parts
        assert sorted(int((e - 1500) / 2000 * 32) for e, _ in a) == list(range(32))


def test_saltelli_makes_the_blocks_that_sobol_indices_need():
    pytest.importorskip("SALib")
    vary = {"materials.pmma.E": {"uniform": [1500, 3500]}, "body_mass": {"uniform": [50, 90]}}
    tasks = expand(StudySpec(vary=vary, sampling={"method": "saltelli", "samples": 8}))
    assert len(tasks) == 8 * (2 + 2)


@pytest.mark.parametrize(
    "one",
    [
        {},
        {"uniform": [1, 2], "normal": [1, 1]},
        {"uniform": [2, 1]},
        {"normal": [1, 0]},
        {"lognormal": [-1, 1]},
        {"linspace": [1, 2, 1]},
        {"levels": []},
        {"uniform": [1, 2], "minimum": 0},
        {"unifrom": [1, 2]},
    ],
)
def test_variation_that_says_nothing_or_two_things(one):
    with pytest.raises(InputError):
        StudySpec(vary={"body_mass": one})


def test_case_is_named_by_its_content_alone():
    one = expand(StudySpec(vary={"lesion.diameter": [10, 20]}))
    other = expand(
        StudySpec(
            name="another",
            case=fs.Comparison(name="x", lesion=fs.Lesion(diameter=99)),
            vary={"lesion.diameter": [30, "2 cm", 10]},
        )
    )
    assert {t.id for t in one} <= {t.id for t in other}
    changed = expand(StudySpec(case=fs.Comparison(body_mass=76), vary={"lesion.diameter": [10, 20]}))
    assert not {t.id for t in one} & {t.id for t in changed}


def test_changed_file_is_another_case(tmp_path: Path):
    file = tmp_path / "bone.stl"
    file.write_text("solid a")
    case = fs.Comparison(bone=fs.SurfaceBone(periosteum=file, cortical_thickness=4))
    before = expand(StudySpec(case=case))[0]
    file.write_text("solid b")
    after = expand(StudySpec(case=case))[0]
    assert before.id != after.id
    assert before.mesh != after.mesh


def test_order_of_work_keeps_meshes_and_matrices_together():
    spec = StudySpec(
        vary={"materials.pmma.E": [2000, 2500], "load": ["walking", "torsion"], "lesion.diameter": [10, 20]}
    )
    order = in_order(expand(spec))
    meshes, matrices = [t.mesh for t in order], [t.matrix for t in order]
    assert len(set(meshes)) == 2  # neither load nor modulus costs a mesh
    assert len(set(matrices)) == 4  # a load costs no matrix
    for listed in (meshes, matrices):
        changes = sum(a != b for a, b in itertools.pairwise(listed))
        assert changes == len(set(listed)) - 1


def test_file_and_python_are_the_same_study(tmp_path: Path):
    (tmp_path / "patients.csv").write_text("bone.length,body_mass\n400,60\n450,80\n")
    (tmp_path / "case.toml").write_text('load = "torsion"\n[lesion]\ndiameter = 25\n')
    (tmp_path / "study.toml").write_text(
        'case = "case.toml"\npaired_file = "patients.csv"\n[vary]\n"lesion.length" = [30, 40]\n'
        '"materials.pmma.E" = { normal = [2500, 200], minimum = 1500 }\n[sampling]\nsamples = 4\nseed = 3\n'
        "[strategies.untreated]\n[strategies.cement]\n"
    )
    from_file = Study.read(tmp_path / "study.toml")
    in_python = Study(
        fs.Case(load="torsion", lesion=fs.Lesion(diameter=25)),
        vary={"lesion.length": [30, 40], "materials.pmma.E": {"normal": [2500, 200], "minimum": 1500}},
        strategies={"untreated": fs.Untreated(), "cement": fs.Cement()},
        sampling={"samples": 4, "seed": 3},
        paired=tmp_path / "patients.csv",
    )
    assert len(from_file) == 2 * 2 * 4
    a, b = ({t.id for t in study.cases} for study in (from_file, in_python))
    assert a == b
    assert [dict(t.params) for t in from_file.cases] == [dict(t.params) for t in in_python.cases]


def test_study_reads_back_what_it_wrote(tmp_path: Path):
    from femsim.study.sweep import folder

    spec = StudySpec(
        vary={"lesion.diameter": [10, "2 cm"], "body_mass": {"uniform": [50, 90]}},
        sampling={"samples": 3},
        paired={"load": ["walking", "torsion"]},
        cohort={"anna": fs.Femur(length=420)},
    )
    tmp_path.mkdir(exist_ok=True)
    folder.settle(tmp_path, spec, resume=False)
    assert [t.id for t in expand(read(tmp_path / folder.STUDY))] == [t.id for t in expand(spec)]


@pytest.mark.parametrize("text", ["body_mass\n", "body_mass,load\n60,\n", ""])
def test_table_with_holes_is_refused(tmp_path: Path, text: str):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(InputError):
        Study(paired=tmp_path / "p.csv")
