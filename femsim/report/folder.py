"""The output folder of a comparison: whole, or not there at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from femsim.case import toml_io
from femsim.errors import StudyError
from femsim.fields import FIELDS
from femsim.report import figures as drawn
from femsim.report import methods, page
from femsim.study import export, provenance, stored, sweep
from femsim.study.output import complete_folder
from femsim.study.plain import as_json
from femsim.study.progress import Progress
from femsim.study.sweep.folder import write_atomic

#: Columns that say whether the equations were solved; copied into the provenance.
CHECKS = ("force_residual", "moment_residual", "energy_residual", "solver_residual")


def write(result: Any, out: Path, *, figures: bool = True, progress: Progress | None = None) -> drawn.Figures:
    """Write a comparison: table, fields, figures, report and provenance.

    Parameters
    ----------
    result : femsim.study.ComparisonResult
    out : Path
        Made if missing. Where it holds an earlier run, that run is replaced when the new one is complete.
    figures : bool
        Whether to draw.
    progress : Progress, optional
        Where to tell the stages.

    Returns
    -------
    Figures
        What was drawn, and the reason for each picture that was not.

    Raises
    ------
    StudyError
        If the folder cannot be written; nothing is left half-written.
    """
    watch = progress or Progress()
    made = drawn.Figures((), () if figures else ("Figures were not asked for.",))
    with complete_folder(out) as folder:
        with watch.stage("tables and fields"):
            _tables(result, folder)
            stored.save(result, folder)
            for name, case in result.results.items():
                _case(case, stored.case_folder(folder, name, result.case.key()))
        prepared = drawn.Prepared(result)
        if figures:
            with watch.stage("figures") as notes:
                made = drawn.write(prepared, folder / "figures")
                notes += [f"{len(made.pictures)} drawn", *made.notes]
        record = provenance_of(result, made.notes)
        with watch.stage("report"):
            _report(prepared, folder, record, made.notes, figures=figures)
        (folder / "provenance.json").write_text(as_json(record), encoding="utf-8")
    return made


def rebuild(out: Path) -> Path:
    """Write ``report.html`` of a folder again from what lies in it, with ``CITATION.md`` where it is a comparison.

    Raises
    ------
    InputError
        If it is no output folder of femsim.
    StudyError
        If something in it is missing or damaged, or the page cannot be written; the earlier one is then as it was.
    """
    if (out / "study.toml").is_file():
        return write_study(sweep.load(out))
    result = stored.comparison(out)
    record = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    try:
        with tempfile.TemporaryDirectory(prefix=".femsim-", dir=out) as temporary:
            _report(drawn.Prepared(result), Path(temporary), record)
            for file in Path(temporary).iterdir():
                os.replace(file, out / file.name)
    except OSError as error:
        raise StudyError(
            f"The report in {out} could not be written: {error.strerror or error}.",
            "The earlier one, where there was one, is as it was.",
            "Free some space or change the permissions of the folder.",
        ) from error
    return out / "report.html"


def write_study(study: Any) -> Path:
    """Write ``report.html`` into the folder of a study, and return its path; it may be done while the study runs.

    Raises
    ------
    StudyError
        If it cannot be written.
    """
    from femsim.report import study_page

    target = Path(study.folder) / "report.html"
    write_atomic(target, study_page.html(study).encode())
    return target


def _report(
    prepared: drawn.Prepared,
    folder: Path,
    record: Mapping[str, Any],
    notes: tuple[str, ...] = (),
    *,
    figures: bool = True,
) -> None:
    text = page.html(prepared, dict(record), notes, pictures=figures)
    (folder / "report.html").write_text(text, encoding="utf-8")
    (folder / "CITATION.md").write_text(methods.citation(methods.facts(prepared.comparison), record), encoding="utf-8")


def provenance_of(result: Any, notes: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the run was made with, its checks and its warnings."""
    checks = {
        name: {key: case.metrics[key] for key in CHECKS if key in case.metrics} for name, case in result.results.items()
    }
    return provenance.record(
        case_key=result.case.key(),
        inputs=_inputs(result.case),
        timings=result.seconds,
        checks=checks,
        warnings=(*result.warnings, *notes),
    )


def _inputs(case: Any) -> list[Path]:
    """Files that the case names."""
    found: list[Path] = []

    def walk(value: Any) -> None:
        if isinstance(value, Path):
            found.append(value)
        elif isinstance(value, Mapping):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                walk(inner)

    walk(case.model_dump())
    return [path for path in dict.fromkeys(found) if path.is_file()]


def _tables(result: Any, folder: Path) -> None:
    frame = result.frame
    frame.to_parquet(folder / "table.parquet")
    # people open this one: the unit stands beside the name
    frame.rename(columns=lambda name: _heading(str(name))).to_csv(folder / "table.csv")
    (folder / "comparison.toml").write_text(toml_io.write(result.case.model_dump(mode="json")), encoding="utf-8")


def _heading(name: str) -> str:
    unit = FIELDS[name].unit if name in FIELDS else "-"
    return name if unit == "-" else f"{name} [{unit}]"


def _case(case: Any, folder: Path) -> None:
    folder.mkdir(parents=True)
    units = {name: FIELDS[name].unit for name in case.metrics}
    content = {"strategy": case.name, "label": case.label, "metrics": dict(case.metrics), "units": units}
    (folder / "metrics.json").write_text(as_json(content), encoding="utf-8")
    export.write_vtu(folder / "solution.vtu", case.mesh, case.fields)
    if case.curve is not None:
        (folder / "curve.csv").write_text(case.curve.csv(), encoding="utf-8")
