"""Three- and four-point bending on a bench, with rollers that do not clamp.

Fixing all nodes of a roller's patch would hold the rotation of the bone there and shorten the span. So the roller
forces, which follow from statics, are applied as loads; all loads together are in equilibrium, and six fixed components
at three nodes, which then carry nothing, hold the rigid motions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from femsim.fem.supports import Fixed
from femsim.loads.applied import Applied, Patch
from femsim.loads.load_case import Bench, LoadCaseData
from femsim.loads.patch import BoneLike, Skin, round_patch, surface_towards
from femsim.mesh.mesh import Mesh

Floats = NDArray[np.float64]


def bench(case: LoadCaseData, bone: BoneLike, mesh: Mesh, outer: Skin) -> Applied:
    """Loads and supports of a bending bench; the deflection is that of the loads against the line of the rollers.

    Forces act on the straight line through the canal's centre at both rollers, so that they are in one plane and twist
    nothing, whatever the bow of the bone.
    """
    setting = case.bench
    assert setting is not None
    ends = bone.centreline.point(np.array(setting.supports) / 100.0)
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    push = _push(setting, bone, along)
    lever = [(p - setting.supports[0]) / (setting.supports[1] - setting.supports[0]) for p in setting.loads]
    each = setting.force / len(lever)
    loads = [
        _patch(f"load at {p:g} %", p, push, each, ends[0] + t * (ends[1] - ends[0]), setting, bone, outer)
        for p, t in zip(setting.loads, lever, strict=True)
    ]
    share = [sum(1.0 - t for t in lever) * each, sum(lever) * each]
    rollers = [
        _patch(f"roller at {p:g} %", p, -push, force, end, setting, bone, outer)
        for p, force, end in zip(setting.supports, share, ends, strict=True)
    ]
    patches = (*loads, *rollers)
    supports = _supports(setting, bone, outer, push, along, mesh)
    span = float(np.linalg.norm(ends[1] - ends[0]))
    return Applied(
        name=case.name,
        description=f"{case.name.replace('_', ' ')}: {setting.force:.0f} N over a span of {span:.0f} mm",
        supports=supports,
        loads=tuple(patch.load() for patch in patches),
        excluded=np.zeros(len(mesh.cells), bool),
        patches=patches,
        held=np.unique(np.concatenate([np.asarray(s.nodes) for s in supports])),
        main_patch=0,
        magnitude=setting.force,
        is_moment=False,
        body_weight=0.0,
    )


def _push(setting: Bench, bone: BoneLike, along: Floats) -> Floats:
    push = np.asarray(bone.frame.direction(setting.towards), float)
    push = push - (push @ along) * along
    return push / np.linalg.norm(push)


def _patch(
    name: str, position: float, push: Floats, force: float, point: Floats, setting: Bench, bone: BoneLike, outer: Skin
) -> Patch:
    centre = surface_towards(position / 100.0, -push, setting.radius, bone, outer)
    spot = round_patch(name, centre, setting.radius, point, outer)
    return Patch(name, spot.nodes, spot.weights, spot.point, force * push, np.zeros(3))


def _supports(
    setting: Bench, bone: BoneLike, outer: Skin, push: Floats, along: Floats, mesh: Mesh
) -> tuple[Fixed, ...]:
    """Six components at three nodes: exactly the rigid motions."""
    axes = np.stack([push, np.cross(along, push), along])
    low, high = (p / 100.0 for p in setting.supports)
    places = [
        surface_towards(low, push, setting.radius, bone, outer),
        surface_towards(high, push, setting.radius, bone, outer),
        surface_towards(low, -push, setting.radius, bone, outer),
    ]
    nodes = [int(outer.nodes[np.argmin(np.linalg.norm(outer.points - place, axis=1))]) for place in places]
    held: tuple[tuple[int, ...], ...] = ((0, 1, 2), (0, 1), (1,))
    return tuple(
        Fixed(np.array([node]), components=components, axes=axes, name=f"rigid motions {i + 1}")
        for i, (node, components) in enumerate(zip(nodes, held, strict=True))
    )
