"""What cells are shaped for: volumes to be met, and what becomes of those that the elements cannot hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from femsim.mesh.cut import Cells
from femsim.solid.base import Solid

Held = Callable[[Cells, NDArray[np.int64]], tuple[NDArray[np.int64], NDArray[np.float64]]]

#: Relative error of a compartment's volume from which its surfaces are moved, and beyond which it has other causes.
MENDED = (0.003, 0.5)
#: Relative error of a solid's volume from which the mesh says so.
NOTED = 0.03
#: Share of its own volume by which a compartment may be larger for a lost one beside it.
TAKEN_OVER = 0.004


@dataclass(frozen=True, eq=False)
class Task:
    """What the cells are shaped for.

    Attributes
    ----------
    domain : Solid
        Its zero is the outer surface.
    solids : sequence of Solid or None
        In bit order; None where a bit has no surface of its own.
    missing : mapping of int to (float, float)
        For every compartment (by mask) whose volume is to be met: the volume wanted in these cells and in all, mm3.
    near : float
        Shortest usual edge, mm: surfaces are moved by a sixth of it at a time.
    curved : bool
        Whether mid-side nodes lie on the surfaces.
    held : callable, optional
        See `promoted`.
    layers : int
        Bits of the bone's own layers: `missing` holds only a part of their volume.
    staying : int
        Sound elements beside these cells, which count where a share of all is judged.
    """

    domain: Solid
    solids: Sequence[Solid | None]
    missing: Mapping[int, tuple[float, float]]
    near: float
    curved: bool = True
    held: Held | None = None
    layers: int = 0
    staying: int = 0


def without_lost(task: Task, lost: Mapping[int, float], gone: int) -> Task:
    """The task without lost compartments: bodies much thinner than an element, that no small move brings back.

    `lost` is what they lack, mm3, and `gone` has the bits of the solids that the mesh is reported not to hold: what
    these should have held counts to what is the same without them. Otherwise it goes to the largest compartment that
    lacks one of the solids, as far as that may take it: to move its surfaces for more would make a thick compartment
    wrong for the sake of a thin one.
    """
    missing = {m: volume for m, volume in task.missing.items() if m not in lost}
    beside: dict[int, float] = {}
    for m, volume in lost.items():
        if m & gone:
            hosts = [k for k in missing if k & ~gone == m & ~gone]
        else:
            hosts = [k for k in missing if (k & m) == k and (k ^ m).bit_count() == 1]
        if not hosts or not m & ~(gone | task.layers):  # bone takes what is left
            continue
        host = max(hosts, key=lambda k: task.missing[k][1])
        if m & gone:
            missing[host] = missing[host][0] + volume, missing[host][1] + volume
        else:
            beside[host] = beside.get(host, 0.0) + volume
    for host, volume in beside.items():
        most = TAKEN_OVER * task.missing[host][1]
        over = min(max(volume, -most), most)
        missing[host] = missing[host][0] + over, missing[host][1] + over
    return replace(task, missing=missing)


def reported(task: Task, lacking: Mapping[int, float]) -> int:
    """Bits of the solids that are off by more than may pass without a word, by what compartments lack, mm3."""
    bits = 0
    for bit in range(len(task.solids)):
        own = 1 << bit
        whole = sum(v for m, (_, v) in task.missing.items() if m & own)
        off = sum(v for m, v in lacking.items() if m & own)
        if not task.layers & own and noted(off, whole, task.near):
            bits |= own
    return bits


def noted(off: float, wanted: float, near: float) -> bool:
    """Whether a solid is off by so much volume that the mesh says so: 3 %, and more than elements can show at all."""
    return abs(off) > max(NOTED * wanted, 0.02 * near**3)
