"""What a case will take, before it is run: unknowns, memory and time, about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import psutil

from femsim.case import Comparison
from femsim.mesh.size import size_field
from femsim.study.problem import strategies_of
from femsim.study.setup import Setup, prepare
from femsim.study.sweep.tasks import Task

#: GiB that a worker takes before it solves anything: Python, NumPy, numba, the mesher's kernels.
BASE = 0.45
#: GiB for a million unknowns: matrix, hierarchy and what is kept, measured at 0.08 to 0.26 million.
PER_MILLION = 5.2
#: Displacement unknowns for every tetrahedron of the wanted size; the cuts of the solids add to it. Femur and humerus
#: with five strategies had 5.1 to 5.8.
PER_CELL = 5.5
#: Seconds of one core for a million unknowns: mesh once, and one strategy solved and judged.
MESH_RATE, SOLVE_RATE = 15.0, 19.0
#: Seconds that a mesh and a strategy take however small they are; sections of the bone are among the latter.
MESH_LEAST, SOLVE_LEAST = 1.0, 0.6


@dataclass(frozen=True)
class Estimate:
    """What one case will take, about.

    Attributes
    ----------
    unknowns : int
    memory : float
        GiB of one worker.
    mesh, solve : float
        Seconds of one core for the mesh, and for all strategies on it.
    """

    unknowns: int
    memory: float
    mesh: float
    solve: float


def estimate(case: Comparison) -> Estimate:
    """Work out what a case will take from the size of its bone and the wanted elements; good to about a third."""
    strategies = strategies_of(case)
    unknowns = count_unknowns(prepare(case, strategies), case)
    million = unknowns / 1e6
    return Estimate(
        unknowns,
        BASE + PER_MILLION * million,
        MESH_LEAST + MESH_RATE * million,
        len(strategies) * (SOLVE_LEAST + SOLVE_RATE * million),
    )


def count_unknowns(setup: Setup, case: Comparison) -> int:
    """Displacement unknowns of the mesh, from the integral of the wanted element density over the bone."""
    domain = setup.arrangement.domain
    box = (np.asarray(domain.bounds[0], float), np.asarray(domain.bounds[1], float))
    field, _ = size_field(setup.arrangement, case.mesh.sizes(), box)
    return int(PER_CELL * field.count(domain))


def fitting(workers: int, memory: float) -> int:
    """How many workers of `memory` GiB fit into what is free, at least one and at most as many as asked for."""
    free = psutil.virtual_memory().available / 2**30
    return max(1, min(workers, int(0.9 * free / memory) if memory > 0 else workers))


def affordable(workers: int, task: Task) -> tuple[int, str]:
    """How many workers fit into the free memory, and a note where that is fewer than asked for."""
    needed = estimate(task.comparison()).memory
    fit = fitting(workers, needed)
    return fit, "" if fit >= workers else f"{fit} of {workers} workers: each needs about {needed:.1f} GiB of memory"
