"""Load cases: the library with sources, and the way from a load case to supports and forces on a mesh."""

from femsim.loads.applied import Applied, Patch
from femsim.loads.apply import apply, check_fits
from femsim.loads.load_case import (
    GRAVITY,
    Bench,
    Held,
    LoadCaseData,
    LoadItem,
    Pin,
    Position,
    Roller,
    get,
    load_cases,
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
    "load_cases",
    "read_case",
]
