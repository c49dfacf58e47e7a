"""The command line: verbs, thin. Every verb has ``--json``; errors are three lines and an exit code per class."""

# A module of verbs registers them when it is imported.
from femsim.cli import (  # noqa: F401
    cases,
    solve,
    sweep,
    verify,
)
from femsim.cli.main import entry, main

__all__ = ["entry", "main"]
