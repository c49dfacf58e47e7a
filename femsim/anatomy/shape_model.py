"""Bones of a statistical shape model: the mean femur and tibia of 26 people, and their modes of variation.

The data are those of the package `musculoskeletal-models` (LLP26, left lower limb, MPL-2.0), which is no part of
femsim and is installed apart. Its surfaces are patches of Lagrange polynomials over shared points; they are
evaluated here.
"""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy.bone import Bone
from femsim.anatomy.repair import Surface, repaired
from femsim.anatomy.surface import assembled
from femsim.errors import InputError

Array = NDArray[np.float64]

#: Field mesh of every bone, its number of points, and the number of points before it in the vectors of the model.
FIELDS = {
    "femur": ("femur_left_quartic_flat.mesh", 634, 1946),
    "tibia": ("tibia_fibula_left_cubic_flat.mesh", 571, 2654),
}
#: Number of modes, and how far along one of them a bone may be asked for, standard deviations.
MODES, LARGEST = 25, 3.0
_SHAPE = "shape_models/LLP26_rigid.pc"
# Pieces into which the side of a patch is cut for its triangles.
_CUTS = 12
# Polynomial degree along both sides of a patch.
_DEGREES = {"quad55": (4, 4), "quad54": (4, 3), "quad44": (3, 3), "tri15": (4, 4), "tri10": (3, 3)}


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """Mean (n,), modes (n, m) and standard deviation (m,) of all coordinates, mm: all x, then y, then z."""

    mean: Array
    modes: Array
    deviation: Array

    def points(self, bone: str, scores: Mapping[int, float]) -> Array:
        """Points (p, 3) of a bone's field mesh, `scores[k]` standard deviations along mode k (from 1), mm."""
        _, count, first = FIELDS[bone]
        moved = self.mean.copy()
        for mode, score in scores.items():
            moved += score * self.deviation[mode - 1] * self.modes[:, mode - 1]
        return moved.reshape(3, -1)[:, first : first + count].T.copy()


def shape_surface(bone: str, scores: Mapping[int, float] | None = None) -> Surface:
    """Closed surface of a left femur or tibia of the model, mm.

    Parameters
    ----------
    bone : {"femur", "tibia"}
    scores : mapping of int to float, optional
        Standard deviations along modes 1 to 25; the mean bone where none is given. Modes belong to the whole lower
        limb: the first is mostly size.

    Raises
    ------
    InputError
        If the data are not installed, or a mode or score is out of range.
    """
    scores = {} if scores is None else dict(scores)
    if bone not in FIELDS:
        raise InputError(
            f"The shape model has no {bone!r}.", "There is nothing to build.", f"Use {' or '.join(FIELDS)}."
        )
    for mode, score in scores.items():
        if mode not in range(1, MODES + 1) or not abs(score) <= LARGEST:
            raise InputError(
                f"modes: {mode} = {score!r} is not possible.",
                f"The model has modes 1 to {MODES}; 26 people say nothing beyond {LARGEST:g} standard deviations.",
                "Choose another mode or score.",
            )
    elements = _elements(bone)
    points = _model().points(bone, scores)
    corners, triangles = _triangulated(points, elements)
    whole = repaired(*_one_bone(corners, triangles), f"{bone} of the shape model")
    return Surface(whole.points, whole.triangles, ())


def bone_from_shape_model(
    kind: str = "femur",
    scores: Mapping[int, float] | None = None,
    side: str = "left",
    thickness: float | Mapping[float, float] = 4.0,
    spacing: float = 1.0,
    min_wall: float = 0.8,
) -> Bone:
    """A femur or tibia of the shape model; it has no inner surface, so the cortex is given.

    Parameters
    ----------
    kind, scores
        As `bone` and `scores` of `shape_surface`.
    side : {"left", "right"}
        A right bone is the mirror image.
    thickness, spacing, min_wall
        As in `bone_from_surfaces`.
    """
    surface = shape_surface(kind, scores)
    if side == "right":
        surface = Surface(surface.points * [-1.0, 1.0, 1.0], surface.triangles[:, ::-1].copy(), surface.notes)
    told = ", ".join(f"mode {k} {v:+g} SD" for k, v in sorted((scores or {}).items()))
    name = f"{kind} of the shape model LLP26" + (f", {told}" if told else ", mean")
    return assembled(surface, None, kind, side, thickness, spacing, min_wall, name)


def _folder() -> Path:
    found = find_spec("musculoskeletal")
    places = [] if found is None else [Path(p) for p in found.submodule_search_locations or ()]
    for place in places:
        if (place / "models" / _SHAPE).is_file():
            return place / "models"
    raise InputError(
        "The shape model is not installed.",
        "Its data (musculoskeletal-models, MPL-2.0) are not part of femsim.",
        'Install it with: pip install "femsim[shapes]"',
    )


