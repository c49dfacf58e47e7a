"""Parametric tibia: plateau with eminence, tuberosity, triangular shaft with crest, plafond and medial malleolus."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from femsim.anatomy.bone import Bone
from femsim.anatomy.density import smooth_step
from femsim.anatomy.parametric import (
    Array,
    Draft,
    angles,
    build,
    bump,
    check_canal,
    check_ranges,
    curve,
    proportions,
    shaft,
    widths,
)
from femsim.solid import Capsule, Ellipsoid, Loft, RoundCone, SmoothDifference, SmoothUnion, Solid, Sphere
from femsim.solid._key import content_key

_RANGES = {
    "length": (260.0, 470.0, "mm"),
    "plateau_width": (56.0, 95.0, "mm"),
    "shaft_ap": (20.0, 40.0, "mm"),
    "shaft_ml": (16.0, 32.0, "mm"),
    "cortical_thickness": (2.0, 9.0, "mm"),
    "torsion": (0.0, 45.0, "degrees"),
    "density_factor": (0.0, 2.0, "-"),
}


# How triangular the section is at mid-shaft, and how sharp its crest, over the mean radius.
_CORNERS = 0.13
_CREST = 0.10


@dataclass(frozen=True)
class TibiaShape:
    """Anatomical parameters of a tibia; lengths in mm, angles in degrees.

    Attributes
    ----------
    length : float
        From the tip of the medial malleolus to the top of the intercondylar eminence, along the axis of the shaft.
    plateau_width : float
        Largest width of the proximal end.
    shaft_ap, shaft_ml : float
        Outer widths at mid-shaft.
    cortical_thickness : float
        Mean of the medial and the lateral wall at mid-shaft.
    torsion : float
        External turn of the line from the middle of the distal metaphysis to the medial malleolus against the plateau.
    density_factor : float
        Multiplies the density of the trabecular bone.
    side : {"right", "left"}
        The left tibia is the mirror image, x pointing to medial.
    """

    length: float = 371.8
    plateau_width: float = 76.0
    shaft_ap: float = 30.0
    shaft_ml: float = 23.0
    cortical_thickness: float = 5.5
    torsion: float = 24.0
    density_factor: float = 1.0
    side: str = "right"

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)
        check_canal(self)


def tibia(**parameters: float | str) -> Bone:
    """Parametric tibia; the parameters are those of `TibiaShape`. See `femsim.anatomy.femur`.

    Raises
    ------
    GeometryError
        If a parameter is out of range or two do not fit each other.
    """
    return build("tibia", TibiaShape, draft, parameters)


@dataclass(frozen=True, eq=False)
class _Layout:
    shape: TibiaShape
    scale: float

    def middle(self, z: float | Array) -> Array:
        """Anterior shift of the middle of the section, mm."""
        data = proportions("tibia")["profile"]
        return self.shape.shaft_ap * curve(data["fraction"], data["forward"])(np.asarray(z) / self.shape.length)

    def turn(self, at: float | Array) -> Array:
        """Turn of the section against the plateau at a position along the bone, radians, external positive."""
        return np.deg2rad(self.shape.torsion) * smooth_step((0.80 - np.asarray(at, float)) / 0.75)


def draft(shape: TibiaShape) -> Draft:
    """The right tibia in its own frame."""
    lay = _Layout(shape, shape.plateau_width / 76.0)
    z = np.linspace(0.05, 0.95, 49) * shape.length
    line = np.column_stack([np.zeros_like(z), lay.middle(z), z])
    content = content_key("tibia", astuple(shape)[:-1])
    return Draft("tibia", _outer(lay), _Wall(lay), line, _landmarks(lay), shape.cortical_thickness, None, content)


def _outer(lay: _Layout) -> Solid:
    return SmoothUnion((_shaft(lay), _plateau(lay), _ankle(lay)), (16.0, 12.0))


def _shaft(lay: _Layout) -> Loft:
    shape, data = lay.shape, proportions("tibia")["profile"]
    bottom, step = 0.045 * shape.length, 2.5
    top = shape.length - 20.0 * lay.scale
    z = np.asarray(bottom + step * np.arange(int((top - bottom) / step) + 1), dtype=np.float64)
    at: Array = z / shape.length
    ml, ap, sharp = (curve(data["fraction"], data[k])(at) for k in ("ml", "ap", "triangle"))
    ends = smooth_step((0.25 - at) / 0.17) + smooth_step((at - 0.70) / 0.17)
    ml = widths(ml, shape.shaft_ml, (ends, 23.0 * lay.scale))
    ap = widths(ap, shape.shaft_ap, (ends, 30.0 * lay.scale))
    # at mid-shaft the widths are those asked for, so the section may turn only below it
    theta: Array = angles()[None, :] + (lay.turn(at) - lay.turn(0.5))[:, None] * smooth_step((0.5 - at) / 0.1)[:, None]
    radius = 1.0 + sharp[:, None] * (_CORNERS * np.cos(3 * (theta - np.pi / 2)) + _CREST * bump(theta, 90.0, 14.0))
    return shaft(radius, ml, ap, np.column_stack([np.zeros_like(z), lay.middle(z)]), bottom, step)


def _plateau(lay: _Layout) -> Solid:
    u, top = lay.scale, lay.shape.length
    y = float(lay.middle(0.96 * top))

    def at(x: float, dy: float, z: float) -> Array:
        return np.array([x * u, y + dy * u, top + z * u])

    body: tuple[Solid, ...] = (
        Ellipsoid(at(-17.8, 1.0, -21.0), np.array([19.6, 25.0, 18.0]) * u),
        Ellipsoid(at(18.3, -2.0, -21.0), np.array([19.1, 22.0, 18.0]) * u),
        Ellipsoid(at(0.0, 8.0, -24.0), np.array([22.0, 18.0, 18.0]) * u),
    )
    joined: Solid = SmoothUnion(body, (12.0 * u, 12.0 * u))
    # the two shallow dishes for the condyles of the femur
    for x in (-19.0, 19.0):
        joined = SmoothDifference(joined, Sphere(at(x, 0.0, 52.0), 59.0 * u), 5.0 * u)
    joined = SmoothDifference(joined, Ellipsoid(at(0.0, -27.0, -10.0), np.array([7.0, 11.0, 15.0]) * u), 6.0 * u)
    peaks: tuple[Solid, ...] = (
        joined,
        RoundCone(at(-4.5, -3.0, -14.0), at(-4.0, -3.0, -3.0), 6.0 * u, 3.0 * u),
        RoundCone(at(5.0, -5.0, -14.0), at(4.5, -5.0, -4.5), 6.0 * u, 3.0 * u),
        RoundCone(at(3.0, 23.0, -34.0), at(2.0, 22.0, -48.0), 7.0 * u, 5.5 * u),
    )
    return SmoothUnion(peaks, (6.0 * u, 4.0 * u, 14.0 * u))


def _ankle(lay: _Layout) -> Solid:
    u = lay.scale
    y = float(lay.middle(0.05 * lay.shape.length))
    turn = float(lay.turn(0.05))

    def at(x: float, dy: float, z: float) -> Array:
        # external torsion brings the medial side forward
        return np.array(
            [
                u * (x * np.cos(turn) + dy * np.sin(turn)),
                y + u * (dy * np.cos(turn) - x * np.sin(turn)),
                z * u,
            ]
        )

    parts: tuple[Solid, ...] = (
        Ellipsoid(at(2.0, 0.0, 24.0), np.array([23.0, 19.0, 15.0]) * u),
        RoundCone(at(-15.0, 0.0, 27.0), at(-20.0, 0.0, 7.5), 11.0 * u, 7.5 * u),
    )
    joined: Solid = SmoothUnion(parts, (8.0 * u,))
    talus = Capsule(at(9.0, 1.0, -8.0), at(34.0, 1.0, -8.0), 21.0 * u)
    joined = SmoothDifference(joined, talus, 4.0 * u)
    fibula = Ellipsoid(at(31.0, 0.0, 24.0), np.array([9.0, 9.0, 28.0]) * u)
    return SmoothDifference(joined, fibula, 6.0 * u)


@dataclass(frozen=True, eq=False)
class _Wall:
    """Thickness of the cortex, mm, at points (n, 3): thickest at the crest."""

    lay: _Layout

    def __call__(self, points: Array) -> Array:
        lay, shape, data = self.lay, self.lay.shape, proportions("tibia")["wall"]
        at = points[:, 2] / shape.length
        sharp = curve(proportions("tibia")["profile"]["fraction"], proportions("tibia")["profile"]["triangle"])(at)
        theta = np.arctan2(points[:, 1] - lay.middle(points[:, 2]), points[:, 0])
        theta = theta + (lay.turn(at) - lay.turn(0.5)) * smooth_step((0.5 - at) / 0.1)
        around = data["crest"] * bump(theta, 90.0, 45.0) + data["posterior"] * bump(theta, 270.0, 40.0)
        # the canal is rounder than the outer section
        corners = _CORNERS * np.cos(3 * (theta - np.pi / 2)) + _CREST * bump(theta, 90.0, 26.0)
        rounder = data["rounder"] * corners * 0.25 * (shape.shaft_ml + shape.shaft_ap)
        # towards the axis the angle means nothing
        fade = sharp * smooth_step(np.hypot(points[:, 1] - lay.middle(points[:, 2]), points[:, 0]) / 3.0)
        wall = shape.cortical_thickness * curve(data["fraction"], data["share"])(at) * (1.0 + fade * around)
        wall = wall + fade * rounder
        return np.maximum(wall, data["thinnest"])


def _landmarks(lay: _Layout) -> dict[str, Array]:
    u, top = lay.scale, lay.shape.length
    y, low = float(lay.middle(0.96 * top)), float(lay.middle(0.05 * top))
    turn = float(lay.turn(0.05))
    tip = 20.0 * u * np.array([-np.cos(turn), np.sin(turn), 0.0])
    return {
        "knee_centre": np.array([0.0, y, top]),
        "medial_plateau": np.array([-19.0 * u, y, top - 7.0 * u]),
        "lateral_plateau": np.array([19.0 * u, y, top - 7.0 * u]),
        "tibial_tuberosity": np.array([2.5 * u, y + 29.0 * u, top - 34.0 * u]),
        "medial_malleolus": tip + np.array([0.0, low, 0.0]),
        "ankle_centre": np.array([0.0, low, 13.0 * u]),
        "distal_centre": np.array([0.0, low, 0.0]),
    }
