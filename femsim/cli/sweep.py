"""Verbs about many cases: sweep, reproduce."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from femsim.cli.app import Json, Out, app, emit, mode
from femsim.errors import InputError, StudyError

Scheduler = Annotated[
    str | None,
    typer.Option("--cluster", help="Address of a Dask scheduler that does the work, e.g. tcp://head:8786."),
]


@app.command()
def sweep(
    study_file: Annotated[Path | None, typer.Argument(help="Study file (TOML). With --resume not needed.")] = None,
    out: Out = Path("out"),
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 solves in this one.")] = 2,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of every worker.")] = 1,
    plan: Annotated[bool, typer.Option("--plan", help="List the cases and what they take; run nothing.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on in the folder, also where the study was changed since.")
    ] = False,
    cluster: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Run a study: many cases, resumable. The same command goes on where it was stopped."""
    mode["json"] = as_json
    from femsim.report import folder as report
    from femsim.study import sweep as sweeps

    if study_file is None and not resume:
        raise InputError(
            "No study file was given.",
            "There is nothing to run.",
            "Name one, or go on with a study: femsim sweep --resume -o out",
        )
    study = sweeps.load(out) if study_file is None else sweeps.Study.read(study_file)
    if plan:
        made = sweeps.plan(study.spec, out, max(1, workers))
        emit(made.as_dict()) if as_json else typer.echo(str(made))
        return
    tell = None if mode["quiet"] or as_json else lambda line: typer.echo(line, err=True)
    done = study.run(out, workers=workers, threads=threads, resume=resume, cluster=cluster, tell=tell)
    assert done.report is not None
    try:
        page = report.write_study(done)
    except Exception as error:  # a picture must not make a finished study look failed
        page = None
        typer.echo(f"warning: the report could not be written: {error}", err=True)
    if as_json:
        emit(vars(done.report))
    else:
        typer.echo(str(done.report))
        typer.echo(f"Written to {out}/table.csv and {out}/table.parquet" + (f", report: {page}" if page else ""))
    if done.report.failed:
        raise StudyError(
            f"{done.report.failed} of {done.report.cases} cases failed; all others are in the table.",
            "The table says for each what went wrong, and the command that repeats it alone.",
            "Mend the cause, or run the same command again: it tries the failed ones once more.",
        )


@app.command()
def reproduce(
    case: Annotated[Path, typer.Argument(help="Folder of a case of a study: out/cases/ID.")], as_json: Json = False
) -> None:
    """Run one case of a study again, and compare with what it gave then."""
    mode["json"] = as_json
    from femsim.study import sweep as sweeps

    found = sweeps.reproduce(case)
    if as_json:
        emit({**vars(found), "same": found.same})
    else:
        for note in found.notes:
            typer.echo(f"note: {note}")
        for name, (then, now) in found.changed.items():
            typer.echo(f"{name}: {then} then, {now} now")
        typer.echo(f"Largest relative difference: {found.largest:.1e}")
    if not found.then:
        typer.echo("The case had failed then; now it was solved.")
    elif not found.same:
        raise StudyError(
            f"{len(found.changed)} numbers of the case {found.case} differ from those of then.",
            "They cannot be trusted before it is known why.",
            "Compare versions and input files above; with the same ones it is a fault of femsim.",
        )
