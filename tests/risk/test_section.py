"""Rigidities of sections against closed forms and against the ring-sector table of the domain reference."""

from __future__ import annotations

import math

import numpy as np
import pytest

from femsim import fem
from femsim.errors import InputError
from femsim.risk.rigidity import rigidity_curves
from femsim.risk.ring import ring_section
from femsim.risk.section import Section, properties, ratio
from femsim.risk.slices import cut, moduli, slice_section

CORTEX = (17000.0, 3300.0)
CEMENT = (2500.0, 2500.0 / 2.6)
FEMUR = (6.5, 14.0)


def rectangle(a: float, b: float, n: int = 16) -> Section:
    x, y = np.meshgrid(np.linspace(0, a, n + 1), np.linspace(0, b, n + 1), indexing="ij")
    i, j = (g.ravel() for g in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    p, q, r, s = i * (n + 1) + j, (i + 1) * (n + 1) + j, (i + 1) * (n + 1) + j + 1, i * (n + 1) + j + 1
    triangles = np.vstack([np.stack([p, q, r], 1), np.stack([p, r, s], 1)])
    t = len(triangles)
    return Section(np.stack([x.ravel(), y.ravel()], 1), triangles, np.ones(t), np.ones(t), np.full(t, -1))


def torsion_constant(a: float, b: float) -> float:
    """Timoshenko and Goodier, section 109: a rectangle a >= b."""
    odd = np.arange(1, 60, 2)
    return a * b**3 / 3 * (1 - 192 * b / (np.pi**5 * a) * np.sum(np.tanh(odd * np.pi * a / (2 * b)) / odd**5))


@pytest.mark.parametrize("side", [1.0, 2.0, 5.0])
def test_rectangles(side: float) -> None:
    found = properties(rectangle(10.0 * side, 10.0))
    assert pytest.approx(100.0 * side, rel=1e-12) == found.EA
    assert found.EI_min == pytest.approx(10.0 * side * 1000 / 12, rel=1e-12)
    assert found.EI_max == pytest.approx((10.0 * side) ** 3 * 10 / 12, rel=1e-12)
    assert pytest.approx(torsion_constant(10 * side, 10), rel=1e-3) == found.GJ
    if side > 1:
        assert abs(found.weak_axis[0]) == pytest.approx(1.0)


@pytest.mark.parametrize("aspect", [1.0, 1.5, 3.0])
def test_ellipses(aspect: float) -> None:
    disc = ring_section([0.0, 10.0], {}, [(1.0, 1.0)], per_ring=20)
    found = properties(Section(disc.points * [aspect, 1.0], disc.triangles, disc.axial, disc.shear, disc.cell))
    a, b = 10.0 * aspect, 10.0
    assert pytest.approx(math.pi * a * b, rel=5e-3) == found.EA
    assert found.EI_min == pytest.approx(math.pi * a * b**3 / 4, rel=5e-3)
    assert found.EI_max == pytest.approx(math.pi * a**3 * b / 4, rel=5e-3)
    assert pytest.approx(math.pi * a**3 * b**3 / (a**2 + b**2), rel=5e-3) == found.GJ


def test_tube_of_the_domain_reference() -> None:
    found = properties(ring_section(FEMUR, {}, [CORTEX]))
    assert found.EI_min / 1e9 == pytest.approx(0.4891, rel=2e-3)
    assert pytest.approx(0.1899, rel=2e-3) == found.GJ / 1e9
    assert pytest.approx(found.GJ_polar, rel=1e-6) == found.GJ
    filled = properties(ring_section([0.0, *FEMUR], {}, [CEMENT, CORTEX]))
    assert filled.EI_min / found.EI_min - 1 == pytest.approx(0.0072, abs=1e-4)
    assert pytest.approx(0.0404, abs=2e-4) == filled.EA / found.EA - 1


def sector_torsion(removed: float) -> float:
    """Saint-Venant's J of a ring from which a sector (degrees) is cut, mm4, as a series; ANALYTIC.

    Prandtl's function is a sum of sines over the angle; its factor ``f`` of order ``nu`` solves
    ``f'' + f'/r - nu^2 f/r^2 = -8 / (n pi)`` with zeros at both radii. 4 000 terms give six digits.
    """
    inner, outer = FEMUR
    angle = math.radians(360.0 - removed)
    total = 0.0
    for n in range(1, 8000, 2):
        nu = n * math.pi / angle
        c, q = -8.0 / (n * math.pi) / (4.0 - nu**2), (inner / outer) ** nu
        rise = (q * c * inner**2 - c * outer**2) / (1.0 - q**2)  # of (r / outer)^nu
        fall = (q * c * outer**2 - c * inner**2) / (1.0 - q**2)  # of (inner / r)^nu
        integral = c * (outer**4 - inner**4) / 4.0 + rise * (outer**2 - inner**2 * q) / (nu + 2.0)
        integral += fall * (outer**2 * q - inner**2) / (2.0 - nu)
        total += 4.0 * angle / (n * math.pi) * integral
    return total


def test_open_sectors_have_the_torsion_constant_of_the_series() -> None:
    """Which of two numbers has converged: femsim's, or those of the finite-difference table (0.131, 0.118, 0.066)."""
    ring = math.pi / 2.0 * (FEMUR[1] ** 4 - FEMUR[0] ** 4)
    intact = properties(ring_section(FEMUR, {}, [CORTEX])).GJ
    for angle, exact in ((30, 0.13372), (60, 0.12048), (120, 0.09400), (180, 0.06751)):
        assert sector_torsion(angle) / ring == pytest.approx(exact, abs=1e-5)
        found = properties(ring_section(FEMUR, {(0, 0, angle): None}, [CORTEX])).GJ / intact
        assert found == pytest.approx(exact, rel=1e-3)


# sector, EA, EI weak, GJ polar, GJ true open, then EA, EI and GJ filled and GJ with only the canal filled, as printed
# in the domain reference. Its open GJ are 2.1 to 2.3 % below the series above, as its own grid study suggests (.1166,
# .1183, .1193 at 60 degrees): they have not converged, and get 2.5 %; all others 2 %.
TABLE = [
    (30, 0.917, 0.823, 0.910, 0.131, 0.969, 0.858, 0.879, None),
    (60, 0.833, 0.637, 0.804, 0.118, 0.898, 0.708, 0.789, 0.46),
    (180, 0.500, 0.110, 0.305, 0.066, 0.614, 0.350, 0.536, 0.20),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]} degrees")
