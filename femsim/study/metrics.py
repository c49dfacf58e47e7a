"""The row of the table for one strategy: every number with its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from femsim import fem, risk
from femsim.anatomy import Bone
from femsim.anatomy.frame import DIRECTIONS
from femsim.loads import Applied
from femsim.material import MaterialData
from femsim.study.beam import beam, beam_columns, beam_warnings
from femsim.study.clinical import clinical
from femsim.study.interface import interface_columns
from femsim.study.result import CaseResult, ComparisonResult, Value
from femsim.study.rigidity import rigidity, rigidity_columns
from femsim.treatment import Treatment

if TYPE_CHECKING:
    from femsim.study.compare import Problem


def case_result(
    problem: Problem,
    name: str,
    strategy: Treatment,
    data: Sequence[MaterialData],
    index: NDArray[np.int64],
    solution: fem.Solution,
    assessment: risk.Assessment,
) -> CaseResult:
    """The row and the fields of one strategy."""
    kinds = tuple(one.kind for one in data)
    row: dict[str, Value] = {"strategy": name, "load": problem.loading.name}
    row |= stiffness(problem, solution)
    for part, family in (("bone", "bone"), ("cement", "cement")):
        row |= extremes(part, assessment, np.array(kinds)[index] == family)
    row |= failure(problem, data, index, assessment)
    row |= interface_columns(problem, data, index, assessment)
    row |= volumes(solution.volume, kinds, index)
    row |= lesion_metrics(problem)
    row |= checks(solution)
    return CaseResult(
        name=name,
        label=strategy.label,
        mesh=problem.mesh,
        materials=tuple(one.name for one in data),
        material=index,
        solution=solution,
        assessment=assessment,
        metrics=row,
        fields=fields(problem, index, solution, assessment),
    )


def stiffness(problem: Problem, solution: fem.Solution) -> dict[str, Value]:
    """Stiffness of the whole bone under the load case: |F|^2 / 2U, N/mm, or |M|^2 / 2U, N m/deg.

    ``F`` is the main force of the case and ``U`` the strain energy under all its loads. With a single load,
    ``2 U = F u`` and this is force over displacement along the force (a bench: the displacement counts from the
    rollers). With muscles it is the stiffness of the single spring that stores the same energy; unlike the
    displacement of one point it can only fall where material is made softer (principle of minimum potential energy),
    and is never negative.
    """
    return stiffness_of(problem.loading, solution.energy)


def stiffness_of(loading: Applied, energy: float) -> dict[str, Value]:
    """`stiffness` from the strain energy, N mm."""
    value = loading.magnitude**2 / (2.0 * energy)
    if loading.is_moment:
        return {"torsional_stiffness": value / 1000.0 * math.pi / 180.0}
    return {"stiffness": value}


def extremes(part: str, assessment: risk.Assessment, cells: NDArray[np.bool_]) -> dict[str, Value]:
    """Largest averaged principal strains (%) and stresses (MPa) in bone or cement; None where there is none."""
    found = assessment.extremes(cells)
    names = ("tensile_strain", "compressive_strain", "tensile_stress", "compressive_stress")
    if found is None:
        return {f"{part}_{name}": None for name in names}
    return {f"{part}_{name}": found[name] * (100.0 if name.endswith("strain") else 1.0) for name in names}


def failure(
    problem: Problem, data: Sequence[MaterialData], index: NDArray[np.int64], assessment: risk.Assessment
) -> dict[str, Value]:
    """Linear failure load and the place where it fails."""
    loading, worst = problem.loading, assessment.worst
    size = loading.magnitude
    row: dict[str, Value] = {"maximum_risk": assessment.maximum}
    if not loading.is_moment:
        row["failure_load"] = size * assessment.load_factor
        row["failure_load_bw"] = size * assessment.load_factor / loading.body_weight
    else:
        row["failure_moment"] = size * assessment.load_factor / 1000.0
    where = assessment.place
    position = float(problem.setup.bone.fraction(where)[0])
    title = data[index[worst]].name.replace("_", " ")
    row["failure_place"] = f"{title}, {side_words(problem.setup.bone, where)}, {100 * position:.0f} % of the length"
    row["failure_position"] = 100.0 * position
    row["failure_material"] = data[index[worst]].name
    row["failure_kind"] = assessment.kind
    row["overloaded_volume"] = overloaded(problem, assessment)
    return row


def overloaded(problem: Problem, assessment: risk.Assessment) -> float:
    """Largest connected volume, mm3, in which the load as given reaches the capacity."""
    if assessment.maximum < 1.0:
        return 0.0
    mesh = problem.mesh
    volume = fem.quadrature_volumes(mesh.points, mesh.cells, mesh.kind).sum(axis=1)
    return risk.largest_above(assessment.risk, volume, risk.neighbours(mesh.cells), 1.0, assessment.judged).volume


def side_words(bone: Bone, point: NDArray[np.float64]) -> str:
    """On which side of the bone's axis a point lies, by the nearest of the eight anatomical directions."""
    local = bone.frame.to_local(point[None])[0]
    axis = bone.frame.to_local(bone.centreline.point(local[2] / bone.length)[None])[0]
    angle = math.degrees(math.atan2(local[1] - axis[1], local[0] - axis[0])) % 360.0
    return min(DIRECTIONS, key=lambda name: abs((DIRECTIONS[name] - angle + 180.0) % 360.0 - 180.0))


