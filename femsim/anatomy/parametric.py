"""From a drawn outer shape and a wall thickness to a bone: what all parametric bones share."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from femsim.anatomy.bone import Bone
from femsim.anatomy.bone_axis import BoneAxis
from femsim.anatomy.density import trabecular_density
from femsim.anatomy.frame import Centreline, Frame
from femsim.anatomy.sites import sites_of
from femsim.errors import GeometryError
from femsim.solid import GridSolid, Loft, Solid, project, sampled
from femsim.solid._key import content_key

Array = NDArray[np.float64]

#: Spacing of the distance grids of parametric bones, mm. The smallest radius drawn is 4 mm.
GRID = 1.0
_ANGLES = 96
_SMALLEST_CANAL = 4.0


@dataclass(frozen=True, eq=False)
class Draft:
    """A right bone in its own frame (x lateral, y anterior, z proximal, z = 0 at the distal end), mm.

    Attributes
    ----------
    kind : str
        Which bone.
    outer : Solid
        Periosteum, drawn from blends and lofts.
    wall : callable, (n, 3) -> (n,)
        Thickness of the cortex, mm.
    line : (k, 3) float64
        Centreline from distal to proximal.
    landmarks : mapping of str to (3,)
        Named points. ``head_centre`` and ``neck_base`` also steer the bone axis.
    thickness : float
        Mean of the medial and the lateral wall wanted at mid-shaft; `wall` is scaled to give it.
    head_radius : float or None
        Radius of the joint head.
    content : str
        Key of everything the draft was made from.
    """

    kind: str
    outer: Solid
    wall: Callable[[Array], Array]
    line: Array
    landmarks: Mapping[str, Array]
    thickness: float
    head_radius: float | None = None
    content: str = ""


def build(kind: str, shape: type, draft: Callable[[Any], Draft], parameters: Mapping[str, Any]) -> Bone:
    """The bone of a kind with some of its parameters given; the same parameters return the same object.

    Raises
    ------
    GeometryError
        If a parameter is unknown or out of range, or two do not fit each other.
    """
    _known_only(kind, shape, parameters)
    return _built(kind, shape(**parameters), draft)


@lru_cache(maxsize=8)
def _built(kind: str, shape: Any, draft: Callable[[Any], Draft]) -> Bone:
    return finish(draft(shape), shape.side, kind, shape.density_factor)


def finish(draft: Draft, side: str, name: str, density_factor: float = 1.0) -> Bone:
    """Sample the surfaces of a draft, mirror it for a left bone, and give it frame, density and sites."""
    if side not in ("left", "right"):
        raise GeometryError(
            f"side = {side!r} is not known.", "A bone is a left or a right one.", 'Use "left" or "right".'
        )
    outer = sampled(draft.outer, GRID, name=content_key(draft.content, "periosteum", side))
    surface = triangulated(outer)
    heights = surface[0][:, 2]
    bottom, length = float(heights.min()), float(np.ptp(heights))
    scale = _wall_scale(outer, draft, bottom + length / 2)
    inner = _endosteum(outer, draft.wall, scale, content_key(draft.content, "endosteum", side))
    mirror = np.array([-1.0 if side == "left" else 1.0, 1.0, 1.0])
    if side == "left":
        outer, inner = _mirrored(outer), _mirrored(inner)
        surface = surface[0] * mirror, surface[1][:, ::-1].copy()
    frame = Frame(np.array([0.0, 0.0, bottom]), mirror * [1.0, 0.0, 0.0], np.eye(3)[1], np.eye(3)[2])
    landmarks = {key: _placed(outer, key, np.asarray(point) * mirror) for key, point in draft.landmarks.items()}
    centreline = Centreline(draft.line * mirror, (draft.line[:, 2] - bottom) / length)
    return Bone(
        kind=draft.kind,
        side=side,
        periosteum=outer,
        endosteum=inner,
        frame=frame,
        landmarks=landmarks,
        centreline=centreline,
        length=length,
        surface=surface,
        density=trabecular_density(draft.kind, frame, length, landmarks, draft.head_radius, density_factor),
        axis=BoneAxis(frame, centreline, length, landmarks.get("neck_base"), landmarks.get("head_centre")),
        sites=sites_of(draft.kind, frame, centreline, landmarks, length),
        name=name,
    )


def _placed(outer: GridSolid, name: str, point: Array) -> Array:
    """Centres stay where they were drawn, everything else lies on the surface."""
    if name.endswith("_centre") or name == "neck_base":
        return point
    placed: Array = project(outer, point, rounds=10)[0]
    return placed


def _wall_scale(outer: GridSolid, draft: Draft, height: float) -> float:
    """Factor on the wall for which the canal at mid-shaft leaves the wanted mean of medial and lateral wall."""
    middle = draft.line[np.argmin(np.abs(draft.line[:, 2] - height)), 1]
    at = np.arange(-24.0, 24.01, 0.2)
    x, y = np.meshgrid(at, middle + at, indexing="ij")
    points = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, height)])
    depth, wall = (v.reshape(x.shape) for v in (outer.distance(points), draft.wall(points)))

    def excess(scale: float) -> float:
        return (_width(at, depth) - _width(at, depth + scale * wall)) / 2 - draft.thickness

    return float(brentq(excess, 0.6, 1.5, xtol=1e-4))


def _width(at: Array, values: Array) -> float:
    """Width along the first axis of the region where `values` (n, n) is negative, linear between the nodes."""
    lowest = values.min(axis=1)
    inside = np.flatnonzero(lowest < 0.0)
    if len(inside) == 0:
        return 0.0
    first, last = inside[0], inside[-1]
    step = at[1] - at[0]
    left = step * lowest[first] / (lowest[first] - lowest[first - 1])
    right = step * lowest[last] / (lowest[last] - lowest[last + 1])
    return float(at[last] - at[first] + left + right)


def _endosteum(outer: GridSolid, wall: Callable[[Array], Array], scale: float, name: str) -> GridSolid:
    """The periosteum moved inwards by the local wall thickness."""
    values = outer.values.astype(np.float64)
    flat = values.ravel()
    near = np.flatnonzero(flat < 6.0)
    index = np.stack(np.unravel_index(near, values.shape), axis=-1)
    thickness = scale * wall(outer.origin + outer.spacing * index)
    flat[near] += thickness
    flat[flat >= 6.0] += float(thickness.min())
    # one canal: pockets cut off in thin corners are cortex
    label, count = ndimage.label(values < 0.0)
    if count > 1:
        largest = 1 + int(np.argmax(np.bincount(label.ravel())[1:]))
        values[(label > 0) & (label != largest)] = 0.2
    return GridSolid(outer.origin, outer.spacing, values.astype(np.float32), name)


def _mirrored(solid: GridSolid) -> GridSolid:
    origin = solid.origin.copy()
    origin[0] = -(origin[0] + solid.spacing * (solid.values.shape[0] - 1))
    return GridSolid(origin, solid.spacing, solid.values[::-1], solid.name)


def triangulated(solid: GridSolid, stride: int = 2) -> tuple[Array, NDArray[np.int64]]:
    """Closed, outward triangles of a grid solid: every `stride`-th node contoured, vertices moved onto the surface."""
    import pyvista as pv

    step = solid.spacing * stride
    shape = tuple(int(n) for n in (np.array(solid.values.shape) - 1) // stride + 1)
    image = pv.ImageData(dimensions=shape, spacing=(step,) * 3, origin=tuple(solid.origin))
    image["d"] = solid.values[::stride, ::stride, ::stride].ravel(order="F")
    contour = image.contour([0.0], scalars="d", method="flying_edges").extract_largest()
    points = project(solid, np.asarray(contour.points, float), rounds=3)
    triangles = np.asarray(contour.faces).reshape(-1, 4)[:, 1:].astype(np.int64)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    if np.einsum("ij,ij->i", a, np.cross(b, c)).sum() < 0:
        triangles = triangles[:, ::-1].copy()
    return points, triangles


def curve(fractions: Any, values: Any) -> Callable[[Any], Array]:
    """Smooth monotone curve through a table of a proportions file, constant beyond its ends."""
    at, value = np.asarray(fractions, float), np.asarray(values, float)
    ends = np.concatenate([[at[0] - 10.0], at, [at[-1] + 10.0]])
    through: Callable[[Any], Array] = PchipInterpolator(ends, np.concatenate([value[:1], value, value[-1:]]))
    return through


def shaft(shapes: Array, ml: Array, ap: Array, centres: Array, bottom: float, step: float) -> Loft:
    """Loft along z whose section ``i`` has the shape ``shapes[i]`` (m,) and exactly the widths ``ml[i]``, ``ap[i]``.

    Parameters
    ----------
    shapes : (k, m) float64
        Radius of the unscaled section at equal steps of angle from lateral towards anterior.
    ml, ap : (k,) float64
        Width along x and y, mm.
    centres : (k, 2) float64
        Centroid of the section, mm.
    bottom, step : float
        Height of the first section and distance of the sections, mm.
    """
    k, m = shapes.shape
    angle = 2 * np.pi * np.arange(m) / m
    # on a finer circle, so that the widths are those of the curve and not of m points
    fine = 2 * np.pi * np.arange(16 * m) / (16 * m)
    radii = np.empty((k, m))
    for i in range(k):
        r = np.interp(fine, angle, shapes[i], period=2 * np.pi)
        x, y = r * np.cos(fine), r * np.sin(fine)
        x, y = x * ml[i] / np.ptp(x), y * ap[i] / np.ptp(y)
        x, y = _about_centroid(x, y)
        turn = np.arctan2(y, x) % (2 * np.pi)
        order = np.argsort(turn)
        radii[i] = np.interp(angle, turn[order], np.hypot(x, y)[order], period=2 * np.pi)
    return Loft(np.array([0.0, 0.0, bottom]), np.eye(3), step, centres, radii)


def _about_centroid(x: Array, y: Array) -> tuple[Array, Array]:
    """A closed polygon moved so that the centroid of its area is the origin."""
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    middle = [((a + np.roll(a, -1)) * cross).sum() / (3.0 * cross.sum()) for a in (x, y)]
    return x - middle[0], y - middle[1]


def widths(table: Array, own: float, *ends: tuple[Array, float]) -> Array:
    """Widths along the shaft: `own` at mid-shaft; where the weight of an end is 1, that of the joint it carries, mm."""
    return table * (own + sum(weight * (joint - own) for weight, joint in ends))


def angles() -> Array:
    """The angles at which sections are given, radians."""
    return 2 * np.pi * np.arange(_ANGLES) / _ANGLES


def bump(angle: Array, middle: float, width: float) -> Array:
    """Smooth periodic bump of height 1 at `middle` degrees, falling to 0.5 within `width` degrees."""
    away = np.rad2deg(np.abs(np.angle(np.exp(1j * (np.asarray(angle) - np.deg2rad(middle))))))
    return np.exp(-np.log(2.0) * (away / width) ** 2)


@cache
def proportions(kind: str) -> dict[str, Any]:
    """The proportions file of a bone."""
    return tomllib.loads((files("femsim.anatomy") / "data" / f"{kind}.toml").read_text(encoding="utf-8"))


def within(name: str, value: float, low: float, high: float, unit: str = "mm") -> float:
    """A parameter of a bone, finite and inside the range for which the shape was drawn.

    Raises
    ------
    GeometryError
        Otherwise, naming the range.
    """
    if isinstance(value, bool) or not np.isfinite(value) or not low <= value <= high:
        raise GeometryError(
            f"{name} = {value!r} {unit} is out of range.",
            f"The shape was drawn for {low:g} to {high:g} {unit}.",
            f"Choose {name} between {low:g} and {high:g} {unit}.",
        )
    return float(value)


def check_ranges(shape: Any, ranges: Mapping[str, tuple[float, float, str]]) -> None:
    """Replace every parameter of a frozen shape by a float inside its range."""
    for name, (low, high, unit) in ranges.items():
        object.__setattr__(shape, name, within(name, getattr(shape, name), low, high, unit))


def check_canal(shape: Any) -> None:
    """There must be a canal inside the shaft."""
    canal = min(shape.shaft_ap, shape.shaft_ml) - 2 * shape.cortical_thickness
    if canal < _SMALLEST_CANAL:
        raise GeometryError(
            f"cortical_thickness = {shape.cortical_thickness:g} mm leaves a canal of {canal:g} mm.",
            "There must be a canal inside the shaft.",
            f"Keep the canal at {_SMALLEST_CANAL:g} mm or more.",
        )


def _known_only(kind: str, shape: type, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that the bone does not have."""
    known = shape.__dataclass_fields__  # type: ignore[attr-defined]
    for name in parameters:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            ask = f" Did you mean {near[0]!r}?" if near else ""
            raise GeometryError(
                f"A {kind} has no parameter {name!r}.{ask}",
                "It cannot be built.",
                f"Known: {', '.join(known)}.",
            )