def test_ring_sectors(row: tuple[float, ...]) -> None:
    angle = row[0]
    intact = properties(ring_section(FEMUR, {}, [CORTEX]))
    open_ = ratio(properties(ring_section(FEMUR, {(0, 0, angle): None}, [CORTEX])), intact)
    filled = ratio(properties(ring_section([0.0, *FEMUR], {(1, 0, angle): CEMENT}, [CEMENT, CORTEX])), intact)
    canal = ratio(properties(ring_section([0.0, *FEMUR], {(1, 0, angle): None}, [CEMENT, CORTEX])), intact)
    found = (open_.EA, open_.EI_min, open_.GJ_polar, open_.GJ, filled.EA, filled.EI_min, filled.GJ, canal.GJ)
    for column, (value, wanted) in enumerate(zip(found, row[1:], strict=True)):
        assert wanted is None or value == pytest.approx(wanted, rel=0.025 if column == 3 else 0.02)
    # the sum of CTRA is far off for an open section, and never below the truth
    assert open_.GJ_polar > 4.0 * open_.GJ


@pytest.mark.parametrize("angle", [10, 45, 90, 120])
def test_other_sectors_against_closed_forms(angle: int) -> None:
    rest = math.radians(360 - angle)
    r1, r2 = FEMUR
    found = properties(ring_section(FEMUR, {(0, 0, angle): None}, [CORTEX], around=720))
    area = rest / 2 * (r2**2 - r1**2)
    centre = 2 * math.sin(rest / 2) * (r2**3 - r1**3) / 3 / area
    quarter = (r2**4 - r1**4) / 8
    along = quarter * (rest + math.sin(rest)) - area * centre**2
    across = quarter * (rest - math.sin(rest))
    assert pytest.approx(17000 * area, rel=1e-3) == found.EA
    assert found.EI_min == pytest.approx(17000 * min(along, across), rel=2e-3)
    assert found.EI_max == pytest.approx(17000 * max(along, across), rel=2e-3)
    # a curved strip of the same thickness and middle length is about right, and a little too stiff without its ends
    strip = 3300 * rest * (r1 + r2) / 2 * (r2 - r1) ** 3 / 3
    assert 0.80 * strip < found.GJ < 1.02 * strip


def test_true_torsion_falls_towards_its_limit() -> None:
    values = [
        properties(ring_section(FEMUR, {(0, 0, 60): None}, [CORTEX], per_ring=n, around=240)).GJ for n in (2, 4, 8)
    ]
    assert values[0] > values[1] > values[2]
    assert values[2] == pytest.approx(values[1], rel=0.01)


def test_pieces_that_do_not_touch_add_up() -> None:
    one = rectangle(10.0, 5.0)
    n = len(one.points)
    two = Section(
        np.vstack([one.points, one.points + np.array([0.0, 40.0])]), np.vstack([one.triangles, one.triangles + n]),
        np.tile(one.axial, 2), np.tile(one.shear, 2), np.tile(one.cell, 2),
    )  # fmt: skip
    assert pytest.approx(2 * properties(one).GJ, rel=1e-9) == properties(two).GJ


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_impossible_modulus(bad: float) -> None:
    one = rectangle(1.0, 1.0, 2)
    with pytest.raises(InputError):
        Section(one.points, one.triangles, one.axial * bad, one.shear, one.cell)


