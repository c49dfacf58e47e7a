"""The report of a study: answer, response curves, paired differences, sensitivities, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from femsim.errors import FemsimError
from femsim.fields import FIELDS
from femsim.report import gallery, page
from femsim.report.charts import Panel
from femsim.report.style import INK, LINE, SERIES
from femsim.report.text import number
from femsim.study.sweep import answers

#: Outputs looked at, the first of the strengths and the first of the stiffnesses that the study has.
_STRENGTH = ("failure_load", "failure_moment")
_STIFFNESS = ("stiffness", "torsional_stiffness")
#: Strategies compared in pairs at most; beyond, the pairs with the best one only.
_PAIRS = 12


def html(study: Any) -> str:
    """The report of a finished or running study as one self-contained page.

    Parameters
    ----------
    study : femsim.study.sweep.Study
        With its folder.
    """
    from jinja2 import Environment
    from markupsafe import Markup

    frame = study.frame
    done = frame[frame["status"] == "done"] if "status" in frame else frame
    outputs = [name for name in (_first(done, _STRENGTH), _first(done, _STIFFNESS)) if name]
    params = [str(name).removeprefix("param.") for name in done.columns if str(name).startswith("param.")]
    notes: list[str] = []
    found = {
        "title": str(study.spec.name),
        "css": Markup(page.static("report.css")),
        "counts": _counts(study, frame, done),
        "answer": _answer(done, outputs),
        "summary": _summary(done, outputs),
        "units": {name: FIELDS[name].unit for name in outputs},
        "curves": _tiles(_curve_panels(done, params, outputs, notes), "curve"),
        "differences": _differences(done, outputs),
        "difference_tiles": _tiles(_difference_panels(done, outputs), "pair"),
        "tornado": _tiles(_tornado_panels(done, outputs, notes), "swing"),
        "sobol": _sobol(study, done, outputs, notes),
        "failed": _failed(frame),
        "notes": notes,
        "folder": str(study.folder),
        "claims": page.claims(),
        "study_text": (study.folder / "study.toml").read_text(encoding="utf-8"),
    }
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["fix"] = page.fix
    return environment.from_string(page.static("study.html.j2")).render(found)


def _first(frame: Any, names: Sequence[str]) -> str:
    return next((name for name in names if f"out.{name}" in frame and frame[f"out.{name}"].notna().any()), "")


def _counts(study: Any, frame: Any, done: Any) -> str:
    cases = frame["case"].nunique() if len(frame) else 0
    good = done["case"].nunique() if len(done) else 0
    text = f"{good} of {len(study)} cases are solved"
    return text + (f", {cases - good} failed." if cases > good else ".")


def _answer(frame: Any, outputs: Sequence[str]) -> list[str]:
    """Which strategy holds best over the cases, how often, and by how much."""
    if not outputs or not len(frame):
        return ["Nothing is solved yet."]
    name = outputs[0]
    treated = [one for one in frame["strategy"].unique() if one not in ("intact", "untreated")]
    medians = answers.column(frame, name).groupby(frame["strategy"]).median().sort_values(ascending=False)
    ranked = [one for one in medians.index if one in treated] or [one for one in medians.index if one != "intact"]
    if not ranked:
        return [
            f"Only the intact bone was solved: median {name.replace('_', ' ')} {_with_unit(medians.iloc[0], name)}."
        ]
    best = ranked[0]
    lines = [f"{_words(best)} holds best in the middle of all cases: {_with_unit(medians[best], name)}."]
    lines += [
        str(_pair_sentence(answers.difference(frame, best, other, name), name))
        for other in ("untreated", *ranked[1:2])
        if other in set(frame["strategy"]) and other != best
    ]
    return lines


def _pair_sentence(pair: answers.PairedDifference, name: str) -> str:
    low, high = pair.probability_interval
    return (
        f"Less {_words(pair.worse).lower()} on the same cases: {_with_unit(pair.mean, name)} on average, and larger in "
        f"{100 * pair.probability:.0f} % of {len(pair.differences)} cases (95 % interval {100 * low:.0f} to "
        f"{100 * high:.0f} %, where the cases are a random sample)."
    )


def _with_unit(value: float, name: str) -> str:
    return f"{number(float(value))} {FIELDS[name].unit}"


def _words(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def _summary(frame: Any, outputs: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Median and 5 to 95 % range of every output, a row a strategy."""
    rows = []
    for strategy in frame["strategy"].unique() if len(frame) else []:
        mine = frame[frame["strategy"] == strategy]
        cells = []
        for name in outputs:
            values = answers.column(mine, name).dropna()
            low, middle, high = (float(values.quantile(q)) for q in (0.05, 0.5, 0.95))
            cells.append(f"{number(middle)} ({number(low)} to {number(high)})")
        rows.append((_words(str(strategy)), cells))
    return rows


