"""The random variants of the mesher's benchmark: bones, and the lesions, cement and devices drawn on them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from femsim import anatomy, mesh, solid
from femsim.solid import Arrangement, Solid

GROUP = 40
RELATIONS = ("free", "tangent", "coincident", "grazing", "near", "nested", "apart")


@dataclass(frozen=True)
class Group:
    """A bone and the place on it where variants differ."""

    bone: str
    arrangement: Arrangement
    surface: mesh.surface.Surface | None
    size: mesh.MeshSize
    line: np.ndarray
    width: float
    prepared: float = 0.0
    made: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """Where a variant's solids go: a point of the line, directions outward, across and along, and the bone's radius."""

    at: np.ndarray
    out: np.ndarray
    across: np.ndarray
    along: np.ndarray
    width: float


def kinds(data: Path | None) -> list[str]:
    """Bones in the order in which groups take them."""
    real = [name for name, (file, _, _) in REAL.items() if data is not None and (data / file).is_file()]
    return ["femur", "shaft", "humerus", *real[:1], "tibia", *real[1:]]


REAL: dict[str, tuple[str, str, str | None]] = {
    "real femur": ("femur_real/femur_periosteal_12k.stl", "femur", "femur_real/femur_endosteal_clean_12k.stl"),
    "real tibia": ("tibia_real/tibia_r_smooth_12k.stl", "tibia", None),
    "mean femur": ("femur_tibia_mean/femur_left_mean.stl", "femur", None),
    "real humerus": ("humerus_lowres/humerus_rv_mm.stl", "humerus", None),
}


def group(number: int, data: Path | None, cache: Path, near: float | None = None) -> Group:
    """The bone of a group, with its base in `cache`; `near` instead of the edge length it would draw."""
    rng = np.random.default_rng([7, number])
    names = kinds(data)
    name = names[number % len(names)]
    start = time.process_time()
    made = _shaft(rng) if name == "shaft" else _bone(name, rng, data)
    prepared = time.process_time() - start
    if near is not None:
        made = replace(made, size=mesh.MeshSize(near=near, far=3.0 * near))
    start = time.perf_counter()
    mesh.mesh_arrangement(made.arrangement, made.size, surface=made.surface, cache=cache)
    return Group(**{**vars(made), "prepared": prepared, "made": [time.perf_counter() - start]})


def _bone(name: str, rng: np.random.Generator, data: Path | None) -> Group:
    if name in REAL:
        assert data is not None
        outer, kind, inner = REAL[name]
        thickness = None if inner else float(rng.uniform(2.0, 4.0))
        side = None if name != "mean femur" else "left"
        bone = anatomy.bone_from_surfaces(
            data / outer, data / inner if inner else None, kind, side, thickness=thickness, spacing=1.25
        )
    else:
        shape = anatomy.SHAPES[name]
        default = {f.name: f.default for f in fields(shape)}
        vary = {k: default[k] * rng.uniform(0.95, 1.05) for k in ("length", "shaft_ap", "shaft_ml")}
        vary["cortical_thickness"] = default["cortical_thickness"] * rng.uniform(0.75, 1.1)
        bone = getattr(anatomy, name)(**vary)
    low = rng.uniform(0.12, 0.75)
    line = bone.centreline.point(np.linspace(low, min(low + rng.uniform(0.1, 0.16), 0.9), 25))
    inside = -bone.periosteum.distance(line)
    width = float(np.clip(np.median(inside), 8.0, 25.0))
    return _group(name, bone.periosteum, bone.endosteum, bone.surface, line, width, rng)


def _shaft(rng: np.random.Generator) -> Group:
    """A bowed shaft with a flared end and cut ends."""
    length, radius, bow = rng.uniform(100, 160), rng.uniform(10, 16), rng.uniform(0, 6)
    s = np.linspace(0, 1, 25)
    line = np.stack([bow * np.sin(np.pi * s), 0.3 * bow * s, length * s], axis=1)
    outer = radius * (1 + 0.5 * rng.uniform(0, 1) * s**6)
    inner = np.maximum(outer - rng.uniform(2.5, 5.0), 2.5)
    flat = bool(rng.integers(2))
    bone, canal = solid.SweptTube(line, outer, flat), solid.SweptTube(line[1:-1], inner[1:-1])
    return _group("shaft", bone, canal, None, line[3:-3], radius, rng)


def _group(
    name: str,
    domain: Solid,
    endosteum: Solid,
    surface: mesh.surface.Surface | None,
    line: np.ndarray,
    width: float,
    rng: np.random.Generator,
) -> Group:
    region = solid.SweptTube(line, 1.1 * width)
    near = float(rng.uniform(1.6, 2.1))
    size = mesh.MeshSize(near=near, far=3.0 * near)
    arrangement = Arrangement(domain, {"endosteum": endosteum}, layers=("endosteum",), region=region)
    return Group(name, arrangement, surface, size, line, width)


def variant(seed: int, place: Group) -> tuple[Arrangement, str]:
    """A random arrangement on the bone of a group and the name of its hard relation."""
    rng = np.random.default_rng(seed)
    relation = RELATIONS[rng.integers(len(RELATIONS))]
    solids: dict[str, Solid] = dict(place.arrangement.solids)
    thin: dict[str, float] = {}
    for k in range(int(rng.choice([1, 1, 1, 2, 3]))):
        where = _place(place, rng)
        size = float(rng.uniform(0.25, 1.1) * where.width)
        centre = where.at + where.out * rng.uniform(0, 1.1 * where.width)
        lesion = _lesion(centre, size, where, rng, seed + k)
        solids[f"lesion_{k + 1}"] = lesion
        if k == 0:
            solids["cement"] = lesion if relation == "coincident" else _partner(relation, centre, size, where.out, rng)
    _devices(solids, thin, relation, place, rng)
    fine = tuple(n for n in solids if n not in place.arrangement.solids)
    drawn = Arrangement(
        place.arrangement.domain, solids, fine, thin, place.arrangement.layers, place.arrangement.region
    )
    return drawn, relation


def _place(group: Group, rng: np.random.Generator) -> _Place:
    k = int(rng.integers(4, len(group.line) - 4))
    along = group.line[k + 1] - group.line[k - 1]
    along /= np.linalg.norm(along)
    one = np.cross(along, np.eye(3)[int(np.abs(along).argmin())])
    one /= np.linalg.norm(one)
    two = np.cross(along, one)
    angle = rng.uniform(0, 2 * np.pi)
    out, across = np.cos(angle) * one + np.sin(angle) * two, np.cos(angle) * two - np.sin(angle) * one
    return _Place(group.line[k], out, across, along, group.width)


def _lesion(centre: np.ndarray, size: float, where: _Place, rng: np.random.Generator, seed: int) -> Solid:
    draw: list[Callable[[], Solid]] = [
        lambda: solid.Sphere(centre, size),
        lambda: solid.Ellipsoid(centre, size * rng.uniform(0.6, 1.4, 3)),
        lambda: solid.Capsule(centre - size * where.along, centre + size * where.along, 0.6 * size),
        lambda: solid.noisy_blob(centre, size, roughness=float(rng.uniform(0.05, 0.2)), seed=seed),
        lambda: solid.Cylinder(where.at, where.at + 3.0 * where.width * where.out, 0.4 * size),
        lambda: (
            solid.Cylinder(where.at + 0.3 * size * where.along, where.at + 3.0 * where.width * where.out, 0.3 * size)
            | solid.Cylinder(where.at - 0.3 * size * where.along, where.at + 3.0 * where.width * where.out, 0.3 * size)
        ),
    ]
    return draw[int(rng.integers(len(draw)))]()


def _partner(relation: str, centre: np.ndarray, size: float, out: np.ndarray, rng: np.random.Generator) -> Solid:
    second = 0.6 * size
    if relation == "tangent":
        return solid.Sphere(centre + out * (size - second), second)
    if relation == "grazing":
        return solid.Sphere(centre + out * (size + second - 10 ** rng.uniform(-4, -1)), second)
    if relation == "near":
        return solid.Sphere(centre, size - rng.uniform(0.01, 0.6))
    if relation == "apart":
        return solid.Sphere(centre - 1.2 * out * size, 0.8 * size)
    return solid.Sphere(centre, 0.8 * size)


def _devices(
    solids: dict[str, Solid], thin: dict[str, float], relation: str, group: Group, rng: np.random.Generator
) -> None:
    """Up to three catheters along the bone, and up to two screws across it."""
    radius = float(rng.uniform(0.6, 3.0))
    where = _place(group, rng)
    gap = {"tangent": 0.0, "near": 10 ** rng.uniform(-3, 0), "grazing": -(10 ** rng.uniform(-3, -1))}.get(relation, 1.0)
    low, high = int(rng.integers(0, 8)), int(rng.integers(16, 25))
    for k in range(int(rng.integers(0, 4))):
        line = group.line[low:high] + where.across * (k - 1) * (2 * radius + gap)
        solids[f"catheter_{k + 1}"] = solid.SweptTube(line, radius)
        if rng.integers(2):
            wall = min(float(rng.uniform(0.2, 0.6)), 0.5 * radius)
            thin[f"catheter_{k + 1}"] = wall
            solids[f"catheter_{k + 1}_lumen"] = solid.SweptTube(line, radius - wall)
    for k in range(int(rng.choice([0, 0, 1, 2]))):
        where = _place(group, rng)
        ends = where.at - where.out * rng.uniform(0, 2) * where.width, where.at + where.out * 2.0 * where.width
        solids[f"screw_{k + 1}"] = solid.Cylinder(*ends, float(rng.uniform(0.6, 3.0)))
