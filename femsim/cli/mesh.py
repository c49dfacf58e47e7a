"""The verb mesh: one case as a mesh file, with its quality and the volume of every compartment."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from femsim.cli.app import CaseFile, Json, app, emit, mode, progress
from femsim.errors import FemsimWarning

if TYPE_CHECKING:
    from femsim.mesh import Mesh

_Target = Annotated[
    Path, typer.Option("--out", "-o", help="Mesh file: .vtu, .msh, .inp, .vtk, .xdmf or what else meshio writes.")
]


@app.command()
def mesh(case_file: CaseFile = None, out: _Target = Path("mesh.vtu"), as_json: Json = False) -> None:
    """Mesh a case: every solid of every strategy in one mesh; print quality, volumes and what to know about them."""
    mode["json"] = as_json
    from femsim import case
    from femsim.mesh import check_target, write_mesh
    from femsim.study.problem import meshed, strategies_of

    check_target(out)
    asked = case.load(case_file)
    with warnings.catch_warnings():
        # What the mesher has to say comes with the notes of the mesh.
        warnings.simplefilter("ignore", FemsimWarning)
        made = meshed(asked, strategies_of(asked), progress()).mesh
    write_mesh(out, made)
    found = _figures(made)
    if as_json:
        emit(found | {"file": str(out)})
        return
    shape = found["quality"]
    typer.echo(
        f"{found['cells']:,} {made.kind}, {found['unknowns']:,} unknowns\n"
        f"SICN worst {shape['worst_sicn']:.3f} at ({', '.join(f'{x:.1f}' for x in shape['worst_place_mm'])}) mm, "
        f"{100 * shape['share_above_0.25']:.3f} % above 0.25; Jacobian ratio at least {shape['jacobian_ratio']:.2f}"
    )
    for name, volume in found["volumes_mm3"].items():
        typer.echo(f"  {volume:12.1f} mm3  {name}")
    for note in found["notes"]:
        typer.echo(f"note: {note}")
    typer.echo(f"Written to {out}")


def _figures(made: Mesh) -> dict[str, Any]:
    from femsim.mesh import quality

    shape = quality(made)
    volumes = {" + ".join(made.names_of(mask)) or "outside all solids": v for mask, v in sorted(shape.volumes.items())}
    return {
        "cells": len(made.cells),
        "unknowns": made.points.size,
        "quality": {
            "worst_sicn": shape.worst,
            "worst_place_mm": [float(x) for x in shape.worst_place],
            "share_above_0.25": shape.above_quarter,
            "jacobian_ratio": shape.jacobian,
        },
        "volumes_mm3": volumes,
        "notes": list(made.notes),
    }
