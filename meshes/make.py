"""Writes the meshes of this folder and README.md, the table of what they are worth.

python meshes/make.py [FOLDER]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import meshio
import numpy as np
import pyvista
from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridWriter

import femsim as fs
from femsim import anatomy
from femsim.mesh import Mesh, MeshSize, mesh_arrangement, quality, read_mesh, write_mesh
from femsim.solid import Arrangement, Box, Sphere
from femsim.study.setup import prepare

_HEAD = """# Finished meshes

Ten-node tetrahedra in mm, one cell array `inside_NAME` for every solid; `femsim.mesh.read_mesh` reads them back. They
are coarse on purpose: to try a solver or a reader with, not to publish from. The bones have a whole cortex, one or two
elements thick. Coordinates are single precision (0.00002 mm) and the files compressed with LZMA, to keep them small;
meshio, VTK, PyVista and ParaView read that. Made by `python meshes/make.py`, which also read them back and wrote this
table. SICN is 1 for a regular tetrahedron and 0 for a flat one; a volume is that of the curved elements.

| file | what it is | elements | nodes | worst SICN | above 0.25 | compartments, mm3 |
|---|---|---|---|---|---|---|
"""
_NOTES = "\nWhat the mesher said about elements this coarse:\n\n"


def bone(kind: str, site: str, diameter: float, near: float, far: float) -> Mesh:
    """A parametric bone with one lesion."""
    made = {"femur": fs.Femur, "humerus": fs.Humerus, "tibia": fs.Tibia}[kind]()
    lesion = fs.Lesion(site=site, diameter=diameter)
    case = fs.Case(bone=made, lesion=lesion, load="torsion", mesh=fs.Mesh(near=near, far=far))
    setup = prepare(case, {"untreated": fs.Untreated()})
    return mesh_arrangement(setup.arrangement, case.mesh.sizes())


def block() -> Mesh:
    """A sphere of 20 mm in the middle of a cube of 100 mm."""
    middle = {"sphere": Sphere(np.zeros(3), 10.0)}
    domain = Box(np.zeros(3), np.full(3, 50.0))
    return mesh_arrangement(Arrangement(domain, middle, fine=("sphere",)), MeshSize(near=4.0, far=20.0))


def tube() -> Mesh:
    """A tube of 28 over 13 mm, 200 mm long, its bore a solid of its own."""
    shaft = anatomy.tube(28.0, 13.0, 200.0)
    arrangement = Arrangement(shaft.periosteum, {"pmma": shaft.endosteum}, fine=("pmma",))
    return mesh_arrangement(arrangement, MeshSize(near=6.5, far=8.0))


MESHES: dict[str, tuple[str, Callable[[], Mesh]]] = {
    "femur": ("femur, subtrochanteric lesion of 25 mm", lambda: bone("femur", "subtrochanteric", 25.0, 4.2, 13.0)),
    "humerus": ("humerus, mid-shaft lesion of 18 mm", lambda: bone("humerus", "shaft_middle", 18.0, 3.4, 11.0)),
    "tibia": ("tibia, mid-shaft lesion of 20 mm", lambda: bone("tibia", "shaft_middle", 20.0, 3.4, 12.0)),
    "sphere_in_block": ("sphere of 20 mm in a cube of 100 mm: cavity or inclusion", block),
    "filled_tube": ("tube of 28/13 x 200 mm with a PMMA core", tube),
}


def write_small(path: Path, mesh: Mesh) -> Mesh:
    """Write a mesh in single precision and compressed, and read back what others will get."""
    write_mesh(path, mesh)
    content = meshio.read(path)
    content.points = content.points.astype(np.float32)
    content.cells = [meshio.CellBlock(block.type, block.data.astype(np.int32)) for block in content.cells]
    meshio.write(path, content)
    pack(path)
    return read_mesh(path)


def pack(path: Path) -> None:
    """Write a file again with its arrays as bytes behind the text: a quarter smaller than as letters within it."""
    writer = vtkXMLUnstructuredGridWriter()
    writer.SetInputData(pyvista.read(path))
    writer.SetFileName(str(path))
    writer.SetCompressorTypeToLZMA()
    writer.SetDataModeToAppended()
    writer.EncodeAppendedDataOff()
    if not writer.Write():
        raise OSError(f"{path} could not be written.")


def row(name: str, words: str, mesh: Mesh) -> str:
    """The line of the table for one mesh."""
    found = quality(mesh)
    parts = []
    for mask, volume in sorted(found.volumes.items()):
        parts.append(f"{' + '.join(mesh.names_of(mask)) or 'outside all solids'}: {volume:.1f}")
    return (
        f"| `{name}.vtu` | {words} | {len(mesh.cells)} | {len(mesh.points)} | {found.worst:.3f} | "
        f"{100 * found.above_quarter:.2f} % | {'; '.join(parts)} |\n"
    )


def main(folder: Path) -> None:
    rows, notes = [], []
    for name, (words, make) in MESHES.items():
        mesh = make()
        rows.append(row(name, words, write_small(folder / f"{name}.vtu", mesh)))
        notes += [f"- `{name}.vtu`: {note}\n" for note in mesh.notes]
        print(rows[-1], (folder / f"{name}.vtu").stat().st_size)
    (folder / "README.md").write_text(_HEAD + "".join(rows) + _NOTES + "".join(notes), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