class _Arrays(pickle.Unpickler):
    """Reads arrays and nothing else: a pickle could name any function."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("numpy") and name in ("_reconstruct", "ndarray", "dtype", "scalar"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no array")


@cache
def _model() -> ShapeModel:
    data = _Arrays(io.BytesIO((_folder() / _SHAPE).read_bytes())).load()
    return ShapeModel(np.asarray(data["mean"], float), np.asarray(data["modes"], float), np.sqrt(data["weights"]))


@cache
def _elements(bone: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Type and points of every patch.

    The file says which nodes of which patches are one point; points are numbered in the order in which patches and
    their nodes are listed.
    """
    name, count, _ = FIELDS[bone]
    data = json.loads((_folder() / "atlas_meshes" / name).read_text(encoding="utf-8"))
    kinds = {int(key): str(value).split()[1] for key, value in data["elements"].items()}
    sizes = {key: len(_nodes(kind)) for key, kind in kinds.items()}
    number: dict[tuple[int, int], int] = {}
    for element in sorted(kinds):
        for node in range(sizes[element]):
            if (element, node) in number:
                continue
            label = len(set(number.values()))
            waiting = [(element, node)]
            while waiting:
                one = waiting.pop()
                if one in number:
                    continue
                number[one] = label
                joined = data["connectivity"][f"{one[0]}_{one[1]}"].split()
                waiting += [(int(a), int(b)) for a, b in (text.split("_") for text in joined)]
    if len(set(number.values())) != count:
        raise InputError(
            f"{name} joins its patches in {len(set(number.values()))} points, not {count}.",
            "This is another version of the shape model than femsim knows.",
            "Install musculoskeletal-models 0.2.4.",
        )
    return tuple((kinds[e], tuple(number[e, n] for n in range(sizes[e]))) for e in sorted(kinds))


def _nodes(kind: str) -> list[tuple[int, int]]:
    """Nodes of a patch as steps along its two sides, row by row."""
    a, b = _DEGREES[kind]
    return [(i, j) for j in range(b + 1) for i in range(a + 1) if kind.startswith("quad") or i + j <= a]


def _lagrange(t: Array, degree: int, order: int) -> Array:
    """Product of (t degree - m) / (order - m) over m below `order`: 1 at node `order`, 0 at those below."""
    out = np.ones_like(t)
    for m in range(order):
        out = out * (degree * t - m) / (order - m)
    return out


@cache
def _patch(kind: str) -> tuple[Array, NDArray[np.int64]]:
    """Values (s, nodes) of the basis at the corners of a patch's triangles, and those triangles."""
    a, b = _DEGREES[kind]
    steps = [(i, j) for j in range(_CUTS + 1) for i in range(_CUTS + 1) if kind.startswith("quad") or i + j <= _CUTS]
    x, y = np.array(steps, float).T / _CUTS
    if kind.startswith("quad"):
        # full Lagrange along each side: the part below times the part above
        values = [
            _lagrange(x, a, i) * _lagrange(1 - x, a, a - i) * _lagrange(y, b, j) * _lagrange(1 - y, b, b - j)
            for i, j in _nodes(kind)
        ]
    else:
        values = [_lagrange(x, a, i) * _lagrange(y, a, j) * _lagrange(1 - x - y, a, a - i - j) for i, j in _nodes(kind)]
    at = {step: k for k, step in enumerate(steps)}
    faces = []
    for i, j in steps:
        one, two, three, four = ((i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1))
        if two in at and three in at:
            faces.append([at[one], at[two], at[three]])
            if four in at:
                faces.append([at[two], at[four], at[three]])
    return np.stack(values, axis=1), np.array(faces, np.int64)


def _triangulated(points: Array, elements: tuple[tuple[str, tuple[int, ...]], ...]) -> tuple[Array, NDArray[np.int64]]:
    corners, faces, start = [], [], 0
    for kind, nodes in elements:
        values, triangles = _patch(kind)
        corners.append(values @ points[list(nodes)])
        faces.append(triangles + start)
        start += len(values)
    return np.concatenate(corners), np.concatenate(faces)


def _one_bone(points: Array, triangles: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """The largest of the bodies that a field mesh holds: tibia and fibula share one."""
    import pyvista

    whole = pyvista.PolyData.from_regular_faces(points, triangles.astype(int)).clean(tolerance=1e-6)
    main = whole.extract_largest()
    return np.asarray(main.points, float), np.asarray(main.regular_faces, np.int64)