def _curve_panels(frame: Any, params: Sequence[str], outputs: Sequence[str], notes: list[str]) -> list[Panel]:
    made = []
    for name in outputs:
        for param in params:
            try:
                made.append(_curve(answers.curve(frame, param, name), param, name))
            except (FemsimError, TypeError, ValueError) as error:
                notes.append(f"The response of {name} to {param} could not be drawn: {error}")
    return made


def _curve(table: Any, param: str, name: str) -> Panel:
    numeric = np.issubdtype(np.asarray(table[param]).dtype, np.number)

    def draw(axes: Any) -> None:
        for index, (strategy, rows) in enumerate(table.groupby("strategy", sort=False)):
            rows = rows.sort_values(param) if numeric else rows
            x = np.asarray(rows[param], float) if numeric else np.arange(len(rows))
            colour = LINE if strategy == "intact" else SERIES[index % len(SERIES)]
            axes.plot(x, rows["median"], "o-", ms=3, lw=1.5, color=colour, label=_words(str(strategy)))
            axes.fill_between(x, rows["low"], rows["high"], color=colour, alpha=0.16, lw=0)
        if not numeric:
            values = [str(one) for one in table[param].unique()]
            axes.set_xticks(range(len(values)), values, rotation=20)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(param.replace("_", " "))
        axes.set_ylabel(FIELDS[name].label)
        axes.legend(fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)

    ends = "; ".join(
        f"{_words(str(s))} {number(float(rows['median'].min()))} to {number(float(rows['median'].max()))}"
        for s, rows in table.groupby("strategy", sort=False)
    )
    title = f"{name.replace('_', ' ').capitalize()} by {param}"
    return Panel(title, draw, f"{title}. Medians: {ends} {FIELDS[name].unit}.", 4.0, 3.4)


def _pairs(frame: Any, name: str) -> list[answers.PairedDifference]:
    strategies = [str(one) for one in frame["strategy"].unique() if one != "intact"] if len(frame) else []
    pairs = [(a, b) for i, b in enumerate(strategies) for a in strategies[i + 1 :]]
    found = []
    for one, other in pairs[:_PAIRS]:
        try:
            found.append(answers.difference(frame, one, other, name))
        except FemsimError:  # no case has both
            continue
    return found


def _differences(frame: Any, outputs: Sequence[str]) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    return [
        (
            f"{name.replace('_', ' ')} [{FIELDS[name].unit}]",
            [
                (
                    f"{_words(pair.better)} less {_words(pair.worse).lower()}",
                    number(pair.mean),
                    f"{number(pair.interval[0])} to {number(pair.interval[1])}",
                    f"{100 * pair.probability:.0f} % ({100 * pair.probability_interval[0]:.0f} to "
                    f"{100 * pair.probability_interval[1]:.0f})",
                )
                for pair in _pairs(frame, name)
            ],
        )
        for name in outputs
    ]


