"""Answers from the table of a study: response curves, paired differences, and what matters most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from femsim.errors import InputError
from femsim.study.sweep.extras import need
from femsim.study.sweep.spec import StudySpec

if TYPE_CHECKING:
    import pandas as pd

#: Outputs that follow from others of the same case: (treated - untreated) / (intact - untreated) and treated / intact.
DERIVED = ("strength_recovery", "strength_of_intact")
_STRENGTHS = ("out.failure_load", "out.failure_moment")


def column(frame: pd.DataFrame, output: str) -> pd.Series:
    """An output of every row, by its name with or without ``out.``; also those of `DERIVED`, in percent.

    Raises
    ------
    InputError
        If there is no such output.
    """
    name = output.removeprefix("out.")
    if name in DERIVED:
        return _derived(frame, name)
    if f"out.{name}" not in frame:
        known = [one.removeprefix("out.") for one in frame.columns if one.startswith("out.")]
        raise InputError(
            f"The study has no output {output!r}.",
            "Nothing can be said about it.",
            f"Use one of {', '.join([*known, *DERIVED])}.",
        )
    return frame[f"out.{name}"].astype(float)


def _derived(frame: pd.DataFrame, name: str) -> pd.Series:
    import pandas as pd

    strength = pd.Series(np.nan, frame.index)
    for one in _STRENGTHS:
        if one in frame:
            strength = strength.fillna(frame[one].astype(float))
    # every case has its own intact twin, and its own untreated bone
    by_case = pd.DataFrame({"case": frame["case"], "strategy": frame["strategy"], "value": strength})
    wide = by_case.pivot(index="case", columns="strategy", values="value")
    intact = frame["case"].map(wide["intact"])
    if name == "strength_of_intact":
        return 100.0 * strength / intact
    untreated = frame["case"].map(wide["untreated"]) if "untreated" in wide else np.nan
    return 100.0 * (strength - untreated) / (intact - untreated)


def curve(frame: pd.DataFrame, param: str, output: str, band: tuple[float, float] = (0.05, 0.95)) -> pd.DataFrame:
    """Response of an output to a parameter, over everything else that varied.

    Parameters
    ----------
    frame : DataFrame
        The table of a study.
    param : str
        Name of the key, with or without ``param.``.
    output : str
    band : (float, float)
        Quantiles of the band.

    Returns
    -------
    DataFrame
        For every strategy and value: ``median``, ``mean``, ``low``, ``high`` and the number of cases. A parameter of
        more than 20 values is divided into ten classes of equal count, each at its mean.
    """
    import pandas as pd

    name = _param(frame, param)
    data = pd.DataFrame({"strategy": frame["strategy"], "x": frame[name], "y": column(frame, output)}).dropna()
    if data["x"].nunique() > 20:
        classes = pd.qcut(data["x"].astype(float), 10, duplicates="drop")
        data["x"] = data.groupby(classes, observed=True)["x"].transform("mean")
    grouped = data.groupby(["strategy", "x"], sort=False)["y"]
    result: pd.DataFrame = grouped.agg(
        median="median",
        mean="mean",
        low=lambda y: y.quantile(band[0]),
        high=lambda y: y.quantile(band[1]),
        cases="size",
    ).reset_index()
    if pd.api.types.is_numeric_dtype(result["x"]):
        # strategies as they come, values in order: a case that failed or is still missing must not fold a curve back
        order = result["strategy"].map({name: row for row, name in enumerate(result["strategy"].unique())})
        result = result.iloc[np.lexsort((result["x"], order))].reset_index(drop=True)
    return result.rename(columns={"x": param.removeprefix("param.")})


def _param(frame: pd.DataFrame, param: str) -> str:
    name = f"param.{param.removeprefix('param.')}"
    if name not in frame:
        known = ", ".join(one.removeprefix("param.") for one in frame.columns if one.startswith("param."))
        raise InputError(
            f"The study did not vary {param!r}.", "There is no response to it.", f"It varied {known or 'nothing'}."
        )
    return name


@dataclass(frozen=True)
class PairedDifference:
    """Two strategies on the same bones, lesions, loads and materials.

    Attributes
    ----------
    better, worse : str
        Names as asked for: the difference is the first less the second.
    differences : Series
        By case.
    mean, deviation : float
        Of the differences.
    interval : (float, float)
        95 % confidence interval of the mean (Student's t).
    probability : float
        Share of the cases in which the first is larger; ties count half.
    probability_interval : (float, float)
        95 % interval of that share (Wilson), meaningful where the cases are a random sample.
    """

    better: str
    worse: str
    differences: pd.Series
    mean: float
    deviation: float
    interval: tuple[float, float]
    probability: float
    probability_interval: tuple[float, float]

    def __str__(self) -> str:
        low, high = self.probability_interval
        return (
            f"{self.better} - {self.worse}: {self.mean:.4g} ({self.interval[0]:.4g} to {self.interval[1]:.4g}); "
            f"larger in {100 * self.probability:.0f} % of {len(self.differences)} cases "
            f"({100 * low:.0f} to {100 * high:.0f} %)"
        )


def difference(frame: pd.DataFrame, one: str, other: str, output: str) -> PairedDifference:
    """Paired difference of an output between two strategies, over all cases that have both.

    Raises
    ------
    InputError
        If a strategy is unknown or no case has both.
    """
    import pandas as pd

    data = pd.DataFrame({"case": frame["case"], "strategy": frame["strategy"], "y": column(frame, output)})
    wide = data.pivot(index="case", columns="strategy", values="y")
    for name in (one, other):
        if name not in wide:
            raise InputError(
                f"The study has no strategy {name!r}.",
                "It cannot be compared.",
                f"Use one of {', '.join(str(known) for known in wide)}.",
            )
    pairs = (wide[one] - wide[other]).dropna()
    count = len(pairs)
    if not count:
        raise InputError(
            f"No case has {output} of both {one} and {other}.", "Nothing can be compared.", "Look at the failed cases."
        )
    wins = float((pairs > 0).sum() + 0.5 * (pairs == 0).sum())
    spread = float(pairs.std(ddof=1)) if count > 1 else float("nan")
    half = float(stats.t.ppf(0.975, count - 1)) * spread / np.sqrt(count) if count > 1 else float("nan")
    mean = float(pairs.mean())
    return PairedDifference(
        one, other, pairs, mean, spread, (mean - half, mean + half), wins / count, _wilson(wins, count)
    )


def _wilson(wins: float, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), also for a half win."""
    z = float(stats.norm.ppf(0.975))
    share = wins / count
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * float(np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)))
    return max(0.0, centre - half), min(1.0, centre + half)


