"""Searches: how much of something is enough, or at which values an output is best.

"How far past the lesion must the catheter reach to recover 80 % of the strength?" is ``reach(case,
"strategies.catheter.past_lesion", (0, 80), "strength_of_intact", 80, strategy="catheter")``. Every evaluation is a case
like any other: it stands in the folder of the search and is not solved twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize

from femsim.case import Case
from femsim.errors import InputError, StudyError
from femsim.study.sweep import answers, engine, estimate, folder, table
from femsim.study.sweep.extras import need
from femsim.study.sweep.study import Study
from femsim.study.sweep.tasks import Task, task
from femsim.study.sweep.work import Job, work

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Attributes
    ----------
    values : mapping of str to float
        By name of the key.
    output : float
        What was reached there.
    reached : bool
        Whether the target was; else `values` is what comes nearest to it.
    bracket : (float, float) or None
        Of a search for one value: two values that were solved, the target lies between their outputs.
    frame : DataFrame
        Every evaluation, a row a case and strategy.
    text : str
        The answer in a sentence.
    """

    values: Mapping[str, float]
    output: float
    reached: bool
    frame: pd.DataFrame
    text: str
    bracket: tuple[float, float] | None = None

    def __str__(self) -> str:
        return self.text


class _Evaluations:
    """Cases that are solved when first asked for."""

    def __init__(self, case: Case, strategy: str, output: str, out: Path | str | None) -> None:
        import tempfile

        self.base = Study(case).spec.case.model_dump(mode="json")
        self.strategy, self.output = strategy, output
        self.out = Path(tempfile.mkdtemp(prefix="femsim-search-")) if out is None else Path(out)
        self.tasks: dict[str, Task] = {}
        names = {"intact", *self.base["strategies"]}
        if strategy not in names:
            raise InputError(
                f"The case has no strategy {strategy!r}.",
                "Nothing can be searched for.",
                f"Use one of {', '.join(names)}.",
            )

    def __call__(self, values: Mapping[str, float]) -> float:
        one = task(self.base, values, values, len(self.tasks), "search")
        known = self._known(one)
        if known is None:
            known = dict(work(Job(one, str(self.out), command=("search",))).record)
        self.tasks[one.id] = one
        if known["status"] != "done":
            error = known["error"]
            told = ", ".join(f"{name} = {value:g}" for name, value in values.items())
            raise StudyError(f"With {told}: {error['what']}", error["why"], error["do"])
        rows = table.frame([known], list(values))
        return float(answers.column(rows, self.output)[rows["strategy"] == self.strategy].iloc[0])

    def ahead(self, points: Sequence[Mapping[str, float]], workers: int) -> None:
        """Solve what will be asked for, in processes of this machine."""
        tasks = [task(self.base, values, values, number, "search") for number, values in enumerate(points)]
        jobs = [Job(one, str(self.out), command=("search",)) for one in tasks if self._known(one) is None]
        if workers > 1 and len(jobs) > 1:
            for _ in engine.pool(jobs, estimate.affordable(workers, jobs[0].task)[0], engine.Limits()):
                pass

    def _known(self, one: Task) -> dict[str, Any] | None:
        found = folder.record(self.out, one.id)
        return found if found is not None and found["status"] == "done" else None

    def frame(self) -> pd.DataFrame:
        """Every evaluation."""
        known = folder.records(self.out, tuple(self.tasks))
        params = list(next(iter(self.tasks.values())).params)
        return table.frame(known.values(), params)


