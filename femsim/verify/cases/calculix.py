"""femsim and CalculiX on the same decks: CalculiX's own, and femsim's models written for it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.fem import deck
from femsim.fem.deck.material_cards import SWAP
from femsim.verify.ccx import deck_text, differences, program, run_ccx
from femsim.verify.meshes import at, box, faces_on, on
from femsim.verify.registry import Values, case

Floats = NDArray[np.float64]

#: Names of CalculiX's tables and of the quantities here.
TABLES = {"displacements": "displacement", "stresses": "stress", "forces": "force", "internal energy": "energy"}
#: Decks of the package calculix-ccx-test, and what their references hold.
DECKS = {
    **dict.fromkeys(
        (
            "beam8p", "beam20p", "beamidset", "beampset", "beamp2stage", "beamd", "achtelp", "achteld", "achtelg",
            "achtelc", "segment1", "segment2", "beampdepmpc", "beampfix", "beampis", "beampo1", "beampo2", "aniso",
            "beamt", "beamt2", "beamt3", "beamt4", "beam8t", "beamptied1", "beamptied2", "disk2", "achtel2",
            "achtel29", "achtel9", "achtelcas",
        ),
        ("displacement", "stress"),
    ),
    "beam10p": ("displacement", "stress", "force"),
    "beam20t": ("displacement", "stress", "energy"),
    "segmentf": ("displacement", "stress", "force"),
    "segmentm": ("force",),
    "mpcforce": ("force",),
}  # fmt: skip


def package_deck(name: str) -> Values:
    """One deck of CalculiX's own tests: read, solved, printed and read again, against the reference file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.inp"
        path.write_text(deck_text(name, ".inp"), encoding="utf-8")
        given = deck.read_deck(path)
        deck.write_dat(path.with_suffix(".dat"), given, deck.solve_deck(given))
        own = deck.read_dat(path.with_suffix(".dat"))
    found = differences(own, deck.read_dat(name, deck_text(name, ".dat.ref")))
    named = {TABLES[key]: value for key, value in found.items() if key in TABLES}
    return {key: named[key] for key in DECKS[name]}


def _register(name: str) -> None:
    @case(f"calculix-{name}")
    def _run() -> Values:
        return package_deck(name)


for _name in DECKS:
    _register(_name)


def _beam(
    name: str, divisions: tuple[int, int, int]
) -> tuple[Floats, NDArray[np.int64], fem.Material, list[fem.Fixed]]:
    points, cells = box(name, divisions, (1.0, 1.0, 8.0))
    material = fem.Material(fem.isotropic(210000.0, 0.3), np.zeros(len(cells), int))
    return points, cells, material, [fem.Fixed(on(points, 2, 0.0), name="clamp")]


@case("calculix-beam-hex8")
def beam_hex8() -> Values:
    """C3D8, 4 x 4 x 16, 9 N at the end."""
    points, cells, material, clamp = _beam("hex8", (4, 4, 16))
    load = fem.NodalForce(on(points, 2, 8.0), (0.0, 0.36, 0.0))
    u = fem.solve(fem.Model(points, cells, material, clamp, {"tip": [load]}, "hex8"))["tip"].displacement
    return dict(zip(("ux", "uy", "uz"), u[at(points, (0, 1, 8))].tolist(), strict=True))


def _beam_hex20(name: str) -> Values:
    points, cells, material, clamp = _beam(name, (2, 2, 8))
    corners = np.array([at(points, (x, y, 8.0)) for x in (0, 0.5, 1) for y in (0, 0.5, 1)])
    loads: dict[str, list[fem.Load]] = {
        "tip": [fem.NodalForce(corners, (0.0, 1.0, 0.0))],
        "pull": [fem.Traction(faces_on(points, cells, name, 2, 8.0), (0.0, 0.0, 1.0))],
    }
    found = fem.solve(fem.Model(points, cells, material, clamp, loads, name))
    out = dict(zip(("ux", "uy", "uz"), found["tip"].displacement[at(points, (0, 0, 8))].tolist(), strict=True))
    if name == "hex20r":
        pulled = found["pull"].displacement[at(points, (0, 0, 8))]
        out |= {"pull_ux": float(pulled[0]), "pull_uz": float(pulled[2])}
    return out


@case("calculix-beam-hex20")
def beam_hex20() -> Values:
    """C3D20, 2 x 2 x 8, 1 N on each of the nine corner nodes of the end."""
    return _beam_hex20("hex20")


