"""Verbs about input decks: solve, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from femsim.cli.app import CaseFile, Json, app, emit, mode, progress


@app.command()
def solve(
    deck_file: Annotated[Path, typer.Argument(help="Abaqus or CalculiX input deck (.inp).")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Results for ParaView (.vtu).")] = None,
    dat: Annotated[Path | None, typer.Option("--dat", help="The deck's prints, laid out as CalculiX does.")] = None,
    solver: Annotated[str, typer.Option("--solver", help="auto, direct or multigrid.")] = "auto",
    as_json: Json = False,
) -> None:
    """Solve an Abaqus or CalculiX deck. A card that is not supported stops the run with its line number."""
    mode["json"] = as_json
    from femsim.study import decks

    summary = decks.solve_deck(deck_file, out, dat, solver=solver)
    if as_json:
        emit(summary)
    else:
        _show(summary)


def _show(summary: dict[str, Any]) -> None:
    for line in summary["warnings"]:
        typer.echo(f"warning: {line}", err=True)
    typer.echo(f"{summary['nodes']} nodes, {summary['elements']} {summary['element']}")
    for i, step in enumerate(summary["steps"], 1):
        typer.echo(
            f"step {i}: largest displacement {step['largest_displacement']:.7g}, largest von Mises stress "
            f"{step['largest_von_mises_stress']:.7g} at a quadrature point, energy {step['energy']:.7g}; "
            f"{step['solver']}, residual {step['residual']:.0e}"
        )
    for what in summary["not_printed"]:
        typer.echo(f"not printed: {what}")
    for path in summary["written"]:
        typer.echo(f"Written to {path}")


@app.command()
def export(
    case_file: CaseFile = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")] = Path("model.inp"),
    kind: Annotated[str, typer.Option("--format", help="inp: a complete CalculiX deck.")] = "inp",
    strategy: Annotated[str | None, typer.Option("--strategy", help="Which strategy; default the first.")] = None,
    as_json: Json = False,
) -> None:
    """Write one strategy of a case so that CalculiX can solve the very same equations."""
    mode["json"] = as_json
    from femsim import case
    from femsim.study import decks

    told = decks.export_case(case.load(case_file), out, kind=kind, strategy=strategy, progress=progress())
    if as_json:
        emit(told)
        return
    for line in told["warnings"]:
        typer.echo(f"warning: {line}", err=True)
    typer.echo(f"{told['strategy']}: {told['nodes']} nodes, {told['elements']} elements, written to {out}")
    for note in told["notes"]:
        typer.echo(f"  {note}")
