"""What a comparison gives back: one table, and every strategy with its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from femsim import fem, risk, show
from femsim.case import Case
from femsim.errors import InputError
from femsim.fields import FIELDS
from femsim.mesh import Mesh

if TYPE_CHECKING:
    import pandas as pd
    import pyvista as pv

    from femsim.study.assumptions import Assumptions
    from femsim.study.discretisation import Convergence
    from femsim.study.setup import Setup

Value = float | int | str | None

#: What a comparison prints; its frame holds everything.
_PRINTED = (
    "stiffness", "torsional_stiffness", "stiffness_of_intact", "failure_load", "failure_load_bw", "failure_moment",
    "failure_load_error", "failure_moment_error", "failure_load_low", "failure_load_high", "failure_moment_low",
    "failure_moment_high", "nonlinear_failure_load", "nonlinear_failure_moment", "maximum_risk", "failure_place",
    "error_bar",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class CaseResult:
    """One strategy, solved and judged.

    Attributes
    ----------
    name, label : str
        Short name and what it is called in figures.
    mesh : Mesh
        The mesh, the same object in every strategy of a comparison.
    materials : tuple of str
        Names of the materials that occur.
    material : (m,) int
        Row of `materials` of every element.
    solution : fem.Solution
    assessment : risk.Assessment
    metrics : mapping of str to value
        The row of the table; names and units in `femsim.fields.FIELDS`.
    fields : mapping of str to array
        Node and cell fields by name.
    curve : risk.Curve, optional
        Load over displacement to failure, of the non-linear analysis.
    """

    name: str
    label: str
    mesh: Mesh
    materials: tuple[str, ...]
    material: NDArray[np.int64]
    solution: fem.Solution
    assessment: risk.Assessment
    metrics: Mapping[str, Value]
    fields: Mapping[str, NDArray[Any]]
    curve: risk.Curve | None = None

    def __str__(self) -> str:
        known = {key: value for key, value in self.metrics.items() if value is not None and key in FIELDS}
        rows = [
            f"  {FIELDS[key].label}: {value:.4g}" if isinstance(value, float) else f"  {FIELDS[key].label}: {value}"
            for key, value in known.items()
        ]
        return "\n".join([f"{self.label}: {len(self.mesh.cells)} elements, {', '.join(self.materials)}", *rows])

    def _repr_html_(self) -> str:
        return show.boxed(self)

    @property
    def grid(self) -> pv.UnstructuredGrid:
        """The mesh with all fields, for PyVista."""
        from femsim.study.export import grid

        return grid(self.mesh, self.fields)

    def plot(self, name: str = "risk", **options: Any) -> Any:
        """Show a field in a PyVista window (or the notebook); options go to ``pyvista.DataSet.plot``."""
        from femsim.study.export import plot

        return plot(self, name, **options)


@dataclass(frozen=True, eq=False)
class ComparisonResult:
    """Every strategy side by side on one mesh.

    Attributes
    ----------
    case : Case
        What was asked.
    setup : Setup
        Bone, lesions, solids and rules.
    mesh : Mesh
    results : mapping of str to CaseResult
        In order, the intact twin first.
    arrows : tuple of mapping
        Forces as drawn: ``name``, ``point`` (3,) mm, ``force`` (3,) N, ``moment`` (3,) N mm.
    held : (p,) int
        Nodes that are held.
    warnings : tuple of str
        What the user should know before publishing; empty when nothing.
    seconds : mapping of str to float
        Wall time of every stage.
    convergence : Convergence, optional
        Discretisation error of every number, from coarser meshes; None where it was not asked for.
    assumptions : Assumptions, optional
        How far the assumptions that the case marks as uncertain move every number; None where there are none.
    rigidity : mapping of str to risk.RigidityCurve
        Rigidity along the bone of every strategy.
    beam : mapping of str to risk.BeamCurve
        Beam theory beside the finite elements at the same sections.
    clinical : tuple of risk.Verdict
        The clinical rules, rule by rule, for every strategy they can be applied to; empty where there is no lesion.
    not_judged : str
        Which elements at loads and supports no strength is judged in: the rule, the places and the number.
    """

    case: Case
    setup: Setup
    mesh: Mesh
    results: Mapping[str, CaseResult]
    arrows: tuple[Mapping[str, Any], ...] = ()
    held: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    convergence: Convergence | None = None
    assumptions: Assumptions | None = None
    rigidity: Mapping[str, risk.RigidityCurve] = field(default_factory=dict)
    beam: Mapping[str, risk.BeamCurve] = field(default_factory=dict)
    clinical: tuple[risk.Verdict, ...] = ()
    not_judged: str = ""

    def __getitem__(self, name: str) -> CaseResult:
        if name not in self.results:
            raise InputError(
                f"There is no strategy {name!r} in this comparison.",
                "It was not among those compared.",
                f"Use one of {', '.join(self.results)}.",
            )
        return self.results[name]

    def __iter__(self) -> Iterator[CaseResult]:
        return iter(self.results.values())

    def __len__(self) -> int:
        return len(self.results)

    @property
    def bone(self) -> Any:
        """The bone, with frame and landmarks."""
        return self.setup.bone

    @property
    def frame(self) -> pd.DataFrame:
        """One row a strategy; ``frame.attrs["units"]`` gives the unit of every column."""
        import pandas as pd

        table = pd.DataFrame([dict(result.metrics) for result in self]).set_index("strategy")
        table.attrs["units"] = {name: FIELDS[name].unit for name in table.columns}
        return table

    def as_dict(self) -> dict[str, Any]:
        """The table, its units and the warnings, as plain data for JSON."""
        from femsim.study import stored

        columns = next(iter(self)).metrics
        return {
            "units": {name: FIELDS[name].unit for name in columns},
            "rows": [dict(result.metrics) for result in self],
            "error_bar": next(iter(self)).metrics.get("error_bar", "no error bar"),
            "convergence": stored.plain(self.convergence),
            "assumptions": stored.plain(self.assumptions),
            "clinical": [row.as_dict() for row in self.clinical],
            "not_judged": self.not_judged,
            "warnings": list(self.warnings),
            "seconds": dict(self.seconds),
        }

    def figure(self, name: str = "risk", width: str | float = "double", path: Path | str | None = None) -> Any:
        """A figure for a paper; see `femsim.report.paper.figure` for the names and the widths."""
        return show.figure("comparison", self, name, width, path)

    def __str__(self) -> str:
        shown = [name for name in _PRINTED if name in self.frame and self.frame[name].notna().any()]
        table = self.frame[shown].rename(columns={name: FIELDS[name].label for name in shown})
        return f"{self!r}\n{table.to_string(float_format=lambda value: f'{value:.4g}')}"

    def __repr__(self) -> str:
        rows = ", ".join(self.results)
        return f"ComparisonResult({self.setup.bone.name}: {rows}; {3 * len(self.mesh.points):,} unknowns)"

    def _repr_html_(self) -> str:
        return table_html(self.frame)


def table_html(frame: pd.DataFrame) -> str:
    """A table of strategies as a notebook shows it: a column a strategy, a row a quantity with its unit."""
    named = frame.rename(columns={name: FIELDS[name].label for name in frame.columns if name in FIELDS})
    return str(named.T.to_html(float_format=lambda value: f"{value:.4g}", na_rep="-"))
