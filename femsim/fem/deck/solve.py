"""The steps of a deck as models of the solver, and their solutions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.fem import loads as kinds
from femsim.fem import operators
from femsim.fem.deck.deck import Deck, Step
from femsim.fem.deck.heat import modulus_scale, thermal_strain
from femsim.fem.elements import element
from femsim.fem.material import Material
from femsim.fem.model import Model
from femsim.fem.solution import Solution
from femsim.fem.solve import solve
from femsim.fem.supports import Fixed, LinearConstraint, RigidCoupling, Support, Tie
from femsim.fem.tie import nearest_on_faces
from femsim.fem.workspace import Workspace

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A tie without a tolerance takes this part of the typical element size, as CalculiX does.
TIE_TOLERANCE = 0.025


@dataclass(frozen=True, eq=False)
class StepResult:
    """One solved step.

    Attributes
    ----------
    step : Step
    time : float
        Total time at its end.
    solution : Solution
    forces : (n, 3) float64
        Nodal forces of the stresses: what CalculiX calls RF.
    motion : (n, 3) float64
        Displacements; those of reference nodes of couplings too, and rotations of their rotation nodes.
    """

    step: Step
    time: float
    solution: Solution
    forces: Floats
    motion: Floats


def solve_deck(
    deck: Deck, *, solver: str = "auto", tolerance: float = 1e-9, threads: int | None = None
) -> list[StepResult]:
    """Solve all steps of a deck; the factorisation is kept as long as the supports stay the same.

    Parameters
    ----------
    deck : Deck
    solver, tolerance, threads
        As of `femsim.fem.solve`.

    Raises
    ------
    FemsimError
        As `femsim.fem.solve`.
    """
    space = Workspace()
    results: list[StepResult] = []
    time = 0.0
    before: Floats | None = None
    base = _supports(deck)
    for step in deck.steps:
        model = step_model(deck, step, before, base)
        name = next(iter(model.loads))
        solution = solve(model, solver=solver, tolerance=tolerance, threads=threads, workspace=space)[name]
        time += step.period
        forces = operators.internal_forces(solution.grid, model.material, solution.stress)
        motion = _motion(deck, solution)
        results.append(StepResult(step, time, solution, forces, motion))
        before = motion
    return results


def step_model(deck: Deck, step: Step, before: Floats | None = None, base: list[Support] | None = None) -> Model:
    """The linear problem of one step.

    Parameters
    ----------
    before : (n, 3) float64, optional
        Displacements at the end of the step before, for *BOUNDARY, FIXED.
    """
    supports = list(_supports(deck) if base is None else base)
    supports = [_driven(deck, step, s) if isinstance(s, RigidCoupling) else s for s in supports]
    supports += _fixed(deck, step, before)
    return Model(
        deck.points, deck.cells, _material(deck, step), supports, {f"step of line {step.at.line}": _loads(deck, step)},
        deck.element,
    )  # fmt: skip


def _supports(deck: Deck) -> list[Support]:
    """Everything that is the same in every step."""
    out: list[Support] = []
    for coupling in deck.couplings:
        out.append(RigidCoupling(coupling.nodes, deck.points[coupling.reference], coupling.name))
    for equation in deck.equations:
        out.append(_global_equation(deck, equation.nodes, equation.components, equation.coefficients, str(equation.at)))
    for tie in deck.ties:
        size = _typical_size(deck)
        out.append(Tie(tie.nodes, tie.faces, tie.tolerance or TIE_TOLERANCE * size, tie.name))
        _check_gap(deck, tie.nodes, tie.faces, size, tie.adjust, str(tie.at))
    return out


def _global_equation(
    deck: Deck, nodes: tuple[int, ...], components: tuple[int, ...], coefficients: tuple[float, ...], name: str
) -> LinearConstraint:
    """An equation in the nodes' own axes, in global ones."""
    if deck.node_axes is None or not deck.transformed[list(nodes)].any():
        return LinearConstraint(nodes, components, coefficients, 0.0, f"equation ({name})")
    at, which, factor = [], [], []
    for node, component, coefficient in zip(nodes, components, coefficients, strict=True):
        direction = deck.node_axes[node, component] * coefficient
        for i in np.flatnonzero(direction):
            at.append(node)
            which.append(int(i))
            factor.append(float(direction[i]))
    return LinearConstraint(at, which, factor, 0.0, f"equation ({name})")


def _typical_size(deck: Deck) -> float:
    corners = deck.points[deck.cells[:, : element(deck.element).size - len(element(deck.element).edges)]]
    return float(np.ptp(corners, axis=1).mean())


def _check_gap(deck: Deck, nodes: Ints, faces: Ints, size: float, adjust: bool, at: str) -> None:
    """CalculiX moves dependent nodes onto the faces unless ADJUST=NO; femsim moves no node."""
    if not adjust or not len(nodes):
        return
    shape = element(deck.element)
    sides = deck.cells[faces[:, 0][:, None], shape.faces[faces[:, 1]]]
    gap = nearest_on_faces(deck.points[nodes], deck.points, sides, shape)[2]
    if gap.max() > 1e-5 * size:
        raise InputError(
            f"{at}: *TIE would move node {deck.node_ids[nodes[gap.argmax()]]} by {gap.max():.3g} onto the surface.",
            "femsim moves no node, and the moved mesh gives another answer.",
            "Add ADJUST=NO, or close the gap in the mesh.",
        )


def _roles(deck: Deck) -> dict[int, tuple[int, int]]:
    """For every node that stands for a coupling: its coupling, and the first of the six motions that it has."""
    roles = {}
    for i, coupling in enumerate(deck.couplings):
        roles[coupling.reference] = (i, 0)
        if coupling.rotation >= 0:
            roles[coupling.rotation] = (i, 3)
    return roles


