"""Supports and constraints as data. `constraints.plan` turns them into one transformation of the unknowns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fixed:
    """Prescribed displacement of nodes.

    Parameters
    ----------
    nodes : (p,) int
        The nodes.
    components : sequence of {0, 1, 2}
        Which components are prescribed, along `axes` where given.
    value : float, (3,) or (p, 3)
        Displacement, mm, in the same axes; components not named are ignored.
    axes : None, (3, 3) or (p, 3, 3) float
        Rows are the directions of the components; None is x, y, z.
    name : str
        For messages, reactions and `ImposedDisplacement`.
    """

    nodes: Ints
    components: Sequence[int] = (0, 1, 2)
    value: ArrayLike = 0.0
    axes: ArrayLike | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class LinearConstraint:
    """One equation ``sum coefficients[i] * u[nodes[i], components[i]] = value``."""

    nodes: Sequence[int]
    components: Sequence[int]
    coefficients: Sequence[float]
    value: float = 0.0
    name: str = ""


@dataclass(frozen=True, eq=False)
class RigidCoupling:
    """Nodes that move as one rigid body with a reference point (kinematic coupling: a potted end, a fixture).

    Parameters
    ----------
    nodes : (p,) int
        The nodes.
    point : (3,) float
        Reference point, mm; it need not be a node.
    name : str
        For `CouplingForce` and `Solution.couplings`.
    displacement, rotation : (3,) float
        Prescribed motion of the point, mm and radians (small rotation); NaN leaves a component free.
    """

    nodes: Ints
    point: ArrayLike
    name: str
    displacement: ArrayLike = (np.nan, np.nan, np.nan)
    rotation: ArrayLike = (np.nan, np.nan, np.nan)


@dataclass(frozen=True, eq=False)
class Tie:
    """Nodes glued to the faces of another part, whose mesh need not match.

    Parameters
    ----------
    nodes : (p,) int
        The nodes that follow (take the finer or softer side).
    faces : (f, 2) int
        The (cell, local face) pairs they are glued to.
    tolerance : float
        Largest distance, mm; a node further away is an error.
    name : str
        For messages.
    """

    nodes: Ints
    faces: Ints
    tolerance: float
    name: str = ""


Support = Fixed | LinearConstraint | RigidCoupling | Tie


def label(support: object) -> str:
    """How a support is called in a message."""
    name = getattr(support, "name", "")
    kind = type(support).__name__
    return f"{kind} {name!r}" if name else kind
