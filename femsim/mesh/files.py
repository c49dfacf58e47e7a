"""Mesh files in and out: VTU, VTK, XDMF and others through meshio, gmsh's own through gmsh, decks as decks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.mesh.external import call
from femsim.mesh.mesh import Mesh
from femsim.mesh.topology import TET_FACES, face_nodes

#: Names of meshio for the elements that femsim knows.
MESHIO = {"tet4": "tetra", "tet10": "tetra10", "hex8": "hexahedron", "hex20": "hexahedron20"}
_KINDS = {name: kind for kind, name in MESHIO.items()}
#: gmsh counts the last two mid-side nodes of a tetrahedron the other way round.
GMSH_TET10 = [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]
_INSIDE = "inside_"
_DECK = {"tet4": "C3D4", "tet10": "C3D10", "hex8": "C3D8", "hex20": "C3D20R"}


def write_mesh(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh with its solids and, where the format can hold them, its sets.

    Parameters
    ----------
    path : path
        The ending says the format: ``.vtu``, ``.vtk``, ``.xdmf`` and what else meshio writes (one cell array
        ``inside_NAME`` for every solid), ``.msh`` (gmsh 4.1, a physical group for every solid and face set), ``.inp``
        (Abaqus and CalculiX, an element set for every solid, node sets, surfaces; names come back in capitals).
    mesh : Mesh

    Raises
    ------
    InputError
        If the ending is not known, the folder is not there, or the format cannot hold the mesh.
    """
    path = Path(path)
    check_target(path)
    if path.suffix == ".inp":
        _write_deck(path, mesh)
    elif path.suffix == ".msh":
        _write_gmsh(path, mesh)
    else:
        _write_meshio(path, mesh)


def check_target(path: Path) -> None:
    """Find out before meshing whether a file of this name could be written.

    Raises
    ------
    InputError
        If its folder is not there or its ending is not known.
    """
    import meshio

    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} is not there.", "The mesh cannot be written.", "Make it first.")
    if path.suffix not in meshio.extension_to_filetypes or path.is_dir():
        known = ", ".join(sorted(meshio.extension_to_filetypes))
        raise InputError(
            f"{path} cannot be a mesh file.",
            "The ending says the format.",
            f"Use .vtu, .msh or .inp, or one of {known}.",
        )


