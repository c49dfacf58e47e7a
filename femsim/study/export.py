"""Results as files that ParaView, pandas and meshio open, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError, StudyError
from femsim.fields import FIELDS
from femsim.mesh import Mesh

if TYPE_CHECKING:
    import pyvista as pv

_VTK_TYPE = {"tet4": 10, "tet10": 24, "hex8": 12, "hex20": 25}


def grid(mesh: Mesh, fields: Mapping[str, NDArray[np.generic]] | None = None) -> pv.UnstructuredGrid:
    """A PyVista grid of a mesh with fields, each under its name in `femsim.fields.FIELDS`.

    Parameters
    ----------
    mesh : Mesh
    fields : mapping of str to array
        Node fields (n,) or (n, k) and cell fields (m,) or (m, k).

    Raises
    ------
    StudyError
        If a field has no entry in the field table or the wrong length for its location.
    """
    import pyvista as pv

    count = len(mesh.cells)
    width = mesh.cells.shape[1]
    connectivity = np.hstack([np.full((count, 1), width, np.int64), mesh.cells]).ravel()
    result = pv.UnstructuredGrid(connectivity, np.full(count, _VTK_TYPE[mesh.kind], np.uint8), mesh.points)
    result.cell_data["compartment"] = mesh.compartment
    for name, values in (fields or {}).items():
        known = FIELDS.get(name)
        length = {"node": len(mesh.points), "cell": count}.get(known.location if known else "")
        if known is None or len(values) != length:
            raise StudyError(
                f"The field {name!r} with {len(values)} values cannot be written.",
                "Every array on disk has a name, a unit and a location in the field table.",
                "Add it to femsim/fields.py, or pass one value a node or cell as that table says.",
            )
        (result.point_data if known.location == "node" else result.cell_data)[name] = np.asarray(values)
    result.field_data["units"] = [f"{name} [{FIELDS[name].unit}]" for name in (fields or {})]
    return result


def write_vtu(path: Path, mesh: Mesh, fields: Mapping[str, NDArray[np.generic]]) -> None:
    """Write a compressed binary ``.vtu``; floats in single precision, which is finer than any error bar.

    Raises
    ------
    OSError
        If the disk is full.
    """
    path.write_bytes(vtu(mesh, fields))


def vtu(mesh: Mesh, fields: Mapping[str, NDArray[np.generic]]) -> bytes:
    """The content of a ``.vtu`` file."""
    from vtkmodules.vtkIOCore import vtkZLibDataCompressor
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridWriter

    small = {
        name: values.astype(np.float32) if values.dtype.kind == "f" else values.astype(np.int32)
        for name, values in fields.items()
    }
    # By way of memory: VTK's own writer ends the whole process where the disk is full.
    writer, compressor = vtkXMLUnstructuredGridWriter(), vtkZLibDataCompressor()
    compressor.SetCompressionLevel(1)  # higher levels take twice the time and save 2 % of the file
    writer.SetCompressor(compressor)
    writer.SetInputData(grid(mesh, small))
    writer.SetWriteToOutputString(True)
    writer.SetDataModeToAppended()
    writer.SetEncodeAppendedData(False)
    writer.Write()
    content: str | bytes = writer.GetOutputString()  # bytes as soon as they are no UTF-8
    return content.encode() if isinstance(content, str) else content


def read_grid(file: Path) -> Any:
    """A ``.vtu`` of femsim as a PyVista grid.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    """
    import pyvista as pv

    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing")
    return pv.UnstructuredGrid(str(file))


def mesh_of(grid: Any, solids: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Mesh:
    """The mesh of a grid written by femsim; the names of its solids are not in the file."""
    cells = np.asarray(next(iter(grid.cells_dict.values())), np.int64)
    mask = np.asarray(grid.cell_data["compartment"], np.int64)
    kind = next(name for name, number in _VTK_TYPE.items() if number == int(grid.celltypes[0]))
    return Mesh(np.asarray(grid.points, float), cells, kind, solids, mask, notes=notes)


def fields_of(grid: Any) -> dict[str, NDArray[Any]]:
    """Node and cell fields of a grid by name."""
    found = {name: np.asarray(grid.point_data[name]) for name in grid.point_data}
    return found | {name: np.asarray(grid.cell_data[name]) for name in grid.cell_data if name != "compartment"}


def plot(one: Any, name: str, **options: Any) -> Any:
    """Show a field of a strategy, in memory or stored, in a PyVista window or the notebook.

    Raises
    ------
    InputError
        If the strategy has no such field.
    """
    grid = one.grid
    known = [*grid.point_data, *grid.cell_data]
    if name not in known:
        raise InputError(f"There is no field {name!r}.", "Nothing can be drawn.", f"Use one of {', '.join(known)}.")
    return grid.plot(scalars=name, **{"scalar_bar_args": {"title": FIELDS[name].label}, **options})
