"""The command line: verbs, thin. Every verb has ``--json``; errors are three lines and an exit code per class."""

from femsim.cli import (  # noqa: F401  (a module of verbs registers them when it is imported)
    cases,
    mesh,
    report,
    solve,
    sweep,
    verify,
    view,
)
from femsim.cli.main import entry, main

__all__ = ["entry", "main"]
