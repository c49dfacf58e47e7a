"""Which fixation holds? A femur with a 30 mm lesion below the trochanters, three strategies, and one figure.

    python compare_femur.py [FOLDER]

Writes compare_femur.png and table.csv into FOLDER (default: here). `compare` is the whole study; the rest draws it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

import femsim as fs

STRATEGIES = (fs.Untreated(), fs.Cement(), fs.CementFilledCatheter(count=2))


def compare(near: float = 2.0, far: float = 6.0, strategies: Sequence[Any] = STRATEGIES) -> fs.ComparisonResult:
    """The comparison, on a mesh with elements of `near` mm at the lesion and `far` mm elsewhere."""
    case = fs.Case(
        bone=fs.Femur(),
        lesion=fs.Lesion(site="subtrochanteric", diameter="3 cm"),
        load="walking",
        mesh=fs.Mesh(near=near, far=far),
    )
    return fs.compare(case, strategies)


def draw(table: fs.ComparisonResult, file: Path) -> None:
    """Stiffness of every strategy, as a share of the intact bone's."""
    share = table.frame["stiffness_of_intact"]
    figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
    bars = axes.barh([result.label for result in table], share)
    axes.bar_label(bars, fmt="%.0f %%", padding=3)
    axes.invert_yaxis()
    axes.set(xlabel="stiffness, % of the intact bone", xlim=(0, 115))
    figure.savefig(file, dpi=150)
    plt.close(figure)


def main(folder: Path) -> None:
    table = compare()
    print(table.frame[["stiffness", "stiffness_of_intact", "failure_load", "failure_place"]].to_string())
    for warning in table.warnings:
        print("warning:", warning)
    table.frame.to_csv(folder / "table.csv")
    draw(table, folder / "compare_femur.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
