"""From zero through first yield to and past the peak: steps, controls, cuts, and when to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from femsim.errors import SolveError
from femsim.fem import operators
from femsim.fem.model import Model
from femsim.fem.nonlinear.balance import Balance, Trial, balance_of
from femsim.fem.nonlinear.laws import QUADRIC, Inelastic
from femsim.fem.nonlinear.newton import Condition, Outcome, iterate
from femsim.fem.nonlinear.record import LoadPath, PathSettings, Step
from femsim.fem.nonlinear.state import State
from femsim.fem.workspace import Workspace

Floats = NDArray[np.float64]


#: The two ways to fix the size of a step.
LOAD, PLASTIC = "load displacement", "plastic strain"
#: Share of the elastic displacement that is added to find what yields first.
PROBE = 0.02
#: How far into softening, of its whole length, the first step with softening may lead.
ENTRY = 0.05
#: Share of the progress of the point nearest to softening, above which points count for the control.
NEAREST = 0.9
#: How often a step over the peak is tried again, and by how much shorter.
REFINED, SHORTER = 4, 0.4


def follow(
    model: Model,
    laws: Inelastic,
    case: str = "load",
    *,
    magnitude: float = 1.0,
    settings: PathSettings | None = None,
    workspace: Workspace | None = None,
    start: Floats | None = None,
    told: Callable[[Step], None] | None = None,
) -> LoadPath:
    """Follow a model under a growing load until it has failed.

    Parameters
    ----------
    model : Model
    laws : Inelastic
        What its materials do beyond their elastic limit.
    case : str
        Load case; all its loads and prescribed displacements grow by one factor.
    magnitude : float
        Size of the main load at factor one, N or N mm; of the prescribed displacement, mm, where there are no forces.
    settings : PathSettings, optional
    workspace : Workspace, optional
    start : (n, 3) float64, optional
        Displacement of the elastic solution at factor one, where it is known: saves most of the first solve.
    told : callable, optional
        Told every accepted step.

    Returns
    -------
    LoadPath

    Raises
    ------
    SolveError
        If the model cannot be solved even elastically, or nothing in it can yield.
    """
    chosen = settings or PathSettings()
    space = workspace if workspace is not None else Workspace()
    balance = balance_of(
        model, case, laws, space, solver=chosen.solver, tolerance=min(1e-6, chosen.linear_tolerance),
        threads=chosen.threads,
    )  # fmt: skip
    if start is not None and balance.scheme.count == len(start):
        balance.last = np.where(balance.scheme.free, np.asarray(start, float), 0.0)
    return _Walk(balance, magnitude, chosen, told).run()


@dataclass(eq=False)
class _Walk:
    """The state of a walk along the path; everything here changes from step to step."""

    balance: Balance
    magnitude: float
    settings: PathSettings
    told: Callable[[Step], None] | None
    steps: list[Step] = field(default_factory=list)
    control: str = LOAD
    _at_yield: float = 0.0

    def run(self) -> LoadPath:
        trial, state = self._to_first_yield()
        peak, before, old = trial, self._origin, self.balance.points.fresh()
        size, end, refined = self.settings.first_step, "steps", 0
        for _ in range(self.settings.steps):
            found = self._advance(before, trial, old, state, size)
            if found is None:
                end = "no convergence"
                break
            outcome, taken, cuts = found
            if refined < REFINED and (self._overshot(outcome.trial) or self._leapt(state, outcome.trial)):
                self.control, refined, size = PLASTIC, refined + 1, min(taken, 1.0) * SHORTER
                continue
            before, trial, old = trial, outcome.trial, state
            state = self.balance.points.settle(trial.response)
            top = max(step.load for step in self.steps)
            self._add(trial, self.control, outcome.residuals, cuts)
            if self.steps[-1].load > top:
                peak = trial
            stop = self._stop()
            if stop:
                end = stop
                break
            size = self._next_size(taken, outcome, cuts)
        return LoadPath(
            load=np.array([0.0] + [step.load for step in self.steps]),
            displacement=np.array([0.0] + [step.displacement for step in self.steps]),
            end=end, steps=tuple(self.steps), peak=peak, last=trial,
            laws=self.balance.points.laws, points=self.balance.points,
            solves=self.balance.solves, linear_iterations=self.balance.iterations,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------ first yield
    def _to_first_yield(self) -> tuple[Trial, State]:
        """The elastic solution, scaled to where the first point yields: exact, and without an iteration."""
        balance = self.balance
        fresh = balance.points.fresh()
        zero = np.zeros((balance.scheme.count, 3))
        self._origin = balance.trial(zero, 0.0, fresh)
        _, ahead = balance.directions(self._origin)
        balance.tolerance = self.settings.linear_tolerance
        balance.last = ahead
        moved = balance.moved(ahead, 1.0)
        strain = operators.strain(balance.grid, balance.model.material, moved)
        stress = operators.stress(balance.grid, balance.model.material, strain)
        gauge = float(balance.points.gauge(stress).max())
        if not gauge > 0.0:
            raise SolveError(
                "No material under load can yield.",
                "There is no failure load.",
                "Give at least one loaded material a law.",
            )
        factor = 1.0 / gauge
        trial = balance.trial(factor * ahead, factor, fresh)
        self._at_yield = float((balance.right.external * trial.displacement).sum()) or factor
        self._add(trial, "elastic", (trial.norm / balance.scale(trial),), 0)
        return trial, balance.points.settle(trial.response)

    # ------------------------------------------------------------------------------------------------ one step
    def _advance(
        self, before: Trial, trial: Trial, old: State, state: State, size: float
    ) -> tuple[Outcome, float, int] | None:
        """A converged step of the size asked for or a shorter one; None where none was found."""
        for cut in range(self.settings.cuts + 1):
            condition, start = self._predict(before, trial, old, state, size)
            outcome = iterate(
                self.balance, start, state, trial, condition, tolerance=self.settings.tolerance,
                limit=self.settings.iterations,
            )  # fmt: skip
            if outcome.converged:
                return outcome, size, cut
            if self.control == LOAD:
                self.control, size = PLASTIC, 1.0
            size *= 0.5
        return None

    def _predict(self, before: Trial, trial: Trial, old: State, state: State, size: float) -> tuple[Condition, Trial]:
        """The condition of the next step and a first guess of where it ends.

        `size` is relative to the displacement at first yield under control by the load's own displacement, and to the
        last step under control by plastic strain: the work of the strains on the last plastic strain increment, which
        grows even where the load's displacement snaps back (indirect displacement control: de Borst et al. 2012
        [deborst2012], chapter 4).
        """
        balance = self.balance
        change, factor = trial.unknowns - before.unknowns, trial.factor - before.factor
        moved = trial.displacement - before.displacement
        if self.control == PLASTIC:
            flow = state.plastic - old.plastic
            if not flow.any():  # nothing has yielded yet: what a little more of the same would make yield
                change, factor, moved = PROBE * change, PROBE * factor, PROBE * moved
                probe = balance.trial(trial.unknowns + change, trial.factor + factor, state)
                flow = probe.response.state.plastic - state.plastic
            else:
                flow = _leading(flow, state.kappa)
            vector, slope = operators.internal_forces(balance.grid, balance.model.material, flow), 0.0
            target = size * float((vector * moved).sum())
            part = size
        else:
            vector, slope = balance.right.external, 0.0
            if not vector.any():
                vector, slope = np.zeros_like(vector), 1.0
            target = size * self._at_yield
            along = float((vector * moved).sum()) + slope * factor
            part = target / along if along > 0.0 else 0.0
        start = balance.trial(trial.unknowns + part * change, trial.factor + part * factor, state)
        return Condition(vector, slope, target), start

    def _next_size(self, size: float, outcome: Outcome, cuts: int) -> float:
        count = len(outcome.residuals) - 1
        # where a longer step has just failed the next one is not made longer at once
        most = self.settings.growth if cuts == 0 else 1.0
        factor = min(most, max(0.5, (5.0 / max(count, 1)) ** 0.5))
        if self.control == PLASTIC:
            return factor  # the last step is the unit there
        return size * factor

    # ------------------------------------------------------------------------------------------------ notes
    def _add(self, trial: Trial, control: str, residuals: tuple[float, ...], cuts: int) -> None:
        balance = self.balance
        if balance.driven:
            measure = trial.factor * self.magnitude
        else:
            measure = balance.work(trial.displacement, trial.unknowns, trial.factor) / self.magnitude
        self.steps.append(Step(self._load(trial), measure, control, residuals, cuts))
        if self.told is not None:
            self.told(self.steps[-1])

    def _overshot(self, trial: Trial) -> bool:
        """Whether a step leads from the largest load so far to one well below it: the peak lies in between."""
        loads = [step.load for step in self.steps]
        return loads[-1] == max(loads) and self._load(trial) < (1.0 - self.settings.resolve) * loads[-1]

    def _leapt(self, state: State, trial: Trial) -> bool:
        """Whether a step leads from no softening at all to well into it: the peak may lie in between."""
        points = self.balance.points
        may = (points.tables.kind[points.material.index] == QUADRIC) & points.inelastic
        if not may.any():
            return False
        return bool(state.kappa[may].max() < 1.0 and trial.response.state.kappa[may].max() > 1.0 + ENTRY)

    def _load(self, trial: Trial) -> float:
        if self.balance.driven:
            return self.balance.hold(trial.inner) / self.magnitude
        return trial.factor * self.magnitude

    def _stop(self) -> str:
        """Why the path should end here; empty to go on."""
        load = np.array([0.0] + [step.load for step in self.steps])
        moved = np.array([0.0] + [step.displacement for step in self.steps])
        top, stiffness = load.max(), load[1] / moved[1]
        if load[-1] < (1.0 - self.settings.drop) * top:
            return "peak"
        if len(load) > 5:
            slope = np.diff(load[-4:]) / np.diff(moved[-4:])
            if (np.abs(slope) < self.settings.flat * stiffness).all():
                return "plateau"
        if moved[-1] > self.settings.reach * top / stiffness:
            return "displacement"
        return ""


def _leading(flow: Floats, kappa: Floats) -> Floats:
    """The plastic flow (m, q, 6) of the points that soften, or are nearest to it; zero elsewhere.

    A crack band grows while all around it unloads: only a measure of the band itself grows with it.
    """
    flows = flow.any(axis=-1)
    furthest = float(kappa[flows].max())
    return np.where((flows & (kappa >= min(NEAREST * furthest, 1.0)))[..., None], flow, 0.0)
