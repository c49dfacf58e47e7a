"""Apparent density of the trabecular bone inside a bone for which no image gives it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy.frame import Frame


@dataclass(frozen=True, eq=False)
class TrabecularDensity:
    """Density by position along the bone, raised towards the centre of the joint head.

    Attributes
    ----------
    frame : Frame
        Anatomical frame of the bone.
    length : float
        Length of the bone, mm.
    fractions, profile : (k,) float64
        Position along the bone, 0 distal to 1 proximal, and density there, g/cm3.
    head_centre : (3,) float64, optional
        Centre of the joint head, mm.
    head_radius : float
        mm.
    head : float
        Density at the centre of the head, g/cm3.
    reach : float
        Distance over which the head's density fades into the profile, in head radii.
    factor : float
        Multiplies everything (osteoporosis below 1).
    """

    frame: Frame
    length: float
    fractions: NDArray[np.float64]
    profile: NDArray[np.float64]
    head_centre: NDArray[np.float64] | None = None
    head_radius: float = 0.0
    head: float = 0.0
    reach: float = 1.0
    factor: float = 1.0

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Apparent density (n,) g/cm3 at points (n, 3) mm."""
        points = np.atleast_2d(np.asarray(points, dtype=np.float64))
        density = np.interp(self.frame.to_local(points)[:, 2] / self.length, self.fractions, self.profile)
        if self.head_centre is not None:
            away = np.linalg.norm(points - self.head_centre, axis=1) / (self.reach * self.head_radius)
            weight = smooth_step(1.0 - away)
            density = weight * np.maximum(self.head, density) + (1.0 - weight) * density
        return self.factor * density


def trabecular_density(
    kind: str,
    frame: Frame,
    length: float,
    landmarks: Mapping[str, NDArray[np.float64]],
    head_radius: float | None = None,
    factor: float = 1.0,
) -> TrabecularDensity:
    """Density rule of a kind of bone, for a parametric bone and for a surface without an image.

    Parameters
    ----------
    kind : str
        "femur", "humerus", "tibia" or "tube".
    frame, length, landmarks
        As in `Bone`; ``landmarks["head_centre"]`` is used where the bone has a head.
    head_radius : float, optional
        Radius of the joint head, mm. Without it the profile alone is used.
    factor : float
        Multiplies every density.
    """
    data = _table()[kind]
    has_head = "head" in data and head_radius is not None and "head_centre" in landmarks
    return TrabecularDensity(
        frame,
        length,
        np.array(data["fraction"], float),
        np.array(data["profile"], float),
        landmarks["head_centre"] if has_head else None,
        float(head_radius or 0.0),
        float(data.get("head", 0.0)),
        float(data.get("reach", 1.0)),
        float(factor),
    )


def smooth_step(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 below 0, 1 above 1, twice differentiable between (quintic)."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (x * (6.0 * x - 15.0) + 10.0)


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads((files("femsim.anatomy") / "data" / "density.toml").read_text(encoding="utf-8"))
