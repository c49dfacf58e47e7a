"""The verb that writes the report of a finished run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from femsim.cli.app import Json, app, emit, mode


@app.command()
def report(
    out: Annotated[Path, typer.Argument(help="Output folder of compare.")],
    as_json: Json = False,
) -> None:
    """Write report.html and CITATION.md again from what lies in an output folder; nothing is solved."""
    mode["json"] = as_json
    from femsim.report import folder

    page = folder.rebuild(out)
    if as_json:
        emit({"report": str(page), "bytes": page.stat().st_size})
    else:
        typer.echo(f"Written: {page}")
