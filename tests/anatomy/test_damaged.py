"""Files of real bones damaged on purpose: repaired within the stated bound, or refused with the place and the count.

Where a file is repaired, every vertex of the undamaged surface lies within the bound of the repaired one.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import pyvista as pv

from femsim.anatomy.surface import read_surface
from femsim.errors import GeometryError, InputError

DATA = Path(__file__).parents[2] / "../shared/data"
FILES = {
    "femur": "femur_real/femur_periosteal_12k.stl",
    "humerus": "humerus_lowres/humerus_rv_mm.stl",
    "tibia": "tibia_real/tibia_r_smooth_12k.stl",
}


@pytest.fixture(scope="module", params=FILES)
def whole(request):
    file = DATA / FILES[request.param]
    if not file.is_file():
        pytest.skip(f"{file.name} is not there")
    return read_surface(file)


def write(folder, points, triangles, name="bone.stl"):
    faces = np.column_stack([np.full(len(triangles), 3), triangles])
    # else the writer would turn the triangles
    pv.PolyData(points, faces.ravel()).save(folder / name, recompute_normals=False)
    return folder / name


def away(points, surface):
    """Largest distance of points from a surface, mm."""
    faces = np.column_stack([np.full(len(surface.triangles), 3), surface.triangles])
    found = pv.PolyData(surface.points, faces.ravel()).find_closest_cell(points, return_closest_point=True)[1]
    return float(np.linalg.norm(found - points, axis=1).max())


def volume(surface):
    a, b, c = (surface.points[surface.triangles[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def place(text):
    return np.array([float(x) for x in re.search(r"\((-?[\d.]+), (-?[\d.]+), (-?[\d.]+)\) mm", text).groups()])


def count(pattern, text):
    return int(re.search(pattern, text).group(1))


@pytest.mark.parametrize(("scale", "unit"), [(1e-3, "m"), (0.1, "cm")])
def test_other_units_are_recognised_and_said(whole, tmp_path, scale, unit):
    found = read_surface(write(tmp_path, scale * whole.points, whole.triangles))
    assert any(f"taken as {unit}" in note for note in found.notes)
    assert away(whole.points, found) < 0.01
    assert volume(found) == pytest.approx(volume(whole), rel=1e-3)


def test_inside_out(whole, tmp_path):
    found = read_surface(write(tmp_path, whole.points, whole.triangles[:, ::-1]))
    assert volume(found) == pytest.approx(volume(whole), rel=1e-4)
    assert any("inside out" in note for note in found.notes)


def test_triangles_that_disagree(whole, tmp_path):
    triangles = whole.triangles.copy()
    chosen = np.random.default_rng(1).choice(len(triangles), len(triangles) // 4, replace=False)
    triangles[chosen] = triangles[chosen][:, ::-1]
    found = read_surface(write(tmp_path, whole.points, triangles))
    assert volume(found) == pytest.approx(volume(whole), rel=1e-4)
    assert any(count(r"Turned (\d+) triangles", note) == len(chosen) for note in found.notes if "to agree" in note)


def stars(surface, number, seed=2):
    """Vertices far from each other whose triangles, taken away, leave a hole; the smallest such holes first."""
    size = np.zeros(len(surface.points))
    for k in range(3):
        edge = surface.points[surface.triangles[:, k]] - surface.points[surface.triangles[:, k - 1]]
        np.maximum.at(size, surface.triangles[:, k], np.linalg.norm(edge, axis=1))
        np.maximum.at(size, surface.triangles[:, k - 1], np.linalg.norm(edge, axis=1))
    chosen = []
    for v in np.argsort(size):
        if all(np.linalg.norm(surface.points[v] - surface.points[w]) > 15.0 for w in chosen):
            chosen.append(int(v))
        if len(chosen) == number:
            break
    return chosen


def test_small_holes_are_closed_within_half_their_width(whole, tmp_path):
    chosen = stars(whole, 3)
    left = whole.triangles[~np.isin(whole.triangles, chosen).any(axis=1)]
    found = read_surface(write(tmp_path, whole.points, left), hole=12.0)
    note = next(note for note in found.notes if note.startswith("Closed"))
    assert count(r"Closed (\d+) holes", note) == 3
    width = float(re.search(r"the largest ([\d.]+) mm", note).group(1))
    assert 0.0 < away(whole.points, found) <= width / 2.0
    assert volume(found) == pytest.approx(volume(whole), rel=0.01)


def test_a_large_hole_is_refused_with_place_and_count(whole, tmp_path):
    chosen = stars(whole, 2)
    top = whole.points[:, :].max(axis=0)
    axis = int(np.argmax(np.ptp(whole.points, axis=0)))
    middle = whole.points[whole.triangles].mean(axis=1)
    end = middle[:, axis] > top[axis] - 12.0
    left = whole.triangles[~end & ~np.isin(whole.triangles, chosen).any(axis=1)]
    with pytest.raises(GeometryError) as told:
        read_surface(write(tmp_path, whole.points, left))
    assert "is open" in told.value.what
    holes = count(r"(\d+) holes", told.value.what)
    assert holes >= 1 + sum(not end[(whole.triangles == v).any(axis=1)].any() for v in chosen)
    assert abs(place(told.value.what)[axis] - (top[axis] - 12.0)) < 10.0


def test_cuts_through_itself_are_counted_and_placed(whole, tmp_path):
    """A vertex at mid-shaft is pulled out through the opposite wall."""
    axis = int(np.argmax(np.ptp(whole.points, axis=0)))
    height = whole.points[:, axis]
    v = int(np.argmin(np.abs(height - height.min() - 0.5 * np.ptp(height))))
    near = np.abs(height - height[v]) < 20.0
    points = whole.points.copy()
    points[v] += 2.5 * (points[near].mean(axis=0) - points[v])
    points[v, axis] = height[v]
    found = read_surface(write(tmp_path, points, whole.triangles))
    note = next(note for note in found.notes if "cut through" in note)
    assert count(r"(\d+) triangles cut", note) >= 2
    assert np.abs(place(note)[axis] - height[v]) < 40.0


def ball(centre, radius):
    mesh = pv.Icosphere(radius=radius, center=centre, nsub=2)
    return np.asarray(mesh.points, float), np.asarray(mesh.regular_faces, np.int64)


def test_stray_parts_are_dropped(whole, tmp_path):
    points, triangles = whole.points, whole.triangles
    for k in range(4):
        extra = ball(whole.points.max(axis=0) + 10.0 + 8.0 * k, 2.0)
        triangles = np.concatenate([triangles, extra[1] + len(points)])
        points = np.concatenate([points, extra[0]])
    found = read_surface(write(tmp_path, points, triangles))
    assert any(count(r"Dropped (\d+) stray", note) == 4 for note in found.notes if "Dropped" in note)
    assert volume(found) == pytest.approx(volume(whole), rel=1e-4)


def test_a_second_bone_is_refused_with_its_place(whole, tmp_path):
    centre = whole.points.max(axis=0) + 40.0
    extra = ball(centre, 12.0)
    points, triangles = (
        np.concatenate([whole.points, extra[0]]),
        np.concatenate([whole.triangles, extra[1] + len(whole.points)]),
    )
    with pytest.raises(GeometryError) as told:
        read_surface(write(tmp_path, points, triangles))
    assert "2 components" in told.value.what
    assert np.linalg.norm(place(told.value.what) - centre) < 1.0


def test_edges_of_three_triangles_are_refused(whole, tmp_path):
    a, b = whole.triangles[7, :2]
    tip = whole.points[whole.triangles[7]].mean(axis=0) + 30.0
    points, triangles = np.vstack([whole.points, tip]), np.vstack([whole.triangles, [a, b, len(whole.points)]])
    with pytest.raises(GeometryError) as told:
        read_surface(write(tmp_path, points, triangles))
    assert "1 edges belong to three" in told.value.what
    assert np.linalg.norm(place(told.value.what) - whole.points[[a, b]].mean(axis=0)) < 0.2


@pytest.mark.parametrize("share", [0.0, 0.0005, 0.3, 0.97])
def test_a_file_cut_short_is_refused(whole, tmp_path, share):
    """Whether the reader notices itself or gives what it has, nobody gets a bone with a piece missing."""
    file = write(tmp_path, whole.points, whole.triangles)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises((GeometryError, InputError)):
        read_surface(file)


def test_a_coordinate_that_is_no_number_is_refused(whole, tmp_path):
    points = whole.points.copy()
    points[5] = np.nan
    with pytest.raises((GeometryError, InputError), match=r"finite|understood|long"):
        read_surface(write(tmp_path, points, whole.triangles))
