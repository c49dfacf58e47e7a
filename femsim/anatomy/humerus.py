"""Parametric humerus: head, tubercles and groove, shaft with deltoid tuberosity, trochlea, capitellum, epicondyles."""

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
from femsim.solid import (
    Capsule,
    Ellipsoid,
    HalfSpace,
    Loft,
    RoundCone,
    SmoothDifference,
    SmoothUnion,
    Solid,
    Sphere,
)
from femsim.solid._key import content_key

_RANGES = {
    "length": (220.0, 400.0, "mm"),
    "head_diameter": (34.0, 58.0, "mm"),
    "inclination": (120.0, 155.0, "degrees"),
    "retroversion": (0.0, 60.0, "degrees"),
    "offset": (4.0, 14.0, "mm"),
    "shaft_ap": (15.0, 32.0, "mm"),
    "shaft_ml": (15.0, 32.0, "mm"),
    "cortical_thickness": (1.5, 8.0, "mm"),
    "epicondylar_width": (45.0, 80.0, "mm"),
    "density_factor": (0.0, 2.0, "-"),
}


# How triangular the section of the lower shaft is; how far the deltoid tuberosity stands proud, mm.
_CORNERS = 0.05
_PROUD = 1.6
# Step from the head down to the anatomical neck, and depth of that neck's plane below the centre of the head, mm.
_COLLAR = 1.2
_NECK_PLANE = 4.0


@dataclass(frozen=True)
class HumerusShape:
    """Anatomical parameters of a humerus; lengths in mm, angles in degrees.

    Attributes
    ----------
    length : float
        From the trochlea to the top of the head, along the axis of the shaft.
    head_diameter : float
        Of the head's sphere.
    inclination : float
        Between the axis of the head and the long axis.
    retroversion : float
        Of the axis of the head against the epicondylar line, towards posterior.
    offset : float
        Distance of the head centre from the axis of the shaft.
    shaft_ap, shaft_ml : float
        Outer widths at mid-shaft.
    cortical_thickness : float
        Mean of the medial and the lateral wall at mid-shaft.
    epicondylar_width : float
        Between the tips of the epicondyles.
    density_factor : float
        Multiplies the density of the trabecular bone.
    side : {"right", "left"}
        The left humerus is the mirror image, x pointing to medial.
    """

    length: float = 306.0
    head_diameter: float = 44.8
    inclination: float = 137.7
    retroversion: float = 28.0
    offset: float = 8.0
    shaft_ap: float = 22.5
    shaft_ml: float = 22.0
    cortical_thickness: float = 5.0
    epicondylar_width: float = 62.0
    density_factor: float = 1.0
    side: str = "right"

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)
        check_canal(self)


def humerus(**parameters: float | str) -> Bone:
    """Parametric humerus; the parameters are those of `HumerusShape`. See `femsim.anatomy.femur`.

    Raises
    ------
    GeometryError
        If a parameter is out of range or two do not fit each other.
    """
    return build("humerus", HumerusShape, draft, parameters)


@dataclass(frozen=True, eq=False)
class _Layout:
    shape: HumerusShape
    distal: float  # scale of the elbow
    proximal: float  # scale of the tubercles
    head: Array
    base: Array
    neck: Array

    def middle(self, z: float | Array) -> Array:
        """Anterior shift of the centreline, mm."""
        data = proportions("humerus")["profile"]
        return self.shape.shaft_ap * curve(data["fraction"], data["forward"])(np.asarray(z) / self.shape.length)


def draft(shape: HumerusShape) -> Draft:
    """The right humerus in its own frame."""
    alpha, back = np.deg2rad(shape.inclination), np.deg2rad(shape.retroversion)
    neck = np.array([-np.sin(alpha) * np.cos(back), -np.sin(alpha) * np.sin(back), -np.cos(alpha)])
    head = np.array([0.0, 0.0, shape.length - shape.head_diameter / 2])
    head[:2] = shape.offset / np.sin(alpha) * neck[:2]
    base = head - shape.offset / np.sin(alpha) * neck
    lay = _Layout(shape, shape.epicondylar_width / 62.0, shape.head_diameter / 44.8, head, base, neck)
    z = np.linspace(0.05, 0.92, 49) * shape.length
    line = np.column_stack([np.zeros_like(z), lay.middle(z), z])
    content = content_key("humerus", astuple(shape)[:-1])
    marks, radius = _landmarks(lay), shape.head_diameter / 2
    return Draft("humerus", _outer(lay), _Wall(lay), line, marks, shape.cortical_thickness, radius, content)


