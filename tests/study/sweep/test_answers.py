"""Answers against tables whose answers are known, and searches against the beam."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import femsim as fs
from femsim.errors import InputError
from femsim.study.sweep import Study, answers, best, reach, search
from femsim.study.sweep.spec import StudySpec
from femsim.study.sweep.tasks import expand


def made(values: dict[str, np.ndarray], params: dict[str, np.ndarray], output: str = "failure_load") -> pd.DataFrame:
    """A table of a study from outputs by strategy."""
    count = len(next(iter(values.values())))
    rows = []
    for number in range(count):
        for strategy, column in values.items():
            row = {"case": f"{number:04d}", "strategy": strategy, f"out.{output}": column[number]}
            rows.append(row | {f"param.{name}": one[number] for name, one in params.items()})
    return pd.DataFrame(rows)


def test_curve_is_the_median_with_its_quantiles() -> None:
    x = np.repeat([10.0, 20.0, 30.0], 101)
    spread = np.tile(np.linspace(-1.0, 1.0, 101), 3)
    frame = made({"cement": 5.0 * x + spread}, {"lesion.diameter": x, "other": spread})
    found = answers.curve(frame, "lesion.diameter", "failure_load", (0.1, 0.9))
    np.testing.assert_allclose(found["lesion.diameter"], [10, 20, 30])
    np.testing.assert_allclose(found["median"], [50, 100, 150])
    np.testing.assert_allclose(found["high"] - found["low"], 1.6)
    assert (found["cases"] == 101).all()
    late = pd.concat([frame[frame["param.lesion.diameter"] > 10], frame])  # the first cases are missing, or came last
    assert answers.curve(late, "lesion.diameter", "failure_load")["lesion.diameter"].tolist() == [10.0, 20.0, 30.0]
    classes = answers.curve(frame, "other", "out.failure_load")
    assert len(classes) == 10
    assert classes["other"].is_monotonic_increasing


def test_paired_difference_sees_what_an_unpaired_one_cannot() -> None:
    """Patients differ by 1000 N, treatments by 20 +- 10 N."""
    random = np.random.default_rng(0)
    patient, noise = 3000.0 + 1000.0 * random.standard_normal(400), 10.0 * random.standard_normal(400)
    frame = made({"intact": patient + 500, "cement": patient + 20.0 + noise, "catheter": patient}, {})
    found = answers.difference(frame, "cement", "catheter", "failure_load")
    assert found.mean == pytest.approx(20.0, abs=2.0)
    assert found.interval[0] < 20.0 < found.interval[1]
    assert found.interval[1] - found.interval[0] < 2.5
    assert found.probability == pytest.approx(0.977, abs=0.02)  # P(20 + 10 z > 0)
    assert found.probability_interval[0] < 0.977 < found.probability_interval[1]
    assert "larger in 9" in str(found)
    same = answers.difference(frame, "cement", "cement", "failure_load")
    assert (same.mean, same.probability) == (0.0, 0.5)
    with pytest.raises(InputError, match="no strategy 'nail'"):
        answers.difference(frame, "nail", "cement", "failure_load")


def test_wilson_interval_is_the_published_one() -> None:
    """81 of 263: 0.2553 to 0.3662 (Newcombe 1998, Stat Med 17:857, table I, method 3)."""
    low, high = answers._wilson(81, 263)
    assert low == pytest.approx(0.2553, abs=5e-5)
    assert high == pytest.approx(0.3662, abs=5e-5)


def test_strength_recovery_is_that_of_the_same_case() -> None:
    frame = made(
        {
            "intact": np.array([1000.0, 2000.0]),
            "untreated": np.array([200.0, 1000.0]),
            "cement": np.array([600.0, 1750.0]),
        },
        {},
    )
    recovery = answers.column(frame, "strength_recovery")[frame["strategy"] == "cement"]
    np.testing.assert_allclose(recovery, [50.0, 75.0])
    share = answers.column(frame, "out.strength_of_intact")[frame["strategy"] == "cement"]
    np.testing.assert_allclose(share, [60.0, 87.5])
    with pytest.raises(InputError, match="no output 'stifness'"):
        answers.column(frame, "stifness")


def test_tornado_puts_the_strongest_first() -> None:
    random = np.random.default_rng(1)
    a, b, c = random.random((3, 2000))
    frame = made({"cement": 3.0 * a - 10.0 * b + 0.0 * c}, {"a": a, "b": b, "c": c, "side": np.repeat("left", 2000)})
    found = answers.tornado(frame, "cement", "failure_load")
    assert list(found.index) == ["b", "a", "c"]
    assert found.loc["b", "swing"] == pytest.approx(-8.0, abs=0.5)  # means of the outer fifths: 0.1 and 0.9
    assert found.loc["a", "swing"] == pytest.approx(2.4, abs=0.5)
    assert abs(found.loc["c", "swing"]) < 0.5


def test_sobol_indices_of_a_function_whose_indices_are_known() -> None:
    """Ishigami's function, a = 7, b = 0.1: S1 = 0.3139, 0.4424, 0 and ST = 0.5576, 0.4424, 0.2437."""
    pytest.importorskip("SALib")
    names = ["body_mass", "lesion.diameter", "materials.pmma.E"]
    limits = [(50.0, 90.0), (10.0, 30.0), (1500.0, 3500.0)]
    vary = {name: {"uniform": limit} for name, limit in zip(names, limits, strict=True)}
    spec = StudySpec(vary=vary, sampling={"method": "saltelli", "samples": 1024})
    tasks = expand(spec)
    x = np.array([[(t.params[n] - a) / (b - a) for n, (a, b) in zip(names, limits, strict=True)] for t in tasks])
    x = np.pi * (2.0 * x - 1.0)
    y = np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    frame = pd.DataFrame({"case": [t.id for t in tasks], "strategy": "cement", "out.failure_load": y})
    frame = frame.sample(frac=1.0, random_state=0)  # the order of the table does not matter
    found = answers.sobol(spec, frame, "cement", "failure_load")
    assert found.equals(answers.sobol(spec, frame, "cement", "failure_load"))  # the intervals are the same, too
    np.testing.assert_allclose(found["first"], [0.3139, 0.4424, 0.0], atol=0.08)
    np.testing.assert_allclose(found["total"], [0.5576, 0.4424, 0.2437], atol=0.08)
    with pytest.raises(InputError, match="samples have no failure_load"):
        answers.sobol(spec, frame.iloc[1:], "cement", "failure_load")
    with pytest.raises(InputError, match="saltelli"):
        answers.sobol(StudySpec(vary=vary), frame, "cement", "failure_load")


