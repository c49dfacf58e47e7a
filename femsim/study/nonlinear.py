"""The non-linear failure load of one strategy: materials that yield and soften, on the mesh of the comparison."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from femsim import fem, risk
from femsim.errors import FemsimWarning
from femsim.fem import nonlinear
from femsim.material import MaterialData, inelastic
from femsim.study.metrics import side_words
from femsim.study.result import CaseResult, Value

if TYPE_CHECKING:
    from femsim.study.problem import Problem

#: Why a path ends, in words.
ENDS = {
    "peak": "the load fell by 2 % after its peak",
    "plateau": "the load stayed on a plateau",
    "steps": "the largest number of steps was done; no peak was reached",
    "displacement": "the displacement grew to six times the elastic one; no peak was reached",
    "no convergence": "no further equilibrium was found; no peak was confirmed",
}
#: Out-of-balance forces over the forces of loads and supports: the load is off by less than this.
TOLERANCE = 5e-4
#: Share of the peak by which the load must fall to confirm it.
DROP = 0.02
#: Share of tension among the principal stresses above (below one minus it) which failure is called tension
#: (compression); between them it is shear.
CLEARLY = 2.0 / 3.0


def collapse(
    problem: Problem,
    result: CaseResult,
    data: Sequence[MaterialData],
    workspace: fem.Workspace,
) -> tuple[CaseResult, nonlinear.LoadPath]:
    """Follow one solved strategy to its failure and add curve, columns and fields to its result.

    Bone whose density is below ``risk.minimum_density`` and cells that the load case excludes (near loads and
    supports) stay elastic, as in the linear assessment.
    """
    case, loading = problem.case, problem.loading
    index = result.material
    density = problem.at.left(result.name in problem.setup.healed)
    thin = inelastic.keep_elastic(data, index, density, case.risk.minimum_density)
    laws = nonlinear.Inelastic(_laws(result, data), elastic=thin | loading.excluded)
    _warn_elastic(result, data, laws)
    path = nonlinear.follow(
        result.solution.model, laws, loading.name, magnitude=loading.magnitude, workspace=workspace,
        start=result.solution.displacement,
        settings=nonlinear.PathSettings(
            tolerance=TOLERANCE, drop=DROP, linear_tolerance=1e-2, solver=case.solver.method,
            threads=case.solver.threads,
        ),
    )  # fmt: skip
    _warn_too_large(problem, result, path)
    return _with(problem, result, data, path), path


def _laws(result: CaseResult, data: Sequence[MaterialData]) -> tuple[nonlinear.Law | None, ...]:
    """The law of every base material; a mixture with a thin wall fails as what lies around the wall."""
    model = result.solution.model.material
    found = list(inelastic.laws(data))
    for row in range(len(data), len(model.base)):
        cells = np.flatnonzero(model.index == row)
        found.append(found[int(result.material[cells[0]])] if len(cells) else None)
    return tuple(found)


def _warn_too_large(problem: Problem, result: CaseResult, path: nonlinear.LoadPath) -> None:
    """Say where softening elements are too large for their fracture energy."""
    points, state = path.points, path.last.response.state
    quadric = np.array([isinstance(law, nonlinear.Quadric) for law in path.laws.laws])[points.material.index]
    soft = quadric & points.inelastic & (state.kappa > 1.0).any(axis=1)
    longest = nonlinear.longest_band(points.material.base, path.laws.laws)[points.material.index]
    pulled = np.where(state.kappa > 1.0, state.share, -1.0).max(axis=1) >= 0.5
    over = np.where(soft, points.size / np.where(pulled, longest[:, 0], longest[:, 1]), 0.0)
    count = int((over > 1.0).sum())
    if count == 0:
        return
    worst = int(over.argmax())
    where = problem.at.centroids[worst]
    position = 100.0 * float(problem.setup.bone.fraction(where)[0])
    name = result.materials[int(result.material[worst])].replace("_", " ")
    warnings.warn(
        f"{result.name}: {count} of {int(soft.sum())} softening elements are too large for their fracture energy, by "
        f"up to {100.0 * (over[worst] - 1.0):.2g} % ({name}, {side_words(problem.setup.bone, where)}, {position:.0f} % "
        "of the length): they dissipate more than that, and the non-linear failure load is too high. Elements smaller "
        "by that much would do.",
        FemsimWarning,
        stacklevel=3,
    )


def _warn_elastic(result: CaseResult, data: Sequence[MaterialData], laws: nonlinear.Inelastic) -> None:
    used = np.unique(result.material)
    kept = [data[i].name for i in used if laws.laws[int(i)] is None and data[i].kind != "soft"]
    if kept:
        warnings.warn(
            f"{result.name}: {', '.join(kept)} stays elastic in the non-linear analysis: its strength is not known, "
            'or its criterion is "none". The failure load is an upper bound in that respect.',
            FemsimWarning,
            stacklevel=3,
        )


def _with(problem: Problem, result: CaseResult, data: Sequence[MaterialData], path: nonlinear.LoadPath) -> CaseResult:
    damage, flow = fields(problem, result, path)
    curve = _curve(problem, result, data, path, damage, flow)
    row: dict[str, Value] = dict(result.metrics) | columns(curve)
    more = {"damage": damage, "plastic_strain": flow}
    return replace(result, metrics=row, fields={**result.fields, **more}, curve=curve)


def fields(
    problem: Problem, result: CaseResult, path: nonlinear.LoadPath
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Damage at the end of the curve, 0 to 1, and equivalent plastic strain at the peak, means over elements (m,)."""
    volume = result.solution.volume
    weight = volume / volume.sum(axis=1, keepdims=True)
    yields = np.array([isinstance(law, nonlinear.VonMises) for law in path.laws.laws])[path.points.material.index]
    damage = np.where(yields, 0.0, (weight * path.last.response.state.damage).sum(axis=1))
    plastic = path.peak.response.state.plastic
    square = (plastic[..., :3] ** 2).sum(axis=-1) + 0.5 * (plastic[..., 3:] ** 2).sum(axis=-1)
    return damage, (weight * np.sqrt(2.0 / 3.0 * square)).sum(axis=1)


