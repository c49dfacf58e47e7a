"""The end of a comparison: error bars beside the numbers, and everything packed together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from femsim.study import assumptions, discretisation, metrics
from femsim.study.beam import beam_warnings
from femsim.study.clinical import clinical
from femsim.study.result import CaseResult, ComparisonResult

if TYPE_CHECKING:
    from femsim.loads import Applied
    from femsim.study.problem import Problem


def finish(
    problem: Problem,
    results: Mapping[str, CaseResult],
    curves: metrics.Curves,
    convergence: discretisation.Convergence | None,
    brackets: assumptions.Assumptions | None,
    warnings: tuple[str, ...],
    seconds: Mapping[str, float],
) -> ComparisonResult:
    """Add the error bars, and pack the comparison."""
    complete = assumptions.with_columns(discretisation.with_columns(results, convergence), brackets)
    told = error_bar_words(convergence is not None, brackets is not None)
    complete = {key: replace(one, metrics={**one.metrics, "error_bar": told}) for key, one in complete.items()}
    return ComparisonResult(
        case=problem.case,
        setup=problem.setup,
        mesh=problem.mesh,
        results=complete,
        arrows=arrows(problem.loading),
        held=problem.loading.held,
        warnings=(*problem.setup.warnings, *warnings, *beam_warnings(curves.beam, problem.case.risk.beam_limit)),
        seconds=dict(seconds),
        convergence=convergence,
        assumptions=brackets,
        rigidity=curves.rigidity,
        beam=curves.beam,
        clinical=clinical(problem, complete, curves.rigidity),
        not_judged=problem.loading.exclusion(),
    )


def arrows(loading: Applied) -> tuple[Mapping[str, Any], ...]:
    """Forces as they are drawn: ``name``, ``point`` (3,) mm, ``force`` (3,) N, ``moment`` (3,) N mm."""
    return tuple(
        {"name": patch.name, "point": patch.point, "force": patch.force, "moment": patch.moment}
        for patch in loading.patches
    )


def error_bar_words(discretised: bool, assumed: bool) -> str:
    """What the error bars of a comparison hold, in words."""
    words = [word for word, there in (("discretisation", discretised), ("assumptions", assumed)) if there]
    return " and ".join(words) or "no error bar"