@case("calculix-beam-hex20r")
def beam_hex20r() -> Values:
    """C3D20R, the same, and the end pulled at 1 MPa."""
    return _beam_hex20("hex20r")


def everything() -> fem.Model:
    """A model with one of everything that a deck must say: two tied meshes, anisotropy in random axes, moduli at
    quadrature points, initial strain, skew and prescribed supports, a rigid coupling, an equation, two load cases."""
    lower, cells = box("tet10", (2, 2, 3), (2.0, 2.0, 5.0))
    upper, more = box("tet10", (3, 3, 2), (2.0, 2.0, 5.0), (0.0, 0.0, 5.0))
    n, first = len(lower), len(cells)
    points, cells = np.vstack([lower, upper]), np.vstack([cells, more + n])
    joint = faces_on(points, cells, "tet10", 2, 5.0)
    below = joint[joint[:, 0] < first]
    following = on(points, 2, 5.0)
    following = following[following >= n]
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(len(cells), 3, 3)))[0]
    turn *= np.linalg.det(turn)[:, None, None]
    index = (np.arange(len(cells)) % 3 == 0).astype(int)
    material = fem.Material(
        np.stack([fem.transversely_isotropic(17000.0, 11000.0, 3300.0, 0.3, 0.4), fem.isotropic(500.0, 0.3)]),
        index,
        scale=rng.uniform(0.5, 1.5, (len(cells), 4)),
        axes=turn,
        initial_strain=index[:, None] * np.array([1e-4, 2e-4, 0.0, 3e-5, 0.0, 0.0]),
    )
    bottom, top = on(points, 2, 0.0), on(points, 2, 10.0)
    c, s = np.cos(0.5), np.sin(0.5)
    axes = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    middle = np.flatnonzero((np.abs(points[:, 2] - 2.5) < 1e-9) & (np.abs(points[:, 0]) < 1e-9))
    supports: list[fem.Support] = [
        fem.Fixed(bottom, (2,)),
        fem.Fixed(bottom, (0,), 0.01, axes, "skew"),
        fem.Fixed(bottom[-1:], (1,), 0.0, axes),
        fem.Tie(following, below, 1e-6, "joint"),
        fem.RigidCoupling(top, (1.0, 1.0, 12.0), "pot", (np.nan, 0.02, np.nan)),
        fem.LinearConstraint([int(middle[0]), int(middle[1])], [0, 0], [1.0, -1.0], 0.003, "gap"),
    ]
    loads: dict[str, list[fem.Load]] = {
        "pot": [
            fem.CouplingForce("pot", (3.0, 0.0, -50.0), (10.0, 20.0, 30.0)),
            fem.NodalForce(bottom[1:2], (1.0, 2.0, 3.0)),
        ],
        "weight": [fem.BodyForce((0.0, 0.1, -1.0)), fem.ImposedDisplacement("skew", 0.02)],
    }
    return fem.Model(points, cells, material, supports, loads, "tet10")