def reach(
    case: Case,
    name: str,
    bounds: tuple[float, float],
    output: str,
    target: float,
    *,
    strategy: str,
    out: Path | str | None = None,
    tolerance: float = 0.01,
    points: int = 5,
    workers: int = 1,
) -> Found:
    """The first value of a key, from the lower bound on, at which an output passes a target.

    Parameters
    ----------
    case : Case
    name : str
        Dotted name of a key that takes a number, e.g. ``"strategies.catheter.past_lesion"``.
    bounds : (float, float)
    output : str
        A column of the table, or ``"strength_recovery"`` and ``"strength_of_intact"`` in percent.
    target : float
    strategy : str
        Whose output.
    out : path, optional
        Folder that keeps the cases.
    tolerance : float
        Of the value, as a share of the range.
    points : int
        Values that are solved first, at equal steps, both bounds among them: what an output does between two of them
        is not seen.
    workers : int
        Processes that solve them.

    Returns
    -------
    Found
        Where the output is beyond the target at all of the first values, or at none, `reached` is False, and the text
        says how near it comes.

    Notes
    -----
    Brent's method (`scipy.optimize.brentq`) between the first two neighbours that have the target between them. The
    text names the two solved values round the answer. Meshes change with the geometry, and the response has a noise of
    their size: a bracket much narrower than that says nothing.
    """
    if points < 2 or not bounds[0] < bounds[1]:
        raise InputError(
            f"A search from {bounds[0]:g} to {bounds[1]:g} with {points} points is not possible.",
            "It needs a range and its two ends.",
            "Give two bounds, the smaller one first, and at least 2 points.",
        )
    evaluate = _Evaluations(case, strategy, output, out)
    low, high = (float(one) for one in bounds)
    first = [float(x) for x in np.linspace(low, high, points)]
    evaluate.ahead([{name: x} for x in first], workers)
    known = {x: evaluate({name: x}) for x in first}
    passed = [(a, b) for a, b in pairwise(first) if (known[a] >= target) != (known[b] >= target)]
    if not passed:
        near = min(first, key=lambda x: abs(known[x] - target))
        text = _never(name, output, strategy, target, known)
        return Found({name: near}, known[near], False, evaluate.frame(), text)

    def missing(x: float) -> float:
        if x not in known:
            known[x] = evaluate({name: float(x)})
        return known[x] - target

    found = float(optimize.brentq(missing, *passed[0], xtol=tolerance * (high - low), rtol=1e-6))
    reached = missing(found) + target
    bracket = _around(known, target, found)
    told = " to ".join(f"{x:.4g} ({known[x]:.4g})" for x in bracket)
    text = f"{output} of {strategy} passes {target:g} between {name} = {told}; {len(known)} cases."
    if len(passed) > 1:
        text += f" It passes it {len(passed)} times between {low:g} and {high:g}; this is the first."
    return Found({name: found}, reached, True, evaluate.frame(), text, bracket)


def _never(name: str, output: str, strategy: str, target: float, known: Mapping[float, float]) -> str:
    """Why there is no answer, in words: the output never comes to the target, or is beyond it everywhere."""
    low, high = min(known, key=lambda x: known[x]), max(known, key=lambda x: known[x])
    span = f"{name} from {min(known):g} to {max(known):g} ({len(known)} values solved)"
    values = f"{known[low]:.4g} at {low:g} to {known[high]:.4g} at {high:g}"
    if known[high] < target:
        return f"No {span} brings {output} of {strategy} to {target:g}: it goes from {values}."
    return f"Every {span} has {output} of {strategy} at {target:g} or above: it goes from {values}."


def _around(known: Mapping[float, float], target: float, found: float) -> tuple[float, float]:
    """The two solved values nearest to the answer that have the target between them."""
    ordered = sorted(known)
    pairs = [(a, b) for a, b in pairwise(ordered) if (known[a] >= target) != (known[b] >= target)]
    return min(pairs, key=lambda pair: (max(pair[0] - found, found - pair[1], 0.0), pair[1] - pair[0]))


def best(
    case: Case,
    ranges: Mapping[str, tuple[float, float]],
    output: str,
    *,
    strategy: str,
    largest: bool = True,
    trials: int = 30,
    seed: int = 0,
    out: Path | str | None = None,
) -> Found:
    """The values of one or several keys at which an output is largest (or smallest).

    One key: bounded minimisation by `scipy.optimize.minimize_scalar`. Several: the tree-structured Parzen estimator of
    optuna (extra ``search``), repeatable by its seed; a case that fails counts as a bad one.
    """
    evaluate = _Evaluations(case, strategy, output, out)
    sign = -1.0 if largest else 1.0
    if len(ranges) == 1:
        ((name, (low, high)),) = ranges.items()
        result = optimize.minimize_scalar(
            lambda x: sign * evaluate({name: float(x)}), bounds=(low, high), method="bounded",
            options={"maxiter": trials, "xatol": 0.01 * (high - low)},
        )  # fmt: skip
        values: dict[str, float] = {name: float(result.x)}
        reached = sign * float(result.fun)
    else:
        values, reached = _several(evaluate, ranges, largest, trials, seed)
    what = "largest" if largest else "smallest"
    told = ", ".join(f"{name} = {value:.4g}" for name, value in values.items())
    text = f"{output} of {strategy} is {what} at {told}: {reached:.4g} ({len(evaluate.tasks)} cases)."
    return Found(values, reached, True, evaluate.frame(), text)


def _several(
    evaluate: _Evaluations, ranges: Mapping[str, tuple[float, float]], largest: bool, trials: int, seed: int
) -> tuple[dict[str, float], float]:
    need("optuna", "search", "A search over several keys")
    import optuna

    def objective(trial: Any) -> float:
        return evaluate({name: trial.suggest_float(name, *limits) for name, limits in ranges.items()})

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(
            direction="maximize" if largest else "minimize", sampler=optuna.samplers.TPESampler(seed=seed)
        )
        study.optimize(objective, n_trials=trials, catch=(StudyError,))
    finally:
        optuna.logging.set_verbosity(before)
    return {name: float(value) for name, value in study.best_params.items()}, float(study.best_value)
