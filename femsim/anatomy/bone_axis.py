"""Local long axis of a bone: the direction in which its cortex is stiff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy.density import smooth_step
from femsim.anatomy.frame import Centreline, Frame


@dataclass(frozen=True, eq=False)
class BoneAxis:
    """Tangent of the centreline, turning into the axis of the neck.

    Attributes
    ----------
    frame, centreline, length
        As in `Bone`.
    neck_base, head_centre : (3,) float64, optional
        Where the neck axis leaves the centreline, and the centre of the head, mm. Between a quarter and 60 % of the
        way from one to the other the axis turns from the shaft's to the neck's.
    """

    frame: Frame
    centreline: Centreline
    length: float
    neck_base: NDArray[np.float64] | None = None
    head_centre: NDArray[np.float64] | None = None

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Unit vectors (n, 3) at points (n, 3) mm."""
        points = np.atleast_2d(np.asarray(points, dtype=np.float64))
        axis = self.centreline.tangent(self.frame.to_local(points)[:, 2] / self.length)
        if self.neck_base is None or self.head_centre is None:
            return axis
        neck = self.head_centre - self.neck_base
        reach = float(np.linalg.norm(neck))
        along = (points - self.neck_base) @ (neck / reach) / reach
        weight = smooth_step((along - 0.25) / 0.35)[:, None]
        axis = (1.0 - weight) * axis + weight * neck / reach
        return axis / np.linalg.norm(axis, axis=1, keepdims=True)