def _difference_panels(frame: Any, outputs: Sequence[str]) -> list[Panel]:
    made = []
    for name in outputs[:1]:
        pairs = _pairs(frame, name)
        if not pairs:
            continue
        labels = [f"{_words(pair.better)} − {_words(pair.worse).lower()}" for pair in pairs]

        def draw(axes: Any, pairs: Any = pairs, labels: Any = labels, name: str = name) -> None:
            for row, pair in enumerate(pairs):
                spread = np.sort(np.asarray(pair.differences, float))
                axes.plot(spread, np.full(len(spread), row), "|", color=LINE, ms=7, mew=0.8, alpha=0.6)
                low, high = pair.interval
                axes.plot([low, high], [row, row], color=SERIES[0], lw=4, solid_capstyle="butt")
                axes.plot(pair.mean, row, "o", color=INK, ms=4)
            axes.axvline(0, color=LINE, lw=0.8)
            axes.set_yticks(range(len(labels)), labels)
            axes.set_ylim(len(labels) - 0.5, -0.5)
            axes.set_xlabel(f"difference of {FIELDS[name].label}")

        alt = "; ".join(str(pair) for pair in pairs)
        made.append(Panel(f"Paired differences of {name.replace('_', ' ')}", draw, alt, 5.6, 0.9 + 0.34 * len(pairs)))
    return made


def _tornado_panels(frame: Any, outputs: Sequence[str], notes: list[str]) -> list[Panel]:
    made = []
    for strategy in [str(one) for one in frame["strategy"].unique() if one != "intact"] if len(frame) else []:
        for name in outputs[:1]:
            try:
                table = answers.tornado(frame, strategy, name)
            except FemsimError as error:
                notes.append(f"No sensitivities of {strategy}: {error}")
                continue
            if len(table):
                made.append(_tornado(table, strategy, name))
    return made


def _tornado(table: Any, strategy: str, name: str) -> Panel:
    def draw(axes: Any) -> None:
        for row, (_, one) in enumerate(table.iterrows()):
            axes.barh(row, one["high"] - one["low"], left=one["low"], height=0.6, color=SERIES[0], alpha=0.85)
            axes.plot([one["high"]], [row], "o", color=SERIES[1], ms=5)
        axes.set_yticks(range(len(table)), [str(one).replace("_", " ") for one in table.index])
        axes.set_ylim(len(table) - 0.5, -0.5)
        axes.set_xlabel(FIELDS[name].label)

    swings = "; ".join(f"{param} {number(float(one['swing']))}" for param, one in table.iterrows())
    title = f"{_words(strategy)}: what moves the {name.replace('_', ' ')}"
    return Panel(
        title, draw, f"{title}. From the lowest to the highest fifth of each: {swings}.", 4.4, 0.9 + 0.3 * len(table)
    )


def _sobol(study: Any, frame: Any, outputs: Sequence[str], notes: list[str]) -> list[tuple[str, list[list[str]]]]:
    """Sobol indices, where the study was designed for them."""
    if study.spec.sampling.method != "saltelli" or not outputs:
        return []
    found = []
    for strategy in [str(one) for one in frame["strategy"].unique() if one != "intact"]:
        try:
            table = answers.sobol(study.spec, frame, strategy, outputs[0])
        except FemsimError as error:
            notes.append(f"No Sobol indices of {strategy}: {error}")
            continue
        rows = [
            [str(param), f"{one['first']:.2f} ± {one['first_95']:.2f}", f"{one['total']:.2f} ± {one['total_95']:.2f}"]
            for param, one in table.iterrows()
        ]
        found.append((_words(strategy), rows))
    return found


def _failed(frame: Any) -> list[tuple[str, str, str]]:
    if "status" not in frame:
        return []
    rows = frame[frame["status"] == "failed"].drop_duplicates("case")
    return [(str(row["case"]), str(row["error"]), str(row["repeat"])) for _, row in rows.iterrows()]


def _tiles(panels: Sequence[Panel], name: str) -> tuple[gallery.Tile, ...]:
    return gallery.panels(name, list(panels))
