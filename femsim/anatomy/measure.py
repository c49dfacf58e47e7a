"""Anatomical measures taken from the surfaces of a bone, without knowledge of how it was made.

The frame, the head and its axis come from `find_anatomy`; the rest from plane sections of the triangles.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from femsim.anatomy._sections import area_centroid, plane_basis, section_segments
from femsim.anatomy.frame import Frame
from femsim.anatomy.landmarks import find_anatomy
from femsim.errors import GeometryError
from femsim.mesh.mesh import Mesh
from femsim.mesh.topology import face_nodes

Array = NDArray[np.float64]
Triangles = tuple[Array, NDArray[np.int64]]

#: Parts into which the edges of curved faces are divided.
PARTS = 4
#: What is measured in degrees.
ANGLES = ("neck_shaft_angle", "anteversion", "inclination", "retroversion", "torsion")


def measure_bone(kind: str, periosteum: Triangles, endosteum: Triangles | None = None) -> dict[str, float]:
    """Anatomical parameters of a femur, humerus or tibia from its triangles.

    Parameters
    ----------
    kind : {"femur", "humerus", "tibia"}
        Which bone.
    periosteum, endosteum : (points (p, 3) mm, triangles (t, 3))
        Closed, outward surfaces; without the inner one no cortical thickness.

    Returns
    -------
    dict of str to float
        The parameters of `FemurShape`, `HumerusShape` or `TibiaShape` that can be seen from outside; lengths in mm,
        angles in degrees.

    Raises
    ------
    GeometryError
        If a section that is needed is not there.
    """
    points, triangles = periosteum
    found = find_anatomy(points, triangles, kind)
    frame, length, corners = found.frame, found.length, points[triangles]
    local = frame.to_local(points)
    result = {"length": float(np.ptp(local[:, 2]))}
    outer = _widths(corners, frame, 0.5 * length)
    result |= {"shaft_ml": outer[0], "shaft_ap": outer[1]}
    if endosteum is not None:
        # A wall is one element thick: sections over 30 mm meet several, where those over 10 mm may meet one or two.
        inside, outside = (_widths(one, frame, 0.5 * length, 15.0)[0] for one in (endosteum[0][endosteum[1]], corners))
        result["cortical_thickness"] = (outside - inside) / 2
    if kind == "tibia":
        result["plateau_width"] = float(np.ptp(local[local[:, 2] > 0.85 * length, 0]))
        return result | {"torsion": _torsion(corners, frame, length)}
    result["epicondylar_width"] = float(np.ptp(local[local[:, 2] < 0.15 * length, 0]))
    result["head_diameter"] = 2 * found.measures["head_radius"]
    head = found.landmarks["head_centre"]
    if kind == "humerus":
        result["inclination"] = found.measures["neck_shaft_angle"]
        result["retroversion"] = -found.measures["anteversion"]
        return result | {"offset": _offset(corners, frame, length, head)}
    result["neck_shaft_angle"] = found.measures["neck_shaft_angle"]
    result["anteversion"] = found.measures["anteversion"]
    result["antecurvation_radius"] = _bow_radius(corners, frame, length)
    result["neck_diameter"] = _neck_diameter(corners, head, found.landmarks["neck_centre"])
    return result


def measure_mesh(kind: str, mesh: Mesh) -> dict[str, float]:
    """Anatomical parameters taken from a finished mesh: its outer faces and, where it has them, those of the endosteum.

    Parameters
    ----------
    kind : {"femur", "humerus", "tibia"}
    mesh : Mesh
        Of tet10, with the face sets ``"boundary"`` and ``"endosteum"``. Each curved face counts as sixteen triangles.

    Returns
    -------
    dict of str to float
        As `measure_bone`.
    """
    inner = _faces(mesh, "endosteum") if len(mesh.face_sets.get("endosteum", ())) else None
    return measure_bone(kind, _faces(mesh, "boundary"), inner)


def _faces(mesh: Mesh, name: str) -> Triangles:
    """Sixteen triangles on each curved face: four flat ones would cut off a tenth of a millimetre of a round canal."""
    place = np.array([(i, j) for i in range(PARTS + 1) for j in range(PARTS + 1 - i)]) / PARTS
    number = {tuple(np.round(PARTS * at).astype(int)): k for k, at in enumerate(place)}
    cells = [
        [number[i, j], number[i + 1, j], number[i, j + 1]] for i in range(PARTS) for j in range(PARTS - i)
    ] + [
        [number[i + 1, j], number[i + 1, j + 1], number[i, j + 1]]
        for i in range(PARTS - 1)
        for j in range(PARTS - 1 - i)
    ]  # fmt: skip
    b, c = place.T
    a = 1.0 - b - c
    shape = np.stack([a * (2 * a - 1), b * (2 * b - 1), c * (2 * c - 1), 4 * a * b, 4 * b * c, 4 * c * a], axis=1)
    nodes = mesh.points[face_nodes(mesh, mesh.face_sets[name])]
    points = np.einsum("pk,fkd->fpd", shape, nodes).reshape(-1, 3)
    triangles = (np.arange(len(nodes))[:, None, None] * len(place) + np.array(cells)).reshape(-1, 3)
    # what neighbours share differs by rounding alone
    _, first, index = np.unique(np.round(points, 6), axis=0, return_index=True, return_inverse=True)
    return points[first], index.reshape(-1)[triangles]


def _widths(corners: Array, frame: Frame, height: float, reach: float = 5.0) -> tuple[float, float]:
    """Lateral and anterior width at a height along the bone, mm: the mean of sections up to `reach` below and above."""
    found = []
    for level in height + np.linspace(-reach, reach, 11):
        cut = _section(corners, frame.origin + level * frame.proximal, frame.proximal)
        found.append(np.ptp(frame.to_local(cut.reshape(-1, 3)), axis=0))
    across, deep, _ = np.mean(found, axis=0)
    return float(across), float(deep)


def _section(corners: Array, point: Array, normal: Array) -> Array:
    cut = section_segments(corners, point, normal)
    if len(cut) < 8:
        raise GeometryError(
            "A section of the bone is empty.",
            "A measure cannot be taken.",
            "Give the closed surface of a whole bone.",
        )
    return cut


def _bow_radius(corners: Array, frame: Frame, length: float) -> float:
    """Radius of the circle through the centroids of the sections from 20 % to 70 % of the length, seen from lateral."""
    centres = []
    for height in np.linspace(0.20, 0.70, 41) * length:
        centres.append(_centre(corners, frame, height))
    seen = frame.to_local(np.array(centres))[:, 1:]
    # start: anterior apex; the centre lies behind
    start = np.array([seen[:, 0].max() - 1000.0, seen[:, 1].mean(), 1000.0])

    def miss(circle: Array) -> Array:
        gap: Array = np.hypot(seen[:, 0] - circle[0], seen[:, 1] - circle[1]) - circle[2]
        return gap

    fit = least_squares(miss, start, x_scale=[100.0, 10.0, 100.0], xtol=1e-14, ftol=1e-14, gtol=1e-14)
    return float(abs(fit.x[2]))


def _neck_diameter(corners: Array, head: Array, neck: Array) -> float:
    """Diameter of the circle with the area of the narrowest section across the neck, mm."""
    along = (head - neck) / np.linalg.norm(head - neck)
    areas = []
    for shift in np.linspace(-12.0, 12.0, 49):
        point = neck + shift * along
        areas.append(_area_around(section_segments(corners, point, along), point, along))
    return float(2 * np.sqrt(min(areas) / np.pi))


def _area_around(segments: Array, point: Array, normal: Array) -> float:
    """Area of the part of a section that `point` lies in: the nearest crossing in each of 180 directions, mm2."""
    basis = np.stack(plane_basis(normal), axis=1)
    flat = (segments - point) @ basis
    start, along = flat[:, 0], flat[:, 1] - flat[:, 0]
    angle = 2 * np.pi * np.arange(180) / 180
    radius = np.full(180, np.inf)
    for i, ray in enumerate(np.column_stack([np.cos(angle), np.sin(angle)])):
        det = ray[1] * along[:, 0] - ray[0] * along[:, 1]
        ok = np.abs(det) > 1e-12
        t = np.where(ok, (start[:, 1] * along[:, 0] - start[:, 0] * along[:, 1]) / np.where(ok, det, 1.0), np.inf)
        u = np.where(ok, (start[:, 1] * ray[0] - start[:, 0] * ray[1]) / np.where(ok, det, 1.0), -1.0)
        hit = t[ok & (t > 0) & (u >= -1e-9) & (u <= 1 + 1e-9)]
        radius[i] = hit.min() if len(hit) else np.inf
    return float(np.pi * np.mean(radius**2))


def _torsion(corners: Array, frame: Frame, length: float) -> float:
    """External turn of the line from the middle of the distal metaphysis to the medial malleolus, degrees."""
    middle, tip = (
        np.mean([_centre(corners, frame, level * length) for level in np.linspace(*share, 5)], axis=0)
        for share in ((0.055, 0.075), (0.008, 0.02))
    )
    away = tip - middle
    return float(np.degrees(np.arctan2(away @ frame.anterior, -(away @ frame.lateral))))


def _centre(corners: Array, frame: Frame, height: float) -> Array:
    point = frame.origin + height * frame.proximal
    return area_centroid(_section(corners, point, frame.proximal), point, frame.proximal)[1]


def _offset(corners: Array, frame: Frame, length: float, head: Array) -> float:
    """Distance of the head centre from the line through the sections from 68 % to 75 % of the length, mm."""
    centres = []
    for height in np.linspace(0.68, 0.75, 9) * length:
        centres.append(_centre(corners, frame, height))
    middle = np.mean(centres, axis=0)
    along = np.linalg.svd(np.array(centres) - middle)[2][0]
    away = head - middle
    return float(np.linalg.norm(away - (away @ along) * along))


def compare(asked: Mapping[str, float], found: Mapping[str, float]) -> dict[str, float]:
    """Difference of every measure that was asked for: percent for lengths, degrees for angles."""
    return {
        name: found[name] - asked[name] if name in ANGLES else 100.0 * (found[name] / asked[name] - 1.0)
        for name in asked
        if name in found
    }
