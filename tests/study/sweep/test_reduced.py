"""The error bound of a reduced basis is a bound: against full solutions, and against pyMOR's own reduction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import femsim as fs
from femsim import fem
from femsim.errors import SolveError
from femsim.study.sweep import Study, load, reproduce
from femsim.study.sweep.reduced.affine import family, lowest_ratio
from femsim.study.sweep.reduced.basis import answer
from femsim.study.sweep.reduced.greedy import build
from femsim.verify.meshes import box

CORTEX = {"nu_axial": 0.4, "nu_transverse": 0.5}


def bar(cells: int = 3, length: int = 8) -> fem.Model:
    """A bar of bone with a cement core and a soft lesion, held at one end, under three loads at the other."""
    points, tets = box("tet10", (cells, cells, length), (10.0, 10.0, 40.0))
    middle = points[tets].mean(axis=1)
    index = np.zeros(len(tets), int)
    index[(np.abs(middle[:, :2] - 5.0) < 2.0).all(axis=1)] = 1
    index[(middle[:, 2] > 15.0) & (middle[:, 2] < 25.0) & (middle[:, 0] < 4.0)] = 2
    base = np.stack([stiffness(np.zeros(5))[m] for m in range(3)])
    ends = [np.flatnonzero(np.abs(points[:, 2] - z) < 1e-9) for z in (0.0, 40.0)]
    forces = {"x": (100.0, 0.0, 0.0), "y": (0.0, 100.0, 0.0), "z": (0.0, 0.0, -500.0)}
    axes = np.broadcast_to(np.eye(3), (len(tets), 3, 3))
    return fem.Model(
        points, tets, fem.Material(base, index, axes=axes), supports=[fem.Fixed(ends[0])],
        loads={name: [fem.NodalForce(ends[1], np.array(f) / len(ends[1]))] for name, f in forces.items()},
    )  # fmt: skip


def stiffness(u: np.ndarray) -> np.ndarray:
    """Stiffness of bone, cement and tumour at five numbers in [0, 1]: five moduli."""
    bone = fem.transversely_isotropic(
        E_axial=15000 + 6000 * u[0], E_transverse=10000 + 3000 * u[1], G_axial=3000 + 1500 * u[2], **CORTEX
    )
    return np.stack([bone, fem.isotropic(1500 + 2000 * u[3], 0.3), fem.isotropic(5 + 20 * u[4], 0.45)])


def samples(count: int) -> np.ndarray:
    return np.stack([stiffness(u) for u in np.random.default_rng(1).random((count, 5))])


def test_true_error_is_below_the_bound_and_the_bound_below_the_tolerance() -> None:
    model, materials = bar(), samples(2000)
    equal = family(model, materials)
    assert (
        equal.thetas.shape[1] == 6
    )  # C13 = nu (C11 + C12) leaves four entries of the bone's stiffness; and two moduli
    basis = build(equal.equations, equal.thetas, equal.alphas, 1e-3)
    found = answer(basis, equal.thetas, equal.alphas)
    assert found.bound.max() <= 1e-3
    ratios = []
    for row in np.random.default_rng(2).choice(len(materials), 50, replace=False):
        exact = fem.solve(
            replace(model, material=replace(model.material, base=materials[row])), solver="direct", threads=1
        )
        matrix = equal.equations.matrix(equal.thetas[row])
        for column, solution in enumerate(exact.values()):
            error = solution.displacement.ravel() - basis.vectors @ found.coefficients[row, column]
            work = 2.0 * solution.energy
            true = np.sqrt(error @ (matrix @ error) / work)
            assert true <= found.bound[row, column]
            ratios.append(found.bound[row, column] / true)
            # the work, from which the stiffness follows, is off by the square of the error, and never too large
            missing = 1.0 - found.work[row, column] / work
            assert -1e-9 <= missing <= found.bound[row, column] ** 2 + 1e-9
    assert np.median(ratios) < 3.0  # a bound that is far too large would hold, and be of no use


def test_affine_terms_add_up_to_the_assembled_matrix() -> None:
    model, materials = bar(2, 4), samples(20)
    equal = family(model, materials)
    for row in (0, 7, 19):
        one = replace(model, material=replace(model.material, base=materials[row]))
        u = fem.solve(one, solver="direct", threads=1)["y"].displacement.ravel()
        residual = equal.equations.matrix(equal.thetas[row]) @ u - equal.equations.loads[:, 1]
        assert np.abs(residual).max() < 1e-8 * np.abs(equal.equations.loads).max()


def test_lower_bound_of_coercivity_holds_for_every_vector() -> None:
    model, materials = bar(2, 4), samples(30)
    equal = family(model, materials)
    reference = equal.equations.matrix(equal.equations.reference).toarray()
    free = np.flatnonzero(equal.free.ravel())
    from scipy.linalg import eigh

    for row in range(0, 30, 6):
        here = equal.equations.matrix(equal.thetas[row]).toarray()
        smallest = eigh(here[np.ix_(free, free)], reference[np.ix_(free, free)], eigvals_only=True)[0]
        assert equal.alphas[row] <= smallest * (1 + 1e-9)
    assert lowest_ratio(3.0 * materials[:, 0], materials[0, 0])[0] == pytest.approx(3.0)


def test_agrees_with_the_reduction_of_pymor() -> None:
    pytest.importorskip("pymor")
    from pymor.algorithms.greedy import weak_greedy  # noqa: F401  (the library is whole)
    from pymor.models.basic import StationaryModel
    from pymor.operators.constructions import LincombOperator, VectorOperator
    from pymor.operators.numpy import NumpyMatrixOperator
    from pymor.parameters.functionals import ExpressionParameterFunctional, ProjectionParameterFunctional
    from pymor.reductors.coercive import CoerciveRBReductor

    model, materials = bar(2, 4), samples(40)
    equal = family(model, materials)
    basis = build(equal.equations, equal.thetas, equal.alphas, 1e-2)
    found = answer(basis, equal.thetas, equal.alphas)
    free = np.flatnonzero(equal.free.ravel())
    terms = [NumpyMatrixOperator(one[free][:, free]) for one in equal.equations.terms]
    count = len(terms)
    functionals = [ProjectionParameterFunctional("theta", count, k) for k in range(count)]
    operator = LincombOperator(terms, functionals)
    product = NumpyMatrixOperator(equal.equations.matrix(equal.equations.reference)[free][:, free])
    for column in range(3):
        load = operator.range.from_numpy(equal.equations.loads[free, column][:, None])
        whole = StationaryModel(operator, VectorOperator(load))
        vectors = operator.source.from_numpy(basis.vectors[free])
        reductor = CoerciveRBReductor(
            whole, vectors, product=product, check_orthonormality=False,
            coercivity_estimator=ExpressionParameterFunctional("1.", {"theta": count}),
        )  # fmt: skip
        reduced = reductor.reduce()
        for row in (0, 13, 39):
            mu = whole.parameters.parse(equal.thetas[row])
            theirs = reduced.solve(mu).to_numpy().ravel()
            np.testing.assert_allclose(
                found.coefficients[row, column], theirs, rtol=1e-6, atol=1e-9 * abs(theirs).max()
            )
            dual = float(np.ravel(reduced.estimate_error(mu))[0])
            mine = found.bound[row, column] * np.sqrt(equal.alphas[row] * found.work[row, column])
            assert mine == pytest.approx(dual, rel=1e-3)


def test_three_hundred_samples_are_certified() -> None:
    """The same on a coarse mesh, without the comparison of times: bound, true error, and a basis of tens."""
    from benchmarks.reduced import measure

    found = measure(near=8.0, count=300, checks=3)
    assert found["bound"] <= 1e-3
    assert 0.0 < found["largest_error_over_bound"] <= 1.0
    assert found["vectors"] < 100, found


@pytest.mark.slow  # compares times, which a busy machine spoils
def test_ten_thousand_samples_cost_less_than_ten_solutions() -> None:
    """CPU time, everything included: terms, factor, basis, and 10 000 x 3 answers with their bounds."""
    from benchmarks.reduced import measure

    found = measure(near=4.0, count=10000, checks=50)
    assert found["bound"] <= 1e-3
    assert found["largest_error_over_bound"] <= 1.0
    assert found["cost_in_solutions"] < 10.0, found


def test_supports_that_move_are_refused() -> None:
    model = bar(2, 4)
    moved = replace(model, supports=[*model.supports, fem.Fixed([len(model.points) - 1], (0,), 0.5)])
    with pytest.raises(SolveError, match="hold components at zero"):
        family(moved, samples(3))


@pytest.fixture(scope="module")
def study() -> Study:
    case = fs.Case(
        bone=fs.Tube(length=60.0), lesion=fs.Lesion(site="shaft_middle", diameter=12.0), mesh=fs.Mesh(near=5, far=9)
    )
    return Study(
        case,
        vary={
            "materials.pmma.E": {"uniform": [1500, 3500]},
            "materials.cortical_bone.G_axial": {"normal": [3300, 300]},
            "load": ["torsion", "bending_frontal"],
        },
        strategies={"untreated": fs.Untreated(), "cement": fs.Cement()},
        sampling={"samples": 30},
        run={"outputs": "stiffness"},
    )


def test_sweep_that_qualifies_is_answered_and_says_so(study: Study, tmp_path: Path) -> None:
    done = study.run(tmp_path / "out", workers=0)
    assert done.report is not None
    assert (done.report.reduced, done.report.done) == (60, 0)
    frame = done.frame
    assert set(frame["method"]) == {"reduced"}
    assert (frame["error_bound"] <= study.spec.run.reduced_tolerance).all()
    again = study.run(tmp_path / "out", workers=0)
    assert again.report is not None
    assert again.report.kept == 60
    for case in frame["case"].unique()[[3, 41]]:
        then = reproduce(tmp_path / "out/cases" / case)
        assert then.same
        assert then.largest < 1e-4
    assert len(load(tmp_path / "out").frame) == 180


def test_samples_on_both_sides_of_near_incompressibility(study: Study, tmp_path: Path) -> None:
    """A full solution takes B-bar for the cortex from E_transverse of some 13 400 MPa on, and is 1 % softer for it."""
    values = [11000.0 + 100.0 * k for k in range(12)] + [14000.0 + 50.0 * k for k in range(12)]
    one = Study(
        study.spec.case,
        vary={"materials.cortical_bone.E_transverse": values, "load": ["torsion"]},
        run={"outputs": "stiffness", "reduced_from": 6},
    )
    done = one.run(tmp_path / "out", workers=0)
    frame = done.frame
    reduced = frame[frame["method"] == "reduced"]
    assert reduced["case"].nunique() >= 24
    for case in reduced["case"].unique()[[0, -1]]:
        then = reproduce(tmp_path / "out/cases" / case)
        assert then.same, then.changed
        assert then.largest < 1e-4


@pytest.mark.parametrize(
    ("vary", "run"),
    [
        ({"lesion.diameter": [10, 12]}, {"outputs": "stiffness"}),
        ({"materials.pmma.tension": [30, 40]}, {"outputs": "stiffness"}),
        ({"materials.pmma.E": [2000, 2500]}, {"outputs": "all"}),
        ({"materials.pmma.E": [2000, 2500]}, {"outputs": "stiffness", "reduced": "never"}),
        ({"materials.pmma.E": [2000, 2500]}, {"outputs": "stiffness", "reduced_from": 3}),
    ],
)
def test_sweep_that_does_not_qualify_is_solved_case_by_case(study: Study, vary: dict, run: dict) -> None:
    from femsim.study.sweep.reduced.answer import groups

    one = Study(study.spec.case, vary=vary, run={"reduced_from": 2, **run})
    assert groups(one.cases, one.spec.run) == []
