"""The report of a study: answer, response curves, paired differences, sensitivities, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from femsim.errors import FemsimError
from femsim.fields import FIELDS
from femsim.report import gallery, methods, page, study_charts, study_checks, study_methods, study_setup
from femsim.report.charts import Panel
from femsim.report.tables import SOUND
from femsim.report.text import number
from femsim.study.sweep import answers


def html(study: Any) -> str:
    """The report of a finished or running study as one self-contained page.

    Parameters
    ----------
    study : femsim.study.sweep.Study
        With its folder.
    """
    from markupsafe import Markup

    frame = study.frame
    done = frame[frame["status"] == "done"] if "status" in frame else frame
    outputs = [
        name
        for name in (study_charts.first(done, one) for one in (study_charts.STRENGTH, study_charts.STIFFNESS))
        if name
    ]
    params = [str(name).removeprefix("param.") for name in done.columns if str(name).startswith("param.")]
    notes = _strangers(study)
    sobol = _sobol(study, done, outputs, notes)
    cases = [str(one) for one in done["case"].unique()] if len(done) else []
    drawn = study_setup.picture(study, done, notes)
    meshes = study_checks.meshes(study.folder, cases)
    told = study_methods.facts(study, done, list(meshes.values()))
    found = {
        "title": str(study.spec.name),
        "css": Markup(page.static("report.css")),
        "counts": _counts(study, frame, done),
        "answer": _answer(done, outputs),
        "summary": _summary(done, outputs),
        "bone": drawn.pictures,
        "drawn": drawn.words,
        "model": drawn.model,
        "model_note": drawn.model_note,
        "script": Markup(page.static("viewer.js")),
        "meshes": study_checks.mesh_rows(meshes),
        "without_mesh": len(cases) - len(meshes),
        "methods": methods.paragraphs(told) if cases else [],
        "references": methods.references(told),
        "doubtful": methods.doubtful(told),
        "units": {name: FIELDS[name].unit for name in outputs},
        "curves": _tiles(study_charts.curve_panels(done, params, outputs, notes), "curve"),
        "differences": _differences(done, outputs),
        "difference_tiles": _tiles(study_charts.difference_panels(done, outputs), "pair"),
        "tornado": _tiles(study_charts.tornado_panels(done, outputs, notes), "swing"),
        "sobol": [(study_charts.words(one), _indices(table)) for one, table in sobol],
        "sobol_tiles": _tiles(study_charts.sobol_panels(sobol, outputs[0] if outputs else ""), "sobol"),
        "failed": _failed(frame),
        "checks": study_checks.residuals(done),
        "sound": SOUND,
        "warnings": study_checks.warnings(study.folder, cases),
        "notes": notes,
        "folder": str(study.folder),
        "claims": page.claims(),
        "study_text": (study.folder / "study.toml").read_text(encoding="utf-8"),
    }
    return page.rendered("study.html.j2", found)


def _strangers(study: Any) -> list[str]:
    """What to say of finished cases in the folder that are none of the study as this version of femsim reads it."""
    found = {one.name for one in (study.folder / "cases").glob("*") if not one.name.startswith(".")}
    strange = len(found - {one.id for one in study.cases}) if found else 0
    if not strange:
        return []
    return [
        f"{strange} cases in the folder are not shown: they belong to the study before it was changed, or to another "
        "version of femsim. The same command solves them again."
    ]


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
    lines = [f"{study_charts.words(best)} holds best in the middle of all cases: {_with_unit(medians[best], name)}."]
    lines += [
        str(_pair_sentence(answers.difference(frame, best, other, name), name))
        for other in ("untreated", *ranked[1:2])
        if other in set(frame["strategy"]) and other != best
    ]
    return [*lines, _error_bar(frame)]


def _error_bar(frame: Any) -> str:
    """What the error bars of the cases hold; that there are none, where there are none."""
    told = next((frame[name].dropna().unique() for name in frame.columns if str(name) == "out.error_bar"), ())
    words = sorted(str(one) for one in told if one != "no error bar")
    if not words:
        return "No error bar on any strength: every case was solved on one mesh and under one set of assumptions."
    return f"Error bars of the cases, in the table: {'; '.join(words)}."


def _pair_sentence(pair: answers.PairedDifference, name: str) -> str:
    low, high = pair.probability_interval
    return (
        f"Less {study_charts.words(pair.worse).lower()} on the same cases: {_with_unit(pair.mean, name)} on average, "
        f"and larger in {100 * pair.probability:.0f} % of {len(pair.differences)} cases (95 % interval {100 * low:.0f} "
        f"to {100 * high:.0f} %, where the cases are a random sample)."
    )


def _with_unit(value: float, name: str) -> str:
    return f"{number(float(value))} {FIELDS[name].unit}"


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
        rows.append((study_charts.words(str(strategy)), cells))
    return rows


def _differences(frame: Any, outputs: Sequence[str]) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    return [
        (
            f"{name.replace('_', ' ')} [{FIELDS[name].unit}]",
            [
                (
                    f"{study_charts.words(pair.better)} less {study_charts.words(pair.worse).lower()}",
                    number(pair.mean),
                    f"{number(pair.interval[0])} to {number(pair.interval[1])}",
                    f"{100 * pair.probability:.0f} % ({100 * pair.probability_interval[0]:.0f} to "
                    f"{100 * pair.probability_interval[1]:.0f})",
                )
                for pair in study_charts.pairs(frame, name)
            ],
        )
        for name in outputs
    ]


def _sobol(study: Any, frame: Any, outputs: Sequence[str], notes: list[str]) -> list[tuple[str, Any]]:
    """Sobol indices of the first output by strategy, where the study was designed for them."""
    if study.spec.sampling.method != "saltelli" or not outputs:
        return []
    found = []
    for strategy in [str(one) for one in frame["strategy"].unique() if one != "intact"]:
        try:
            found.append((strategy, answers.sobol(study.spec, frame, strategy, outputs[0])))
        except FemsimError as error:
            notes.append(f"No Sobol indices of {strategy}: {error}")
    return found


def _indices(table: Any) -> list[list[str]]:
    return [
        [
            study_charts.parameter(str(param)),
            f"{one['first']:.2f} ± {one['first_95']:.2f}",
            f"{one['total']:.2f} ± {one['total_95']:.2f}",
        ]
        for param, one in table.iterrows()
    ]


def _failed(frame: Any) -> list[tuple[str, str, str]]:
    if "status" not in frame:
        return []
    rows = frame[frame["status"] == "failed"].drop_duplicates("case")
    return [(str(row["case"]), str(row["error"]), str(row["repeat"])) for _, row in rows.iterrows()]


def _tiles(panels: Sequence[Panel], name: str) -> tuple[gallery.Tile, ...]:
    return gallery.panels(name, list(panels))
