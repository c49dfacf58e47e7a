"""What a lesion takes from its bone: volume, involvement of the cortex along and around, fraction of the width.

The cortex is scanned by rays that leave the axis of the bone at right angles. Levels follow the local axis at the
lesion's place: the shaft's tangent, or the neck's axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy.bone import Bone
from femsim.errors import GeometryError
from femsim.solid import Solid
from femsim.solid.grid import grid_points, node_coordinates

Array = NDArray[np.float64]

_ANGLES = 120
_RADIAL = 0.4
# Views from which the width is judged, degrees apart.
_VIEWS = 15


@dataclass(frozen=True)
class Rays:
    """What the rays saw.

    Attributes
    ----------
    axial_involvement : float
        Length along the axis over which the lesion touches cortex, mm.
    circumferential_involvement : float
        Largest share of the cortical circumference touched at one level, 0 to 1.
    breach_length : float
        Length along the axis over which the lesion has opened the outer surface, mm; 0 for none.
    diameter_fraction : float
        Largest width of the lesion over the width of the bone at the same level in the same view.
    """

    axial_involvement: float
    circumferential_involvement: float
    breach_length: float
    diameter_fraction: float


@dataclass(frozen=True)
class LesionMeasures:
    """Size of a lesion as the clinical rules use it.

    Attributes
    ----------
    volume : float
        Of the lesion inside the periosteum, mm3.
    cortical_volume : float
        Of the lesion inside the cortex, mm3.
    axial_involvement, circumferential_involvement, breach_length, diameter_fraction
        As in `Rays`.
    mirels_size : int
        1 below a third of the width, 2 up to two thirds, 3 above (Mirels 1989).
    span : (float, float)
        Lowest and highest position inside the bone, as fractions of its length.
    """

    volume: float
    cortical_volume: float
    axial_involvement: float
    circumferential_involvement: float
    breach_length: float
    diameter_fraction: float
    mirels_size: int
    span: tuple[float, float]

    @property
    def breached(self) -> bool:
        """Whether the lesion has opened the outer surface."""
        return self.breach_length > 0.0


def mirels_size(diameter_fraction: float) -> int:
    """Points for the size of a lesion in Mirels' score: 1 (< 1/3), 2 (1/3 to 2/3) or 3 (> 2/3 of the width)."""
    return 1 if diameter_fraction < 1 / 3 else 2 if diameter_fraction <= 2 / 3 else 3


def measure_lesion(bone: Bone, solid: Solid, rays: Rays) -> LesionMeasures:
    """Volumes and span of a lesion by counting on a grid, together with what the rays saw.

    Raises
    ------
    GeometryError
        If the lesion lies outside the bone.
    """
    lower, upper = _common_box(bone, solid)
    spacing = float(np.clip((upper - lower).max() / 80.0, 0.3, 1.5))
    origin, shape = grid_points(lower, upper, spacing)
    points = node_coordinates(origin, shape, spacing)
    lesion = np.maximum(solid.distance(points), bone.periosteum.distance(points))
    near = np.flatnonzero(lesion < spacing)
    share = np.clip(0.5 - lesion[near] / spacing, 0.0, 1.0)
    if share.sum() == 0.0:
        _outside(bone)
    cortex = np.clip(0.5 + bone.endosteum.distance(points[near]) / spacing, 0.0, 1.0)
    levels = bone.fraction(points[near][share > 0.25]) if (share > 0.25).any() else bone.fraction(points[near])
    cell = spacing**3
    return LesionMeasures(
        volume=float(share.sum() * cell),
        cortical_volume=float((share * cortex).sum() * cell),
        axial_involvement=rays.axial_involvement,
        circumferential_involvement=rays.circumferential_involvement,
        breach_length=rays.breach_length,
        diameter_fraction=rays.diameter_fraction,
        mirels_size=mirels_size(rays.diameter_fraction),
        span=(float(levels.min()), float(levels.max())),
    )


def measure_rays(bone: Bone, solid: Solid, point: Array, axis: Array) -> Rays:
    """Scan the cortex around a lesion by rays across `axis` (3,) through `point` (3,) mm.

    Levels are about 0.7 mm apart, rays 3 degrees, samples 0.4 mm; ends are interpolated between levels.
    """
    step, points, radii = _ray_points(bone, solid, point, axis)
    shape = points.shape[:3]
    flat = points.reshape(-1, 3)
    outer = bone.periosteum.distance(flat).reshape(shape)
    # rays stop at the outer surface they meet first: beyond it lies another part of the bone
    seen = np.logical_and.accumulate(outer <= 0.0, axis=2)
    lesion = solid.distance(flat).reshape(shape)
    cortex = np.maximum(outer, -bone.endosteum.distance(flat).reshape(shape))
    outside = np.where(seen, 0.0, np.inf)
    touched = (np.maximum(lesion, cortex) + outside).min(axis=2)
    # where the lesion stands on the last point of the ray inside the bone, the surface is open
    last = np.maximum(seen.sum(axis=2) - 1, 0)[..., None]
    skin = np.where(seen.any(axis=2), np.take_along_axis(lesion, last, axis=2)[..., 0], np.inf)
    arc = radii[last[..., 0]] * seen.any(axis=2)
    return Rays(
        axial_involvement=_length(touched.min(axis=1), step),
        circumferential_involvement=float(_share(touched, arc).max(initial=0.0)),
        breach_length=_length(skin.min(axis=1), step),
        diameter_fraction=_width_fraction(points, seen, lesion, axis),
    )