def _curve(
    problem: Problem, result: CaseResult, data: Sequence[MaterialData], path: nonlinear.LoadPath,
    damage: NDArray[np.float64], flow: NDArray[np.float64],
) -> risk.Curve:  # fmt: skip
    loading = problem.loading
    moved, load = path.displacement, path.load
    if loading.is_moment:
        moved, load = np.degrees(moved), load / 1000.0
    place, material, kind = "", "", ""
    if flow.any():
        worst = int(np.argmax(damage if damage.any() else flow))
        material = data[result.material[worst]].name
        where = problem.at.centroids[worst]
        position = 100.0 * float(problem.setup.bone.fraction(where)[0])
        side = side_words(problem.setup.bone, where)
        place = f"{material.replace('_', ' ')}, {side}, {position:.0f} % of the length"
        kind = _kind(path, worst)
    return risk.Curve(
        moved, load, loading.is_moment, path.reached, ENDS[path.end], loading.body_weight, place, material, kind
    )


def _kind(path: nonlinear.LoadPath, cell: int) -> str:
    share = float(np.mean(path.peak.response.state.share[cell]))
    if math.isnan(share) or 1.0 - CLEARLY <= share <= CLEARLY:
        return "shear"
    return "tension" if share > CLEARLY else "compression"


def columns(curve: risk.Curve) -> dict[str, Value]:
    """The columns of the table."""
    what = "moment" if curve.is_moment else "load"
    row: dict[str, Value] = {f"nonlinear_failure_{what}": curve.peak}
    if not curve.is_moment:
        row["nonlinear_failure_load_bw"] = curve.peak / curve.body_weight
    row["nonlinear_peak_reached"] = "yes" if curve.peak_reached else "no, a lower bound"
    row[f"yield_{what}"] = curve.yield_load
    row["energy_to_peak"] = curve.energy_to_peak
    row["nonlinear_failure_place"] = curve.place
    row["nonlinear_failure_kind"] = curve.kind
    return row