def _driven(deck: Deck, step: Step, coupling: RigidCoupling) -> RigidCoupling:
    """A coupling with the motion that the step prescribes to its reference."""
    given = np.full(6, np.nan)
    roles = _roles(deck)
    for (node, component), value in step.boundary.items():
        if node in roles and deck.couplings[roles[node][0]].name == coupling.name:
            if value is None:
                raise InputError(
                    f"{step.at}: *BOUNDARY, FIXED acts on a reference node.",
                    "femsim freezes displacements of the mesh only.",
                    "Prescribe the value.",
                )
            given[roles[node][1] + component] = value
    return replace(coupling, displacement=given[:3], rotation=given[3:])


def _fixed(deck: Deck, step: Step, before: Floats | None) -> list[Support]:
    """Prescribed displacements, grouped by component."""
    roles = _roles(deck)
    table: dict[int, tuple[list[int], list[float]]] = {}
    for (node, component), value in step.boundary.items():
        if node in roles or component > 2:  # rotations of nodes of solids do not exist; CalculiX drops them too
            continue
        if value is None:
            value = _frozen(deck, step, node, component, before)
        nodes, values = table.setdefault(component, ([], []))
        nodes.append(node)
        values.append(value)
    out: list[Support] = []
    for component, (nodes, values) in table.items():
        at, value_ = np.array(nodes), np.zeros((len(nodes), 3))
        value_[:, component] = values
        mine = deck.transformed[at]
        for chosen, axes in ((at[~mine], None), (at[mine], deck.node_axes)):
            if len(chosen):
                part = value_[~mine] if axes is None else value_[mine]
                own = None if axes is None else axes[chosen]
                out.append(Fixed(chosen, (component,), part, own, f"boundary {component + 1}"))
    return out


def _frozen(deck: Deck, step: Step, node: int, component: int, before: Floats | None) -> float:
    """Displacement at the end of the step before, for *BOUNDARY, FIXED."""
    if deck.transformed[node]:
        raise InputError(
            f"{step.at}: *BOUNDARY, FIXED acts on node {deck.node_ids[node]}, which has its own axes (*TRANSFORM).",
            "CalculiX 2.20 takes the global displacement for the local one there; the two codes would not agree.",
            "Prescribe the values.",
        )
    return 0.0 if before is None else float(before[node, component])


def _material(deck: Deck, step: Step) -> Material:
    base = np.stack([m.stiffness for m in deck.materials])
    return Material(base, deck.material, modulus_scale(deck, step.temperature), deck.axes)


def _loads(deck: Deck, step: Step) -> list[kinds.Load]:
    out: list[kinds.Load] = [*_nodal(deck, step)]
    if step.pressures:
        faces = np.array(list(step.pressures), np.int64)
        out.append(kinds.Pressure(faces, np.array(list(step.pressures.values())), "pressure"))
    for kind, cells, values in step.bodies:
        density = np.zeros(len(deck.cells))
        density[cells] = _densities(deck, cells, step)
        if kind == "GRAV":
            force = density[cells][:, None] * values[0] * np.array(values[1:])
            out.append(kinds.BodyForce(force, cells, "gravity"))
        else:
            out.append(kinds.Centrifugal(float(np.sqrt(values[0])), values[1:4], values[4:7], density, "centrifugal"))
    strain = thermal_strain(deck, step.temperature)
    if strain is not None:
        out.append(kinds.InitialStrain(strain, name="thermal expansion"))
    return out or [kinds.NodalForce(deck.cells[0, :1], (0.0, 0.0, 0.0), "nothing")]


def _nodal(deck: Deck, step: Step) -> list[kinds.Load]:
    """Concentrated loads in global axes, and those on reference nodes of couplings."""
    roles = _roles(deck)
    force = np.zeros((len(deck.points), 3))
    remote: dict[int, Floats] = {}
    for (node, component), value in step.forces.items():
        if node in roles:
            which, first = roles[node]
            remote.setdefault(which, np.zeros(6))[first + component] += value
        elif component > 2:
            raise InputError(
                f"{step.at}: *CLOAD puts a moment on node {deck.node_ids[node]}, which is no reference node.",
                "Nodes of solids do not turn.",
                "Use a coupling or nodal forces.",
            )
        elif deck.node_axes is None:
            force[node, component] += value
        else:
            force[node] += value * deck.node_axes[node, component]
    loaded = np.unique([n for n, _ in step.forces if n not in roles]).astype(np.int64)
    out: list[kinds.Load] = [
        kinds.CouplingForce(deck.couplings[i].name, six[:3], six[3:], "concentrated load") for i, six in remote.items()
    ]
    return [*out, kinds.NodalForce(loaded, force[loaded], "concentrated load")] if len(loaded) else out


def _densities(deck: Deck, cells: Ints, step: Step) -> Floats:
    missing = [m.name for i, m in enumerate(deck.materials) if m.density is None and (deck.material[cells] == i).any()]
    if missing:
        raise InputError(
            f"{step.at}: GRAV or CENTRIF acts on the material {missing[0]}, which has no *DENSITY.",
            "Without a mass there is no body force.",
            "Add *DENSITY to the material.",
        )
    values = np.array([0.0 if m.density is None else m.density for m in deck.materials])
    return np.asarray(values[deck.material[cells]])


def _motion(deck: Deck, solution: Solution) -> Floats:
    motion = np.array(solution.displacement)
    moved: Mapping[str, object] = solution.couplings
    if moved:
        for coupling in deck.couplings:
            found = solution.couplings[coupling.name]
            motion[coupling.reference] = found.displacement
            if coupling.rotation >= 0:
                motion[coupling.rotation] = found.rotation
    return motion
