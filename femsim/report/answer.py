"""What a comparison says, before anything else: which strategy holds, by how much, how sure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from femsim.fields import FIELDS
from femsim.report import bars
from femsim.report.text import number

#: Differences below this, in percent, are not told apart where a run carries no error bar. It is a choice, not a
#: measurement: between two usual meshes of one model the failure load moves by about that much. The page says so.
UNTOLD = 5.0


@dataclass(frozen=True)
class Row:
    """One strategy on the board.

    Attributes
    ----------
    name, label, value, detail, place : str
        Name; the same with a capital; failure load with its unit; its shares; where it fails.
    length, error : float
        Length of the bar and half-width of its error, in percent of the board's width; error 0 where not known.
    holds : bool or None
        Whether it bears the load as given; None where that is not known.
    best, reference : bool
        Whether it is among the best, where that says anything; whether it is the intact twin.
    """

    name: str
    label: str
    value: str
    detail: str
    place: str
    length: float
    error: float
    holds: bool | None
    best: bool
    reference: bool

    @property
    def lower(self) -> float:
        """Lower end of the error bar; a strength below zero means nothing."""
        return max(0.0, self.length - self.error)


@dataclass(frozen=True)
class Answer:
    """Headline, sentences, board of strategies; `given` is where on the board the load as given lies, percent."""

    headline: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    given: float | None = None
    given_text: str = ""


def answer(result: Any) -> Answer:
    """The answer of a comparison."""
    frame = result.frame
    column = next((c for c in ("failure_load", "failure_moment") if c in frame and frame[c].notna().any()), None)
    if column is None:
        return Answer("No failure load was computed.", ("See the table for the stiffness of every strategy.",))
    intact = next(iter(result.results))
    others = frame[column].drop(intact).dropna().sort_values(ascending=False)
    if others.empty:
        return Answer(f"Only {label(result, intact)} was solved: {value(frame, intact, column)}.", ())
    best = tied(frame, others, f"{column}_error")
    board, given, given_text = _board(result, column, best if len(best) < len(others) else others.index[:0])
    lines = [
        _by_how_much(result, column, best[0], others),
        *_beyond_yield(result, f"nonlinear_{column}"),
        *_holding(result, board),
        *_certainty(result, column, best[0]),
    ]
    headline = _headline(result, best, len(others))
    return Answer(headline, tuple(line for line in lines if line), board, given, given_text)


def _headline(result: Any, best: Sequence[str], compared: int) -> str:
    if len(best) > 1:
        holding = "" if len(best) == compared else "hold best and "
        return _start(f"{_and([_name(result, name) for name in best])} {holding}cannot be told apart.")
    return f"{label(result, best[0])} holds best."


def _by_how_much(result: Any, column: str, best: str, others: Any) -> str:
    frame, intact = result.frame, next(iter(result.results))
    what = FIELDS[column].meaning.split(":")[0]
    line = (
        f"{label(result, best)}: {what} {value(frame, best, column)}, "
        f"{100 * others[best] / frame[column][intact]:.0f} % of the {_name(result, intact)} bone"
    )
    bare = others.get("untreated")
    if bare is not None and best != "untreated" and bare > 0:
        line += f" and {others[best] / bare:.1f} times the untreated one"
    return line + "."


def _beyond_yield(result: Any, column: str) -> list[str]:
    """The non-linear failure loads, best first, where the strategies were followed to failure."""
    frame = result.frame
    if column not in frame or not frame[column].notna().any():
        return []
    loads = frame[column].dropna().sort_values(ascending=False)
    peak = frame.get("nonlinear_peak_reached")
    told = [
        f"{_name(result, str(name))} {'at least ' if peak is not None and str(peak[name]).startswith('no') else ''}"
        f"{number(float(load))} {FIELDS[column].unit}"
        for name, load in loads.items()
    ]
    return [f"Followed beyond yield, with materials that soften: {', '.join(told)}."]


def _holding(result: Any, board: Sequence[Row]) -> list[str]:
    """Which strategies bear the load as given."""
    judged = [row for row in board if not row.reference and row.holds is not None]
    if not judged:
        return []
    load = str(next(iter(result.frame["load"]), "")).replace("_", " ") if "load" in result.frame else ""
    what = f"the load as given ({load})" if load else "the load as given"
    yes, no = ([row.name for row in judged if row.holds is side] for side in (True, False))
    if not no:
        return [f"All of them bear {what}."]
    if not yes:
        return [f"None of them bears {what} without failing somewhere."]
    return [_start(f"{_and(yes)} bear{'s' if len(yes) == 1 else ''} {what}; {_and(no)} would fail under it.")]


def tied(frame: Any, others: Any, error: str) -> list[str]:
    """The first of `others` (sorted) and those whose difference to it is within the error."""
    known = error in frame and frame[error].notna().any()
    width = float(frame[error].abs().max()) if known else UNTOLD
    return [name for name in others.index if 100 * (others.iloc[0] - others[name]) <= width * others.iloc[0]]


def _certainty(result: Any, column: str, best: str) -> list[str]:
    """How far the failure loads move with the mesh and with the assumptions, in sentences."""
    frame, error = result.frame, f"{column}_error"
    told = []
    if error in frame and frame[error].notna().any():
        width = float(frame[error].abs().max())
        told.append(
            f"The discretisation error of the failure loads is at most {width:.1f} %; smaller differences are not told "
            "apart. The spread of patients is larger and not part of this number."
        )
    else:
        told.append(
            "No error bar: run with --convergence to learn how far the numbers move with the mesh. Until then, "
            f"differences below {UNTOLD:g} % are not told apart here; that limit is a choice, not a measured error."
        )
    low, high = f"{column}_low", f"{column}_high"
    if low in frame and frame[low].notna().any():
        name = f"{column}_assumption"
        governs = f", governed by {frame[name][best]}" if name in frame else ""
        told.append(
            f"Under the uncertain assumptions, one at a time, {_name(result, best)} fails between "
            f"{number(float(frame[low][best]))} and {number(float(frame[high][best]))} {FIELDS[column].unit}{governs}."
        )
    return [*told, bars.ranking(result, column, best)]


def _board(result: Any, column: str, best: Collection[str]) -> tuple[tuple[Row, ...], float | None, str]:
    frame = result.frame
    intact = next(iter(result.results))
    loads = {name: float(frame[column][name]) for name in result.results}
    errors = {name: _finite(frame[f"{column}_error"][name]) if f"{column}_error" in frame else 0.0 for name in loads}
    given = _given(frame, column)
    ends = [(1 + errors[name] / 100) * load for name, load in loads.items() if math.isfinite(load)]
    top = 1.04 * max([*ends, given or 0.0])
    rows = []
    for name, load in loads.items():
        share = load / loads[intact]
        details = []
        if column == "failure_load" and "failure_load_bw" in frame and math.isfinite(load):
            details.append(f"{float(frame['failure_load_bw'][name]):.1f} body weights")
        if name != intact and math.isfinite(share):
            details.append(f"{100 * share:.0f} % of intact")
        risk = _finite(frame["maximum_risk"][name]) if "maximum_risk" in frame else 0.0
        if risk > 0:
            details.append(f"{1 / risk:.2f} times the load as given")
        place = frame["failure_place"][name] if "failure_place" in frame else ""
        rows.append(
            Row(
                name=_name(result, name),
                label=label(result, name),
                value=f"{number(load)} {FIELDS[column].unit}",
                detail=", ".join(details),
                place=str(place) if isinstance(place, str) else "",
                length=100 * load / top if math.isfinite(load) else 0.0,
                error=errors[name] * load / top if math.isfinite(load) else 0.0,
                holds=risk < 1 if risk > 0 else None,
                best=name in best,
                reference=name == intact,
            )
        )
    text = f"{number(given)} {FIELDS[column].unit}" if given else ""
    return tuple(rows), 100 * given / top if given else None, text


def _given(frame: Any, column: str) -> float | None:
    """The load as given in the unit of `column`: failure load times factor of risk."""
    if "maximum_risk" not in frame:
        return None
    product = np.asarray(frame[column], float) * np.asarray(frame["maximum_risk"], float)
    product = product[np.isfinite(product)]
    return float(product[0]) if len(product) and np.ptp(product) < 1e-6 * product[0] else None


def _finite(given: Any) -> float:
    return abs(float(given)) if isinstance(given, (int, float)) and math.isfinite(given) else 0.0


def label(result: Any, name: str) -> str:
    """What a strategy is called, with a capital."""
    return _start(_name(result, name))


def _name(result: Any, name: str) -> str:
    return str(result.results[name].label)


def _start(text: str) -> str:
    return text[:1].upper() + text[1:]


def value(frame: Any, name: str, column: str) -> str:
    """A number of the table with its unit, and in body weights where it is a failure load."""
    text = f"{number(float(frame[column][name]))} {FIELDS[column].unit}"
    weights = frame["failure_load_bw"][name] if "failure_load_bw" in frame else math.nan
    return f"{text} ({float(weights):.1f} body weights)" if column == "failure_load" and np.isfinite(weights) else text


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
