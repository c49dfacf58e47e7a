"""What is wrong is found before the solve, and named."""

import numpy as np
import pytest
from small_meshes import box, on

from femsim import fem
from femsim.errors import FemsimWarning, InputError, MaterialError, MeshError, SolveError


def cube(name="tet10", divisions=(1, 1, 1)):
    points, cells = box(name, divisions, (1.0, 1.0, 1.0))
    return points, cells, fem.Material(fem.isotropic(1000.0, 0.3), np.zeros(len(cells), int))


def pulled(points, cells, material, supports, name="tet10"):
    load = fem.NodalForce([int(cells[0, 0])], (1.0, 0.0, 0.0))
    return fem.Model(points, cells, material, supports, {"pull": [load]}, name)


def test_no_support_at_all():
    with pytest.raises(SolveError, match="can move freely"):
        fem.preflight(pulled(*cube(), []))


def test_two_fixed_points_leave_a_rotation_about_their_line():
    points, cells, material = cube()
    a = int(np.flatnonzero((points == [0, 0, 0]).all(1))[0])
    b = int(np.flatnonzero((points == [0, 0, 1]).all(1))[0])
    with pytest.raises(SolveError, match=r"rotation \(-?0.00, -?0.00, -?1.00\)"):
        fem.preflight(pulled(points, cells, material, [fem.Fixed([a, b], name="pins")]))
    c = int(np.flatnonzero((points == [1, 0, 0]).all(1))[0])
    fem.preflight(pulled(points, cells, material, [fem.Fixed([a, b]), fem.Fixed([c], (1,))]))


def test_a_loose_part_is_named():
    points, cells, material = cube()
    two = np.vstack([points, points + np.array([3.0, 0, 0])])
    both = np.vstack([cells, cells + len(points)])
    material = fem.Material(material.base, np.zeros(len(both), int))
    with pytest.raises(SolveError, match=f"Part . of 2.*node {len(points)}"):
        fem.preflight(pulled(two, both, material, [fem.Fixed(on(two, 2, 0.0)[on(two, 2, 0.0) < len(points)])]))


@pytest.mark.parametrize("shared", [1, 2])
def test_parts_joined_in_a_point_or_an_edge_are_hinged(shared):
    points, cells = box("hex8", (1, 1, 1), (1.0, 1.0, 1.0))
    other = points + ([1.0, 1.0, 0.0] if shared == 2 else [1.0, 1.0, 1.0])
    every, index = np.unique(np.vstack([points, other]), axis=0, return_inverse=True)
    index = index.ravel()
    both = np.vstack([index[cells], index[cells + 8]])
    material = fem.Material(fem.isotropic(1.0, 0.3), np.zeros(2, int))
    supports = [fem.Fixed(index[:8])]
    with pytest.raises(SolveError, match="hinged"):
        fem.preflight(pulled(every, both, material, supports, "hex8"))


def test_inverted_cell_is_named():
    points, cells, material = cube()
    cells = cells.copy()
    cells[2] = cells[2, [1, 0, 2, 3, 4, 6, 5, 8, 7, 9]]
    with pytest.raises(MeshError, match="cell 2"):
        fem.preflight(pulled(points, cells, material, [fem.Fixed(on(points, 2, 0.0))]))


def test_mid_side_nodes_in_the_order_of_gmsh_are_noticed():
    points, cells, material = cube()
    swapped = cells[:, [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]]
    with pytest.raises(MeshError, match="gmsh"):
        fem.preflight(pulled(points, swapped, material, [fem.Fixed(on(points, 2, 0.0))]))


def test_a_cell_folded_at_a_node_is_warned_of():
    points, cells, material = cube(divisions=(3, 3, 3))
    points = points.copy()
    a, b, middle = points[cells[40, 0]], points[cells[40, 1]], cells[40, 4]
    points[middle] = a + 0.78 * (b - a)
    with pytest.warns(FemsimWarning, match="folded"):
        fem.preflight(pulled(points, cells, material, [fem.Fixed(on(points, 2, 0.0))]))


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_bad_modulus_is_named(bad):
    scale = np.ones((6, 4))
    scale[3, 1] = bad
    with pytest.raises(MaterialError, match="cell 3"):
        fem.Material(fem.isotropic(1.0, 0.3), np.zeros(6, int), scale=scale)


@pytest.mark.parametrize(("E", "nu"), [(0.0, 0.3), (-5.0, 0.3), (1.0, 0.5), (1.0, -1.0), (np.nan, 0.3), (1.0, np.nan)])
def test_unphysical_isotropic_material(E, nu):
    with pytest.raises(MaterialError):
        fem.isotropic(E, nu)


