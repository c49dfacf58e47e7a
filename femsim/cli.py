"""The command line: verbs, thin. Every verb has ``--json``; errors are three lines and an exit code per class."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from femsim.errors import FemsimError, InputError

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

# Set once by the callback, read by `main` when an error has to be shown.
_mode = {"debug": False, "quiet": False, "json": False}


@app.callback()
def _common(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what every stage does.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    _mode.update(debug=debug, quiet=quiet, json=False)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)


def _progress() -> Any:
    from femsim.study import Progress

    return Progress(show=False) if _mode["quiet"] else Progress()


def _emit(data: Any) -> None:
    typer.echo(json.dumps(data, indent=2, default=str, allow_nan=False))


@app.command()
def new(as_json: Json = False) -> None:
    """Print a commented case file with every key, its unit and its default."""
    from femsim import case

    if as_json:
        _emit(case.Comparison().model_dump(mode="json"))
    else:
        typer.echo(case.template(), nl=False)


@app.command()
def check(case_file: CaseFile = None, as_json: Json = False) -> None:
    """Find what is wrong with a case before anything is meshed or solved."""
    _mode["json"] = as_json
    from femsim import case, study

    findings = study.check(case.load(case_file))
    if as_json:
        _emit(findings)
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
        bool, typer.Option("--convergence", help="Solve on a second mesh and print the discretisation error.")
    ] = False,
    figures: Annotated[bool, typer.Option(help="Draw the figures.")] = True,
    as_json: Json = False,
) -> None:
    """Compare fixation strategies on one bone, and write a folder with table, fields and figures."""
    _mode["json"] = as_json
    from femsim import case, report, study

    asked = case.load(case_file)
    study.check_writable(out)
    progress = _progress()
    result = study.compare(asked, convergence=convergence, progress=progress)
    report.write(result, out, figures=figures, progress=progress)
    if as_json:
        _emit(result.as_dict())
    else:
        report.print_table(result)
        typer.echo(f"\nWritten to {out}/")


@app.command()
def info(
    what: Annotated[str, typer.Argument(help="materials, loads, treatments, criteria, bones, fields or env")] = "env",
    as_json: Json = False,
) -> None:
    """Print a library with value, unit, range and source of every number."""
    _mode["json"] = as_json
    from femsim.report import library

    data = library.tables(what)
    if as_json:
        _emit(data)
    else:
        library.show(what, data)


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
    if _mode["debug"]:
        raise error
    if _mode["json"]:
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


if __name__ == "__main__":
    entry()
