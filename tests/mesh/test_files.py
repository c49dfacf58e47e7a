"""Meshes written and read again: coordinates, connectivity, solids and sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from femsim.errors import FemsimError, InputError
from femsim.mesh import Mesh, cell_volumes, quality, read_mesh, write_mesh
from femsim.mesh.external import call
from femsim.mesh.promote import to_tet10


@pytest.fixture(scope="module")
def small() -> Mesh:
    """A cube of six bent tet10, two overlapping solids, one of which leaves some cells bare."""
    corner = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    cells = np.array([[0, 4, 6, 7], [0, 6, 2, 7], [0, 2, 3, 7], [0, 3, 1, 7], [0, 1, 5, 7], [0, 5, 4, 7]])
    points, ten = to_tet10(corner, cells)
    # Every mid-side node has an offset of its own, so that a swapped pair would show.
    points[8:] += 0.02 * np.random.default_rng(3).normal(size=(len(points) - 8, 3))
    faces = np.array([[0, 3], [5, 3], [2, 2]])
    mask = np.array([1, 1, 3, 2, 0, 0])
    return Mesh(points, ten, "tet10", ("lesion", "cement"), mask, {"base": np.array([0, 1, 2])}, {"outer": faces})


@pytest.mark.parametrize("suffix", [".vtu", ".vtk", ".msh", ".inp", ".xdmf"])
def test_round_trip(small: Mesh, tmp_path: Path, suffix: str) -> None:
    if suffix == ".xdmf":
        pytest.importorskip("h5py")
    path = tmp_path / f"mesh{suffix}"
    write_mesh(path, small)
    back = read_mesh(path)
    # Element by element, as formats may sort elements by group: the nodes of each, in order.
    ours, theirs = small.points[small.cells].reshape(6, -1), back.points[back.cells].reshape(6, -1)
    order = [int(np.abs(theirs - one).max(axis=1).argmin()) for one in ours]
    assert sorted(order) == list(range(6))
    np.testing.assert_allclose(theirs[order], ours, atol=1e-12)
    for name in small.solids:
        read_name = name.upper() if suffix == ".inp" else name
        assert np.array_equal(back.inside(read_name)[order], small.inside(name)), name
    assert quality(back).jacobian == pytest.approx(quality(small).jacobian)


def test_face_sets_of_gmsh_and_node_sets_of_decks(small: Mesh, tmp_path: Path) -> None:
    write_mesh(tmp_path / "a.msh", small)
    faces = read_mesh(tmp_path / "a.msh").face_sets["outer"]
    # The third lies between two cells: it comes back from the side it was named from.
    assert len(faces) == 3
    write_mesh(tmp_path / "a.inp", small)
    text = (tmp_path / "a.inp").read_text()
    assert "*SURFACE, NAME=S_outer\n1, S1\n6, S1\n3, S4" in text
    assert np.array_equal(read_mesh(tmp_path / "a.inp").node_sets["BASE"], [0, 1, 2])


def test_gmsh_and_femsim_agree_on_the_shape_of_elements(small: Mesh, tmp_path: Path) -> None:
    """SICN of gmsh's own code against ours: random tetrahedra, from good to flat."""
    rng = np.random.default_rng(1)
    points = rng.normal(size=(400, 3))
    cells = np.arange(400).reshape(100, 4)
    edge = points[cells[:, 1:]] - points[cells[:, :1]]
    turned = np.linalg.det(edge) < 0
    cells[turned] = cells[turned][:, [1, 0, 2, 3]]
    mesh = Mesh(points, cells, "tet4", (), np.zeros(100, np.int64))
    write_mesh(tmp_path / "q.msh", mesh)
    theirs = call("sicn_msh", 60.0, source_file=np.array(str(tmp_path / "q.msh")))["sicn"]
    np.testing.assert_allclose(quality(mesh).sicn, theirs, atol=1e-9)


def test_gmsh_file_with_partial_groups_and_triangles(tmp_path: Path) -> None:
    (tmp_path / "old.msh").write_text(
        '$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$PhysicalNames\n1\n3 7 "some"\n$EndPhysicalNames\n'
        "$Nodes\n5\n1 0 0 0\n2 1 0 0\n3 0 1 0\n4 0 0 1\n5 1 1 1\n$EndNodes\n"
        "$Elements\n3\n1 4 2 7 1 1 2 3 4\n2 4 2 0 2 2 3 4 5\n3 2 2 0 3 1 2 3\n$EndElements\n"
    )
    mesh = read_mesh(tmp_path / "old.msh")
    assert mesh.kind == "tet4"
    assert mesh.inside("some").tolist() == [True, False]
    assert cell_volumes(replace(mesh, cells=mesh.cells[mesh.inside("some")])).sum() == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.vtu", "no xml"),
        ("a.msh", "$MeshFormat\n9 9 9\n"),
        ("a.inp", "*NODE\n1, 0, 0\n*ELEMENT, TYPE=C3D4\n1, 1, 2, 3, 4\n"),
        ("a.stl", "solid a\nendsolid a\n"),
        ("a.nas", "GRID"),
        ("a.xyz", "?"),
    ],
)
def test_bad_files_are_refused_in_three_lines(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FemsimError) as caught:
        read_mesh(tmp_path / name)
    assert caught.value.why
    assert caught.value.do


def test_names_that_cannot_be_written(small: Mesh, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not there"):
        write_mesh(tmp_path / "nowhere" / "a.vtu", small)
    with pytest.raises(InputError, match="ending"):
        write_mesh(tmp_path / "a.docx", small)
    with pytest.raises(InputError, match="not there"):
        read_mesh(tmp_path / "a.vtu")