def test_unphysical_orthotropic_material_and_axes():
    with pytest.raises(MaterialError, match="not stable"):
        fem.orthotropic((1.0, 1.0, 10.0), (0.9, 0.9, 0.9), (1.0, 1.0, 1.0))
    axes = np.stack([np.eye(3), 2 * np.eye(3)])
    with pytest.raises(MaterialError, match="cell 1"):
        fem.Material(fem.isotropic(1.0, 0.3), np.zeros(2, int), axes=axes)
    with pytest.raises(MaterialError, match="index 4"):
        fem.Material(fem.isotropic(1.0, 0.3), np.array([0, 4]))


def test_loads_on_nothing():
    points, cells, material = cube()
    base = [fem.Fixed(on(points, 2, 0.0))]
    for load in (fem.NodalForce([], (1.0, 0, 0)), fem.RemoteForce([], (0.0, 0, 0), (1.0, 0, 0))):
        with pytest.raises(SolveError, match="no nodes"):
            fem.solve(fem.Model(points, cells, material, base, {"x": [load]}))
    with pytest.raises(SolveError, match="no face"):
        fem.solve(fem.Model(points, cells, material, base, {"x": [fem.Pressure(np.zeros((0, 2), int), 1.0)]}))
    with pytest.raises(SolveError, match="no load"):
        fem.solve(fem.Model(points, cells, material, base, {"x": ()}))
    with pytest.raises(InputError, match="node 999"):
        fem.solve(fem.Model(points, cells, material, base, {"x": [fem.NodalForce([999], (1.0, 0, 0))]}))
    with pytest.raises(InputError, match="not finite"):
        fem.solve(fem.Model(points, cells, material, base, {"x": [fem.NodalForce([0], (np.nan, 0, 0))]}))
    with pytest.raises(SolveError, match="no load case"):
        fem.solve(fem.Model(points, cells, material, base, {}))


def test_orphan_nodes_are_reported_and_loads_on_them_refused():
    points, cells, material = cube()
    more = np.vstack([points, [[9.0, 9.0, 9.0]]])
    base = [fem.Fixed(on(points, 2, 0.0))]
    load = fem.NodalForce([int(on(points, 2, 1.0)[0])], (1.0, 0.0, 0.0))
    with pytest.warns(FemsimWarning, match=f"node {len(points)}"):
        solution = fem.solve(fem.Model(more, cells, material, base, {"x": [load]}))["x"]
    assert (solution.displacement[-1] == 0.0).all()
    with pytest.raises(SolveError, match="in no cell"):
        fem.preflight(fem.Model(more, cells, material, base, {"x": [fem.NodalForce([len(points)], (1.0, 0, 0))]}))
    with pytest.raises(SolveError, match="in no cell"):
        fem.preflight(fem.Model(more, cells, material, [fem.Fixed([len(points)], name="s")], {"x": [load]}))


def test_coupling_on_one_node_cannot_hold_its_reference_point():
    points, cells, material = cube()
    supports = [fem.Fixed(on(points, 2, 0.0)), fem.RigidCoupling([int(on(points, 2, 1.0)[0])], (0, 0, 2.0), "pot")]
    load = fem.CouplingForce("pot", (0.0, 0.0, 1.0))
    with pytest.raises(SolveError, match="pot"):
        fem.preflight(fem.Model(points, cells, material, supports, {"x": [load]}))


def test_wrong_shapes_and_names():
    points, cells, material = cube()
    with pytest.raises(InputError, match="10 nodes"):
        fem.Model(points, cells[:, :4], material)
    with pytest.raises(InputError, match="tet15"):
        fem.element("tet15")
    with pytest.raises(InputError, match="Cell 0"):
        fem.Model(points, cells + 1000, material)
    broken = points.copy()
    broken[3] = np.nan
    with pytest.raises(InputError, match="NaN"):
        fem.Model(broken, cells, material)
    with pytest.raises(InputError, match="quadrature"):
        fem.Model(points, cells, fem.Material(material.base, material.index, scale=np.ones((6, 3))))


def test_print_says_what_matters():
    points, cells, material = cube()
    text = str(pulled(points, cells, material, [fem.Fixed(on(points, 2, 0.0))]))
    assert "81 unknowns" in text
    assert "6 cells, 1 mm3" in text
    assert "1000 MPa" in text