def lesion_metrics(problem: Problem) -> dict[str, Value]:
    """Size of the lesion, of the largest one where there are several."""
    if not problem.setup.lesions:
        return {}
    largest = max((lesion.measures for lesion in problem.setup.lesions), key=lambda one: one.volume)
    return {
        "lesion_volume": sum(lesion.measures.volume for lesion in problem.setup.lesions) / 1000.0,
        "axial_cortical_involvement": largest.axial_involvement,
        "circumferential_cortical_involvement": 100.0 * largest.circumferential_involvement,
        "lesion_diameter_fraction": 100.0 * largest.diameter_fraction,
        "mirels_size_points": largest.mirels_size,
    }


def fields(
    problem: Problem, index: NDArray[np.int64], solution: fem.Solution, assessment: risk.Assessment
) -> dict[str, NDArray[Any]]:
    """The fields that go into the ``.vtu``; means over the element unless the field table says otherwise."""
    weight = solution.volume / solution.volume.sum(axis=1, keepdims=True)
    stress = np.einsum("mq,mqi->mi", weight, solution.stress)
    strain = np.einsum("mq,mqi->mi", weight, solution.strain)
    stresses, strains = fem.principal(stress)[0], fem.principal(strain, strain=True)[0]
    scale = solution.model.material.scale_table()
    modulus = fem.axial_modulus(solution.model.material.base)[index] * np.broadcast_to(scale.mean(axis=1), len(index))
    return {
        "displacement": solution.displacement,
        "material": index,
        "youngs_modulus": modulus,
        "stress": stress,
        "strain": strain,
        "von_mises_stress": fem.von_mises(stress),
        "maximum_principal_stress": stresses[:, 2],
        "minimum_principal_stress": stresses[:, 0],
        "maximum_principal_strain": strains[:, 2],
        "minimum_principal_strain": strains[:, 0],
        "energy_density": (weight * solution.energy_density).sum(axis=1),
        "risk": assessment.risk,
        "failure_mode": assessment.mode,
        "excluded": (~assessment.judged).astype(np.int32),
    }


def recovery(results: Mapping[str, CaseResult]) -> dict[str, CaseResult]:
    """Add stiffness relative to the intact twin, and how much of its loss each strategy gives back."""
    rows = recovered({key: one.metrics for key, one in results.items()})
    return {key: replace(one, metrics=rows[key]) for key, one in results.items()}


