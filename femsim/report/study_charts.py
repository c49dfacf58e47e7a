"""Charts of a study: response curves, paired differences, what moves an output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from femsim.errors import FemsimError
from femsim.fields import FIELDS
from femsim.report.charts import Panel
from femsim.report.style import INK, LINE, SERIES
from femsim.report.text import number
from femsim.study.sweep import answers, table

#: Outputs looked at: the first of the strengths and the first of the stiffnesses that the study has.
STRENGTH = ("failure_load", "failure_moment")
STIFFNESS = ("stiffness", "torsional_stiffness")
#: Strategies compared in pairs at most.
_PAIRS = 12
_DASHES: tuple[Any, ...] = ("-", (0, (6, 3)), (0, (2, 3)), (0, (6, 2, 2, 2)))


def first(frame: Any, names: Sequence[str]) -> str:
    """The first of some outputs that a table holds; empty where it holds none."""
    return next((name for name in names if f"out.{name}" in frame and frame[f"out.{name}"].notna().any()), "")


def main_output(frame: Any) -> str:
    """The strength, or the stiffness where there is no strength."""
    return first(frame, STRENGTH) or first(frame, STIFFNESS)


def label(name: str) -> str:
    """Label of an output, also of one that follows from others."""
    return f"{name.replace('_', ' ')} [%]" if name in answers.DERIVED else FIELDS[name].label


def unit(name: str) -> str:
    """Unit of an output, also of one that follows from others."""
    return "%" if name in answers.DERIVED else FIELDS[name].unit


def parameter(name: str) -> str:
    """A parameter with the unit of its key, as on axes and in headers."""
    unit = table.unit(f"param.{name}")
    return name if unit == "-" else f"{name} [{unit}]"


def words(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def curve_panels(frame: Any, params: Sequence[str], outputs: Sequence[str], notes: list[str]) -> list[Panel]:
    made = []
    for name in outputs:
        for param in params:
            try:
                made.append(_curve(answers.curve(frame, param, name), param, name))
            except (FemsimError, TypeError, ValueError) as error:
                notes.append(f"The response of {name} to {param} could not be drawn: {error}")
    return made


def _curve(found: Any, param: str, name: str) -> Panel:
    numeric = np.issubdtype(np.asarray(found[param]).dtype, np.number)

    def draw(axes: Any) -> None:
        for index, (strategy, rows) in enumerate(found.groupby("strategy", sort=False)):
            rows = rows.sort_values(param) if numeric else rows
            x = np.asarray(rows[param], float) if numeric else np.arange(len(rows))
            colour = LINE if strategy == "intact" else SERIES[index % len(SERIES)]
            # curves that lie on each other stay apart: the later one is drawn over the earlier with other gaps
            dashes = "-" if strategy == "intact" else _DASHES[(index - 1) % len(_DASHES)]
            called = words(str(strategy))
            axes.plot(x, rows["median"], marker="o", ms=3, lw=1.5, ls=dashes, color=colour, label=called)
            axes.fill_between(x, rows["low"], rows["high"], color=colour, alpha=0.16, lw=0)
        if not numeric:
            values = [str(one) for one in found[param].unique()]
            axes.set_xticks(range(len(values)), values, rotation=20)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(parameter(param))
        axes.set_ylabel(label(name))
        axes.legend(fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)

    ends = "; ".join(
        f"{words(str(s))} {number(float(rows['median'].min()))} to {number(float(rows['median'].max()))}"
        for s, rows in found.groupby("strategy", sort=False)
    )
    title = f"{name.replace('_', ' ').capitalize()} by {param}"
    return Panel(title, draw, f"{title}. Medians: {ends} {unit(name)}.", 4.0, 3.4)


def pairs(frame: Any, name: str) -> list[answers.PairedDifference]:
    strategies = [str(one) for one in frame["strategy"].unique() if one != "intact"] if len(frame) else []
    pairs = [(a, b) for i, b in enumerate(strategies) for a in strategies[i + 1 :]]
    found = []
    for one, other in pairs[:_PAIRS]:
        try:
            found.append(answers.difference(frame, one, other, name))
        except FemsimError:  # no case has both
            continue
    return found


def difference_panels(frame: Any, outputs: Sequence[str]) -> list[Panel]:
    made = []
    for name in outputs[:1]:
        found = pairs(frame, name)
        if not found:
            continue
        labels = [f"{words(pair.better)} − {words(pair.worse).lower()}" for pair in found]

        def draw(axes: Any, pairs: Any = found, labels: Any = labels, name: str = name) -> None:
            for row, pair in enumerate(pairs):
                spread = np.sort(np.asarray(pair.differences, float))
                axes.plot(spread, np.full(len(spread), row), "|", color=LINE, ms=7, mew=0.8, alpha=0.6)
                low, high = pair.interval
                axes.plot([low, high], [row, row], color=SERIES[0], lw=4, solid_capstyle="butt")
                axes.plot(pair.mean, row, "o", color=INK, ms=4)
            axes.axvline(0, color=LINE, lw=0.8)
            axes.set_yticks(range(len(labels)), labels)
            axes.set_ylim(len(labels) - 0.5, -0.5)
            axes.set_xlabel(f"difference of {label(name)}")

        alt = "; ".join(str(pair) for pair in found)
        made.append(Panel(f"Paired differences of {name.replace('_', ' ')}", draw, alt, 5.6, 0.9 + 0.34 * len(found)))
    return made


def tornado_panels(frame: Any, outputs: Sequence[str], notes: list[str]) -> list[Panel]:
    made = []
    for strategy in [str(one) for one in frame["strategy"].unique() if one != "intact"] if len(frame) else []:
        for name in outputs[:1]:
            try:
                found = answers.tornado(frame, strategy, name)
            except FemsimError as error:
                notes.append(f"No sensitivities of {strategy}: {error}")
                continue
            if len(found):
                made.append(_tornado(found, strategy, name))
    return made


def _tornado(found: Any, strategy: str, name: str) -> Panel:
    def draw(axes: Any) -> None:
        for row, (_, one) in enumerate(found.iterrows()):
            axes.barh(row, one["high"] - one["low"], left=one["low"], height=0.6, color=SERIES[0], alpha=0.85)
            axes.plot([one["high"]], [row], "o", color=SERIES[1], ms=5)
        axes.set_yticks(range(len(found)), [parameter(str(one)) for one in found.index])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.use_sticky_edges = False
        axes.margins(x=0.06)
        axes.set_xlabel(label(name))

    swings = "; ".join(f"{param} {number(float(one['swing']))}" for param, one in found.iterrows())
    title = f"{words(strategy)}: what moves the {name.replace('_', ' ')}"
    return Panel(
        title, draw, f"{title}. From the lowest to the highest fifth of each: {swings}.", 4.4, 0.9 + 0.3 * len(found)
    )


def sobol_panels(tables: Sequence[tuple[str, Any]], name: str) -> list[Panel]:
    """Sobol indices of first order and total with their 95 % intervals, a panel a strategy."""
    return [_sobol(one, strategy, name) for strategy, one in tables]


def _sobol(found: Any, strategy: str, name: str) -> Panel:
    found = found.sort_values("total", ascending=False)

    def draw(axes: Any) -> None:
        rows = np.arange(len(found))
        for shift, kind, colour in ((-0.18, "first", SERIES[0]), (0.18, "total", SERIES[1])):
            label = "alone" if kind == "first" else "with all interactions"
            axes.barh(rows + shift, found[kind], height=0.34, color=colour, label=label, xerr=found[f"{kind}_95"],
                      error_kw={"ecolor": INK, "elinewidth": 0.9, "capsize": 2})  # fmt: skip
        axes.set_yticks(rows, [str(one) for one in found.index])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
        axes.set_xlabel("share of the variance")
        axes.legend(fontsize=7.5, loc="lower right")

    told = "; ".join(f"{param} {one['first']:.2f} alone, {one['total']:.2f} in all" for param, one in found.iterrows())
    title = f"{words(strategy)}: Sobol indices of the {name.replace('_', ' ')}"
    return Panel(title, draw, f"{title}. {told}.", 4.4, 1.1 + 0.36 * len(found))
