"""One material point, led along a path of strain or of stress: how a law is looked at and verified."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import SolveError
from femsim.fem.elements import element
from femsim.fem.material import Material
from femsim.fem.model import Model
from femsim.fem.nonlinear.laws import Inelastic, Law
from femsim.fem.nonlinear.state import Points, Response, State, points_of
from femsim.fem.workspace import make_grid

Floats = NDArray[np.float64]

#: Newton iterations for one increment of stress.
ITERATIONS = 60


@dataclass(frozen=True, eq=False)
class Path:
    """History of a material point: strain, stress and plastic strain (s, 6), kappa (s,)."""

    strain: Floats
    stress: Floats
    plastic: Floats
    kappa: Floats


def single_point(stiffness: ArrayLike, law: Law | None, *, size: float = 1.0) -> Points:
    """A model of one quadrature point.

    Parameters
    ----------
    stiffness : (6, 6)
        Elastic stiffness, MPa.
    law : Law or None
    size : float
        Width of the softening band, mm.
    """
    material = Material(np.asarray(stiffness, float), np.zeros(1, np.int64))
    model = Model(element("tet4").nodes, np.arange(4)[None], material, element="tet4")
    return points_of(make_grid(model, 1), material, Inelastic((law,), size=np.array([size])))


def follow_strain(points: Points, strains: ArrayLike) -> Path:
    """Response of a single point to a sequence of strains (s, 6)."""
    state, history = points.fresh(), []
    table = np.atleast_2d(np.asarray(strains, float))
    for strain in table:
        response = points.respond(strain.reshape(1, 1, 6), state)
        state = points.settle(response)
        history.append((response.stress[0, 0], state.plastic[0, 0], state.kappa[0, 0]))
    return _path(list(table), history)


def follow_stress(points: Points, corners: ArrayLike, increments: int) -> Path:
    """Strain of a single point under a path of stress, straight from corner to corner, from zero.

    Parameters
    ----------
    corners : (c, 6)
        MPa.
    increments : int
        Per leg.

    Raises
    ------
    SolveError
        If a stress cannot be reached: it is beyond the strength.
    """
    state, strain, history, strains = points.fresh(), np.zeros(6), [], []
    start = np.zeros(6)
    for corner in np.atleast_2d(np.asarray(corners, float)):
        for part in np.linspace(0.0, 1.0, increments + 1)[1:]:
            strain, response = _reach(points, state, strain, start + part * (corner - start))
            state = points.settle(response)
            strains.append(strain)
            history.append((response.stress[0, 0], state.plastic[0, 0], state.kappa[0, 0]))
        start = corner
    return _path(strains, history)


def _reach(points: Points, state: State, strain: Floats, target: Floats) -> tuple[Floats, Response]:
    for _ in range(ITERATIONS):
        response = points.respond(strain.reshape(1, 1, 6), state)
        gap = target - response.stress[0, 0]
        if np.abs(gap).max() <= 1e-10 * max(1.0, np.abs(target).max()):
            return strain, response
        strain = strain + np.linalg.lstsq(response.tangent[0, 0], gap)[0]  # singular where the strength is reached
    raise SolveError(
        f"The stress {np.array2string(target, precision=4)} MPa cannot be reached (gap {np.abs(gap).max():.3g} MPa).",
        "It lies outside what the material can carry, or the increment is too large.",
        "Give smaller stresses or more increments.",
    )


def _path(strains: list[Floats], history: list[tuple[Floats, Floats, float]]) -> Path:
    stress, plastic, kappa = (np.array([row[i] for row in history]) for i in range(3))
    return Path(np.array(strains), stress, plastic, kappa)
