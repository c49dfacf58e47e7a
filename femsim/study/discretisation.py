"""The same comparison on coarser meshes: how far every number moves with the mesh, as an error bar."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from femsim import risk
from femsim.errors import FemsimError, FemsimWarning
from femsim.fields import BARRED, MAIN
from femsim.mesh import Mesh
from femsim.study.result import CaseResult, Value

#: Element sizes of the coarser meshes over that of the reported one. All three cost about 1.5 times the first.
COARSER = (math.sqrt(2.0), 2.0)
#: Meshes fail at the same place where material and mode agree and the places are no further apart than this, mm.
SAME_PLACE = 10.0
#: Meshes whose mean element sizes differ by less than this factor are no two meshes for an error bar.
DISTINCT = 1.05
#: Two meshes alone need this factor [celik2008]: the assumed order magnifies a difference of closer ones more than it
#: says about the error.
APART = 1.3


@dataclass(frozen=True, eq=False)
class Level:
    """One mesh of the comparison: mean edge (mm), unknowns, the rows of the strategies, and where each fails."""

    edge: float
    unknowns: int
    rows: Mapping[str, Mapping[str, Value]]
    places: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Convergence:
    """Discretisation error of a comparison.

    Attributes
    ----------
    edges : tuple of float
        Edge of the regular tetrahedron of the mean volume of the elements of every mesh, mm, the reported mesh first
        [celik2008].
    unknowns : tuple of int
    values : mapping of strategy to mapping of column to tuple of float
        The number on every mesh.
    bars : mapping of strategy to mapping of column to risk.ErrorBar
    places : mapping of str to str
        For every strategy whether all meshes fail at the same place, in words.
    """

    edges: tuple[float, ...]
    unknowns: tuple[int, ...]
    values: Mapping[str, Mapping[str, tuple[float, ...]]]
    bars: Mapping[str, Mapping[str, risk.ErrorBar]]
    places: Mapping[str, str]


def level(mesh: Mesh, results: Mapping[str, CaseResult], rows: Mapping[str, Mapping[str, Value]]) -> Level:
    """What error bars need of the results on one mesh."""
    volume = next(iter(results.values())).solution.volume
    edge = float(np.cbrt(6.0 * math.sqrt(2.0) * volume.sum() / len(mesh.cells)))
    return Level(edge, 3 * len(mesh.points), rows, {name: one.assessment.place for name, one in results.items()})


def convergence(levels: list[Level]) -> Convergence | None:
    """Error bars from the reported mesh and coarser ones; None where there is no second mesh that differs enough."""
    used = levels[:1]
    for one in levels[1:]:
        if one.edge >= DISTINCT * used[-1].edge:
            used.append(one)
        else:
            warnings.warn(
                f"A coarser mesh has elements of {one.edge:.3g} mm on average, the one before {used[-1].edge:.3g} mm: "
                "it is left out of the error bars.",
                FemsimWarning,
                stacklevel=2,
            )
    if len(used) == 2 and used[1].edge < APART * used[0].edge:
        warnings.warn(
            f"Two meshes of {used[0].edge:.3g} and {used[1].edge:.3g} mm on average are too close for an error bar: "
            f"their sizes have to differ by a factor of {APART:g}. There is none. Smaller mesh.near and mesh.far "
            "leave room for coarser meshes.",
            FemsimWarning,
            stacklevel=2,
        )
        return None
    if len(used) < 2:
        return None
    edges = tuple(one.edge for one in used)
    values: dict[str, dict[str, tuple[float, ...]]] = {}
    for name, row in used[0].rows.items():
        columns = {column: tuple(one.rows[name].get(column) for one in used) for column in BARRED if column in row}
        values[name] = {column: tuple(map(float, got)) for column, got in columns.items() if _numbers(got)}  # type: ignore[arg-type]
    bars = {
        name: {column: risk.error_bar(edges, got) for column, got in columns.items()}
        for name, columns in values.items()
    }
    places = {name: _places(name, used) for name in values}
    return Convergence(edges, tuple(one.unknowns for one in used), values, bars, places)


def _numbers(values: tuple[Value, ...]) -> bool:
    return all(isinstance(one, (int, float)) and math.isfinite(one) for one in values)


def _places(name: str, levels: list[Level]) -> str:
    first, told = levels[0], []
    for one in levels[1:]:
        away = float(np.linalg.norm(one.places[name] - first.places[name]))
        agree = all(one.rows[name][key] == first.rows[name][key] for key in ("failure_material", "failure_kind"))
        if not agree or away > SAME_PLACE:
            row = one.rows[name]
            told.append(f"at {one.edge:.2g} mm: {row['failure_place']}, {row['failure_kind']}, {away:.0f} mm away")
    return f"moves with the mesh ({'; '.join(told)})" if told else "the same on all meshes"


def columns(found: Convergence, name: str) -> dict[str, Value]:
    """What error bars add to the row of a strategy."""
    row: dict[str, Value] = {}
    for column, bar in found.bars[name].items():
        row[f"{column}_error"] = _finite(bar.percent)
        if column in MAIN:
            row[f"{column}_order"], row[f"{column}_extrapolated"] = _finite(bar.order), _finite(bar.extrapolated)
    row["failure_place_on_meshes"] = found.places[name]
    return row


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def with_columns(results: Mapping[str, CaseResult], found: Convergence | None) -> dict[str, CaseResult]:
    """The results with the columns of their error bars."""
    if found is None:
        return dict(results)
    return {
        name: replace(one, metrics={**one.metrics, **columns(found, name)}) for name, one in results.items()
    }  # fmt: skip


def coarser_mesh_failed(factor: float, error: FemsimError) -> None:
    """Say that a mesh for the error bars could not be had: what is known already is not lost for it."""
    warnings.warn(
        f"The mesh of {factor:.3g} times the element size gave no result ({error.what}) and is left out of the error "
        "bars.",
        FemsimWarning,
        stacklevel=2,
    )
