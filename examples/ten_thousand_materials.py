"""How sure is the stiffness that cement gives back? 10 000 materials under three loads, by a certified reduced basis.

    python ten_thousand_materials.py [FOLDER]

Five moduli vary as the literature does; only stiffness is asked for, so that femsim answers by a reduced basis and
gives an error bound with every row. Writes FOLDER (default: out_materials) with the table and a figure.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt

import femsim as fs
from femsim.study.sweep.answers import tornado

LOADS = ("torsion", "bending_frontal", "bending_sagittal")
#: With the Poisson's ratios of the library cortex comes near incompressibility as E_transverse comes near E_axial:
#: femsim then solves other equations (B-bar), and those samples would need bases of their own.
MODULI = {
    "materials.cortical_bone.E_axial": {"normal": [17000, 1200], "minimum": 15600, "maximum": 19500},
    "materials.cortical_bone.E_transverse": {"uniform": [10500, 11500]},
    "materials.cortical_bone.G_axial": {"normal": [3300, 300], "minimum": 2500, "maximum": 4500},
    "materials.pmma.E": {"uniform": [1500, 3500]},
    "materials.tumour_tissue.E": {"lognormal": [10, 4], "minimum": 3, "maximum": 30},
}


def study(samples: int = 10_000, near: float = 4.0, far: float = 6.0) -> fs.Study:
    """The study: `samples` sets of moduli, each under three loads."""
    case = fs.Case(
        name="ten thousand materials",
        bone=fs.Humerus(),
        lesion=fs.Lesion(site="shaft_middle", diameter=15),
        mesh=fs.Mesh(near=near, far=far),
    )
    return fs.Study(
        case,
        vary={"load": list(LOADS), **MODULI},
        strategies={"untreated": fs.Untreated(), "cement": fs.Cement()},
        sampling={"method": "sobol", "samples": samples, "seed": 1},
        run={"outputs": "stiffness"},
    )


def draw(done: fs.Study, folder: Path) -> None:
    """What cement gives back under every load, and which modulus decides it."""
    frame = done.frame
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    for load in LOADS:
        rows = frame[(frame["param.load"] == load) & (frame["strategy"] == "cement")]
        axes[0].hist(rows["out.stiffness_recovery"], bins=60, histtype="step", label=load.replace("_", ", "))
    axes[0].set(xlabel="stiffness recovered by cement [%]", ylabel="samples")
    axes[0].margins(y=0.3)
    axes[0].legend(frameon=False, loc="upper left")
    swing = tornado(frame[frame["param.load"] == "torsion"], "cement", "stiffness_recovery")
    names = [name.removeprefix("materials.") for name in swing.index]
    axes[1].barh(names, swing["swing"])
    axes[1].axvline(0, color="grey", lw=0.8)
    axes[1].invert_yaxis()
    axes[1].set(xlabel="percentage points", title="recovery in torsion, highest less lowest fifth")
    figure.savefig(folder / "ten_thousand_materials.png", dpi=150)
    plt.close(figure)


def main(folder: Path) -> None:
    done = study().run(folder, workers=0, tell=print)
    print(done.report)
    frame = done.frame
    print(frame.groupby(["param.load", "strategy"])[["out.stiffness_recovery", "error_bound"]].describe().T.to_string())
    draw(done, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out_materials"))
