"""A comparison on your own bone, from its surface files.

    python own_bone.py PERIOSTEUM.stl [ENDOSTEUM.stl] [--side left] [--out out_own_bone]

PERIOSTEUM is the closed outer surface, ENDOSTEUM the inner surface of the cortex in the same coordinates; without it
the cortex is 4 mm thick everywhere. STL, PLY, OBJ or VTP. Axes, side and landmarks are found from the shape.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import femsim as fs


def case(periosteum: Path, endosteum: Path | None, side: str | None, near: float = 2.0, far: float = 6.0) -> fs.Case:
    """A 25 mm lesion in the lateral subtrochanteric wall of a femur given by its surfaces."""
    return fs.Case(
        name=periosteum.stem,
        bone=fs.SurfaceBone(
            periosteum=periosteum,
            endosteum=endosteum,
            cortical_thickness=None if endosteum else "4 mm",
            anatomy="femur",
            side=side,
        ),
        lesion=fs.Lesion(site="subtrochanteric", direction="lateral", diameter=25),
        load="walking",
        mesh=fs.Mesh(near=near, far=far),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare fixation strategies on a femur given by its surfaces.")
    parser.add_argument("periosteum", type=Path)
    parser.add_argument("endosteum", type=Path, nargs="?")
    parser.add_argument("--side", choices=("left", "right"), help="needed only where the shape does not tell")
    parser.add_argument("--out", type=Path, default=Path("out_own_bone"))
    given = parser.parse_args()
    table = fs.compare(case(given.periosteum, given.endosteum, given.side), [fs.Untreated(), fs.Cement()])
    fs.write(table, given.out)
    print(table.frame[["stiffness", "failure_load", "failure_place"]].to_string())
    print("Found in the files:", *table.bone.notes, sep="\n  ")
    print(f"Open {given.out}/report.html")


if __name__ == "__main__":
    main()
