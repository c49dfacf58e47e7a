"""From what the user asked to one mesh: bone, lesions, the solids of every strategy, and their rules."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

import numpy as np

from femsim import loads
from femsim.anatomy import Bone, PlacedLesion
from femsim.case import Case
from femsim.errors import FemsimWarning, GeometryError
from femsim.solid import Arrangement, Cylinder, Solid
from femsim.solid.grid import grid_points, node_coordinates
from femsim.treatment import Rule, Treatment, base_rules


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that is known before the mesh.

    Attributes
    ----------
    bone : Bone
    lesions : tuple of PlacedLesion
    arrangement : Arrangement
        All solids of all strategies; what is the same solid in two strategies is there once.
    rules : mapping of str to tuple of Rule
        For every strategy, the rules that paint materials over the compartments, later ones winning.
    warnings : tuple of str
    healed : frozenset of str
        The strategies in which the lesions are not there at all.
    """

    bone: Bone
    lesions: tuple[PlacedLesion, ...]
    arrangement: Arrangement
    rules: Mapping[str, tuple[Rule, ...]]
    warnings: tuple[str, ...] = ()
    healed: frozenset[str] = frozenset()


def prepare(case: Case, strategies: Mapping[str, Treatment], bone: Bone | None = None) -> Setup:
    """Build bone, lesions and devices, and check that they fit.

    Parameters
    ----------
    case : Case
    strategies : mapping of str to Treatment
    bone : Bone, optional
        The case's bone, where it has been built before.

    Raises
    ------
    InputError
        If the load is not for this bone.
    GeometryError
        If a lesion lies outside the bone or a device does not fit.
    """
    bone = case.bone.build() if bone is None else bone
    loads.check_fits(loads.get(case.load), bone, case.body_mass)
    _check_count(1 + len(case.lesion))
    lesions = tuple(spec.place(bone) for spec in case.lesion)
    names = lesion_names(len(lesions))
    # what still holds bone is no tumour: its stiffness is lowered point by point
    lytic = tuple(name for name, lesion in zip(names, lesions, strict=True) if lesion.plan.remaining == 0.0)
    solids: dict[str, Solid] = {"endosteum": bone.endosteum}
    solids |= {name: lesion.solid for name, lesion in zip(names, lesions, strict=True)}
    thin: dict[str, float] = {}
    slender: dict[str, float] = {}
    rules: dict[str, tuple[Rule, ...]] = {}
    for label, treatment in strategies.items():
        whole = reduce(or_, (lesion.solid for lesion in lesions)) if lesions else None
        own = treatment.solids(bone, whole, lesion_span(lesions))
        renamed = _share(solids, own, label)
        thin |= {renamed[name]: width for name, width in treatment.thin().items()}
        slender |= {renamed[name]: width for name, width in treatment.slender().items()}
        diseased = () if treatment.heals else lytic
        rules[label] = base_rules(diseased) + tuple(_rename(rule, renamed) for rule in treatment.rules())
    fine = tuple(name for name in solids if name != "endosteum")
    region = None
    if case.mesh.region is not None:
        region = slab(bone, case.mesh.region)
        _check_region(bone, case.mesh.region, {name: solids[name] for name in fine})
    arrangement = Arrangement(
        domain=bone.periosteum,
        solids=solids,
        fine=fine,
        thin=thin,
        slender=slender,
        layers=("endosteum",),
        region=region,
    )
    healed = frozenset(label for label, treatment in strategies.items() if treatment.heals)
    return Setup(bone, lesions, arrangement, rules, bone.notes, healed)


def slab(bone: Bone, region: tuple[float, float]) -> Solid:
    """The part of space between two places along a bone, given in % of its length from the distal end."""
    low, high = (0.01 * share * bone.length for share in region)
    start, end = bone.frame.to_world([[0.0, 0.0, low], [0.0, 0.0, high]])
    return Cylinder(start, end, bone.length)


def _check_region(bone: Bone, region: tuple[float, float], solids: Mapping[str, Solid]) -> None:
    """Warn of what reaches out of the region of near elements: it is cut into far ones."""
    lower, upper = (np.asarray(bound, float) for bound in bone.periosteum.bounds)
    for name, solid in solids.items():
        low, high = np.maximum(solid.bounds[0], lower), np.minimum(solid.bounds[1], upper)
        if not (high > low).all():
            continue
        spacing = max(0.5, float(np.cbrt(np.prod(high - low) / 5e4)))
        points = node_coordinates(*grid_points(low, high, spacing), spacing)
        points = points[np.maximum(solid.distance(points), bone.periosteum.distance(points)) < 0.0]
        if len(points) == 0:
            continue
        place = 100.0 * bone.fraction(points)
        # less than a millimetre is no matter of elements
        slack = 100.0 / bone.length
        if place.min() < region[0] - slack or place.max() > region[1] + slack:
            warnings.warn(
                f"{name} reaches from {place.min():.0f} to {place.max():.0f} % of the bone, mesh.region is "
                f"{region[0]:g} to {region[1]:g} %: the part outside is cut into far elements",
                FemsimWarning,
                stacklevel=3,
            )


def lesion_names(count: int) -> tuple[str, ...]:
    """Names of the lesion solids: one is "lesion", several are numbered."""
    return ("lesion",) if count == 1 else tuple(f"lesion_{i + 1}" for i in range(count))


def lesion_span(lesions: Sequence[PlacedLesion]) -> tuple[float, float] | None:
    """Lowest and highest position of all lesions along the bone, as fractions of its length."""
    if not lesions:
        return None
    return min(lesion.span[0] for lesion in lesions), max(lesion.span[1] for lesion in lesions)


def _share(solids: dict[str, Solid], own: Mapping[str, Solid], label: str) -> dict[str, str]:
    """Add a strategy's solids to the common ones; return what each is called there."""
    known = {solid.key(): name for name, solid in solids.items()}
    renamed = {}
    for name, solid in own.items():
        common = known.get(solid.key())
        if common is None:
            common = name if name not in solids else f"{label}.{name}"
            solids[common] = solid
        renamed[name] = common
    _check_count(len(solids))
    return renamed


def _check_count(count: int) -> None:
    if count > 62:
        raise GeometryError(
            f"The strategies need {count} different solids on one mesh.",
            "An element records the solids it lies in as the bits of a 64-bit number.",
            "Compare fewer strategies, or fewer catheters and lesions, in one run.",
        )


def _rename(rule: Rule, names: Mapping[str, str]) -> Rule:
    return replace(
        rule,
        inside=tuple(names.get(name, name) for name in rule.inside),
        outside=tuple(names.get(name, name) for name in rule.outside),
    )
