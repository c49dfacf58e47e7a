"""The parts of which the parametric femur is drawn: shaft, condyles, trochanters, neck and head; and its cortex."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from femsim.anatomy.density import smooth_step
from femsim.anatomy.parametric import Array, angles, bump, curve, proportions, shaft, widths
from femsim.solid import Ellipsoid, Loft, RoundCone, SmoothDifference, SmoothUnion, Solid, Sphere

if TYPE_CHECKING:
    from femsim.anatomy.femur import FemurShape

# Height over depth of the neck's section.
_NECK_OVAL = 1.2


@dataclass(frozen=True, eq=False)
class FemurLayout:
    """Where the parts of one femur lie, mm."""

    shape: FemurShape
    distal: float  # scale of the condyles
    proximal: float  # scale of the trochanters
    head: Array
    base: Array  # where the neck axis meets the centreline
    neck: Array  # unit vector of the neck axis
    tip: Array  # of the greater trochanter
    lesser: Array
    waist: float  # diameter with which the neck is drawn; fillets make it thicker

    def middle(self, z: float | Array) -> Array:
        return bow(self.shape, z)


def bow(shape: FemurShape, z: float | Array) -> Array:
    """Anterior shift of the centreline: an arc from 8 % to 92 % of the length, straight beyond, mm."""
    radius, half = shape.antecurvation_radius, 0.42 * shape.length
    away = np.asarray(z, float) - shape.length / 2
    held = np.clip(away, -half, half)
    arc = np.sqrt(radius**2 - held**2) - radius
    slope = -held / np.sqrt(radius**2 - held**2)
    # the mean line of 25 % to 75 % of the length is the long axis
    span = np.linspace(-0.25, 0.25, 201) * shape.length
    return arc + slope * (away - held) - float(np.mean(np.sqrt(radius**2 - span**2) - radius))


def layout(shape: FemurShape) -> FemurLayout:
    """Where the parts lie, with the neck as narrow as asked for."""
    return _with_neck(_layout(shape))


def _layout(shape: FemurShape) -> FemurLayout:
    alpha, version = np.deg2rad(shape.neck_shaft_angle), np.deg2rad(shape.anteversion)
    neck = np.array([-np.sin(alpha) * np.cos(version), np.sin(alpha) * np.sin(version), -np.cos(alpha)])
    reach = shape.offset / np.sin(alpha)
    height = shape.length - shape.head_diameter / 2 - reach * neck[2]
    base = np.array([0.0, float(bow(shape, height)), height])
    v = shape.head_diameter / 49.0
    head = base + reach * neck
    low = head[2] - 62.0 * v
    tip = np.array([10.0 * v, base[1] - 11.0 * v, head[2] - 8.0 * v])
    lesser = np.array([-14.5 * v, float(bow(shape, low)) - 12.5 * v, low])
    return FemurLayout(shape, shape.epicondylar_width / 84.0, v, head, base, neck, tip, lesser, shape.neck_diameter)


def _with_neck(lay: FemurLayout) -> FemurLayout:
    """The layout whose neck, fillets included, is as narrow as asked for."""
    for _ in range(4):
        lay = replace(lay, waist=lay.waist + lay.shape.neck_diameter - _narrowest(lay))
    return lay


def _narrowest(lay: FemurLayout) -> float:
    """Diameter of the circle with the area of the narrowest section across the neck, mm."""
    solid = outer(lay)
    reach = float(np.linalg.norm(lay.head - lay.base))
    first = np.cross(lay.neck, [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first)
    angle = 2 * np.pi * np.arange(72) / 72
    spoke = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * np.cross(lay.neck, first)
    middle = lay.base + np.linspace(0.45, 0.80, 22)[:, None] * reach * lay.neck
    radius = np.arange(6.0, 34.0, 0.5)
    points = middle[:, None, None] + radius[:, None] * spoke[:, None, :]
    distance = solid.distance(points.reshape(-1, 3)).reshape(points.shape[:3])
    # first crossing outwards, linear between the samples
    out = np.argmax(distance > 0.0, axis=2)[..., None]
    after, before = (np.take_along_axis(distance, np.maximum(i, 0), 2)[..., 0] for i in (out, out - 1))
    edge = radius[np.maximum(out[..., 0] - 1, 0)] + 0.5 * before / (before - after)
    return float(2 * np.sqrt((edge**2).mean(axis=1).min()))


def outer(lay: FemurLayout) -> Solid:
    body = SmoothUnion((_shaft(lay), _condyles(lay), _trochanters(lay)), (22.0, 12.0))
    neck, head = _neck(lay), Sphere(lay.head, lay.shape.head_diameter / 2)
    whole = SmoothUnion((body, neck, head), (14.0, 4.0))
    v = lay.proximal
    fossa = Sphere(lay.base + np.array([-1.0, -17.0, 15.0]) * v, 7.0 * v)
    return SmoothDifference(whole, fossa, 6.0 * v)


def _shaft(lay: FemurLayout) -> Loft:
    shape, data = lay.shape, proportions("femur")["profile"]
    bottom, step = 0.06 * shape.length, 3.0
    top = lay.base[2] + 2.0 * lay.proximal
    z = np.asarray(bottom + step * np.arange(int((top - bottom) / step) + 1), dtype=np.float64)
    at: Array = z / shape.length
    ml, ap, ridge = (curve(data["fraction"], data[k])(at) for k in ("ml", "ap", "ridge"))
    # The metaphyses scale with the joints they carry, the shaft with its own widths.
    distal = smooth_step((0.32 - at) / 0.22)
    upper = smooth_step((at - 0.74) / 0.14)
    ml = widths(ml, shape.shaft_ml, (distal, 27.0 * lay.distal), (upper, 27.0 * lay.proximal))
    ap = widths(ap, shape.shaft_ap, (distal, 29.0 * lay.distal), (upper, 29.0 * lay.proximal))
    theta = angles()[None, :]
    turn = np.deg2rad(shape.twist) * (at[:, None] - 0.5)
    radius = 1.0 + 0.03 * np.cos(3 * (theta - turn) - np.pi / 2)
    size = 0.25 * (shape.shaft_ap + shape.shaft_ml)
    radius = radius + shape.linea_aspera / size * ridge[:, None] * bump(theta - turn, 270.0, 16.0)
    return shaft(radius, ml, ap, np.column_stack([np.zeros_like(z), lay.middle(z)]), bottom, step)


def _condyles(lay: FemurLayout) -> Solid:
    u = lay.distal
    y = float(lay.middle(0.07 * lay.shape.length))

    def ball(x: float, dy: float, z: float, rx: float, ry: float, rz: float) -> Ellipsoid:
        return Ellipsoid(np.array([x * u, y + dy * u, z * u]), np.array([rx, ry, rz]) * u)

    # the medial condyle reaches 5 mm farther down: the shaft stands in valgus on the joint line
    parts: list[Solid] = []
    for side, low in ((1.0, 5.0), (-1.0, 0.0)):
        parts += [
            ball(side * 23.0, -20.0, low + 22.5, 14.0, 21.0, 21.0),
            ball(side * 22.0, -3.0, low + 24.0, 15.0, 27.0, 24.0),
            ball(side * 26.6, -8.0, 35.0, 15.0, 17.0, 20.0),
        ]
    parts += [ball(17.0, 10.0, 36.0, 13.0, 15.0, 26.0), ball(-16.0, 8.0, 35.0, 13.0, 14.0, 25.0)]
    parts.append(ball(0.0, -4.0, 40.0, 26.0, 22.0, 26.0))
    joined = SmoothUnion(tuple(parts), (10.0 * u,) * (len(parts) - 1))
    notch = ball(0.0, -36.0, 4.0, 9.5, 34.0, 27.0)
    groove = RoundCone(
        np.array([0.0, y + 37.0 * u, 62.0 * u]), np.array([0.0, y + 27.0 * u, 4.0 * u]), 13.0 * u, 11.0 * u
    )
    return SmoothDifference(SmoothDifference(joined, notch, 6.0 * u), groove, 8.0 * u)


def _trochanters(lay: FemurLayout) -> Solid:
    v = lay.proximal

    def at(x: float, y: float, z: float) -> Array:
        return lay.base + np.array([x, y, z]) * v

    # the calcar: a straight medial contour from the underside of the neck down to the shaft
    reach = float(np.linalg.norm(lay.head - lay.base))
    foot = lay.base[2] - 44.0 * v
    calcar = RoundCone(
        lay.base + 0.46 * reach * lay.neck,
        np.array([-1.0 * v, float(lay.middle(foot)), foot]),
        0.93 * lay.waist / 2,
        13.0 * v,
    )
    low = np.array([-4.0 * v, float(lay.middle(lay.lesser[2])) - 4.0 * v, lay.lesser[2] + 4.0 * v])
    parts: tuple[Solid, ...] = (
        Ellipsoid(at(9.0, -1.0, -4.0), np.array([17.0, 17.0, 27.0]) * v),
        RoundCone(at(12.0, -5.0, -4.0), lay.tip, 15.0 * v, 8.0 * v),
        calcar,
        RoundCone(at(9.0, -13.0, 6.0), lay.lesser + np.array([3.0, 1.0, 8.0]) * v, 6.0 * v, 5.0 * v),
        RoundCone(low, lay.lesser, 12.0 * v, 6.0 * v),
    )
    return SmoothUnion(parts, (8.0 * v, 12.0 * v, 10.0 * v, 8.0 * v))


def _neck(lay: FemurLayout) -> Loft:
    up = np.array([0.0, 0.0, 1.0])
    superior = up - (up @ lay.neck) * lay.neck
    superior /= np.linalg.norm(superior)
    # rows: superior, across, along the neck
    axes = np.stack([superior, np.cross(lay.neck, superior), lay.neck])
    reach = float(np.linalg.norm(lay.head - lay.base))
    step = 1.5
    t = np.arange(0.0, 0.97 * reach, step)
    at, waist, ball = t / reach, lay.waist / 2, lay.shape.head_diameter / 2
    # narrow at its root, so that it ends inside the trochanters
    high = np.array([0.55, 1.05, 1.28, 1.13, 1.0, 1.0, 1.0]) * waist * np.sqrt(_NECK_OVAL)
    deep = np.array([0.55, 0.95, 1.05, 1.02, 1.0, 1.0, 1.0]) * waist / np.sqrt(_NECK_OVAL)
    where = [0.0, 0.12, 0.25, 0.42, 0.58, 0.72, 1.0]
    a, b = curve(where, high)(at)[:, None], curve(where, deep)(at)[:, None]
    a = np.minimum(a, 0.97 * ball + 100.0 * (at[:, None] < 0.5))
    theta = angles()[None, :]
    radii = a * b / np.sqrt((b * np.cos(theta)) ** 2 + (a * np.sin(theta)) ** 2)
    # at its base the neck hangs down towards the calcar
    drop = -curve(where, [0.0, 2.0, 3.0, 1.5, 0.0, 0.0, 0.0])(at) * lay.proximal
    centres = np.column_stack([drop, np.zeros_like(t)])
    return Loft(lay.base + t[0] * lay.neck, axes, step, centres, radii)


@dataclass(frozen=True, eq=False)
class FemurWall:
    """Thickness of the cortex, mm, at points (n, 3)."""

    lay: FemurLayout

    def __call__(self, points: Array) -> Array:
        lay, shape = self.lay, self.lay.shape
        data = proportions("femur")["wall"]
        at = points[:, 2] / shape.length
        theta = np.arctan2(points[:, 1] - lay.middle(points[:, 2]), points[:, 0])
        share = curve(data["fraction"], data["share"])(at)
        wall = shape.cortical_thickness * share * (1.0 - data["posterior"] * np.sin(theta))
        ridge = curve(proportions("femur")["profile"]["fraction"], proportions("femur")["profile"]["ridge"])(at)
        turn = np.deg2rad(shape.twist) * (at - 0.5)
        wall = wall + shape.linea_aspera * ridge * bump(theta - turn, 270.0, 16.0)
        return np.maximum(self._proximal(points, wall), data["thinnest"])

    def _proximal(self, points: Array, wall: Array) -> Array:
        lay, data = self.lay, proportions("femur")["wall"]
        scale = lay.shape.cortical_thickness / 7.0
        offset = points - lay.base
        reach = float(np.linalg.norm(lay.head - lay.base))
        along = offset @ lay.neck / reach
        up = np.array([0.0, 0.0, 1.0]) - lay.neck[2] * lay.neck
        height = (offset - (along * reach)[:, None] * lay.neck) @ (up / np.linalg.norm(up))
        below = smooth_step(0.5 - height / lay.shape.neck_diameter)
        neck = scale * (data["neck_superior_mm"] + (data["neck_inferior_mm"] - data["neck_superior_mm"]) * below)
        inside = smooth_step((along - 0.25) / 0.25)
        wall = (1.0 - inside) * wall + inside * neck
        away = np.linalg.norm(points - lay.head, axis=1) / (lay.shape.head_diameter / 2)
        head = smooth_step((along - 0.62) / 0.25) * smooth_step((1.5 - away) / 0.4)
        return (1.0 - head) * wall + head * scale * data["head_mm"]