def tornado(frame: pd.DataFrame, strategy: str, output: str) -> pd.DataFrame:
    """How far each parameter moves an output: its mean in the lowest and in the highest fifth of the parameter.

    Returns
    -------
    DataFrame
        ``low``, ``high`` and ``swing`` = high - low by parameter, the largest first; parameters of texts are left out.
    """
    import pandas as pd

    mine = frame[frame["strategy"] == strategy]
    y = column(frame, output)[mine.index]
    rows = {}
    for name in (one for one in frame.columns if one.startswith("param.")):
        x = pd.to_numeric(mine[name], errors="coerce")
        if x.isna().any() or x.nunique() < 2:
            continue
        low, high = y[x <= x.quantile(0.2)].mean(), y[x >= x.quantile(0.8)].mean()
        rows[name.removeprefix("param.")] = {"low": low, "high": high, "swing": high - low}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high", "swing"])
    return table.reindex(table["swing"].abs().sort_values(ascending=False).index)


def sobol(spec: StudySpec, frame: pd.DataFrame, strategy: str, output: str) -> pd.DataFrame:
    """Sobol indices of first order and total, with the half widths of their 95 % intervals.

    Parameters
    ----------
    spec : StudySpec
        With ``sampling.method = "saltelli"``, and nothing else varied.
    frame : DataFrame
        Its complete table.

    Raises
    ------
    InputError
        If the design is another one, or a case is missing.
    """
    need("SALib", "sensitivity", "Sobol indices")
    import pandas as pd
    from SALib.analyze import sobol as analyse

    names = [name for name, one in spec.vary.items() if one.sampled]
    if spec.sampling.method != "saltelli" or len(names) < len(spec.vary) or spec.paired or spec.cohort:
        raise InputError(
            "Sobol indices need a study whose sampling.method is 'saltelli', with nothing but distributions.",
            "Other designs do not hold the samples from which they are estimated.",
            "Set sampling.method, and leave lists, rows and cohorts out.",
        )
    values = _by_design(spec, frame, strategy, output)
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    # a seed of 0 is none to SALib: the intervals would differ from call to call
    found = analyse.analyze(problem, values, calc_second_order=False, seed=spec.sampling.seed + 1)
    return pd.DataFrame(
        {"first": found["S1"], "first_95": found["S1_conf"], "total": found["ST"], "total_95": found["ST_conf"]}, names
    )


def _by_design(spec: StudySpec, frame: pd.DataFrame, strategy: str, output: str) -> Any:
    """The output in the order of the design, which may hold one case several times."""
    from femsim.study.sweep import design
    from femsim.study.sweep.tasks import task

    y = column(frame, output)
    mine = frame["strategy"] == strategy
    known = dict(zip(frame["case"][mine], y[mine], strict=True))
    base = spec.case.model_dump(mode="json")
    ids = [task(base, values, values, 0).id for values in design.points(spec)]
    missing = sum(not np.isfinite(known.get(one, np.nan)) for one in ids)
    if missing:
        raise InputError(
            f"{missing} of {len(ids)} samples have no {output}.",
            "Sobol indices need all of them.",
            "Run the study to its end, and look at its failed cases.",
        )
    return np.array([known[one] for one in ids])
