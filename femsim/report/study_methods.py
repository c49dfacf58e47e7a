"""The methods paragraph of a study and its sources, from its cases: `femsim.report.methods` writes both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from femsim import loads
from femsim.case import Comparison
from femsim.report.methods import Facts, is_moment, was_followed
from femsim.study.problem import strategies_of
from femsim.study.setup import lesion_names
from femsim.study.sweep import table
from femsim.study.sweep.spec import Variation
from femsim.treatment import base_rules

#: Sources of what only a study has, by what was done.
SOURCES = {
    "pairs": ("wilson1927",),
    "saltelli": ("sobol2001", "saltelli2010", "herman2017"),
    "reduced": ("patera2007", "hesthaven2016"),
}
_DESIGNS = {
    "latin_hypercube": "a Latin hypercube",
    "sobol": "a scrambled Sobol sequence",
    "random": "independent random numbers",
    "saltelli": "Saltelli's design for Sobol indices",
}
_LISTED = 8


def facts(study: Any, done: Any, meshes: Sequence[Mapping[str, Any]]) -> Facts:
    """The facts of a study.

    Parameters
    ----------
    study : femsim.study.sweep.Study
    done : DataFrame
        The rows of its finished cases.
    meshes : sequence of mapping
        What the finished cases say of their meshes; see `femsim.mesh.in_short`.
    """
    finished = set(done["case"]) if len(done) else set()
    tasks = [one for one in study.cases if one.id in finished]
    used = list(dict.fromkeys(str(one.case["load"]) for one in tasks))
    statistics, sources = _statistics(study, done)
    return Facts(
        bones=_bones(study, tasks, meshes),
        load=_loads(used, tasks),
        solved=_solved(done),
        materials=tuple(_materials(tasks)),
        loads=tuple(used),
        case=study.spec.case.model_dump(mode="json"),
        moment=is_moment(done, "out."),
        followed=was_followed(done, "out."),
        further=(_design(study), *statistics),
        sources=tuple(sources),
    )


def _bones(study: Any, tasks: Sequence[Any], meshes: Sequence[Mapping[str, Any]]) -> str:
    kinds = list(dict.fromkeys(str(one.case["bone"]["kind"]) for one in tasks))
    counts = [int(one["elements"]) for one in meshes]
    size = f", with {_range(counts)} elements" if counts else ""
    names = ", ".join(one.label for one in strategies_of(study.spec.case).values())
    bone = f" (bone: {', '.join(kinds)})" if kinds else ""
    return (
        f"The study holds {_count(len(study))} cases, of which {_count(len(tasks))} were solved{bone}. In every case "
        "the bone and everything in it was meshed once"
        f"{size}. The strategies {names} share the mesh of their case and differ in the material of its elements only, "
        "so that no difference between them comes from the mesh."
    )


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return _count(low) if low == high else f"{_count(low)} to {_count(high)}"


def _count(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def _loads(used: Sequence[str], tasks: Sequence[Any]) -> str:
    known = [load.title for name in used if (load := loads.load_cases().get(name)) is not None]
    if not known:
        return "Loads: see the complete study."
    masses = sorted({float(one.case["body_mass"]) for one in tasks})
    mass = f"{masses[0]:.3g}" if len(masses) == 1 else f"{masses[0]:.3g} to {masses[-1]:.3g}"
    return f"{'Load' if len(known) == 1 else 'Loads'}: {'; '.join(known)}, at a body mass of {mass} kg."


def _solved(done: Any) -> str:
    if "out.solver_residual" not in done or not done["out.solver_residual"].notna().any():
        return ""
    worst = float(np.nanmax(np.asarray(done["out.solver_residual"], float)))
    return (
        f"The equations were solved to a true relative residual of at most {worst:.0e}; equilibrium and energy balance "
        "were checked for every strategy of every case."
    )


def _materials(tasks: Iterable[Any]) -> list[str]:
    """Materials that the rules of the strategies paint in at least one case, in order."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    for one in tasks:
        lytic = [float(lesion.get("remaining") or 0.0) == 0.0 for lesion in one.case["lesion"]]
        key = json.dumps([one.case["strategies"], lytic], sort_keys=True, default=str)
        if key in seen:
            continue
        seen.add(key)
        names = [name for name, dead in zip(lesion_names(len(lytic)), lytic, strict=True) if dead]
        for strategy in strategies_of(Comparison.model_validate(dict(one.case))).values():
            rules = (*base_rules(() if strategy.heals else names), *strategy.rules())
            found |= {rule.material: None for rule in rules}
    return list(found)


