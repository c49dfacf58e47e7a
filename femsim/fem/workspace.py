"""What one solve leaves for the next: sparsity, scatter map, slabs, the matrix and its factorisation.

The only object of the solver that changes. Everything in it is found again by the content of the arrays it was made
from, so a changed array can never meet a stale matrix.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.fem.constraints import Plan
from femsim.fem.elements import Element, element, mid_parents
from femsim.fem.model import Model
from femsim.fem.parts import parts_of
from femsim.fem.pattern import Pattern, Slabs, build_pattern, build_slabs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fingerprint(parts: Iterable[object]) -> str:
    """Hash of arrays (shape, type and content) and of anything with a faithful text."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.shape}{part.dtype}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(repr(part).encode())
        digest.update(b"|")
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Grid:
    """Everything that depends on the mesh alone."""

    key: str
    points: Floats
    cells: Ints
    element: Element
    slabs: Slabs
    volume: Floats
    pattern: Pattern
    parents: Ints | None

    @cached_property
    def part(self) -> Ints:
        """Connected part of every cell, (m,)."""
        return parts_of(self.cells, self.element)

    @cached_property
    def folded(self) -> Ints:
        """Quadratic cells that are turned inside out at a node, though not at a quadrature point."""
        if not len(self.element.edges):
            return np.zeros(0, np.int64)
        from femsim.fem import kernels

        slopes = self.element.function(self.element.nodes)[1]
        out, weights = np.empty((len(self.cells), self.element.size)), np.ones(self.element.size)
        self.slabs.each(lambda s: kernels.volumes(self.points, self.cells, slopes, weights, self.slabs.share[s], out))
        return np.flatnonzero((out <= 0.0).any(axis=1))


@dataclass(eq=False)
class Workspace:
    """Memory between solves; pass the same one to `solve` again.

    The same mesh with other moduli keeps the sparsity, the scatter map and the structure of the hierarchy; the same
    matrix with other loads keeps the factorisation. One workspace must not serve two threads at once.

    Attributes
    ----------
    threads : int or None
        Threads for assembly; None is the number of processors this process may use, at most 4.
    """

    threads: int | None = None
    grid: Grid | None = None
    blocks: Floats | None = None
    matrix_key: str = ""
    system: Any = None
    prepared: Any = None
    previous: dict[str, Floats] = field(default_factory=dict)
    held: Plan | None = None

    def thread_count(self, threads: int | None = None) -> int:
        """Threads to use: as asked, else as set, else as many as this process may run on (at most 4)."""
        asked = threads if threads is not None else self.threads
        if asked is None:
            affinity = getattr(os, "sched_getaffinity", None)
            return min(4, len(affinity(0)) if affinity else os.cpu_count() or 1)
        if asked < 1:
            raise InputError(f"threads = {asked} is not positive.", "Work needs a thread.", "Give 1 or more.")
        return int(asked)

    def grid_of(self, model: Model, threads: int | None = None) -> Grid:
        """Pattern, slabs and volumes of a mesh; from memory where the mesh has not changed."""
        count = self.thread_count(threads)
        key = fingerprint([model.points, model.cells, model.element, count])
        if self.grid is None or self.grid.key != key:
            self.forget()
            self.grid = make_grid(model, count, key)
        return self.grid

    def forget(self) -> None:
        """Let go of everything."""
        self.grid = self.blocks = self.system = self.prepared = self.held = None
        self.matrix_key, self.previous = "", {}


def make_grid(model: Model, threads: int, key: str = "") -> Grid:
    """Pattern, slabs and volumes of a mesh."""
    from femsim.fem import kernels

    shape = element(model.element)
    slabs = build_slabs(model.points, model.cells, threads)
    volume = np.empty((len(model.cells), shape.points))
    slabs.each(
        lambda s: kernels.volumes(model.points, model.cells, shape.gradients, shape.weights, slabs.share[s], volume)
    )
    pattern = build_pattern(model.cells, len(model.points), threads)
    parents = mid_parents(model.cells, model.element, len(model.points)) if shape.order == 2 else None
    return Grid(key, model.points, model.cells, shape, slabs, volume, pattern, parents)
