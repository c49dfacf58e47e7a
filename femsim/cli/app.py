"""What every verb shares: the application, its options, how it prints."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    help="Which fixation holds? Finite-element comparison of strategies on one bone with a lytic lesion. "
    "Research use only.",
)

CaseFile = Annotated[Path | None, typer.Argument(help="Case file (TOML). Without it: the embedded default case.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of text.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Output folder.")]

# Set once by the callback and by verbs that print JSON; read where an error has to be shown.
mode = {"debug": False, "quiet": False, "json": False}


@app.callback()
def _common(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what every stage does.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    mode.update(debug=debug, quiet=quiet, json=False)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)


def progress() -> Any:
    """Where the stages of a run are told; silent with ``--quiet``."""
    from femsim.study import Progress

    return Progress(show=False) if mode["quiet"] else Progress()


def emit(data: Any) -> None:
    """Print data as JSON."""
    typer.echo(json.dumps(data, indent=2, default=str, allow_nan=False))
