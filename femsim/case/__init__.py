"""What the user writes, and its file: `Case`, `Comparison`, TOML in and out."""

from __future__ import annotations

from pathlib import Path

from femsim.case import toml_io
from femsim.case.bones import Femur, Humerus, LabelBone, ShapeModelBone, SurfaceBone, Tibia, Tube
from femsim.case.lesion import Lesion
from femsim.case.model import Case, Comparison, Mesh, Risk, Solver
from femsim.case.template import template

__all__ = [
    "Case",
    "Comparison",
    "Femur",
    "Humerus",
    "LabelBone",
    "Lesion",
    "Mesh",
    "Risk",
    "ShapeModelBone",
    "Solver",
    "SurfaceBone",
    "Tibia",
    "Tube",
    "load",
    "template",
]


def load(path: Path | str | None = None) -> Comparison:
    """A comparison from a TOML file; the embedded default without one.

    Files that the case names are looked for beside the case file.

    Raises
    ------
    InputError
        If the file cannot be read, a key is unknown or a value is out of range.
    """
    if path is None:
        return Comparison()
    file = Path(path)
    data = toml_io.read(file)
    bone = data.get("bone")
    if isinstance(bone, dict):
        for key in ("periosteum", "endosteum", "image"):
            if isinstance(bone.get(key), str):
                bone[key] = str((file.parent / Path(bone[key]).expanduser()).resolve())
    return toml_io.parse(Comparison, data, str(file))
