"""The clinical rules on the virtual lesion, for every strategy that was solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from femsim import fem, risk
from femsim.anatomy import PlacedLesion
from femsim.study.result import CaseResult

if TYPE_CHECKING:
    from femsim.study.problem import Problem

#: Cortex this far beyond either end of a lesion still counts as at the lesion, mm.
MARGIN = 10.0
#: Measures that change with the treatment; the others are of the lesion alone.
_MECHANICAL = ("rigidity_loss", "strain_fold_ratio", "failure_load_bw")
_TREATED = "made for untreated bone"


def clinical(
    problem: Problem, results: Mapping[str, CaseResult], curves: Mapping[str, risk.RigidityCurve]
) -> tuple[risk.Verdict, ...]:
    """Every rule on the lesion, and the mechanical ones on every strategy; empty where there is no lesion."""
    if not problem.setup.lesions:
        return ()
    lesion, notes = _lesion_measures(problem)
    strain = {name: _peak_strain(problem, one) for name, one in results.items()}
    names = list(results)
    intact, diseased = names[0], names[1:]
    rows: list[risk.Verdict] = []
    for name in dict.fromkeys(["untreated", *diseased]):
        measures: dict[str, float | None] = dict(lesion) if name == "untreated" else {}
        if name in results:
            measures |= {
                "rigidity_loss": 100.0 * curves[name].loss if name in curves else None,
                "strain_fold_ratio": _fold(strain[name], strain[intact]),
                "failure_load_bw": _number(results[name].metrics.get("failure_load_bw")),
            }
        for one in risk.judge(measures):
            if name == "untreated" or one.rule.measure in _MECHANICAL:
                note = notes.get(one.rule.measure, "") if name == "untreated" else _TREATED
                rows.append(_possible(replace(one, strategy=name, note=note), problem))
    order = list(risk.rules())
    return tuple(sorted(rows, key=lambda row: order.index(row.rule.name)))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _fold(strain: float | None, intact: float | None) -> float | None:
    return strain / intact if strain is not None and intact else None


def _possible(row: risk.Verdict, problem: Problem) -> risk.Verdict:
    """A Mirels score without the patient's pain: judged only where pain cannot change the verdict."""
    if row.rule.name != "mirels" or problem.case.risk.pain != "unknown":
        return row
    low, high = (_mirels(problem, pain) for pain in ("mild", "functional"))
    sure = row.rule.judge(low) == row.rule.judge(high)
    note = f"{low} to {high} by pain, which is not given (risk.pain)"
    return replace(row, at_risk=row.rule.judge(low) if sure else None, note=note)


def _lesion_measures(problem: Problem) -> tuple[dict[str, float | None], dict[str, str]]:
    sizes = [one.measures for one in problem.setup.lesions]
    pain = problem.case.risk.pain
    score = None if pain == "unknown" else _mirels(problem, pain)
    notes = {}
    if score is not None:
        notes["mirels_score"] = f"fracture probability {risk.mirels_probability(score):.0f} % (Mirels 1989)"
    measures: dict[str, float | None] = {
        "mirels_score": score,
        "axial_cortical_involvement": max(one.axial_involvement for one in sizes),
        "circumferential_cortical_involvement": 100.0 * max(one.circumferential_involvement for one in sizes),
    }
    return measures, notes


def _mirels(problem: Problem, pain: str) -> int:
    """Largest score of any of the lesions."""
    return max(
        risk.mirels_score(mirels_site(problem, one), pain, "lytic", one.measures.diameter_fraction)
        for one in problem.setup.lesions
    )


def mirels_site(problem: Problem, lesion: PlacedLesion) -> str:
    """Site of a lesion in the words of Mirels' score, by the bone and the level of its centre."""
    bone = problem.setup.bone
    if bone.kind == "humerus":
        return "upper limb"
    limits = risk.mirels()["peritrochanteric"]
    if bone.kind == "femur" and {limits["from"], limits["to"]} <= set(bone.landmarks):
        high, low = (float(bone.fraction(bone.landmarks[limits[key]])[0]) * bone.length for key in ("from", "to"))
        level = float(bone.fraction(lesion.centre)[0]) * bone.length
        if low - limits["below"]["value"] <= level <= high:
            return "peritrochanteric"
    return "lower limb"


def _peak_strain(problem: Problem, result: CaseResult) -> float | None:
    """Largest averaged principal strain, of either sign, of the cortex along the lesions."""
    found = result.assessment
    bone = problem.setup.bone
    cortex = [problem.case.material(name) for name in result.materials]
    groups = [i for i, one in enumerate(cortex) if one.kind == "bone" and not one.density_law]
    level = bone.fraction(problem.mesh.points[found.sites.node]) * bone.length
    near = np.zeros(len(level), bool)
    for lesion in problem.setup.lesions:
        low, high = (end * bone.length for end in lesion.span)
        near |= (level >= low - MARGIN) & (level <= high + MARGIN)
    chosen = near & np.isin(found.sites.group, groups)
    if not chosen.any():
        return None
    return float(np.abs(fem.principal(found.strain[chosen], strain=True)[0]).max())
