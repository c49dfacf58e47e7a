"""The base: a bone with its layers cut in, which all variants of lesions and devices share."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from femsim import store
from femsim.mesh.background import backgrounds
from femsim.mesh.cut import Cells, Recipe, cut
from femsim.mesh.shape import repaired, shaped, sicn, sound, volumes
from femsim.mesh.size import MeshSize, SizeField, size_field, slender_outside
from femsim.mesh.surface import Surface
from femsim.mesh.task import Task
from femsim.solid.arrangement import Arrangement
from femsim.solid.base import Solid

#: Vertices closer to a surface than this share of `near` lie on it; crossings are found to a tenth of that.
ON = 1e-3
#: Alpha, merge and thin over `near`, tried in this order until the shapes are good enough: thin layers are kept at
#: first, and merged in the end.
RECIPES = ((0.25, 0.12, 0.06), (0.25, 0.18, 0.12), (0.3, 0.3, 0.25), (0.35, 0.35, 0.5))
#: More of them for a variant of which none of those makes a sound mesh: steps between, and beyond.
RESERVE = ((0.35, 0.3, 0.3), (0.4, 0.35, 0.5), (0.45, 0.45, 0.6))


@dataclass(frozen=True, eq=False)
class Base:
    """Ten-node tetrahedra that fill the domain, with the layers cut in.

    Attributes
    ----------
    points : (n, 3) float64
        mm.
    cells : (m, 10) int64
        In VTK order.
    mask : (m,) int64
        Bit i set inside the i-th layer.
    ridge : (n,) bool
        Vertices on sharp edges of the domain.
    near, far : float
        Edge lengths used, mm.
    straightened : int
        Cells with edges straighter than the surfaces they lie on.
    released : int
        Vertices on sharp edges of the domain that were let go to get sound elements.
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    mask: NDArray[np.int64]
    ridge: NDArray[np.bool_]
    near: float
    far: float
    straightened: int
    released: int = 0

    @functools.cached_property
    def volume(self) -> NDArray[np.float64]:
        """Of every cell, mm3."""
        return volumes(self.points, self.cells)


def base(
    arrangement: Arrangement, size: MeshSize, surface: Surface | None = None, held: store.Store | None = None
) -> Base:
    """The base of an arrangement, from the store where it was made before.

    It depends on the domain, the layers, the sizes, walls that are to be resolved, and where the mesh is fine:
    ``Arrangement.region`` and the width of slender bodies in it, or else the fine solids and the slender bodies.
    """
    layers = [arrangement.solids[name] for name in arrangement.layers]
    fine = [arrangement.region] if arrangement.region is not None else [arrangement.solids[n] for n in arrangement.fine]
    resolved = arrangement.thin if size.walls == "resolve" else {}
    widths = (*resolved.items(), *slender_outside(arrangement).items())
    narrow: list[object] = [(arrangement.solids[name].key(), width) for name, width in widths]
    if arrangement.region is not None and arrangement.slender:  # then only the width counts, not where
        narrow.append(min(arrangement.slender.values()))
    parts = (
        arrangement.domain.key(), [one.key() for one in layers], arrangement.region is not None,
        [one.key() for one in fine], narrow, repr(size), *(() if surface is None else surface),
    )  # fmt: skip
    found = (held or store.default()).remember(
        "background", parts, lambda: vars(_make(arrangement, layers, size, surface)), recipe=source()
    )
    return Base(
        **{name: found[name] for name in ("points", "cells", "mask", "ridge")},
        near=float(found["near"]), far=float(found["far"]), straightened=int(found["straightened"]),
        released=int(found["released"]),
    )  # fmt: skip


@functools.cache
def source() -> str:
    """Hash of the source of everything that turns solids into a mesh: no version number that one can forget."""
    digest = hashlib.sha256()
    for room in ("mesh", "solid"):
        for file in sorted((Path(__file__).parents[1] / room).rglob("*.py")):
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _make(arrangement: Arrangement, layers: Sequence[Solid], size: MeshSize, surface: Surface | None) -> Base:
    domain = arrangement.domain
    box = (np.asarray(domain.bounds[0], float), np.asarray(domain.bounds[1], float))
    field, used = size_field(arrangement, size, box)
    best: tuple[float, Cells, int] | None = None
    for start, released in _starts(domain, field, surface):
        cells = repaired((cut_all(start, layers, used.near, one) for one in recipes(used.near)), domain, layers)
        shape = sicn(cells)
        if best is None or shape.min() > best[0] or sound(shape):
            best = float(shape.min()), cells, released
        if sound(shape):
            break
    assert best is not None
    _, cells, released = best
    # Layers stay where they are: what a thin one loses to holes at the ends must not be given to the shaft.
    made = shaped(cells, Task(domain, layers, {}, used.near, used.curved))
    nodes, ten = made.ten()
    sharp = np.concatenate([made.cells.ridge, np.zeros(len(nodes) - len(made.cells.points), bool)])
    return Base(nodes, ten, made.cells.mask, sharp, used.near, used.far, made.nodes.straightened, released)


def _starts(domain: Solid, field: SizeField, surface: Surface | None) -> Iterator[tuple[Cells, int]]:
    """Cells to cut the layers into, in the order of trying, and how many vertices on sharp edges were let go.

    The facets of a coarse bone surface meet at angles that look like sharp edges. Vertices on these never move, and
    where several such edges run close together nothing mends the elements between them: then they are let go.
    """
    for points, cells, ridge in backgrounds(domain, field, surface):
        yield Cells.start(points, cells, ridge), 0
        if ridge.any():
            yield Cells.start(points, cells, np.zeros_like(ridge)), int(ridge.sum())


def recipes(near: float, reserve: bool = False) -> list[Recipe]:
    """How boldly to snap, in the order of trying, with those in reserve or without."""
    every = (*RECIPES, *RESERVE) if reserve else RECIPES
    return [Recipe(alpha, merge, thin * near) for alpha, merge, thin in every]


def cut_all(mesh: Cells, solids: Sequence[Solid | None], near: float, recipe: Recipe, first: int = 0) -> Cells:
    """Cells with all solids cut in, in order; bit `first` + i for the i-th."""
    for bit, solid in enumerate(solids):
        if solid is not None:
            mesh = cut(mesh, solid, first + bit, ON * near, recipe)
    return mesh