def _outer(lay: _Layout) -> Solid:
    v, top = lay.proximal, lay.shape.length

    def at(x: float, y: float, z: float) -> Array:
        return np.array([x * v, y * v, top + z * v])

    parts: tuple[Solid, ...] = (
        _shaft(lay),
        _elbow(lay),
        _deltoid(lay),
        RoundCone(at(8.0, 0.0, -44.0), at(10.5, -1.0, -19.0), 11.5 * v, 11.0 * v),
        Ellipsoid(at(7.0, -8.0, -26.0), np.array([13.0, 13.0, 15.0]) * v),
        Ellipsoid(at(-2.0, 13.5, -27.0), np.array([9.0, 9.0, 14.0]) * v),
        # a collar just wider than the head: its edge is the anatomical neck
        Sphere(lay.head, lay.shape.head_diameter / 2 + _COLLAR),
    )
    body = SmoothUnion(parts, (12.0, 14.0, 12.0 * v, 8.0 * v, 8.0 * v, 4.0))
    # above the plane of the anatomical neck there is nothing but the head
    above = HalfSpace(lay.head - _NECK_PLANE * v * lay.neck, -lay.neck)
    head = Sphere(lay.head, lay.shape.head_diameter / 2)
    whole: Solid = SmoothUnion((SmoothDifference(body, above, 4.0), head), (2.5,))
    groove = Capsule(at(8.5, 20.5, -12.0), at(7.0, 18.0, -54.0), 4.5 * v)
    for cut in (*_fossae(lay), groove):
        whole = SmoothDifference(whole, cut, 4.0)
    return whole


def _shaft(lay: _Layout) -> Loft:
    shape, data = lay.shape, proportions("humerus")["profile"]
    bottom, step = 0.06 * shape.length, 2.5
    top = shape.length - 30.0 * lay.proximal
    z = np.asarray(bottom + step * np.arange(int((top - bottom) / step) + 1), dtype=np.float64)
    at: Array = z / shape.length
    ml, ap = (curve(data["fraction"], data[k])(at) for k in ("ml", "ap"))
    low, high = smooth_step((0.30 - at) / 0.20), smooth_step((at - 0.70) / 0.16)
    ml = widths(ml, shape.shaft_ml, (low, 22.0 * lay.distal), (high, 22.0 * lay.proximal))
    ap = widths(ap, shape.shaft_ap, (low, 22.5 * lay.distal), (high, 22.5 * lay.proximal))
    theta = angles()[None, :]
    # rounded triangle below, round above
    sharp = _CORNERS * smooth_step((0.75 - at) / 0.35)[:, None]
    radius = 1.0 + sharp * np.cos(3 * (theta - np.pi / 2)) + 0.02 * bump(theta, 180.0, 20.0)
    return shaft(radius, ml, ap, np.column_stack([np.zeros_like(z), lay.middle(z)]), bottom, step)


def _deltoid(lay: _Layout) -> Ellipsoid:
    """Deltoid tuberosity: a low swelling on the lateral side, above the section at mid-shaft."""
    shape = lay.shape
    return Ellipsoid(
        np.array([0.5 * shape.shaft_ml + _PROUD - 4.5, 2.0, 0.585 * shape.length]),
        np.array([4.5, 4.5, 0.055 * shape.length]),
    )


