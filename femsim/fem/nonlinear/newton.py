"""Newton's method on the bordered equations: equilibrium, and one linear condition that fixes the size of the step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.errors import SolveError
from femsim.fem.nonlinear.balance import CONSISTENT, POSITIVE, Balance, Trial
from femsim.fem.nonlinear.state import State

Floats = NDArray[np.float64]

#: Fractions of the step tried when the full one does not lower the residual enough.
FRACTIONS = (0.5, 0.25, 0.1)
#: A full step that lowers the residual to this share of it or less is taken without a search.
ENOUGH = 0.9
#: A step is given up when the residual is still above this share of its first value halfway through the iterations.
STALLED = 0.5
#: A step is given up too when so many iterations in a row have not lowered the residual to this share.
STILL, BARELY = 3, 0.9


@dataclass(frozen=True, eq=False)
class Condition:
    """``vector . change of displacement (n, 3) + slope * change of the factor = target``."""

    vector: Floats
    slope: float
    target: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """Where an iteration ended: the state, the relative residual after each iteration, and whether that is enough."""

    trial: Trial
    residuals: tuple[float, ...]
    converged: bool


def iterate(
    balance: Balance, start: Trial, state: State, before: Trial, condition: Condition, *, tolerance: float, limit: int
) -> Outcome:
    """Correct `start` until forces balance, keeping to the condition on the change since `before`.

    Parameters
    ----------
    start : Trial
        Predictor.
    state : State
        Internal state at the beginning of the step.
    before : Trial
        The last state in equilibrium.
    condition : Condition
    tolerance : float
        On the residual relative to the forces.
    limit : int
        Iterations.

    Notes
    -----
    The two right-hand sides, residual and load, are solved with the same tangent (Riks 1979, Ramm 1981; de Borst et al.
    2012 [deborst2012], chapter 4). The tangent is the consistent one [simo1998]; where that leads nowhere the step is
    tried again with one that is kept positive definite where material softens.
    """
    first = _newton(balance, start, state, before, condition, tolerance, limit, CONSISTENT)
    if first.converged:
        return first
    # points that crack and close by turns make the exact tangent jump; the other one still leads somewhere
    again = _newton(balance, start, state, before, condition, tolerance, limit, POSITIVE)
    balance.clip = CONSISTENT  # for the predictor of the next step
    return again


def _newton(
    balance: Balance, start: Trial, state: State, before: Trial, condition: Condition, tolerance: float, limit: int,
    clip: float,
) -> Outcome:  # fmt: skip
    """As `iterate`, with one kind of tangent."""
    balance.clip = clip
    trial = start if clip == CONSISTENT else balance.trial(start.unknowns, start.factor, state)  # with its tangent
    history = [trial.norm / balance.scale(trial)]
    for count in range(limit):
        gap = _gap(balance, trial, before, condition)
        if history[-1] <= tolerance and abs(gap) <= 1e-6 * abs(condition.target):
            return Outcome(trial, tuple(history), True)
        if history[-1] > _allowed(count, limit) * max(history[:2]) or _stands(history):
            break
        try:
            back, ahead = balance.directions(trial)
        except SolveError:  # not positive definite
            break
        along = (condition.vector * balance.moved(ahead, 1.0)).sum() + condition.slope
        if not np.isfinite(along) or along == 0.0:
            break
        more = (gap - (condition.vector * balance.moved(back, 0.0)).sum()) / along
        if not np.isfinite(more):
            break
        trial = _search(balance, trial, state, back + more * ahead, more)
        history.append(trial.norm / balance.scale(trial))
    return Outcome(trial, tuple(history), False)


def _allowed(count: int, limit: int) -> float:
    """How large the residual may still be after some iterations, relative to the first two."""
    if count >= limit // 2:
        return STALLED
    return 1.0 if count >= limit // 4 + 1 else np.inf


def _stands(history: list[float]) -> bool:
    """Whether the last iterations led nowhere."""
    return len(history) > STILL and history[-1] > BARELY * history[-1 - STILL]


def _gap(balance: Balance, trial: Trial, before: Trial, condition: Condition) -> float:
    moved = trial.displacement - before.displacement
    return float(condition.target - (condition.vector * moved).sum() - condition.slope * (trial.factor - before.factor))


def _search(balance: Balance, trial: Trial, state: State, change: Floats, factor: float) -> Trial:
    """The full step, or the shorter one with the smallest residual."""
    best = balance.trial(trial.unknowns + change, trial.factor + factor, state)
    if best.norm <= ENOUGH * trial.norm or np.isnan(best.norm):
        return best
    for part in FRACTIONS:
        shorter = balance.trial(trial.unknowns + part * change, trial.factor + part * factor, state)
        if shorter.norm < best.norm:
            best = shorter
        elif best.norm < trial.norm:
            break
    return best