def _design(study: Any) -> str:
    """What was varied and how."""
    spec = study.spec
    listed = [f"{name} ({_levels(name, one)})" for name, one in spec.vary.items() if not one.sampled]
    drawn = [f"{name} ({_distribution(name, one)})" for name, one in spec.vary.items() if one.sampled]
    parts = []
    if listed:
        parts.append(f"{', '.join(listed)}{', every value with every other' if len(listed) > 1 else ''}")
    if spec.paired:
        rows = len(next(iter(spec.paired.values())))
        parts.append(f"{', '.join(spec.paired)} together, in {rows} rows")
    if spec.cohort:
        parts.append(f"the bone ({', '.join(spec.cohort)})")
    if drawn:
        how = _DESIGNS[spec.sampling.method]
        parts.append(
            f"{', '.join(drawn)}, drawn by {how} with {spec.sampling.samples} samples and seed {spec.sampling.seed}"
        )
    return f"Varied were {'; '.join(parts)}. All else is as in the base case." if parts else "Nothing was varied."


def _unit(name: str) -> str:
    unit = table.unit(f"param.{name}")
    return "" if unit == "-" else f" {unit}"


def _levels(name: str, one: Variation) -> str:
    if one.linspace is not None:
        first, last, count = one.linspace
        return f"{count} values in equal steps from {first:g} to {last:g}{_unit(name)}"
    values = [f"{value:g}" if isinstance(value, float) else _text(value) for value in one.levels or ()]
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return f"{', '.join(values[:_LISTED])}{more}{_unit(name)}"


def _text(value: Any) -> str:
    return str(value.get("kind", "section")) if isinstance(value, Mapping) else str(value)


def _distribution(name: str, one: Variation) -> str:
    unit = _unit(name)
    if one.uniform is not None:
        return f"uniform from {one.uniform[0]:g} to {one.uniform[1]:g}{unit}"
    if one.choice is not None:
        return f"one of {', '.join(_text(value) for value in one.choice)}{unit}, equally likely"
    kind, (mean, spread) = ("normal", one.normal) if one.normal is not None else ("lognormal", one.lognormal or (0, 0))
    cut = [f"{word} {end:g}" for word, end in (("above", one.minimum), ("below", one.maximum)) if end is not None]
    kept = f", kept {' and '.join(cut)}" if cut else ""
    return f"{kind}, mean {mean:g} and standard deviation {spread:g}{unit}{kept}"


def _statistics(study: Any, done: Any) -> tuple[list[str], list[str]]:
    """How cases were put together, and the sources of that."""
    told: list[str] = []
    sources: list[str] = []
    if len(done) and done["strategy"].nunique() > 2:
        told.append(
            "Strategies were compared in pairs on the same case, so that what both have in common cancels: mean of the "
            "differences with its 95 % interval by Student's t, and the share of the cases in which one strategy is "
            "above the other with its 95 % interval (Wilson 1927). Both intervals hold where the cases are a random "
            "sample."
        )
        sources += SOURCES["pairs"]
    if study.spec.sampling.method == "saltelli":
        told.append(
            "Sobol indices of first order and total were estimated after Saltelli et al. (2010) with SALib; their 95 % "
            "intervals are by bootstrap."
        )
        sources += SOURCES["saltelli"]
    reduced = int((done["method"] == "reduced").groupby(done["case"]).any().sum()) if "method" in done else 0
    if reduced:
        bound = float(np.nanmax(np.asarray(done["error_bound"], float)))
        told.append(
            f"{_count(reduced)} cases were answered by a certified reduced basis in place of a full solution, with an "
            f"error bound of at most {bound:.0e} in the energy norm."
        )
        sources += SOURCES["reduced"]
    return told, sources