def block(n: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A box of 10 x 10 x 20 mm in straight tet10."""
    g = np.stack(np.meshgrid(*[np.linspace(0, s, n + 1) for s in (10, 10, 20)], indexing="ij"), -1).reshape(-1, 3)
    i, j, k = (x.ravel() for x in np.meshgrid(*[np.arange(n)] * 3, indexing="ij"))
    at = lambda a, b, c: ((i + a) * (n + 1) + j + b) * (n + 1) + k + c  # noqa: E731
    paths = [((1, 0, 0), (1, 1, 0)), ((0, 1, 0), (1, 1, 0)), ((0, 1, 0), (0, 1, 1)), ((0, 0, 1), (0, 1, 1)),
             ((0, 0, 1), (1, 0, 1)), ((1, 0, 0), (1, 0, 1))]  # fmt: skip
    tets = np.vstack([np.stack([at(0, 0, 0), at(*a), at(*b), at(1, 1, 1)], 1) for a, b in paths])
    edges = np.array([(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)])
    pairs = np.sort(tets[:, edges].reshape(-1, 2), 1)
    found, inverse = np.unique(pairs, axis=0, return_inverse=True)
    return np.vstack([g, g[found].mean(1)]), np.hstack([tets, len(g) + inverse.reshape(-1, 6)])


@pytest.mark.parametrize("height", [10.0, 7.3, 5.0 + 1e-9])
def test_slice_of_a_box(height: float) -> None:
    points, cells = block()
    base = fem.transversely_isotropic(17000.0, 11500.0, 3300.0, 0.46, 0.58)
    axes = np.broadcast_to(np.eye(3), (len(cells), 3, 3))
    material = fem.Material(base, np.zeros(len(cells), int), axes=axes)
    found = properties(slice_section(points, cells, material, (0, 0, height), (0, 0, 1), across=(1, 0, 0)))
    assert pytest.approx(17000.0 * 100, rel=1e-6) == found.EA
    assert found.EI_min == pytest.approx(17000.0 * 1e4 / 12, rel=1e-6)
    assert pytest.approx(3300.0 * torsion_constant(10, 10), rel=5e-3) == found.GJ
    np.testing.assert_allclose(found.centroid, (5, 5), atol=1e-3)


def test_oblique_slice_has_the_right_area_and_modulus() -> None:
    points, cells = block()
    flat, triangles, cell = cut(points, cells, (5, 5, 10), (1, 0, 1))
    t = len(triangles)
    section = Section(flat, triangles, np.ones(t), np.ones(t), cell)
    assert section.areas.sum() == pytest.approx(100 * math.sqrt(2), rel=1e-3)
    material = fem.Material(fem.isotropic(2500.0, 0.3), np.zeros(len(cells), int), scale=np.full(len(cells), 2.0))
    axial, shear = moduli(material, cell, (1, 0, 1))
    np.testing.assert_allclose(axial, 5000.0)
    np.testing.assert_allclose(shear, 5000.0 / 2.6)


def test_weakest_section_is_where_the_material_is_soft() -> None:
    points, cells = block()
    z = points[cells[:, :4]].mean(axis=1)[:, 2]
    sound = fem.Material(fem.isotropic(17000.0, 0.3), np.zeros(len(cells), int))
    weak = fem.Material(fem.isotropic(17000.0, 0.3), np.zeros(len(cells), int), scale=np.where(z < 10, 1.0, 0.5))
    origins = [(0, 0, 3.0), (0, 0, 8.0), (0, 0, 17.0)]
    found = rigidity_curves(
        points, cells, {"intact": sound, "soft": weak}, "intact", [15.0, 40.0, 85.0], origins, [(0, 0, 1)] * 3
    )
    soft = found["soft"]
    np.testing.assert_allclose(soft.ratio["GJ_true"], [1.0, 1.0, 0.5])
    np.testing.assert_allclose(found["intact"].ratio["EA"], 1.0)
    assert soft.smallest("EA", "EI_min")[:2] == (pytest.approx(0.5), 85.0)
    assert soft.loss == pytest.approx(0.5)
    assert soft.GJ_true[0] == pytest.approx(17000.0 / 2.6 * torsion_constant(10, 10), rel=5e-3)


def test_plane_beside_the_mesh_and_wrong_cells() -> None:
    points, cells = block(2)
    with pytest.raises(InputError, match="misses"):
        cut(points, cells, (0, 0, 30), (0, 0, 1))
    with pytest.raises(InputError, match="direction"):
        cut(points, cells, (0, 0, 5), (0, 0, 0))
    with pytest.raises(InputError, match="tetrahedra"):
        cut(points, cells[:, :8], (0, 0, 5), (0, 0, 1))