def _elbow(lay: _Layout) -> Solid:
    u = lay.distal
    y = float(lay.middle(0.05 * lay.shape.length))

    def at(x: float, dy: float, z: float) -> Array:
        return np.array([x * u, y + dy * u, z * u])

    parts: tuple[Solid, ...] = (
        Ellipsoid(at(-19.0, 4.0, 12.5), np.array([6.0, 12.5, 12.5]) * u),
        Capsule(at(-20.0, 4.0, 12.0), at(0.0, 4.0, 12.5), 8.5 * u),
        Ellipsoid(at(-2.0, 4.0, 12.5), np.array([5.0, 10.5, 10.5]) * u),
        Sphere(at(10.5, 5.0, 13.0), 10.5 * u),
        RoundCone(at(-13.0, 0.0, 23.5), at(-26.3, -1.0, 24.0), 9.5 * u, 4.3 * u),
        RoundCone(at(11.0, 0.0, 23.5), at(25.6, -1.0, 24.0), 9.5 * u, 5.0 * u),
    )
    return SmoothUnion(parts, (6.0 * u, 6.0 * u, 4.0 * u, 12.0 * u, 12.0 * u))


def _fossae(lay: _Layout) -> tuple[Ellipsoid, Ellipsoid]:
    """Olecranon fossa behind, coronoid fossa in front; some 5 mm of bone between them."""
    u = lay.distal
    y = float(lay.middle(0.09 * lay.shape.length))
    behind = Ellipsoid(np.array([-2.0 * u, y - 12.5 * u, 28.0 * u]), np.array([11.0, 9.0, 10.0]) * u)
    before = Ellipsoid(np.array([-4.0 * u, y + 11.0 * u, 29.0 * u]), np.array([10.0, 7.0, 7.0]) * u)
    return behind, before


@dataclass(frozen=True, eq=False)
class _Wall:
    """Thickness of the cortex, mm, at points (n, 3)."""

    lay: _Layout

    def __call__(self, points: Array) -> Array:
        shape, data = self.lay.shape, proportions("humerus")["wall"]
        at = points[:, 2] / shape.length
        wall = shape.cortical_thickness * curve(data["fraction"], data["share"])(at)
        # the canal is rounder than the outer section and does not follow the tuberosity
        theta = np.arctan2(points[:, 1] - self.lay.middle(points[:, 2]), points[:, 0])
        sharp = _CORNERS * smooth_step((0.75 - at) / 0.35) * 0.25 * (shape.shaft_ml + shape.shaft_ap)
        wall = wall + sharp * np.cos(3 * (theta - np.pi / 2)) * smooth_step(np.hypot(points[:, 0], points[:, 1]) / 5.0)
        wall = wall + _PROUD * bump(theta, 10.0, 25.0) * np.exp(-(((at - 0.585) / 0.045) ** 2))
        away = np.linalg.norm(points - self.lay.head, axis=1) / (shape.head_diameter / 2)
        # the articular side of the head
        medial = smooth_step(((points - self.lay.head) @ self.lay.neck / shape.head_diameter + 0.2) / 0.4)
        head = medial * smooth_step((1.4 - away) / 0.4)
        wall = (1.0 - head) * wall + head * data["head_mm"] * shape.cortical_thickness / 5.0
        return np.maximum(wall, data["thinnest"])


def _landmarks(lay: _Layout) -> dict[str, Array]:
    u, v, top = lay.distal, lay.proximal, lay.shape.length
    y = float(lay.middle(0.05 * top))
    return {
        "head_centre": lay.head,
        "neck_base": lay.base,
        "neck_centre": lay.base,
        "greater_tubercle": np.array([21.5 * v, -1.0 * v, top - 26.0 * v]),
        "lesser_tubercle": np.array([-2.0 * v, 22.5 * v, top - 27.0 * v]),
        "deltoid_tuberosity": np.array([0.5 * lay.shape.shaft_ml + 2.0, 2.0, 0.585 * top]),
        "lateral_epicondyle": np.array([31.0 * u, y - 1.0 * u, 24.0 * u]),
        "medial_epicondyle": np.array([-31.0 * u, y - 1.0 * u, 24.0 * u]),
        "elbow_centre": np.array([0.0, y - 1.0 * u, 24.0 * u]),
        "distal_centre": np.array([-4.0 * u, y + 4.0 * u, 2.0 * u]),
    }