def recovered(rows: Mapping[str, Mapping[str, Value]]) -> dict[str, dict[str, Value]]:
    """`recovery` of the rows of all strategies, the intact twin first."""
    name = "stiffness" if "stiffness" in next(iter(rows.values())) else "torsional_stiffness"
    value = {key: float(row[name]) for key, row in rows.items()}  # type: ignore[arg-type]
    intact = next(iter(value.values()))
    untreated = value.get("untreated")
    out = {}
    for key, row in rows.items():
        extra: dict[str, Value] = {"stiffness_of_intact": 100.0 * value[key] / intact}
        # where the lesion costs no measurable stiffness there is nothing to recover
        if untreated is not None and intact - untreated > 1e-4 * intact:
            extra["stiffness_recovery"] = 100.0 * (value[key] - untreated) / (intact - untreated)
        out[key] = _after(row, name, extra)
    return out


def _after(metrics: Mapping[str, Value], name: str, extra: Mapping[str, Value]) -> dict[str, Value]:
    out: dict[str, Value] = {}
    for key, value in metrics.items():
        out[key] = value
        if key == name:
            out |= extra
    return out


def discretisation(fine: Mapping[str, CaseResult], coarse: Mapping[str, CaseResult]) -> dict[str, CaseResult]:
    """Add the change of stiffness and failure load from a mesh of twice the element size to the reported one."""
    columns = {
        "stiffness": "stiffness_error",
        "torsional_stiffness": "stiffness_error",
        "failure_load": "failure_load_error",
        "failure_moment": "failure_load_error",
    }
    out = {}
    for key, one in fine.items():
        extra: dict[str, Value] = {}
        for name, column in columns.items():
            here, there = one.metrics.get(name), coarse[key].metrics.get(name)
            if isinstance(here, float) and isinstance(there, float):
                extra[column] = 100.0 * abs(here - there) / here
        out[key] = replace(one, metrics={**one.metrics, **extra})
    return out


def volumes(mesh_volume: NDArray[np.float64], kinds: tuple[str, ...], index: NDArray[np.int64]) -> dict[str, Value]:
    """Volume of cement and of devices in mL, from the quadrature volumes (m, q) of the mesh."""
    per_cell = mesh_volume.sum(axis=1)
    kind = np.array(kinds)[index]
    return {
        "cement_volume": float(per_cell[kind == "cement"].sum()) / 1000.0,
        "device_volume": float(per_cell[(kind == "polymer") | (kind == "metal")].sum()) / 1000.0,
    }


def checks(solution: fem.Solution) -> dict[str, Value]:
    """Equilibrium, energy balance and residual of one solution, all relative."""
    found = solution.checks
    return {
        "force_residual": float(np.max(np.abs(found.force))),
        "moment_residual": float(np.max(np.abs(found.moment))),
        "energy_residual": abs(float(found.energy_balance)),
        "solver_residual": float(found.residual),
        "unknowns": 3 * len(solution.displacement),
    }


def finish(
    problem: Problem,
    results: dict[str, CaseResult],
    coarse: dict[str, CaseResult] | None,
    warnings: tuple[str, ...],
    seconds: Mapping[str, float],
) -> ComparisonResult:
    """Add what needs all strategies, and pack the comparison."""
    curves = rigidity(problem, results)
    beams = beam(problem, results, curves)
    complete = {
        key: replace(one, metrics={**one.metrics, **rigidity_columns(curves[key]), **beam_columns(beams[key])})
        for key, one in recovery(results).items()
    }
    if coarse is not None:
        complete = discretisation(complete, coarse)
    return ComparisonResult(
        case=problem.case,
        setup=problem.setup,
        mesh=problem.mesh,
        results=complete,
        arrows=tuple(
            {"name": patch.name, "point": patch.point, "force": patch.force} for patch in problem.loading.patches
        ),
        held=problem.loading.held,
        warnings=(*problem.setup.warnings, *warnings, *beam_warnings(beams, problem.case.risk.beam_limit)),
        seconds=dict(seconds),
        convergence=coarse is not None,
        rigidity=curves,
        beam=beams,
        clinical=clinical(problem, complete, curves),
        not_judged=problem.loading.exclusion(),
    )
