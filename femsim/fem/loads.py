"""Loads as data. A load case is a sequence of them; `forces.nodal_forces` turns each into nodal forces.

Faces are (cell, local face) pairs, local faces in VTK order (`Element.faces`). Forces are N, lengths mm, stresses MPa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NodalForce:
    """Forces on nodes: ``force`` is (3,), the same on every node, or (p, 3), N. A repeated node counts twice."""

    nodes: Ints
    force: ArrayLike
    name: str = ""


@dataclass(frozen=True, eq=False)
class Traction:
    """Force per area on faces (f, 2): ``traction`` is (3,) or one (f, 3) per face, MPa, in global axes."""

    faces: Ints
    traction: ArrayLike
    name: str = ""


@dataclass(frozen=True, eq=False)
class SurfaceForce:
    """A total force (3,), N, spread evenly over the area of faces (f, 2)."""

    faces: Ints
    force: ArrayLike
    name: str = ""


@dataclass(frozen=True, eq=False)
class Pressure:
    """Pressure on faces (f, 2), MPa, one value or (f,); positive pushes into the body; it does not turn with it."""

    faces: Ints
    pressure: ArrayLike
    name: str = ""


@dataclass(frozen=True, eq=False)
class BodyForce:
    """Force per volume, N/mm3: (3,) for all of the given cells (default every cell), or one (c, 3) for each of them."""

    vector: ArrayLike
    cells: Ints | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class Centrifugal:
    """Inertia of a rotation at ``omega`` rad/s about an axis through ``point`` (mm) along ``direction``.

    ``density`` is in t/mm3 = N s2/mm4 (1 g/cm3 is 1e-9), one value or (m,) per cell.
    """

    omega: float
    point: ArrayLike
    direction: ArrayLike
    density: ArrayLike
    name: str = ""


@dataclass(frozen=True, eq=False)
class RemoteForce:
    """A force (N) and a moment (N mm) at ``point`` (mm), spread over nodes by a distributing coupling.

    The nodal forces are statically equivalent and follow a rigid-body pattern, so the nodes are loaded and not
    stiffened. ``weights`` (p,) default to one each; on an uneven mesh give the nodes' share of area
    (`forces.nodal_areas`).
    """

    nodes: Ints
    point: ArrayLike
    force: ArrayLike = (0.0, 0.0, 0.0)
    moment: ArrayLike = (0.0, 0.0, 0.0)
    weights: ArrayLike | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class CouplingForce:
    """A force (N) and a moment (N mm) on the reference point of the `RigidCoupling` of that name."""

    coupling: str
    force: ArrayLike = (0.0, 0.0, 0.0)
    moment: ArrayLike = (0.0, 0.0, 0.0)
    name: str = ""


@dataclass(frozen=True, eq=False)
class Thermal:
    """Temperature above the stress-free one, degC: one value or (n,). Needs `Material.thermal_expansion`."""

    temperature: ArrayLike
    name: str = ""


@dataclass(frozen=True, eq=False)
class InitialStrain:
    """Stress-free strain in global axes, (6,), (c, 6) or (c, q, 6), of the given cells (default every cell)."""

    strain: ArrayLike
    cells: Ints | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class ImposedDisplacement:
    """In this load case the `Fixed` of that name has this value, mm: one number, (3,), or (p, 3)."""

    support: str
    value: ArrayLike
    name: str = ""


Load = (
    NodalForce
    | Traction
    | SurfaceForce
    | Pressure
    | BodyForce
    | Centrifugal
    | RemoteForce
    | CouplingForce
    | Thermal
    | InitialStrain
    | ImposedDisplacement
)


def label(load: object) -> str:
    """How a load is called in a message."""
    name = getattr(load, "name", "")
    kind = type(load).__name__
    return f"{kind} {name!r}" if name else kind
