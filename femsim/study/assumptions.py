"""How far the assumptions that a case marks as uncertain move every number: brackets, one assumption at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from femsim import fem
from femsim.case import Case
from femsim.case.uncertain import Variant
from femsim.fields import BARRED, MAIN
from femsim.material import MaterialData
from femsim.study import metrics
from femsim.study.interface import BOND
from femsim.study.nonlinear import collapse
from femsim.study.problem import Problem, judged, mixed_in, painted, solve_one
from femsim.study.progress import Progress
from femsim.study.result import CaseResult, Value
from femsim.treatment import Treatment


@dataclass(frozen=True)
class Bracket:
    """A number between the lowest and the highest value under the assumptions, and which of them moves it most."""

    low: float
    high: float
    assumption: str


@dataclass(frozen=True)
class Assumptions:
    """Brackets of a comparison.

    Attributes
    ----------
    ranges : mapping of str to str
        What was varied, and over which values, in words.
    values : mapping of strategy to mapping of assumption to mapping of column to float
        The number under every single assumption: ``values["cement"]["pmma.E = 1800"]["stiffness"]``.
    brackets : mapping of strategy to mapping of column to Bracket
        The value of the case itself lies in its bracket.
    """

    ranges: Mapping[str, str]
    values: Mapping[str, Mapping[str, Mapping[str, float]]]
    brackets: Mapping[str, Mapping[str, Bracket]]


def assumptions(
    problem: Problem, results: Mapping[str, CaseResult], strategies: Mapping[str, Treatment], watch: Progress
) -> Assumptions:
    """Judge, and where its stiffness changes solve, every strategy under every uncertain assumption of its case.

    On the mesh of the comparison, one assumption at a time, with the others as the case has them: the brackets hold no
    joint effect of several. Strategies that an assumption does not touch keep their numbers. A change of strength is
    judged on the solution that is known; only a change of stiffness is solved, starting from it.
    """
    variants = problem.case.variants()
    rows = {one: _under(problem, one, results, strategies, watch) for one in variants}
    values: dict[str, dict[str, dict[str, float]]] = {}
    brackets: dict[str, dict[str, Bracket]] = {}
    for name, result in results.items():
        values[name] = {one.label: _numbers(rows[one][name]) for one in variants}
        brackets[name] = _brackets(_numbers(result.metrics), {one: _numbers(rows[one][name]) for one in variants})
    return Assumptions({one.key: one.range for one in variants}, values, brackets)


def _numbers(row: Mapping[str, Value]) -> dict[str, float]:
    found = {name: row.get(name) for name in BARRED}
    return {name: float(v) for name, v in found.items() if isinstance(v, (int, float)) and math.isfinite(v)}


def _brackets(base: Mapping[str, float], rows: Mapping[Variant, Mapping[str, float]]) -> dict[str, Bracket]:
    found = {}
    for column, value in base.items():
        other = {one.key: row[column] for one, row in rows.items() if column in row}
        most = dict.fromkeys(other, 0.0)
        for one, row in rows.items():
            if column in row:
                most[one.key] = max(most[one.key], abs(row[column] - value))
        every = [value, *(row[column] for row in rows.values() if column in row)]
        governs = max(most, key=lambda key: most[key]) if any(most.values()) else "none of them"
        found[column] = Bracket(min(every), max(every), governs)
    return found


def _under(
    problem: Problem, variant: Variant, results: Mapping[str, CaseResult], strategies: Mapping[str, Treatment],
    watch: Progress,
) -> dict[str, Mapping[str, Value]]:  # fmt: skip
    """The rows of all strategies under one assumption."""
    there = replace(problem, case=variant.case)
    space = fem.Workspace()
    found: dict[str, CaseResult] = {}
    with watch.stage(variant.label) as notes:
        solved = 0
        for name, strategy in strategies.items():
            found[name], new = _one(there, problem.case, name, strategy, results[name], space)
            solved += new
        notes.append(f"{solved} solved, the others judged again or not touched")
        if solved:
            found = metrics.completed(there, found)[1]
    kept = {name: results[name].metrics for name in found} if not solved else {}
    return {name: {**kept.get(name, {}), **one.metrics} for name, one in found.items()}


def _one(
    there: Problem, before: Case, name: str, strategy: Treatment, known: CaseResult, space: fem.Workspace
) -> tuple[CaseResult, bool]:
    """One strategy under an assumption, and whether it was solved."""
    data, index = painted(there, name)
    used = [data[i].name for i in np.unique(index)] + [one.name for one, _ in mixed_in(there, name)]
    if any(data[i].kind == "cement" for i in np.unique(index)):
        used.append(BOND)
    stiffer = _differs(used, before, there.case, _stiffness)
    if not stiffer and there.case.risk == before.risk and not _differs(used, before, there.case, _strength):
        return known, False
    solution = known.solution
    if stiffer:
        solution = solve_one(there, name, data, index, space, solution.displacement)
    result = judged(there, name, strategy, data, index, solution)
    if there.case.risk.nonlinear:
        result, _ = collapse(there, result, data, space)
    return result, stiffer


def _differs(names: Sequence[str], before: Case, after: Case, what) -> bool:  # type: ignore[no-untyped-def]
    return any(what(before.material(name)) != what(after.material(name)) for name in names)


def _stiffness(one: MaterialData) -> tuple[object, ...]:
    return ({key: value.value for key, value in one.elastic.items()}, one.density_law, one.density_exponent)


def _strength(one: MaterialData) -> tuple[object, ...]:
    return ({key: value.value for key, value in {**one.strength, **one.other}.items()}, one.criterion)


def columns(found: Assumptions, name: str) -> dict[str, Value]:
    """What the brackets add to the row of a strategy."""
    row: dict[str, Value] = {}
    for column, bracket in found.brackets[name].items():
        row[f"{column}_low"], row[f"{column}_high"] = bracket.low, bracket.high
        if column in MAIN:
            row[f"{column}_assumption"] = bracket.assumption
    return row


def with_columns(results: Mapping[str, CaseResult], found: Assumptions | None) -> dict[str, CaseResult]:
    """The results with the columns of their brackets."""
    if found is None:
        return dict(results)
    return {name: replace(one, metrics={**one.metrics, **columns(found, name)}) for name, one in results.items()}
