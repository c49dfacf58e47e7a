"""Searches: the value of a key at which an output is reached, or the values at which it is best.

Every evaluation is a case like any other: it stands in the folder of the search and is not solved twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scipy import optimize

from femsim.case import Case
from femsim.errors import InputError, StudyError
from femsim.study.sweep import answers, folder, table
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
        Whether the target was; else `values` is the end of the range that comes nearest.
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
        known = folder.record(self.out, one.id)
        if known is None or known["status"] != "done":
            answer = work(Job(one, str(self.out), command=("search",)))
            known = dict(answer.record)
        self.tasks[one.id] = one
        if known["status"] != "done":
            error = known["error"]
            told = ", ".join(f"{name} = {value:g}" for name, value in values.items())
            raise StudyError(f"With {told}: {error['what']}", error["why"], error["do"])
        rows = table.frame([known], list(values))
        return float(answers.column(rows, self.output)[rows["strategy"] == self.strategy].iloc[0])

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
) -> Found:
    """The value of a key at which an output reaches a target, between bounds.

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

    Returns
    -------
    Found
        Where the output is beyond the target at both ends, or at neither, `reached` is False.

    Notes
    -----
    Brent's method (`scipy.optimize.brentq`). Where the response rises and falls there may be several such values; one
    of them is found. Meshes change with the geometry, and the response has a noise of their size.
    """
    evaluate = _Evaluations(case, strategy, output, out)
    low, high = (float(one) for one in bounds)
    ends = [evaluate({name: low}), evaluate({name: high})]
    if (ends[0] - target) * (ends[1] - target) > 0.0:
        near = min((0, 1), key=lambda k: abs(ends[k] - target))
        text = (
            f"{output} of {strategy} does not pass {target:g} between {name} = {low:g} ({ends[0]:.4g}) and {high:g} "
            f"({ends[1]:.4g})."
        )
        return Found({name: (low, high)[near]}, ends[near], False, evaluate.frame(), text)
    known = {low: ends[0], high: ends[1]}

    def missing(x: float) -> float:
        if x not in known:
            known[x] = evaluate({name: float(x)})
        return known[x] - target

    found = float(optimize.brentq(missing, low, high, xtol=tolerance * (high - low), rtol=1e-6))
    reached = missing(found) + target
    text = (
        f"{output} of {strategy} reaches {target:g} at {name} = {found:.4g} ({len(known)} cases, {reached:.4g} there)."
    )
    return Found({name: found}, reached, True, evaluate.frame(), text)


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
