"""The verb verify: femsim against closed forms, published numbers and other codes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from femsim.cli.app import Json, app, emit, mode


@app.command()
def verify(
    only: Annotated[list[str] | None, typer.Option("--only", help="A case, a part of its name, or a pattern.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the table to this file too.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the cases that take long.")] = False,
    as_json: Json = False,
) -> None:
    """Compare femsim with closed forms, published numbers and other codes; the exit code is 1 where one fails."""
    mode["json"] = as_json
    from femsim import verify as checks
    from femsim.verify import table

    chosen = [one for one in checks.select(only or ()) if not (quick and one.slow)]
    rows = []
    for row in checks.run(chosen):
        rows.append(row)
        if not as_json:
            typer.echo(_line(row))
    if markdown is not None:
        markdown.write_text(table.markdown(rows), encoding="utf-8")
    if as_json:
        emit(table.data(rows))
    else:
        typer.echo(table.summary(rows))
    if any(row.passed is False for row in rows):
        raise typer.Exit(1)


def _line(row: object) -> str:
    from femsim.verify import Row, table

    assert isinstance(row, Row)
    name, quantity, kind, source, reference, value, unit, digits, tolerance, verdict = table.cells(row)
    tail = f"  ({row.note})" if row.note else ""
    return (
        f"{name:<28} {quantity:<28} {kind:<10} {reference:>13} {value:>13} {unit:<6} {digits:>5} {tolerance:>10} "
        f"{verdict:<7} {source}{tail}"
    )
