"""Rigidity along the bone: EA, EI and GJ of its cross-sections against those of the intact twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim import fem
from femsim.errors import InputError
from femsim.risk.section import Rigidity, Section, properties
from femsim.risk.slices import cut, moduli, plane_axes

Floats = NDArray[np.float64]

#: The rigidities of a curve, and what each is called.
RIGIDITIES = {
    "EA": "EA",
    "EI_min": "EI about the weak axis",
    "EI_max": "EI about the strong axis",
    "GJ_polar": "polar GJ",
    "GJ_true": "true GJ",
}
#: Those by which CT-rigidity analysis judges a bone.
CTRA = ("EA", "EI_min", "EI_max", "GJ_polar")


@dataclass(frozen=True, eq=False)
class RigidityCurve:
    """Rigidities of the sections along a bone, and relative to its intact twin.

    Attributes
    ----------
    position : (k,) float64
        Places of the sections, percent of the length from the distal end, increasing.
    EA : (k,) float64
        Axial rigidity, N.
    EI_min, EI_max : (k,) float64
        Bending rigidity about the two principal axes of the section, N mm2.
    GJ_polar : (k,) float64
        Torsional rigidity as CT-rigidity analysis has it, the sum of G r^2 dA, N mm2.
    GJ_true : (k,) float64
        Saint-Venant's torsional rigidity, solved on the section, N mm2.
    ratio : mapping of str to (k,) float64
        Each of the five, by its name here, over the same section of the intact twin; 1 is no loss.
    origins : (k, 3) float64
        Points of the planes, mm.
    axes : (k, 3, 3) float64
        Rows: first and second coordinate in the plane, and its normal towards proximal.
    sections : tuple of Rigidity
        The sections themselves, with their centroids and weak axes in those coordinates. These three are empty in a
        curve that was read back from a folder.
    """

    position: Floats
    EA: Floats
    EI_min: Floats
    EI_max: Floats
    GJ_polar: Floats
    GJ_true: Floats
    ratio: Mapping[str, Floats]
    origins: Floats = field(default_factory=lambda: np.zeros((0, 3)))
    axes: Floats = field(default_factory=lambda: np.zeros((0, 3, 3)))
    sections: tuple[Rigidity, ...] = ()

    def smallest(self, *names: str) -> tuple[float, float, str]:
        """Smallest ratio of any of the rigidities named: its value, its position in percent, and which it is."""
        table = np.stack([self.ratio[name] for name in names])
        which, where = np.unravel_index(int(table.argmin()), table.shape)
        return float(table[which, where]), float(self.position[where]), names[int(which)]

    @property
    def loss(self) -> float:
        """Largest relative loss of EA, EI or polar GJ at any section: what the 35 % rule of CTRA looks at."""
        return 1.0 - self.smallest(*CTRA)[0]


def rigidity_curves(
    points: Floats,
    cells: NDArray[np.integer],
    materials: Mapping[str, fem.Material],
    intact: str,
    position: ArrayLike,
    origins: ArrayLike,
    normals: ArrayLike,
) -> dict[str, RigidityCurve]:
    """Rigidity along the bone of every strategy on one mesh.

    Parameters
    ----------
    points, cells : (n, 3) mm, (m, 4 or 10)
        The mesh.
    materials : mapping of str to fem.Material
        By strategy.
    intact : str
        The strategy that is the reference.
    position : (k,) float
        Percent along the bone, to label the sections.
    origins, normals : (k, 3)
        The planes: points (mm) and tangents of the centreline.

    Returns
    -------
    dict of str to RigidityCurve

    Raises
    ------
    InputError
        If `intact` is no strategy or a plane misses the mesh.

    Notes
    -----
    Where two strategies have the same materials in a section it is computed once. Ratios compare the weak axis with
    the weak axis of the intact twin and the strong with the strong, as CTRA does, though a defect may turn them.
    """
    if intact not in materials:
        raise InputError(
            f"intact = {intact!r} is no strategy.", "The loss has no reference.", f"Use one of {', '.join(materials)}."
        )
    found: dict[str, list[Rigidity]] = {name: [] for name in materials}
    for origin, normal in zip(np.atleast_2d(origins), np.atleast_2d(normals), strict=True):
        flat, triangles, cell = cut(points, cells, origin, normal)
        known: dict[bytes, Rigidity] = {}
        for name, material in materials.items():
            pair = moduli(material, cell, normal)
            key = np.stack(pair).tobytes()
            if key not in known:
                known[key] = properties(Section(flat, triangles, *pair, cell))
            found[name].append(known[key])
    where = np.atleast_1d(np.asarray(position, float))
    table = {name: _table(rows) for name, rows in found.items()}
    planes = np.atleast_2d(np.asarray(origins, float)), np.stack([plane_axes(one) for one in np.atleast_2d(normals)])
    return {
        name: RigidityCurve(
            where,
            **rows,
            ratio={key: rows[key] / table[intact][key] for key in RIGIDITIES},
            origins=planes[0],
            axes=planes[1],
            sections=tuple(found[name]),
        )
        for name, rows in table.items()
    }


def _table(rows: list[Rigidity]) -> dict[str, Floats]:
    own = {"GJ_true": "GJ"}
    return {name: np.array([getattr(row, own.get(name, name)) for row in rows]) for name in RIGIDITIES}
