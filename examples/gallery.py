"""The parametric bones, and real ones, cut open with a lesion and a catheter: one figure.

    python gallery.py [bones.png] [--data FOLDER]

FOLDER holds the surfaces of real bones as named in REAL; those that are not there are left out. The meshes are coarse:
they show shapes, not stresses.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import femsim as fs
from femsim.mesh import mesh_arrangement
from femsim.report import layout
from femsim.report.style import style
from femsim.study.setup import prepare
from femsim.view import palette
from femsim.view.raster import Layer
from femsim.view.scene import Scene, scene

HEIGHT = 4.6  # inches, of the longest bone
COLOURS = {
    "cortex": "#d9c7a0",
    "inside the cortex": "#a8763e",
    "lesion": "#8e2f5c",
    "cement in the catheter": "#9fb4bd",
}
PLACES = {"femur": ("subtrochanteric", 28.0), "humerus": ("shaft_middle", 14.0), "tibia": ("shaft_proximal", 24.0)}
REAL = {
    "real femur": ("femur", "femur_real/femur_periosteal_12k.stl", "femur_real/femur_endosteal_clean_12k.stl"),
    "real humerus": ("humerus", "humerus_lowres/humerus_rv_mm.stl", None),
    "real tibia": ("tibia", "tibia_real/tibia_r_smooth_12k.stl", None),
}
WALL = {"femur": 4.0, "humerus": 2.0, "tibia": 4.0}  # mm, where there is no inner surface; no image says so


def bones(data: Path | None) -> dict[str, tuple[str, object]]:
    """Name, anatomy and bone of everything there is to draw."""
    found: dict[str, tuple[str, object]] = {
        "femur": ("femur", fs.Femur()),
        "humerus": ("humerus", fs.Humerus()),
        "tibia": ("tibia", fs.Tibia()),
    }
    for name, (kind, outer, inner) in REAL.items() if data else ():
        if (data / outer).is_file():
            wall = {"endosteum": data / inner} if inner else {"cortical_thickness": WALL[kind]}
            found[name] = kind, fs.SurfaceBone(periosteum=data / outer, anatomy=kind, **wall)
    return found


def opened(kind: str, bone: object, near: float, far: float) -> tuple[Scene, np.ndarray]:
    """A bone with lesion and catheter, ready to draw, and for every element the index of its colour."""
    site, diameter = PLACES[kind]
    case = fs.Case(bone=bone, lesion=fs.Lesion(site=site, diameter=diameter), load="torsion")
    catheter = fs.CementFilledCatheter(outer_diameter=3.5, past_lesion=20.0)
    setup = prepare(case, {"catheter": catheter})
    sizes = fs.Mesh(near=near, far=far, walls="homogenise").sizes()
    mesh = mesh_arrangement(setup.arrangement, sizes, surface=setup.bone.surface)
    colour = np.zeros(len(mesh.cells), np.int64)
    rank = {"endosteum": 1, "lesion": 2}
    for name in sorted(mesh.solids, key=lambda name: rank.get(name, 3)):
        colour[mesh.inside(name)] = rank.get(name, 3)
    return scene(mesh, setup.bone.frame, centreline=setup.bone.centreline), colour


def draw(file: Path, data: Path | None = None, near: float = 5.0, far: float = 9.0, only: tuple[str, ...] = ()) -> None:
    """Write the figure; `only` names the bones where not all are wanted."""
    made = {name: opened(*one, near, far) for name, one in bones(data).items() if not only or name in only}
    scale = HEIGHT / max(view.bare.height for view, _ in made.values())
    width = sum(max(view.bare.width * scale, 0.95) + 0.25 for view, _ in made.values())
    shades = np.array([palette.rgb(code) for code in COLOURS.values()])
    with style() as new:
        figure = new(max(width, 5.0), HEIGHT + 0.9)
        left = 0.15
        for name, (view, colour) in made.items():
            own, wide = view.bare.height * scale, view.bare.width * scale
            room = max(wide, 0.95)
            axes = layout.panel(figure, view.bare, (left + (room - wide) / 2, 0.5, own))
            which = colour[view.opened.cell]
            layout.paint(axes, [Layer(view.opened, shades[which], which)], view.bare, own)
            title = (left + room / 2) / max(width, 5.0)
            figure.text(title, 1 - 0.1 / (HEIGHT + 0.9), name, ha="center", va="top", weight="bold", fontsize=10)
            left += room + 0.25
        layout.swatches(figure, COLOURS, (0.15, 0.12), columns=4)
        figure.savefig(file, dpi=150)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the bones cut open.")
    parser.add_argument("file", type=Path, nargs="?", default=Path("bones.png"))
    parser.add_argument("--data", type=Path, help="folder of real surfaces")
    given = parser.parse_args()
    draw(given.file, given.data)