def _ray_points(bone: Bone, solid: Solid, point: Array, axis: Array) -> tuple[float, Array, Array]:
    """Distance of the levels, sample points (levels, angles, radii, 3), and the radii."""
    lower, upper = _common_box(bone, solid)
    corners = np.array(np.meshgrid(*zip(lower, upper, strict=True), indexing="ij")).reshape(3, -1).T
    height = (corners - point) @ axis
    count = int(np.clip(np.ptp(height) / 0.7, 12, 120)) + 1
    margin = 1.0
    along = np.linspace(height.min() - margin, height.max() + margin, count)
    first = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    first /= np.linalg.norm(first)
    angle = 2 * np.pi * np.arange(_ANGLES) / _ANGLES
    spoke = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * np.cross(axis, first)
    middle = _middles(bone, point, axis, along)
    # the bone's width bounds the rays: double until all have left it
    reach = 24.0
    while reach < 96.0 and (bone.periosteum.distance((middle[:, None] + reach * spoke).reshape(-1, 3)) < 0).any():
        reach *= 1.5
    radii = np.arange(0.5 * _RADIAL, reach, _RADIAL)
    points = middle[:, None, None] + radii[None, None, :, None] * spoke[None, :, None]
    return float(along[1] - along[0]), points, radii


def _middles(bone: Bone, point: Array, axis: Array, along: Array) -> Array:
    """Where the rays of every level start: on the centreline in the shaft, on the neck axis elsewhere."""
    straight = point + along[:, None] * axis
    fraction = np.atleast_1d(bone.fraction(point))[0]
    if np.linalg.norm(bone.centreline.point(fraction) - point) > 1.0:
        return straight
    follow = bone.centreline.point(np.clip(bone.fraction(straight), 0.0, 1.0))
    # stay in the plane of the level
    return follow + ((straight - follow) @ axis)[:, None] * axis


def _length(value: Array, step: float) -> float:
    """Length over which a sampled function is negative, its ends interpolated."""
    return float(_cells_negative(value[:-1], value[1:]).sum() * step)


def _share(touched: Array, arc: Array) -> Array:
    """Share of every ring (levels, angles) where `touched` is negative, weighted by arc length."""
    part = _cells_negative(touched, np.roll(touched, -1, axis=1))
    weight = 0.5 * (arc + np.roll(arc, -1, axis=1))
    total = weight.sum(axis=1)
    return np.where(total > 0, (part * weight).sum(axis=1) / np.where(total > 0, total, 1.0), 0.0)


def _cells_negative(a: Array, b: Array) -> Array:
    """Negative share of every cell between the values `a` and `b` at its ends, linear between."""
    # rays that see no cortex are infinitely far; a finite stand-in keeps the interpolation defined
    a, b = np.minimum(a, 1e3), np.minimum(b, 1e3)
    low, high = np.minimum(a, b), np.maximum(a, b)
    crossing = (low < 0.0) & (high > 0.0)
    return np.where(crossing, -low / np.where(crossing, high - low, 1.0), (high <= 0.0) & (low < 0.0))


def _width_fraction(points: Array, seen: NDArray[np.bool_], lesion: Array, axis: Array) -> float:
    first = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    inside = seen & (lesion < 0.0)
    best = 0.0
    for view in np.deg2rad(np.arange(0, 180, _VIEWS)):
        across = points @ (np.cos(view) * first + np.sin(view) * second)
        widths = [_extent(across, mask) for mask in (inside, seen)]
        ratio = np.divide(widths[0], widths[1], out=np.zeros_like(widths[0]), where=widths[1] > 0)
        best = max(best, float(ratio.max(initial=0.0)))
    return min(best, 1.0)


def _extent(across: Array, mask: NDArray[np.bool_]) -> Array:
    high = np.where(mask, across, -np.inf).max(axis=(1, 2))
    low = np.where(mask, across, np.inf).min(axis=(1, 2))
    return np.where(np.isfinite(high), high - low + _RADIAL, 0.0) * mask.any(axis=(1, 2))


def _common_box(bone: Bone, solid: Solid) -> tuple[Array, Array]:
    lower, upper = (
        np.maximum(solid.bounds[0], bone.periosteum.bounds[0]),
        np.minimum(solid.bounds[1], bone.periosteum.bounds[1]),
    )
    if (upper <= lower).any():
        _outside(bone)
    return lower, upper


def _outside(bone: Bone) -> None:
    raise GeometryError(
        f"The lesion lies outside the {bone.kind}.",
        "It takes nothing from the bone.",
        "Reduce its depth outwards, enlarge it or move it.",
    )
