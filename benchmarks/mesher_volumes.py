"""Volumes of compartments on a fine grid that knows nothing of the mesh, and which of them a mesh must meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from femsim import mesh, solid
from femsim.solid import Arrangement, Solid

#: Compartments judged: into which a ball of this many mm in diameter goes, and of at least this many mm3.
THICK, LARGE = 1.5, 100.0
#: Error of a volume from which it is measured again on a finer grid.
DOUBTED = 0.007
#: Spacing of the grid, mm, and the parts of a cell at surfaces each way at first and where a volume is doubted.
SPACING, PARTS, FINER = 2.0, 5, 10
_DOMAIN = 62  # the bit of the domain


@dataclass(frozen=True)
class Compartment:
    """Volume in mm3, and the diameter in mm of the largest ball inside."""

    volume: float
    ball: float

    @property
    def thick(self) -> bool:
        return self.ball >= THICK


@dataclass(frozen=True)
class Judged:
    """What became of the volumes of a variant.

    Attributes
    ----------
    error, worst : float, str
        Largest relative error of a compartment that is judged, and which it is.
    silent : str
        A solid, however thin, that is off by more than 8 % although the mesh says nothing of it.
    count, alone : int
        Compartments judged, and those of them that lie in a solid of which the mesh reports something.
    thin, thinnest : int, float
        Compartments of reported solids that are left out because they are thinner than 1.5 mm, and the largest
        diameter of a ball in one of them, mm.
    small, small_off : int
        Compartments that are thick but smaller than 100 mm3, and those of them that are off by more than 1 %.
    """

    error: float = 0.0
    worst: str = ""
    silent: str = ""
    count: int = 0
    alone: int = 0
    thin: int = 0
    thinnest: float = 0.0
    small: int = 0
    small_off: int = 0


def reported(made: mesh.Mesh) -> set[str]:
    """Solids of which the notes say that the mesh does not hold them as they are."""
    return {n for n in made.solids if any(note.startswith(f"{n}: ") for note in made.notes)}


def judged(drawn: Arrangement, made: mesh.Mesh) -> Judged:
    """Hold the compartments that lesions and devices make to a fine grid.

    A compartment is judged if a ball of 1.5 mm goes into it and it has 100 mm3 or more, whatever the mesh reports. A
    thinner one of a solid that the mesh reports as homogenised, merged or off counts to what is the same without the
    reported solids: merged, it is there.
    The grid has parts of 0.4 mm at surfaces, and of 0.2 mm where those say that a compartment is off by 0.7 % or more:
    on the smallest compartments the coarser ones are themselves off by up to 0.4 %.
    """
    found = _judged(drawn, made, PARTS)
    return _judged(drawn, made, FINER) if found.error > DOUBTED else found


def _judged(drawn: Arrangement, made: mesh.Mesh, parts: int) -> Judged:
    names = made.solids
    cut = [n for n in names if n not in made.fractions]  # the others are homogenised walls, that no cell knows
    fine = sum(1 << names.index(n) for n in cut if n in drawn.fine)
    gone = sum(1 << names.index(n) for n in cut if n in reported(made))
    if not fine:
        return Judged()
    whole = reference(drawn, cut, parts)
    kept = [n for n in cut if not gone >> names.index(n) & 1]
    merged = reference(drawn, kept, parts) if gone and fine & ~gone else {} if gone else whole
    held = _held(made, sum(1 << names.index(n) for n in cut))

    # Thick compartments in reported solids stand for themselves; all others count to what is the same without those.
    own = {m for m, one in whole.items() if m & fine and m & gone and one.thick and one.volume >= LARGE}
    rows = [(m, held.get(m, 0.0), whole[m].volume) for m in sorted(own)]
    small: list[float] = [
        held.get(m, 0.0) / one.volume - 1.0
        for m, one in whole.items() if m & fine and m & gone and one.thick and 1.0 <= one.volume < LARGE
    ]  # fmt: skip
    for k, one in sorted(merged.items()):
        if not k & fine:
            continue
        wanted = one.volume - sum(whole[m].volume for m in own if m & ~gone == k)
        there = sum(v for m, v in held.items() if m & ~gone == k and m not in own)
        thick = one.thick or (k in whole and whole[k].thick)
        if thick and wanted >= LARGE:
            rows.append((k, there, wanted))
        elif thick and wanted >= 1.0:
            small.append(there / wanted - 1.0)
    error = [abs(there / wanted - 1.0) for _, there, wanted in rows]
    at = int(np.argmax(error)) if rows else -1
    thin = [one.ball for m, one in whole.items() if m & fine and m & gone and not one.thick and one.volume >= 1.0]
    return Judged(
        max(error, default=0.0),
        f"{'+'.join(made.names_of(rows[at][0]))} {rows[at][1]:.1f}/{rows[at][2]:.1f} mm3" if rows else "",
        _silent(drawn, made, held, merged, gone),
        len(rows), len(own), len(thin), max(thin, default=0.0), len(small), sum(abs(e) > 0.01 for e in small),
    )  # fmt: skip


def _held(made: mesh.Mesh, bits: int) -> dict[int, float]:
    """Volume of every compartment in the mesh, mm3, by mask."""
    masks, index = np.unique(made.compartment & bits, return_inverse=True)
    return dict(zip(masks.tolist(), np.bincount(index, mesh.cell_volumes(made), len(masks)).tolist(), strict=True))


def _silent(
    drawn: Arrangement, made: mesh.Mesh, held: Mapping[int, float], merged: Mapping[int, Compartment], gone: int
) -> str:
    result = ""
    present = {m & ~gone for m in held}
    for bit, n in enumerate(made.solids):
        if n not in drawn.fine or n in made.fractions or gone >> bit & 1:
            continue
        found = sum(v for m, v in held.items() if m >> bit & 1)
        if found > 0.0:  # only what is in the mesh: coincident surfaces enclose nothing, a grid sees a film
            true = sum(one.volume for m, one in merged.items() if m >> bit & 1 and m in present)
        else:
            true = solid.volume(drawn.solids[n] & drawn.domain, 0.4)
        if abs(found - true) > max(0.08 * true, 2.0):
            result = f"{n} {found:.1f}/{true:.1f} mm3"
    return result


def reference(drawn: Arrangement, names: list[str], parts: int = PARTS) -> dict[int, Compartment]:
    """Volumes of the compartments that some solids make, by mask, with the bits of all solids in their order.

    Cells of 2 mm are divided by `parts` each way at surfaces. A part counts by a ramp across the surface. On a curved
    surface, and along an edge between two, a ramp of width w adds a volume that goes with the square of w: a cylinder
    of 1.5 mm radius gets 0.6 % too much at 0.4 mm. So two widths are counted, and their difference takes that away.
    """
    bits = {list(drawn.solids).index(n): drawn.solids[n] for n in names} | {_DOMAIN: drawn.domain}
    fine = [drawn.solids[n] for n in names if n in drawn.fine]
    lower = np.maximum(np.min([one.bounds[0] for one in fine], axis=0), drawn.domain.bounds[0])
    upper = np.minimum(np.max([one.bounds[1] for one in fine], axis=0), drawn.domain.bounds[1])
    h = SPACING
    origin, shape = solid.grid.grid_points(lower - h, upper + h, h)
    nodes = solid.grid.node_coordinates(origin, shape, h)
    middle = {bit: one.distance(nodes) for bit, one in bits.items()}
    crossed = {bit: np.abs(phi) <= 0.87 * h + h / parts for bit, phi in middle.items()}
    near = np.any(list(crossed.values()), axis=0)
    total = _Total(list(bits), h / parts)
    total.add_whole(np.stack([phi[~near] for phi in middle.values()]), nodes[~near], h**3)
    offsets = h * ((np.array(list(np.ndindex(parts, parts, parts))) + 0.5) / parts - 0.5)
    rows = np.flatnonzero(near)
    for chunk in np.array_split(rows, max(1, len(rows) * len(offsets) // 250_000)):
        phi = np.empty((len(bits), len(chunk), len(offsets)))
        for k, (bit, one) in enumerate(bits.items()):
            # Where a surface cannot cross the cell, its distance in the middle tells the side of all of it.
            phi[k] = middle[bit][chunk][:, None]
            own = crossed[bit][chunk]
            phi[k, own] = one.distance((nodes[chunk[own], None] + offsets).reshape(-1, 3)).reshape(-1, len(offsets))
        total.add_parts(phi.reshape(len(bits), -1), (nodes[chunk][:, None] + offsets).reshape(-1, 3))
    return total.compartments(bits)


class _Total:
    """Adds up parts of a grid by compartment."""

    def __init__(self, bits: list[int], fineness: float) -> None:
        self._bits, self._fineness = np.array(bits), fineness
        self._volume: tuple[dict[int, float], dict[int, float]] = ({}, {})
        self._deepest: dict[int, tuple[float, np.ndarray]] = {}

    def compartments(self, solids: Mapping[int, Solid]) -> dict[int, Compartment]:
        """Volumes with the error of the ramp's width taken out, of those that a point of the grid lies in."""
        one, two = self._volume
        inside = 1 << _DOMAIN
        return {
            m ^ inside: Compartment((4.0 * v - two.get(m, 0.0)) / 3.0, 2.0 * self._ball(m, solids))
            for m, v in one.items() if m & inside and m in self._deepest
        }  # fmt: skip

    def _ball(self, mask: int, solids: Mapping[int, Solid]) -> float:
        """Radius of the largest ball in a compartment, looked for around the deepest point of the grid."""
        depth, middle = self._deepest[mask]
        step = 0.5 * SPACING
        for _ in range(5):
            places = middle + step * (np.array(list(np.ndindex(5, 5, 5))) - 2.0) / 2.0
            away = np.min([(-1 if mask >> b & 1 else 1) * one.distance(places) for b, one in solids.items()], axis=0)
            if away.max() > depth:
                depth, middle = float(away.max()), places[int(away.argmax())]
            step /= 2.0
        return depth

    def add_whole(self, phi: np.ndarray, points: np.ndarray, volume: float) -> None:
        """Cells that no surface crosses, by the distances (bits, n) in their middle (n, 3)."""
        mask = self._mask(phi)
        for total in self._volume:
            _add(total, mask, np.full(len(mask), volume))
        self._deepen(mask, np.abs(phi).min(axis=0), points)

    def add_parts(self, phi: np.ndarray, points: np.ndarray) -> None:
        """Parts at surfaces, by the distances (bits, n) in their middle (n, 3).

        A compartment takes a part by the distance to its deepest surface: max of the distances of which it is inside,
        and of minus the others. So it takes a share of a part on the other side of surfaces no farther than the ramp.
        """
        mask, away, width = self._mask(phi), np.abs(phi), self._fineness
        least = away.min(axis=0)
        self._deepen(mask, least, points)
        volume = width**3
        for total, w in zip(self._volume, (width, 2.0 * width), strict=True):
            _add(total, mask, np.clip(0.5 + least / w, 0.0, 1.0) * volume)
        at = np.flatnonzero(least < width)
        weight = np.int64(1) << np.arange(len(self._bits))
        pattern = ((away[:, at] < width) * weight[:, None]).sum(axis=0)
        for one in np.unique(pattern).tolist():
            rows = at[pattern == one]
            close = np.flatnonzero(one & weight)
            for some in range(1, 1 << len(close)):
                across = close[(some >> np.arange(len(close)) & 1) == 1]
                beyond = mask[rows] ^ (np.int64(1) << self._bits[across]).sum()
                far = away[across][:, rows].max(axis=0)
                for total, w in zip(self._volume, (width, 2.0 * width), strict=True):
                    _add(total, beyond, np.clip(0.5 - far / w, 0.0, 1.0) * volume)

    def _mask(self, phi: np.ndarray) -> np.ndarray:
        return np.asarray(((phi < 0.0) * (np.int64(1) << self._bits)[:, None]).sum(axis=0))

    def _deepen(self, mask: np.ndarray, depth: np.ndarray, points: np.ndarray) -> None:
        order = np.lexsort((-depth, mask))
        masks, first = np.unique(mask[order], return_index=True)
        for m, row in zip(masks.tolist(), order[first].tolist(), strict=True):
            if m not in self._deepest or depth[row] > self._deepest[m][0]:
                self._deepest[m] = float(depth[row]), points[row]


def _add(total: dict[int, float], masks: np.ndarray, volumes: np.ndarray) -> None:
    found, index = np.unique(masks, return_inverse=True)
    for m, volume in zip(found.tolist(), np.bincount(index, volumes, len(found)).tolist(), strict=True):
        total[m] = total.get(m, 0.0) + volume
