"""Verbs about one case: new, check, compare, info."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from femsim.cli.app import CaseFile, Json, Out, app, emit, mode, progress


@app.command()
def new(as_json: Json = False) -> None:
    """Print a commented case file with every key, its unit and its default."""
    from femsim import case

    if as_json:
        emit(case.Comparison().model_dump(mode="json"))
    else:
        typer.echo(case.template(), nl=False)


@app.command()
def check(case_file: CaseFile = None, as_json: Json = False) -> None:
    """Find what is wrong with a case before anything is meshed or solved."""
    mode["json"] = as_json
    from femsim import case, study

    findings = study.check(case.load(case_file))
    if as_json:
        emit(findings)
        return
    for line in findings["warnings"]:
        typer.echo(f"warning: {line}")
    typer.echo("\n".join(f"{name:<28} {value}" for name, value in findings["found"].items()))
    typer.echo("The case can be run.")


@app.command()
def compare(
    case_file: CaseFile = None,
    out: Out = Path("out"),
    convergence: Annotated[
        bool,
        typer.Option(
            "--convergence", help="Solve on two coarser meshes too and give every number its discretisation error."
        ),
    ] = False,
    nonlinear: Annotated[
        bool, typer.Option("--nonlinear", help="Follow bone and cement that yield and soften to the failure load.")
    ] = False,
    figures: Annotated[bool, typer.Option(help="Draw the figures.")] = True,
    as_json: Json = False,
) -> None:
    """Compare fixation strategies on one bone, and write a folder with table, fields and figures."""
    mode["json"] = as_json
    from femsim import case, report, study

    asked = case.load(case_file)
    study.check_writable(out)
    watch = progress()
    result = study.compare(asked, convergence=convergence, nonlinear=nonlinear or None, progress=watch)
    report.write(result, out, figures=figures, progress=watch)
    if as_json:
        emit(result.as_dict())
    else:
        report.print_table(result)
        typer.echo(f"\nWritten to {out}/")


@app.command()
def info(
    what: Annotated[str, typer.Argument(help="materials, loads, treatments, criteria, bones, fields or env")] = "env",
    as_json: Json = False,
) -> None:
    """Print a library with value, unit, range and source of every number."""
    mode["json"] = as_json
    from femsim.report.info import show, tables

    data = tables(what)
    if as_json:
        emit(data)
    else:
        show(what, data)
