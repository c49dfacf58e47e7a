"""Lesions: a place on a bone and a shape, turned into a solid and measured."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from femsim.anatomy.bone import Bone
from femsim.anatomy.density import smooth_step
from femsim.anatomy.frame import direction_degrees
from femsim.anatomy.lesion_measures import LesionMeasures, Rays, measure_lesion, measure_rays
from femsim.errors import FemsimWarning, GeometryError, InputError
from femsim.solid import Box, Capsule, Cylinder, Ellipsoid, Solid, Sphere, noisy_blob

Array = NDArray[np.float64]
Shape = Literal["sphere", "ellipsoid", "capsule", "blob", "hole", "slot"]
SHAPES = ("sphere", "ellipsoid", "capsule", "blob", "hole", "slot")

# Depth of the centre below the surface over the diameter, where none is given: the lesion opens the near cortex over
# 95 % of its diameter and leaves the far cortex of a bone about as wide as the lesion.
_DEPTH = 0.15
_LONGER = {"ellipsoid": 1.5, "capsule": 2.0, "slot": 3.0}


@dataclass(frozen=True)
class LesionPlan:
    """What lesion is wanted where; lengths in mm.

    Attributes
    ----------
    site : str
        Named place of the bone; not used where `position` is given.
    position : float or None
        Place along the bone, percent of its length from the distal end.
    direction : str or float
        Side of the bone the lesion lies on: "lateral", "anterior", ..., "superior", "inferior", or degrees from lateral
        towards anterior, in the plane across the local axis (the shaft's, or the neck's).
    depth : float or None
        Of the lesion's centre below the outer surface, along `direction`; 0.15 diameters by default. For a hole and a
        slot: how deep they reach; to the middle of the bone by default.
    shape : {"sphere", "ellipsoid", "capsule", "blob", "hole", "slot"}
        A blob is a ball or ellipsoid with a seeded rough surface, a hole is drilled, a slot is a window in the
        cortex with its length along the bone.
    diameter : float
        Width across the local axis.
    length : float or None
        Extent along the local axis of an ellipsoid, capsule, blob or slot; 1.5, 2, 1 and 3 diameters by default.
    width_fraction : float or None
        Replaces `diameter` by this share of the width of the bone at the place, seen along `direction`.
    axial_involvement : float or None
        Replaces `diameter` by the one for which the lesion touches cortex over this length along the bone, mm.
    circumferential_involvement : float or None
        The same for the largest touched share of the cortical circumference, 0 to 1.
    roughness, seed : float, int
        Of a blob; see `femsim.solid.noisy_blob`.
    remaining : float
        Share of the bone's density left inside: 0 is lytic, more is permeative.
    fade : float
        Distance outside the solid over which a permeative lesion fades to healthy bone, mm.
    """

    site: str = "subtrochanteric"
    position: float | None = None
    direction: str | float = "lateral"
    depth: float | None = None
    shape: Shape = "sphere"
    diameter: float = 30.0
    length: float | None = None
    width_fraction: float | None = None
    axial_involvement: float | None = None
    circumferential_involvement: float | None = None
    roughness: float = 0.2
    seed: int = 0
    remaining: float = 0.0
    fade: float = 0.0

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            _refuse("shape", self.shape, "The lesion has no form.", f"Use one of {', '.join(SHAPES)}.")
        _in_range("diameter", self.diameter, 1.0, 150.0)
        for name, low, high in (
            ("length", 1.0, 400.0),
            ("depth", -50.0, 100.0),
            ("position", 0.0, 100.0),
            ("width_fraction", 0.02, 1.5),
            ("axial_involvement", 1.0, 300.0),
            ("circumferential_involvement", 0.02, 0.98),
            ("remaining", 0.0, 1.0),
            ("fade", 0.0, 50.0),
        ):
            if getattr(self, name) is not None:
                _in_range(name, getattr(self, name), low, high)
        wishes = ("width_fraction", "axial_involvement", "circumferential_involvement")
        given = [name for name in wishes if getattr(self, name) is not None]
        if len(given) > 1:
            _refuse(" and ".join(given), "together", "Each of them alone fixes the size.", "Keep one of them.")


@dataclass(frozen=True, eq=False)
class PlacedLesion:
    """A lesion on its bone.

    Attributes
    ----------
    plan : LesionPlan
        What was asked for, with the diameter that was found.
    solid : Solid
        Its region; it may reach out of the bone.
    centre : (3,) float64
        Middle of the solid, mm. For a hole and a slot the point of the outer surface.
    span : (float, float)
        Lowest and highest position of the part inside the bone, as fractions of the bone's length.
    measures : LesionMeasures
        Volume, involvement of the cortex, size class.
    """

    plan: LesionPlan
    solid: Solid
    centre: Array
    span: tuple[float, float]
    measures: LesionMeasures

    @property
    def permeative(self) -> bool:
        """Whether bone in it or round it is weakened, not only replaced."""
        return self.plan.remaining > 0.0 or self.plan.fade > 0.0

    def density_factor(self, points: ArrayLike) -> Array:
        """Share (n,) of the density left at points (n, 3) mm: `remaining` inside, fading to 1 outside."""
        away = self.solid.distance(points)
        if self.plan.fade <= 0.0:
            return np.where(away <= 0.0, self.plan.remaining, 1.0)
        return self.plan.remaining + (1.0 - self.plan.remaining) * smooth_step(away / self.plan.fade)


@dataclass(frozen=True, eq=False)
class _Place:
    point: Array  # on the axis of the bone
    axis: Array
    outward: Array  # unit vector across the axis
    surface: Array  # where the outward ray leaves the bone


def place_lesion(bone: Bone, plan: LesionPlan | None = None) -> PlacedLesion:
    """Put a lesion on a bone and measure it.

    Parameters
    ----------
    bone : Bone
        Any bone.
    plan : LesionPlan, optional
        The default is a ball of 30 mm below the lesser trochanter that opens the lateral cortex.

    Raises
    ------
    InputError
        If the place is not known.
    GeometryError
        If the lesion does not touch the bone, or no size gives the wanted involvement.

    Warns
    -----
    FemsimWarning
        If the lesion parts the bone.
    """
    plan = LesionPlan() if plan is None else plan
    place = _find_place(bone, plan)
    plan = _sized(bone, plan, place)
    solid, centre = _solid(plan, place)
    rays = measure_rays(bone, solid, place.point, place.axis)
    measures = measure_lesion(bone, solid, rays)
    if measures.circumferential_involvement > 0.995:
        warnings.warn(
            "The lesion takes the whole cross-section of the cortex: the bone is in two pieces held by tumour alone.",
            FemsimWarning,
            stacklevel=2,
        )
    return PlacedLesion(plan, solid, centre, measures.span, measures)


def _find_place(bone: Bone, plan: LesionPlan) -> _Place:
    if plan.position is None:
        site = bone.site(plan.site)
        point, axis = site.point, site.axis
    else:
        fraction = plan.position / 100.0
        point, axis = bone.centreline.point(fraction), bone.centreline.tangent(fraction)
    outward = _outward(bone, plan.direction, axis)
    reach = np.arange(0.0, 120.0, 0.25)
    distance = bone.periosteum.distance(point + reach[:, None] * outward)
    outside = np.flatnonzero((distance[1:] > 0.0) & (distance[:-1] <= 0.0))
    if len(outside) == 0:
        raise GeometryError(
            f"The axis of the {bone.kind} at {plan.position if plan.position is not None else plan.site} lies outside "
            "the bone.",
            "The lesion cannot be placed below a surface.",
            "Choose another position along the bone.",
        )
    i = outside[0]
    edge = reach[i] + 0.25 * distance[i] / (distance[i] - distance[i + 1])
    return _Place(point, axis, outward, point + edge * outward)


def _outward(bone: Bone, direction: str | float, axis: Array) -> Array:
    frame = bone.frame
    if direction in ("superior", "inferior"):
        wanted = frame.proximal if direction == "superior" else -frame.proximal
    else:
        wanted = frame.direction(direction_degrees(direction))
    across = wanted - (wanted @ axis) * axis
    length = float(np.linalg.norm(across))
    if length < 0.2:
        _refuse(
            "direction",
            direction,
            "It runs along the bone there.",
            "Choose a direction across the local axis of the bone.",
        )
    return across / length


def _sized(bone: Bone, plan: LesionPlan, place: _Place) -> LesionPlan:
    """The plan with the diameter that gives what was wished for."""
    if plan.width_fraction is not None:
        across = np.cross(place.axis, place.outward)
        t = np.arange(-100.0, 100.0, 0.25)
        inside = bone.periosteum.distance(place.point + t[:, None] * across) <= 0.0
        return replace(plan, diameter=plan.width_fraction * 0.25 * float(inside.sum()))
    wish = "axial_involvement" if plan.axial_involvement is not None else "circumferential_involvement"
    target = getattr(plan, wish)
    if target is None:
        return plan
    return _solve_size(bone, plan, place, wish, float(target))


def _solve_size(bone: Bone, plan: LesionPlan, place: _Place, wish: str, target: float) -> LesionPlan:
    ratio = None if plan.length is None else plan.length / plan.diameter

    def trial(diameter: float) -> tuple[LesionPlan, float]:
        length = None if ratio is None else min(max(ratio * diameter, 1.0), 400.0)
        changed = replace(plan, diameter=diameter, length=length)
        rays: Rays = measure_rays(bone, _solid(changed, place)[0], place.point, place.axis)
        return changed, float(getattr(rays, wish))

    low, high = 2.0, 10.0
    while trial(high)[1] < target:
        low, high = high, 1.5 * high
        if high > 150.0:
            raise GeometryError(
                f"No {plan.shape} on the {plan.direction} side reaches {wish} = {target:g}.",
                "The lesion's size cannot be found.",
                "Ask for less, or for another shape or depth.",
            )
    if trial(low)[1] >= target:
        return trial(low)[0]
    size = brentq(lambda diameter: trial(diameter)[1] - target, low, high, xtol=0.01)
    return trial(float(size))[0]


def _solid(plan: LesionPlan, place: _Place) -> tuple[Solid, Array]:
    radius = plan.diameter / 2
    if plan.shape in ("hole", "slot"):
        return _opening(plan, place), place.surface
    depth = _DEPTH * plan.diameter if plan.depth is None else plan.depth
    centre = place.surface - depth * place.outward
    length = _LONGER.get(plan.shape, 1.0) * plan.diameter if plan.length is None else plan.length
    axes = np.stack([place.outward, np.cross(place.axis, place.outward), place.axis])
    if plan.shape == "sphere":
        return Sphere(centre, radius), centre
    if plan.shape == "ellipsoid":
        return Ellipsoid(centre, np.array([radius, radius, length / 2]), axes), centre
    if plan.shape == "blob":
        return noisy_blob(centre, np.array([radius, radius, length / 2]), plan.roughness, plan.seed, axes), centre
    half = max(length / 2 - radius, 0.0)
    if half < 1e-6:
        return Sphere(centre, radius), centre
    return Capsule(centre - half * place.axis, centre + half * place.axis, radius), centre


def _opening(plan: LesionPlan, place: _Place) -> Solid:
    """A drill hole or a window from well outside the bone down to its depth."""
    proud = 10.0 + plan.diameter
    depth = float(np.linalg.norm(place.surface - place.point)) if plan.depth is None else plan.depth
    if depth <= 0.0:
        _refuse("depth", depth, "The opening does not reach the bone.", "Give a depth above 0 mm.")
    if plan.shape == "hole":
        return Cylinder(place.surface - depth * place.outward, place.surface + proud * place.outward, plan.diameter / 2)
    length = _LONGER["slot"] * plan.diameter if plan.length is None else plan.length
    axes = np.stack([place.outward, np.cross(place.axis, place.outward), place.axis])
    middle = place.surface + (proud - depth) / 2 * place.outward
    return Box(middle, np.array([(proud + depth) / 2, plan.diameter / 2, length / 2]), axes)


def _in_range(name: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not np.isfinite(value) or not low <= value <= high:
        _refuse(name, value, "The lesion cannot be built.", f"Choose {name} between {low:g} and {high:g}.")


def _refuse(name: str, value: object, why: str, do: str) -> None:
    raise InputError(f"{name} = {value!r} is not possible for a lesion.", why, do)
