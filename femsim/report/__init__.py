"""Tables, figures and the report: what a study says to someone who was not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def write(result: Any, out: Path | str, *, figures: bool = True, progress: Any = None) -> Any:
    """Write the output folder of a comparison; see `femsim.report.folder.write`."""
    # imported when needed: the command line must answer --help without matplotlib and pandas
    from femsim.report import folder

    return folder.write(result, Path(out), figures=figures, progress=progress)


def print_table(result: Any) -> None:
    """Print a comparison to the terminal; see `femsim.report.text.print_table`."""
    from femsim.report import text

    text.print_table(result)


__all__ = ["print_table", "write"]
