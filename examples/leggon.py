"""Leggon 1988: torsional strength of a canine long bone with half of its wall gone, filled, plated, or both.

    python leggon.py

Nothing is tuned. The size of the bone (OD 14, wall 2.5, length 80 mm), the length of the slot (1.75 OD) and the plate
(10 x 2.5 x 50 mm of steel, on the side opposite to the slot) are assumptions that were not read from the paper.
"""

from __future__ import annotations

import numpy as np

from femsim import fem, material, risk
from femsim.mesh import Mesh, MeshSize, mesh_arrangement
from femsim.solid import Arrangement, Box, Cylinder

OUTER, WALL, LENGTH, POT = 7.0, 2.5, 80.0, 10.0
SLOT = 1.75 * 2.0 * OUTER
AVERAGED = 2.0  # mm: diameter of the ball over which strain and stress are averaged
MATERIALS = tuple(material.get(name) for name in ("cortical_bone", "pmma", "steel_316l"))
BONE, CEMENT, STEEL = range(3)
#: Torque over torque, mean and standard deviation: Leggon et al., J Orthop Res 1988, doi 10.1002/jor.1100060410.
MEASURED = {
    "slot / intact": (0.127, 0.038),
    "PMMA / slot": (2.48, 0.66),
    "plate / slot": (2.61, 0.91),
    "both / slot": (4.39, 0.90),
}
WORDS = """Bonded cement and a bonded plate cannot loosen: their ratios are upper bounds of a fixation.
The linear first-failure load of a notched brittle specimen is not its ultimate torque.
Size of the bone, slot and plate are assumptions; nothing was tuned. No error bar: one mesh."""


def solids(near: float, far: float) -> Mesh:
    """One mesh for all four specimens: shaft along z, slot towards +x, plate on -x."""
    middle, end, round_ = LENGTH / 2.0, SLOT / 2.0, OUTER + 1.0
    slot = Box((10.0, 0.0, middle), (10.0, round_, end - round_))
    caps = [
        Cylinder((0.0, 0.0, middle + s * (end - round_)), (20.0, 0.0, middle + s * (end - round_)), round_)
        for s in (-1, 1)
    ]
    shaft = Cylinder((0.0, 0.0, 0.0), (0.0, 0.0, LENGTH), OUTER)
    strip = Box((-5.75, 0.0, middle), (3.75, 5.0, 25.0))
    named = {
        "canal": Cylinder((0.0, 0.0, -5.0), (0.0, 0.0, LENGTH + 5.0), OUTER - WALL),
        "slot": slot | caps[0] | caps[1],
        "shaft": Cylinder((0.0, 0.0, -5.0), (0.0, 0.0, LENGTH + 5.0), OUTER),
    }
    return mesh_arrangement(Arrangement(shaft | strip, named, fine=("slot",)), MeshSize(near=near, far=far))


def first_failure(mesh: Mesh, slot: bool, cement: bool, plate: bool) -> float:
    """Torque (N m) at which averaged strain (bone) or stress (cement, steel) first reaches its limit."""
    hollow = mesh.inside("canal") | (mesh.inside("slot") if slot else False)
    hollow = hollow & mesh.inside("shaft")
    index = np.where(~mesh.inside("shaft"), STEEL, np.where(hollow, CEMENT, BONE))
    kept = (index == BONE) | ((index == CEMENT) & cement) | ((index == STEEL) & plate)
    used, cells = np.unique(mesh.cells[kept], return_inverse=True)
    points, cells, index = mesh.points[used], cells.reshape(-1, mesh.cells.shape[1]), index[kept]
    height = points[cells[:, :4]].mean(axis=1)[:, 2]
    low, high = (np.flatnonzero(side) for side in (points[:, 2] < POT, points[:, 2] > LENGTH - POT))
    along = np.broadcast_to([0.0, 0.0, 1.0], (len(cells), 3))
    model = fem.Model(
        points=points,
        cells=cells,
        material=material.assign(MATERIALS, index, axis=along),
        supports=[fem.Fixed(low)],
        loads={"torsion": [fem.RemoteForce(high, (0.0, 0.0, LENGTH), moment=(0.0, 0.0, 1000.0))]},
    )
    # potted ends, and as much again, are not judged: there the idealised grip decides
    grip = (height < 2.0 * POT) | (height > LENGTH - 2.0 * POT)
    found = risk.assess(fem.solve(model)["torsion"], MATERIALS, index, length=AVERAGED, excluded=grip)
    return found.load_factor


def ratios(near: float = 1.0, far: float = 2.5) -> dict[str, float]:
    """The four ratios of the experiment."""
    mesh = solids(near, far)
    intact = first_failure(mesh, slot=False, cement=False, plate=False)
    defect, pmma, plate, both = (
        first_failure(mesh, slot=True, cement=c, plate=p)
        for c, p in ((False, False), (True, False), (False, True), (True, True))
    )
    torques = f"slot {defect:.2f}, PMMA {pmma:.2f}, plate {plate:.2f}, both {both:.2f}"
    print(f"first failure, N m: intact {intact:.1f}, {torques}")
    return dict(zip(MEASURED, (defect / intact, pmma / defect, plate / defect, both / defect), strict=True))


if __name__ == "__main__":
    for name, value in ratios().items():
        mean, spread = MEASURED[name]
        print(f"{name:14s} {value:6.3f}   measured {mean:g} ± {spread:g}")
    print(WORDS)
