"""A straight hollow cylinder as a bone: the case whose bending, twisting and stretching has a closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy.bone import Bone
from femsim.anatomy.bone_axis import BoneAxis
from femsim.anatomy.density import trabecular_density
from femsim.anatomy.frame import Centreline, Frame
from femsim.anatomy.sites import sites_of
from femsim.errors import GeometryError
from femsim.solid import Cylinder


def tube(outer_diameter: float = 28.0, inner_diameter: float = 13.0, length: float = 200.0) -> Bone:
    """Straight hollow cylinder along z with flat ends, hollow from end to end.

    Parameters
    ----------
    outer_diameter, inner_diameter : float
        mm. The default 28/13 is the femoral shaft of the verification cases.
    length : float
        mm; z runs from 0 to `length`.

    Raises
    ------
    GeometryError
        If a size is not positive and finite or there is no wall.
    """
    if not (np.isfinite([outer_diameter, inner_diameter, length]).all() and 0 < inner_diameter < outer_diameter):
        raise GeometryError(
            f"A tube of {outer_diameter} / {inner_diameter} mm has no wall.",
            "The inner diameter must lie between 0 and the outer one.",
            "Give an inner diameter smaller than the outer one.",
        )
    if length <= 0:
        raise GeometryError(f"A tube {length} mm long is not possible.", "It has no volume.", "Give a positive length.")
    frame = Frame(np.zeros(3), *np.eye(3))
    centreline = Centreline(np.array([[0, 0, 0], [0, 0, length]], float), np.array([0.0, 1.0]))
    landmarks = {"distal_centre": np.zeros(3), "proximal_centre": np.array([0.0, 0.0, length])}
    top = np.array([0.0, 0.0, length])
    # The canal runs 1 mm past each end, so that no end face of the tube coincides with one of the canal.
    beyond = np.array([0.0, 0.0, 1.0])
    return Bone(
        kind="tube",
        side="right",
        periosteum=Cylinder(np.zeros(3), top, outer_diameter / 2),
        endosteum=Cylinder(-beyond, top + beyond, inner_diameter / 2),
        frame=frame,
        landmarks=landmarks,
        centreline=centreline,
        length=float(length),
        surface=_cylinder_surface(outer_diameter / 2, length),
        density=trabecular_density("tube", frame, length, landmarks),
        axis=BoneAxis(frame, centreline, length),
        sites=sites_of("tube", frame, centreline, landmarks, length),
        name=f"tube {outer_diameter:g}/{inner_diameter:g} mm",
    )


def _cylinder_surface(radius: float, length: float, around: int = 48) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rows = max(2, round(length / (2 * np.pi * radius / around)) + 1)
    angle = 2 * np.pi * np.arange(around) / around
    ring = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    points = [np.column_stack([ring, np.full(around, z)]) for z in np.linspace(0, length, rows)]
    points.append(np.array([[0, 0, 0], [0, 0, length]], float))
    a = (np.arange(around)[None, :] + around * np.arange(rows - 1)[:, None]).ravel()
    b = np.where(a % around == around - 1, a + 1 - around, a + 1)
    side = np.concatenate([np.column_stack([a, b, b + around]), np.column_stack([a, b + around, a + around])])
    first, second = np.arange(around), np.roll(np.arange(around), -1)
    last = around * (rows - 1)
    bottom = np.column_stack([second, first, np.full(around, around * rows)])
    upper = np.column_stack([first + last, second + last, np.full(around, around * rows + 1)])
    return np.concatenate(points), np.concatenate([side, bottom, upper]).astype(np.int64)
