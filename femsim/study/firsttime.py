"""The first run ever: compile the solver in a second process while the bone is being meshed.

numba compiles a kernel when it is first called and keeps the machine code on disk. Compiling the solver takes longer
than meshing, on one core; beside it, a first run waits for little of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from femsim import fem, material, risk
from femsim.fem import kernels
from femsim.study.progress import Progress

#: Longest wait for the other process, seconds: far above what compilation takes, so that a hung one stops nobody.
PATIENCE = 300.0
#: Of the toy's trabecular bone, g/cm3: anything within the range of the density laws.
DENSITY = 0.4
#: Edge of the toy in elements: enough for every level of the solver's hierarchy.
SIDE = 14


def compiled() -> bool:
    """Whether numba's cache holds the solver's assembly as it is today, and so most likely the rest."""
    written = Path(kernels.__file__).stat().st_mtime
    cache = Path(kernels.assemble._cache.cache_path)
    return any(index.stat().st_mtime >= written for index in cache.glob("kernels.assemble-*.nbi"))


@contextmanager
def compiling(watch: Progress) -> Iterator[None]:
    """Compile the solver beside what is done inside, if that was never done; leave when both have ended.

    Whatever the other process fails at is compiled here, when it is called.
    """
    beside = None if compiled() or (os.cpu_count() or 1) < 2 else _start()
    try:
        yield
        if beside is not None:
            with watch.stage("compilation, this once"):
                beside.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if beside is not None and beside.poll() is None:
            beside.kill()
            beside.wait()


def _start() -> subprocess.Popen[bytes] | None:
    command = [sys.executable, "-m", "femsim.study.firsttime"]
    nowhere = subprocess.DEVNULL
    try:
        return subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    except OSError:  # no process can be started: everything is compiled here
        return None


def toy() -> tuple[fem.Model, list[material.MaterialData], NDArray[np.int64]]:
    """A block of cortical, trabecular and cement elements that takes every kernel of a comparison through its paces."""
    points, cells = block(SIDE)
    middle = points[cells[:, :4]].mean(axis=1)
    names = ["cortical_bone", "trabecular_bone", "pmma"]
    data = [material.get(name) for name in names]
    index = np.searchsorted([SIDE / 3, 2 * SIDE / 3], middle[:, 0])
    axis = np.tile([0.0, 0.0, 1.0], (len(cells), 1))
    solid = material.assign(data, index, density=np.full((len(cells), 4), DENSITY), axis=axis)
    low, high = points[:, 2] < 1e-9, points[:, 2] > SIDE - 1e-9
    pull = fem.NodalForce(np.flatnonzero(high), np.tile([0.0, 0.0, 1.0], (int(high.sum()), 1)))
    model = fem.Model(points, cells, solid, [fem.Fixed(np.flatnonzero(low))], {"pull": [pull]})
    return model, data, index


def block(count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Nodes and ten-node tetrahedra of a cube of `count` mm, six to a cubic millimetre."""
    grid = np.arange(2 * count + 1)
    points = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), axis=-1).reshape(-1, 3)
    corner = np.stack(np.meshgrid(*[grid[:-1:2]] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 1, 3)
    steps = np.array([[np.eye(3, dtype=int)[list(order[:k])].sum(axis=0) for k in range(4)]
                      for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2), (0, 2, 1), (2, 1, 0))])  # fmt: skip
    steps[3:] = steps[3:, [0, 2, 1, 3]]  # odd orders are left-handed
    ends = (corner + 2 * steps[None]).reshape(-1, 4, 3)
    mids = [(ends[:, a] + ends[:, b]) // 2 for a, b in ((0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3))]
    places = np.concatenate([ends, np.stack(mids, axis=1)], axis=1)
    return points / 2.0, places @ np.array([(2 * count + 1) ** 2, 2 * count + 1, 1])


def main() -> None:
    """Compile by doing: solve and judge a toy twice, so that what is reused is compiled too."""
    workspace = fem.Workspace()
    model, data, index = toy()
    for _ in range(2):
        solution = fem.solve(model, solver="multigrid", workspace=workspace)["pull"]
        risk.assess(solution, data, index, length=2.0, density=np.full((len(index), 4), DENSITY))


if __name__ == "__main__":
    main()
