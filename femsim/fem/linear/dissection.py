"""Fill-reducing order of a sparse symmetric matrix by geometric nested dissection.

A set of nodes is halved at the median of one coordinate; the smallest set of nodes that covers every edge between the
halves (a minimum vertex cover, by bipartite matching and Konig's theorem) separates them and is eliminated after both.
Each separator, and each set too small to be worth halving, becomes one dense *front* of the Cholesky factorisation
(`femsim.fem.linear.cholesky`). For meshes of bodies this loses little against graph partitioners (George 1973
[george1973]) and needs no library.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.fem.linear import dissection_kernels as kernels

#: Sets of at most this many nodes are not halved any further: below it, dense work is cheaper than more fronts.
LEAF_NODES = 32
#: Branches of the tree of fronts that threads may share.
BRANCHES = 4


@dataclass(frozen=True)
class Dissection:
    """An elimination order and its tree of fronts.

    Attributes
    ----------
    order : (n,) int64
        ``order[new] = old``.
    start : (f + 1,) int64
        Front ``k`` eliminates the nodes ``order[start[k]:start[k + 1]]``; children come before parents.
    parent : (f,) int64
        Parent of each front, -1 for a root.
    border_start, border : (f + 1,) and (.,) int64
        For each front the later nodes (new numbers, ascending) its elimination couples.
    """

    order: NDArray[np.int64]
    start: NDArray[np.int64]
    parent: NDArray[np.int64]
    border_start: NDArray[np.int64]
    border: NDArray[np.int64]

    @property
    def factor_entries(self) -> int:
        """Number of stored entries of the factor for one unknown per node (times 9 for three)."""
        pivots, border = np.diff(self.start), np.diff(self.border_start)
        return int((pivots * (pivots + border)).sum())

    @property
    def operations(self) -> float:
        """Multiply-adds of the factorisation for one unknown per node (times 27 for three)."""
        pivots, border = np.diff(self.start).astype(float), np.diff(self.border_start).astype(float)
        return float((pivots**3 / 6 + pivots**2 * border / 2 + pivots * border**2 / 2).sum())

    @property
    def update_entries(self) -> int:
        """Largest number of entries of pending update matrices at any time, for one unknown per node."""
        return int(kernels.update_peak(self.parent, np.diff(self.border_start)))

    @cached_property
    def branches(self) -> tuple[list[tuple[int, int]], list[int]]:
        """Ranges of fronts that do not depend on each other, largest apart, and the fronts of the trunk above them."""
        pivots, border = np.diff(self.start), np.diff(self.border_start)
        weight, lowest = pivots * (pivots + border), np.arange(len(pivots))
        children: list[list[int]] = [[] for _ in pivots]
        for k, up in enumerate(self.parent.tolist()):
            if up >= 0:  # children come before their parent, so theirs is complete
                weight[up] += weight[k]
                lowest[up] = min(lowest[up], lowest[k])
                children[up].append(k)
        tips, trunk = np.flatnonzero(self.parent < 0).tolist(), []
        while tips and len(tips) < BRANCHES:
            heaviest = max(tips, key=lambda k: int(weight[k]))
            if not children[heaviest]:
                break
            tips.remove(heaviest)
            tips += children[heaviest]
            trunk.append(heaviest)
        return [(int(lowest[k]), k + 1) for k in sorted(tips)], sorted(trunk)


def dissect(
    indptr: NDArray[Any], indices: NDArray[Any], coordinates: NDArray[np.float64] | None, leaf: int = LEAF_NODES
) -> Dissection:
    """Elimination order of the graph of a symmetric matrix.

    Parameters
    ----------
    indptr, indices : (n + 1,) and (nnz,) int
        Rows of the pattern (both triangles; the diagonal may be there or not).
    coordinates : (n, d) float or None
        Position of each node; any vectors in which neighbours are close. Without them, graph distances from three
        far-apart nodes serve.
    leaf : int
        Largest number of nodes of a set that is not halved.

    Returns
    -------
    Dissection
    """
    indptr, indices = np.asarray(indptr, np.int64), np.asarray(indices)
    if coordinates is None:
        coordinates = kernels.graph_coordinates(indptr, indices)
    coordinates = np.ascontiguousarray(coordinates, np.float64)
    order, start, parent = kernels.dissect(indptr, indices, coordinates, leaf)
    border_start, border = kernels.borders(indptr, indices, order, start, parent)
    return Dissection(order, start, parent, border_start, border)
