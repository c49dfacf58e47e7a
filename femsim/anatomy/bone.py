"""A bone: what the patient brings, whatever it was made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.anatomy.frame import Centreline, Frame
from femsim.errors import InputError
from femsim.solid.base import Solid


@dataclass(frozen=True, eq=False)
class Site:
    """A named place of a bone.

    Attributes
    ----------
    fraction : float
        Position along the bone, 0 distal to 1 proximal.
    point : (3,) float64
        Its centre inside the bone, mm.
    axis : (3,) float64
        Local axis of the bone there: the shaft's, or the neck's.
    meaning : str
        What the place is.
    """

    fraction: float
    point: NDArray[np.float64]
    axis: NDArray[np.float64]
    meaning: str = ""


@dataclass(frozen=True, eq=False)
class Bone:
    """A long bone with its anatomy.

    Attributes
    ----------
    kind : {"femur", "humerus", "tibia", "tube"}
        Which bone.
    side : {"left", "right"}
        Which side of the body.
    periosteum, endosteum : Solid
        Outer surface; inner surface of the cortex, everywhere inside the periosteum.
    frame : Frame
        Anatomical directions; the third local coordinate runs from 0 to `length`.
    landmarks : mapping of str to (3,) float64
        Named points, mm.
    centreline : Centreline
        Axis of the shaft and canal.
    length : float
        Extent along `frame.proximal`, mm.
    surface : (points (p, 3), triangles (t, 3))
        Closed, outward triangles of the periosteum, mm.
    density : callable, (n, 3) mm -> (n,) g/cm3
        Apparent density of trabecular bone inside the endosteum; 0 is marrow.
    axis : callable, (n, 3) mm -> (n, 3)
        Unit long axis of the cortex (the stiff direction of its material).
    sites : mapping of str to Site
        Named places for lesions.
    name : str
        What to call it in tables and figures.
    notes : tuple of str
        What was repaired or assumed. Never empty when something was.
    """

    kind: str
    side: str
    periosteum: Solid
    endosteum: Solid
    frame: Frame
    landmarks: Mapping[str, NDArray[np.float64]]
    centreline: Centreline
    length: float
    surface: tuple[NDArray[np.float64], NDArray[np.int64]]
    density: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    axis: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    sites: Mapping[str, Site] = field(default_factory=dict)
    name: str = ""
    notes: tuple[str, ...] = ()

    def fraction(self, points: ArrayLike) -> NDArray[np.float64]:
        """Position along the bone of points (n, 3) mm: 0 distal end, 1 proximal end; (n,)."""
        return np.atleast_2d(self.frame.to_local(points))[:, 2] / self.length

    def site(self, name: str) -> Site:
        """A named place.

        Raises
        ------
        InputError
            If this bone has no such place.
        """
        if name not in self.sites:
            raise InputError(
                f"site = {name!r} is no place of a {self.kind}.",
                "The lesion cannot be placed.",
                f"Use one of {', '.join(self.sites)}, or a position in percent of the length.",
            )
        return self.sites[name]


def site_fraction(bone: Bone, site: str) -> float:
    """Position of a named place along the bone, 0 distal to 1 proximal."""
    return bone.site(site).fraction
