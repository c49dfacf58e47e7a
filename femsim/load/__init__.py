"""Load cases: the library with sources, and the way from a load case to supports and forces on a mesh."""

from femsim.load.applied import Applied, Patch
from femsim.load.apply import apply, check_fits
from femsim.load.library import (
    GRAVITY,
    Bench,
    Held,
    LoadCaseData,
    LoadItem,
    Pin,
    Position,
    Roller,
    get,
    library,
    read_case,
)

__all__ = [
    "GRAVITY",
    "Applied",
    "Bench",
    "Held",
    "LoadCaseData",
    "LoadItem",
    "Patch",
    "Pin",
    "Position",
    "Roller",
    "apply",
    "check_fits",
    "get",
    "library",
    "read_case",
]