@pytest.fixture
def tube() -> fs.Case:
    return fs.Case(
        bone=fs.Tube(length=60.0), lesion=fs.Lesion(site="shaft_middle", diameter=12.0), load="torsion",
        mesh=fs.Mesh(near=5.0, far=9.0),
    )  # fmt: skip


def test_reach_finds_the_root_and_keeps_its_cases(tube: fs.Case, tmp_path: Path) -> None:
    """What body mass makes the stiffness ... none: so the modulus, to which the intact tube is proportional."""
    case = fs.Comparison(
        **{k: getattr(tube, k) for k in fs.Case.model_fields}, strategies={"untreated": fs.Untreated()}
    )
    start = Study(case).run(tmp_path / "start", workers=0).frame
    at_3300 = float(start.loc[start["strategy"] == "intact", "out.torsional_stiffness"].iloc[0])
    name = "materials.cortical_bone.G_axial"
    target = at_3300 * 1.1
    asked = {"strategy": "intact", "out": tmp_path / "out", "points": 2}
    found = reach(case, name, (3000.0, 4200.0), "torsional_stiffness", target, **asked)
    assert found.reached
    assert found.output == pytest.approx(target, rel=1e-2)
    # the canal is soft and the stiffness of the wall linear in G: 10 % more stiffness is nearly 10 % more modulus
    assert found.values[name] == pytest.approx(3300.0 * 1.1, rel=0.02)
    assert len(found.frame) == 2 * len(found.frame["case"].unique())
    assert found.bracket is not None
    low, high = found.bracket
    assert low <= found.values[name] <= high
    assert f"between {name} = {low:.4g} (" in str(found)
    solved: list[object] = []
    real, search.work = search.work, lambda job: solved.append(job) or real(job)  # type: ignore[func-returns-value]
    try:
        again = reach(case, name, (3000.0, 4200.0), "torsional_stiffness", target, **asked)
    finally:
        search.work = real
    assert not solved
    assert again.values == found.values
    never = reach(case, name, (3000.0, 3200.0), "torsional_stiffness", 1e6, strategy="intact", out=tmp_path / "out")
    assert not never.reached
    assert f"No {name} from 3000 to 3200 (5 values solved) brings torsional_stiffness of intact to 1e+06" in str(never)
    assert never.values[name] == 3200.0
    assert never.bracket is None


