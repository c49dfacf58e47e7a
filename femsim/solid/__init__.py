"""Implicit solids: regions of space given by a signed distance, combined by ``|``, ``&``, ``-`` and ``~``."""

from femsim.solid.arrangement import Arrangement
from femsim.solid.base import Bounds, Solid
from femsim.solid.blob import Noisy, noisy_blob
from femsim.solid.boolean import (
    Complement,
    Difference,
    Intersection,
    Offset,
    SmoothDifference,
    SmoothUnion,
    Union,
    difference,
    intersection,
    union,
)
from femsim.solid.grid import GridSolid, sampled
from femsim.solid.loft import Loft
from femsim.solid.query import gradient, project, volume
from femsim.solid.shapes import Box, Capsule, Cylinder, Ellipsoid, HalfSpace, RoundCone, Sphere
from femsim.solid.tube import SweptTube

__all__ = [
    "Arrangement",
    "Bounds",
    "Box",
    "Capsule",
    "Complement",
    "Cylinder",
    "Difference",
    "Ellipsoid",
    "GridSolid",
    "HalfSpace",
    "Intersection",
    "Loft",
    "Noisy",
    "Offset",
    "RoundCone",
    "SmoothDifference",
    "SmoothUnion",
    "Solid",
    "Sphere",
    "SweptTube",
    "Union",
    "difference",
    "gradient",
    "intersection",
    "noisy_blob",
    "project",
    "sampled",
    "union",
    "volume",
]
