"""Memory and time of a solve before it starts, and the refusal of what would not fit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from femsim.errors import SolveError
from femsim.fem.linear.batch import LANES
from femsim.fem.linear.dissection import Dissection
from femsim.fem.linear.fallback import WHOLE
from femsim.fem.linear.system import System

#: Multiply-adds per second of the factorisation, one core; for estimates of time only.
RATE = 1.0e10
#: Iterations of the multigrid on meshes of bones, for estimates of time only.
ITERATIONS = 60


@dataclass(frozen=True)
class Estimate:
    """Memory and time a solve will take, about.

    Attributes
    ----------
    method : str
    bytes : int
        Beyond the system itself.
    seconds : float
        On one core of a current machine.
    """

    method: str
    bytes: int
    seconds: float


def estimate_of(system: System, rhs_count: int, method: str, structure: Any) -> Estimate:
    """Estimate for a method whose structure is known."""
    vectors = 8 * 3 * system.nodes * (2 * rhs_count + 8)
    if method == "scipy":  # a whole factor of at most `WHOLE` unknowns, or one of the vertices; three copies in csr
        size = min(system.unknowns, WHOLE if system.parents is None else max(WHOLE, system.unknowns // 7))
        entries = 40.0 * size**1.33
        return Estimate(method, int(12 * entries + 36 * 9 * len(system.indices) + vectors), 1e-6 * entries)
    if method == "direct":
        entries, waiting, operations = _factor_size(structure)
        seconds = operations / RATE + rhs_count * entries / 1e9
        return Estimate(method, int(8 * (entries + waiting) + vectors), float(seconds))
    coarse = structure.coarse
    if coarse.tree is not None:
        entries, waiting, operations = _factor_size(coarse.tree)
    else:  # the groups' matrix is known only with its values; a compact body of g nodes fills about 10 g^(4/3) blocks
        groups = float(len(coarse.groups.centre))
        entries, waiting, operations = 360.0 * groups ** (4 / 3), 0.0, 36.0 * 200.0 * groups**2
        entries += 300.0 * len(coarse.parents) / 7.0  # interpolation and products on the way
    if rhs_count > 1:
        vectors += 8 * 3 * system.nodes * 10 * LANES
    stored = len(structure.lower.indices)
    size = 4 * entries + 8 * waiting + vectors + stored * (72 + 36 + 12) + system.nodes * 200
    passes = 1.0 if rhs_count == 1 else 2.5 * -(-rhs_count // LANES)
    seconds = operations / RATE + 3e-6 * system.nodes + passes * ITERATIONS * (stored * 2e-8 + entries * 1e-9)
    return Estimate(method, int(size), float(seconds))


def _factor_size(tree: Dissection) -> tuple[float, float, float]:
    """Entries of the factor and of waiting updates, and multiply-adds, for three unknowns per node."""
    return 9.0 * tree.factor_entries, 9.0 * tree.update_entries, 27.0 * tree.operations


def refuse_what_does_not_fit(needed: Estimate) -> None:
    """Raise SolveError where the memory is not there."""
    free = available_memory()
    if free is not None and needed.bytes > free:
        raise SolveError(
            f"The {needed.method} solver needs about {needed.bytes / 2**30:.1f} GiB; {free / 2**30:.1f} GiB are free.",
            "It would run out of memory after a long time.",
            "Use a coarser mesh, a larger machine" + (' or solver="multigrid".' if needed.method == "direct" else "."),
        )


def available_memory() -> int | None:
    """Bytes of memory that can be taken without swapping; None where the system does not say."""
    try:
        with open("/proc/meminfo") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return None