def test_reach_of_known_functions(tube: fs.Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search itself, with a function in place of the solver: what rises, falls, does both, or never gets there."""
    functions = {
        "rise": lambda x: x,
        "fall": lambda x: 100.0 - x,
        "hill": lambda x: 100.0 - (x - 50.0) ** 2 / 10.0,  # beyond 80 from 35.86 to 64.14, at neither end
        "step": lambda x: 20.0 if x < 33.0 else 90.0,
        "flat": lambda x: 79.0,
    }
    shape = ""
    monkeypatch.setattr(
        search._Evaluations, "__call__", lambda self, values: functions[shape](values["body_mass"] - 20.0)
    )
    monkeypatch.setattr(search._Evaluations, "frame", lambda self: pd.DataFrame())
    for shape, expected in (("rise", 80.0), ("fall", 20.0), ("hill", 50.0 - 200.0**0.5), ("step", 33.0)):
        found = reach(tube, "body_mass", (20.0, 120.0), "failure_load", 80.0, strategy="cement", out=tmp_path)
        assert found.reached
        assert found.bracket is not None
        assert found.bracket[0] <= expected + 20.0 <= found.bracket[1], shape
        assert found.values["body_mass"] == pytest.approx(expected + 20.0, abs=1.0)
        assert ("2 times" in str(found)) == (shape == "hill")
    shape = "flat"
    never = reach(tube, "body_mass", (20.0, 120.0), "failure_load", 80.0, strategy="cement", out=tmp_path)
    always = reach(tube, "body_mass", (20.0, 120.0), "failure_load", 70.0, strategy="cement", out=tmp_path)
    assert (never.reached, always.reached) == (False, False)
    assert str(never).startswith("No body_mass from 20 to 120")
    assert str(always).startswith("Every body_mass from 20 to 120")
    with pytest.raises(InputError, match="from 30 to 30"):
        reach(tube, "body_mass", (30.0, 30.0), "failure_load", 1.0, strategy="cement")


def test_best_of_a_known_function(tube: fs.Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search itself, with a function in place of the solver: the top of a parabola in one and two keys."""

    def height(self: object, values: dict[str, float]) -> float:
        calls.append(values)
        return 10.0 - (values["body_mass"] - 70.0) ** 2 / 100.0 - (values.get("lesion.diameter", 12.0) - 12.0) ** 2

    calls: list[dict[str, float]] = []
    monkeypatch.setattr(search._Evaluations, "__call__", height)
    monkeypatch.setattr(search._Evaluations, "frame", lambda self: pd.DataFrame())
    one = best(tube, {"body_mass": (50.0, 100.0)}, "failure_load", strategy="cement", out=tmp_path)
    assert one.values["body_mass"] == pytest.approx(70.0, abs=0.5)
    assert one.output == pytest.approx(10.0, abs=1e-2)
    pytest.importorskip("optuna")
    ranges = {"body_mass": (50.0, 100.0), "lesion.diameter": (8.0, 20.0)}
    two = best(tube, ranges, "failure_load", strategy="cement", trials=60, out=tmp_path)
    assert two.output > 9.0
    twice = best(tube, ranges, "failure_load", strategy="cement", trials=60, out=tmp_path)
    assert two.values == twice.values


def test_search_for_an_unknown_strategy(tube: fs.Case) -> None:
    with pytest.raises(InputError, match="no strategy 'nail'"):
        reach(tube, "body_mass", (50, 100), "failure_load", 1.0, strategy="nail")
