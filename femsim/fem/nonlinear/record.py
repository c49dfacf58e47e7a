"""How a path is followed, and what is known of it at its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.fem.nonlinear.balance import Trial
from femsim.fem.nonlinear.laws import Inelastic
from femsim.fem.nonlinear.state import Points

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PathSettings:
    """How a path is followed.

    Attributes
    ----------
    tolerance : float
        Out-of-balance forces over the forces of loads and supports.
    first_step : float
        First inelastic step, relative to the displacement at first yield.
    growth : float
        A step after an easy one is longer by this factor at most.
    steps, iterations, cuts : int
        Largest number of steps, of iterations in one, and of halvings in a row.
    drop : float
        The path ends when the load has fallen by this share of the peak.
    flat : float
        It also ends when the stiffness has fallen below this share of the first one for three steps.
    resolve : float
        A step over the peak that ends below it by more than this share of the load is tried again, shorter.
    reach : float
        It ends at the latest when the displacement is this many times that of the elastic model at the peak.
    solver : str
    linear_tolerance : float
        Relative residual of the iterative solution in every iteration.
    threads : int or None
    """

    tolerance: float = 1e-4
    first_step: float = 0.15
    growth: float = 1.6
    steps: int = 80
    iterations: int = 14
    cuts: int = 5
    drop: float = 0.05
    flat: float = 2e-3
    resolve: float = 0.01
    reach: float = 6.0
    solver: str = "auto"
    linear_tolerance: float = 1e-3
    threads: int | None = None

    def __post_init__(self) -> None:
        if not (0.0 < self.tolerance < 0.1 and 0.0 < self.linear_tolerance < 0.1 and 0.0 < self.drop < 1.0):
            raise InputError(
                f"tolerance = {self.tolerance!r}, linear_tolerance = {self.linear_tolerance!r} or drop = {self.drop!r} "
                "is out of range.",
                "The path would not be one of equilibria, or not end.",
                "Use about 1e-4, 1e-3 and 0.05.",
            )
        if not (self.steps >= 1 and self.iterations >= 2 and self.growth >= 1.0 and self.first_step > 0.0):
            raise InputError(
                "steps, iterations, growth or first_step is out of range.", "The path could not start.", "See the help."
            )


@dataclass(frozen=True)
class Step:
    """One accepted step: its load, displacement, control, residuals of its iterations, and cuts before it."""

    load: float
    displacement: float
    control: str
    residuals: tuple[float, ...]
    cuts: int


@dataclass(frozen=True, eq=False)
class LoadPath:
    """A path of equilibria.

    Attributes
    ----------
    load : (s,) float64
        Under forces: load factor times `magnitude`, N (N mm for a moment), from 0. Where displacements are prescribed:
        what the supports exert on them, N.
    displacement : (s,) float64
        What the load does its work on, mm (rad for a moment): the area under `load` over it is the work of all loads.
    end : {"peak", "plateau", "steps", "displacement", "no convergence"}
        Why it ended; with the first two the largest load is a limit load, with the others it is a lower bound.
    steps : tuple of Step
    peak : Trial
        The state at the largest load.
    last : Trial
        The last state.
    laws : Inelastic
    points : Points
        Quadrature points with their laws and the widths of their bands.
    solves, linear_iterations : int
        Tangents solved with, and iterations of the linear solver in all.
    """

    load: Floats
    displacement: Floats
    end: str
    steps: tuple[Step, ...]
    peak: Trial
    last: Trial
    laws: Inelastic
    points: Points
    solves: int
    linear_iterations: int

    @property
    def limit(self) -> float:
        """Largest load."""
        return float(self.load.max())

    @property
    def reached(self) -> bool:
        """Whether the largest load is a limit: a peak that was passed, or a plateau."""
        return self.end in ("peak", "plateau")
