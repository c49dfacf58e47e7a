"""How far past the lesion must a catheter reach, and how full must the lesion be? Two questions to a potted humerus.

    python how_much.py [FOLDER] [WORKERS]

Each search solves five values at equal steps and closes in where the answer passes the target; where no value is
enough it says so. Cases stand in FOLDER (default: out_how_much) and are not solved twice. Half a minute a case.
"""

from __future__ import annotations

import sys
from pathlib import Path

import femsim as fs

LESION = 18.0  # mm
TARGET = 65.0  # percent of the strength of the intact bone


def case(strategies: dict[str, fs.Cement | fs.CementFilledCatheter], near: float = 3.0, far: float = 6.0) -> fs.Case:
    """A humerus with a lesion at mid-shaft in torsion, potted at both ends, as in humerus_torsion.py."""
    return fs.Comparison(
        name="how much",
        bone=fs.Humerus(),
        lesion=fs.Lesion(site="shaft_middle", diameter=LESION),
        load="torsion_potted",
        mesh=fs.Mesh(near=near, far=far),
        strategies={"untreated": fs.Untreated(), **strategies},
    )


def how_far(folder: Path, workers: int, near: float = 3.0) -> str:
    """Catheter alone: 0 to 40 mm past each end of the lesion."""
    catheter = {"catheter": fs.CementFilledCatheter(outer_diameter=6.0)}
    return str(
        fs.reach(
            case(catheter, near), "strategies.catheter.past_lesion", (0.0, 40.0), "strength_of_intact", TARGET,
            strategy="catheter", out=folder, workers=workers, tolerance=0.05,
        )
    )  # fmt: skip


def how_full(folder: Path, workers: int, near: float = 3.0) -> str:
    """Cement: a fifth of the lesion to all of it."""
    return str(
        fs.reach(
            case({"cement": fs.Cement()}, near), "strategies.cement.fill_fraction", (0.2, 1.0), "strength_of_intact",
            TARGET, strategy="cement", out=folder, workers=workers, tolerance=0.05,
        )
    )  # fmt: skip


def main(folder: Path, workers: int) -> None:
    print(how_far(folder / "how_far", workers))
    print(how_full(folder / "how_full", workers))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out_how_much"), int(sys.argv[2]) if len(sys.argv) > 2 else 2)