def read_mesh(path: str | Path) -> Mesh:
    """Read a mesh of tetrahedra or hexahedra, with its solids and sets where the format holds them.

    Parameters
    ----------
    path : path
        ``.msh`` of any version, ``.inp``, or what else meshio reads. Elements of lower dimension are left out.

    Raises
    ------
    InputError
        If the file is not there, cannot be read, or holds no solid elements or several kinds of them.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is not there.", "There is no mesh to read.", "Check the path.")
    if path.suffix == ".inp":
        return _read_deck(path)
    if path.suffix == ".msh":
        return _read_gmsh(path)
    return _read_meshio(path)


def from_groups(
    points: NDArray[np.float64],
    cells: NDArray[np.int64],
    kind: str,
    groups: Mapping[str, NDArray[np.int64]],
    node_sets: Mapping[str, NDArray[np.int64]] | None = None,
    face_sets: Mapping[str, NDArray[np.int64]] | None = None,
) -> Mesh:
    """A mesh whose solids are groups of cells, which may overlap and need not hold every cell."""
    if len(groups) > 62:
        raise InputError(
            f"The file has {len(groups)} groups of elements.", "A cell can remember 62.", "Unite groups, or drop some."
        )
    mask = np.zeros(len(cells), np.int64)
    for bit, members in enumerate(groups.values()):
        mask[members] |= 1 << bit
    used = np.unique(cells)
    number = np.full(len(points), -1)
    number[used] = np.arange(len(used))
    nodes = {name: number[ids][number[ids] >= 0] for name, ids in (node_sets or {}).items()}
    return Mesh(points[used], number[cells], kind, tuple(groups), mask, nodes, dict(face_sets or {}))


def _write_meshio(path: Path, mesh: Mesh) -> None:
    import meshio

    cells = [(MESHIO[mesh.kind], mesh.cells)]
    # Legacy VTK files have no names with spaces.
    names = [name.replace(" ", "_") for name in mesh.solids]
    data: dict[str, list[NDArray[Any]]] = {
        f"{_INSIDE}{name}": [mesh.inside(solid).astype(np.int32)]
        for name, solid in zip(names, mesh.solids, strict=True)
    }
    data["compartment"] = [mesh.compartment]
    content = meshio.Mesh(mesh.points, cells, cell_data=data if len(mesh.compartment) else {})
    _guarded(path, "written", lambda: meshio.write(path, content))


def _read_meshio(path: Path) -> Mesh:
    import meshio

    read = _guarded(path, "read", lambda: meshio.read(path))
    blocks = [i for i, block in enumerate(read.cells) if block.type in _KINDS]
    kinds = {read.cells[i].type for i in blocks}
    if len(kinds) != 1:
        found = ", ".join(sorted({block.type for block in read.cells})) or "none"
        raise InputError(
            f"{path.name} has elements of the kinds {found}.",
            f"One kind of solid elements is needed: {', '.join(_KINDS)}.",
            "Export the solid elements only, in one kind.",
        )
    cells = np.concatenate([read.cells[i].data for i in blocks]).astype(np.int64)
    groups = {}
    for name, values in read.cell_data.items():
        if name.startswith(_INSIDE):
            inside = np.concatenate([np.asarray(values[i]) for i in blocks])
            groups[name.removeprefix(_INSIDE)] = np.flatnonzero(inside)
    points = np.asarray(read.points, np.float64)
    nodes = {name: np.asarray(ids, np.int64) for name, ids in (read.point_sets or {}).items()}
    return from_groups(points, cells, _KINDS[kinds.pop()], groups, nodes)


def _guarded(path: Path, what: str, work: Any) -> Any:
    """The result of meshio, which answers trouble in many ways: it even leaves the program."""
    try:
        return work()
    except ModuleNotFoundError as error:
        raise InputError(
            f"{path.name} cannot be {what}: the package {error.name} is not installed.",
            "This format needs it.",
            'Install it (for XDMF: pip install "femsim[xdmf]"), or use .vtu.',
        ) from error
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{path.name} cannot be {what}: {str(error).strip() or type(error).__name__}",
            "meshio does not know the format or its content.",
            "Use .vtu, .msh or .inp.",
        ) from error


def _write_gmsh(path: Path, mesh: Mesh) -> None:
    if mesh.kind not in ("tet4", "tet10"):
        raise InputError(f"A {mesh.kind} mesh has no .msh writer here.", "Only tetrahedra are written.", "Use .vtu.")
    order = GMSH_TET10 if mesh.kind == "tet10" else [0, 1, 2, 3]
    faces = {f"face_{i}": face_nodes(mesh, pairs) for i, pairs in enumerate(mesh.face_sets.values())}
    mask = mesh.compartment if len(mesh.compartment) else np.zeros(len(mesh.cells), np.int64)
    call(
        "write_msh", 300.0, target_file=np.array(str(path.resolve())), points=mesh.points, cells=mesh.cells[:, order],
        mask=mask, names=np.array(mesh.solids, str), face_names=np.array(list(mesh.face_sets), str), **faces,
    )  # fmt: skip


def _read_gmsh(path: Path) -> Mesh:
    found = call("read_msh", 300.0, source_file=np.array(str(path.resolve())))
    if not len(found["cells"]):
        raise InputError(
            f"{path.name} holds no tetrahedra.", "There is nothing solid to read.", "Save the volume mesh."
        )
    cells = found["cells"]
    kind = "tet10" if cells.shape[1] == 10 else "tet4"
    cells = cells[:, GMSH_TET10] if kind == "tet10" else cells
    groups = {str(name): found[f"group_{i}"] for i, name in enumerate(found["names"])}
    faces = {str(name): _faces(cells, found[f"face_{i}"]) for i, name in enumerate(found["face_names"])}
    return from_groups(found["points"], cells, kind, groups, None, faces)


def _faces(cells: NDArray[np.int64], triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """(cell, local face) of triangles by their vertices; those that are no face of a cell are left out.

    Between two cells the triangle's turning decides from which it is seen; elsewhere it does not matter.
    """
    own, given = cells[:, :4][:, TET_FACES].reshape(-1, 3), triangles[:, :3]
    both = np.concatenate([own, given])
    # Even and odd orders of the same three vertices turn opposite ways.
    a, b, c = both.T
    turn = np.sign((b - a) * (c - a)) * np.sign(c - b)
    key = np.unique(np.sort(both, axis=1), axis=0, return_inverse=True)[1].ravel()
    wanted, turned = key[len(own) :], key * 2 + (turn > 0)
    same = np.isin(turned[: len(own)], turned[len(own) :])
    seen = np.isin(key[: len(own)], key[: len(own)][same])
    found = np.flatnonzero(same | (np.isin(key[: len(own)], wanted) & ~seen))
    return np.stack([found // 4, found % 4], axis=1)


def _write_deck(path: Path, mesh: Mesh) -> None:
    lines = ["*HEADING", "femsim mesh, mm", "*NODE"]
    lines += [f"{i}, {x:.17g}, {y:.17g}, {z:.17g}" for i, (x, y, z) in enumerate(mesh.points.tolist(), 1)]
    lines.append(f"*ELEMENT, TYPE={_DECK[mesh.kind]}")
    for i, nodes in enumerate((mesh.cells + 1).tolist(), 1):
        row = [str(i), *map(str, nodes)]
        lines += [", ".join(row[:11]) + ("," if len(row) > 11 else "")]
        lines += [", ".join(row[11:])] if len(row) > 11 else []
    for name in mesh.solids:
        lines += [f"*ELSET, ELSET={name}", *_rows(np.flatnonzero(mesh.inside(name)) + 1)]
    for name, ids in mesh.node_sets.items():
        lines += [f"*NSET, NSET={name}", *_rows(ids + 1)]
    for name, pairs in mesh.face_sets.items():
        # Abaqus counts the faces 1 2 3, 1 2 4, 2 3 4, 1 3 4; TET_FACES begins with its second.
        label = np.array(["S2", "S3", "S4", "S1"])
        if mesh.kind in ("tet4", "tet10"):
            lines += [f"*SURFACE, NAME=S_{name}"]
            lines += [f"{cell + 1}, {label[face]}" for cell, face in pairs.tolist()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _rows(ids: NDArray[np.int64]) -> list[str]:
    numbers = list(map(str, ids.tolist()))
    return [", ".join(numbers[i : i + 12]) for i in range(0, len(numbers), 12)]


def _read_deck(path: Path) -> Mesh:
    """Nodes, elements and sets of a deck; its names come back in capitals."""
    from femsim.fem.deck.cards import Place, read_cards
    from femsim.fem.deck.mesh_cards import MeshPart, finish_cells
    from femsim.fem.deck.read import MESH

    cards, part = read_cards(path), MeshPart()
    for card in cards:
        if card.name in MESH:
            MESH[card.name](part, card)
    anywhere = Place(path.name, cards[-1].at.line if cards else 0)
    cells = finish_cells(part, anywhere)
    groups = {name: part.cell_sets.resolve(name, anywhere, part.cell) for name in part.cell_sets.parts}
    nodes = {name: part.node_sets.resolve(name, anywhere, part.node) for name in part.node_sets.parts}
    return from_groups(np.array(part.points, float), cells, part.kind, groups, nodes)