def reread(model: fem.Model) -> Values:
    """femsim against femsim: the model solved, and its deck written, read and solved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.inp"
        deck.write_inp(path, model)
        given = deck.read_deck(path)
    direct = fem.solve(deck.per_cell(model), solver="direct")
    displacement = stress = 0.0
    for one, other in zip(direct.values(), deck.solve_deck(given, solver="direct"), strict=True):
        u, s = one.displacement, one.stress
        displacement = max(displacement, np.abs(other.motion[: len(u)] - u).max() / np.abs(u).max())
        stress = max(stress, np.abs(other.solution.stress - s).max() / np.abs(s).max())
    return {"displacement": float(displacement), "stress": float(stress)}


def exported(model: fem.Model, solve: Callable[[fem.Model], dict[str, fem.Solution]]) -> Values:
    """femsim against ccx on the deck of a model."""
    program()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.inp"
        deck.write_inp(path, model)
        blocks = run_ccx(path)
    displacement = stress = 0.0
    for time, one in enumerate(solve(deck.per_cell(model)).values(), 1):
        u, s = one.displacement, one.stress
        for block in blocks:
            if block.time == time and block.quantity == "displacements":
                miss = block.values[: len(u)] - u
                displacement = max(displacement, np.abs(miss).max() / np.abs(u).max())
            elif block.time == time and block.quantity == "stresses":
                miss = block.values[:, SWAP].reshape(s.shape) - s
                stress = max(stress, np.abs(miss).max() / np.abs(s).max())
    return {"displacement": float(displacement), "stress": float(stress)}


@case("deck-reread")
def deck_reread() -> Values:
    """Write, read, solve."""
    return reread(everything())


@case("ccx-everything")
def ccx_everything() -> Values:
    """The same deck solved by ccx."""
    return exported(everything(), lambda model: fem.solve(model, solver="direct"))


#: Two elements, four steps: loads that add up within a step, replace those of earlier steps or are kept; local axes;
#: an equation with a node of no element; a temperature; every print.
STEPS = """*NODE,NSET=NALL
1,0,0,0
2,1,0,0
3,1,1,0
4,0,1,0
5,0,0,1
6,1,0,1
7,1,1,1
8,0,1,1
9,5,5,5
10,0,0,2.2
11,1,0,2.2
12,1,1,2.
13,0,1,2.
*ELEMENT,TYPE=C3D8,ELSET=EALL
1,1,2,3,4,5,6,7,8
2,5,6,7,8,10,11,12,13
*MATERIAL,NAME=M
*ELASTIC
1000.,.3
*EXPANSION
1.E-5
*DENSITY
1.
*SOLID SECTION,ELSET=EALL,MATERIAL=M
*NSET,NSET=B
1,2,3,4
*NSET,NSET=TOP,GENERATE
10,13
*SURFACE,NAME=SIDE
EALL,S4
*TRANSFORM,NSET=TOP,TYPE=R
1,1,0,-1,1,0
*BOUNDARY
B,1,3
10,1,1,.1
*INITIAL CONDITIONS,TYPE=TEMPERATURE
NALL,20.
*EQUATION
2
6,3,1.,9,3,-1.
*STEP
*STATIC
.1,2.
*DLOAD
EALL,P5,2.
EALL,P5,1.
1,P5,3.
EALL,GRAV,10.,0,0,-1.
EALL,GRAV,20.,0,0,-2.
1,GRAV,40.,0,0,-1.
EALL,GRAV,100.,0,1.,0.
EALL,CENTRIF,1.,0,0,0,0,0,1.
*DSLOAD
SIDE,P,4.
*CLOAD
11,1,1.
TOP,3,2.
12,3,4.
9,3,10.
*NODE PRINT,NSET=NALL
U,RF,NT
*NODE PRINT,NSET=TOP,TOTALS=YES
RF
*NODE PRINT,NSET=NALL,GLOBAL=YES
U
*EL PRINT,ELSET=EALL,TOTALS=YES
S,E,ME,ENER,ELSE,EVOL,COORD
*END STEP
*STEP
*STATIC
*DLOAD
1,P5,1.
EALL,P3,2.
EALL,GRAV,7.,0,0,-1.
*CLOAD
12,3,1.
*BOUNDARY
10,1,1,.2
10,2,2
*TEMPERATURE
TOP,80.
*NODE PRINT,NSET=TOP
U,RF
*END STEP
*STEP
*STATIC
*DLOAD,OP=NEW
*BOUNDARY,OP=NEW
B,1,3
*CLOAD,OP=NEW
6,1,2.
*END STEP
*STEP
*STATIC
*BOUNDARY,FIXED
7,1,3
*CLOAD,OP=NEW
12,3,5.
*NODE PRINT,NSET=NALL
U,RF
*EL PRINT,ELSET=EALL
S
*END STEP
"""
STEP_TABLES = {
    "displacements": "displacement", "forces": "force", "total force": "total_force",
    "temperatures": "temperature", "stresses": "stress",
    "strains": "strain", "mechanical strains": "mechanical_strain", "internal energy density": "energy_density",
    "internal energy": "energy", "total internal energy": "total_energy", "volume": "volume",
    "total volume": "total_volume", "global coordinates": "coordinates",
}  # fmt: skip


@case("ccx-steps")
def ccx_steps() -> Values:
    """Four steps with everything that is kept, added or replaced, against ccx on the same file."""
    program()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "steps.inp"
        path.write_text(STEPS, encoding="ascii")
        blocks = run_ccx(path)
        given = deck.read_deck(path)
        deck.write_dat(path.with_suffix(".own"), given, deck.solve_deck(given))
        own = deck.read_dat(path.with_suffix(".own"))
    found = differences(own, blocks)
    return {STEP_TABLES[key]: value for key, value in found.items()}
