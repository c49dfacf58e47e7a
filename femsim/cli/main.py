"""The entry point, and how errors are shown: three lines and an exit code per class."""

from __future__ import annotations

import json
import sys

import typer

from femsim.cli.app import app, mode
from femsim.errors import FemsimError, InputError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code instead of raising."""
    try:
        code = app(arguments, standalone_mode=False)
        return int(code) if isinstance(code, int) else 0
    except FemsimError as error:
        return _fail(error)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("Interrupted; nothing half-finished was left behind.", err=True)
        return 130
    except MemoryError as error:
        return _fail(
            FemsimError(
                "There is not enough memory for this run.",
                str(error) or "The mesh is too fine for this machine.",
                "Use a larger mesh.near and mesh.far, or a machine with more memory.",
            )
        )
    except Exception as error:  # the last resort: users get three lines, never a traceback
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    if hasattr(error, "format_message"):  # typer's own usage errors; their class moved between its versions
        hint = "Type femsim --help, or femsim VERB --help."
        return _fail(InputError(error.format_message(), "The command line could not be understood.", hint))
    return _fail(
        FemsimError(
            f"femsim stopped on an error it did not expect: {type(error).__name__}: {error}",
            "This is a fault of femsim, not of the case; no result was written.",
            "Run it again with femsim --debug and report what it prints, with the case file.",
        )
    )


def _fail(error: FemsimError) -> int:
    if mode["debug"]:
        raise error
    if mode["json"]:
        typer.echo(
            json.dumps({"error": type(error).__name__, "what": error.what, "why": error.why, "do": error.do}),
            err=True,
        )
        return error.exit_code
    label = typer.style("error: ", fg="red", bold=True) if sys.stderr.isatty() else "error: "
    typer.echo(label + _line(error.what), err=True)
    for part in (error.why, error.do):
        typer.echo("  " + _line(part), err=True)
    return error.exit_code


def _line(text: str) -> str:
    return " ".join(text.split())


def entry() -> None:
    """Entry point of the ``femsim`` command."""
    sys.exit(main())
