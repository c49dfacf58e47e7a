"""The row of the table for one strategy: every number with its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from femsim import fem, risk
from femsim.anatomy import Bone
from femsim.anatomy.frame import DIRECTIONS
from femsim.loads import Applied
from femsim.material import MaterialData
from femsim.study.beam import beam, beam_columns
from femsim.study.interface import interface_columns, weakest
from femsim.study.result import CaseResult, Value
from femsim.study.rigidity import rigidity, rigidity_columns
from femsim.treatment import Treatment

if TYPE_CHECKING:
    from femsim.study.problem import Problem


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
    """Linear failure load and the place where it fails: in a material, or at the bond where that is asked for."""
    loading = problem.loading
    worst, where, kind = assessment.maximum, assessment.place, assessment.kind
    what = data[index[assessment.worst]].name
    bond = weakest(problem, data, index, assessment) if problem.case.risk.bond == "first_debonding" else None
    if bond is not None and bond.risk > worst:
        worst, where, kind, what = bond.risk, bond.place, bond.mode, "cement_bone_interface"
    load = loading.magnitude / worst if worst > 0.0 else math.inf
    row: dict[str, Value] = {"maximum_risk": worst}
    if not loading.is_moment:
        row["failure_load"] = load
        row["failure_load_bw"] = load / loading.body_weight
    else:
        row["failure_moment"] = load / 1000.0
    position = float(problem.setup.bone.fraction(where)[0])
    title = what.replace("_", " ")
    row["failure_place"] = f"{title}, {side_words(problem.setup.bone, where)}, {100 * position:.0f} % of the length"
    row["failure_position"] = 100.0 * position
    row["failure_material"] = what
    row["failure_kind"] = kind
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
        if key in extra:  # found before, of other strategies
            continue
        out[key] = value
        if key == name:
            out |= extra
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


@dataclass(frozen=True, eq=False)
class Curves:
    """What is found along the bone for every strategy."""

    rigidity: Mapping[str, risk.RigidityCurve]
    beam: Mapping[str, risk.BeamCurve]


def completed(problem: Problem, results: Mapping[str, CaseResult]) -> tuple[Curves, dict[str, CaseResult]]:
    """Add the columns that need all strategies, or sections along the bone."""
    curves = rigidity(problem, results)
    beams = beam(problem, results, curves)
    complete = {
        key: replace(one, metrics={**one.metrics, **rigidity_columns(curves[key]), **beam_columns(beams[key])})
        for key, one in recovery(results).items()
    }
    return Curves(curves, beams), complete
