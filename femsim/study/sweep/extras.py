"""Optional packages: named in three lines where they are needed and missing."""

from __future__ import annotations

from importlib.util import find_spec

from femsim.errors import StudyError


def need(module: str, extra: str, what: str) -> None:
    """Make sure an optional package is there.

    Raises
    ------
    StudyError
        If it is not; names the extra that installs it.
    """
    if find_spec(module) is None:
        raise StudyError(
            f"{what} needs the package {module}, which is not installed.",
            "It is not part of the basic installation.",
            f'Install it with: pip install "femsim[{extra}]"',
        )
