"""Local axes of nodes, equations, ties and couplings of a deck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from femsim.fem.deck.cards import Card, Place, fail, number, whole
from femsim.fem.deck.deck import DeckCoupling, DeckTie, Equation
from femsim.fem.deck.material_cards import rectangular
from femsim.fem.deck.mesh_cards import MeshPart

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(eq=False)
class ConstraintPart:
    """Constraints while they are read."""

    mesh: MeshPart
    axes: dict[int, Floats] = field(default_factory=dict)
    equations: list[Equation] = field(default_factory=list)
    ties: list[DeckTie] = field(default_factory=list)
    couplings: list[DeckCoupling] = field(default_factory=list)
    open_coupling: tuple[Card, Ints, int] | None = None


def transform_card(part: ConstraintPart, card: Card) -> None:
    """*TRANSFORM: rectangular axes, or cylindrical ones about the line through two points."""
    card.allow("NSET", "TYPE")
    kind = card.options.get("TYPE", "R")
    data = [line for line in card.lines if line.given]
    if kind not in ("R", "C") or len(data) != 1 or len(data[0].given) != 6:
        fail(card.at, "*TRANSFORM needs TYPE=R or C and one line of six coordinates.", "No axes follow.", "Correct it.")
    values = [number(f, data[0].at, "A coordinate") for f in data[0].given]
    nodes = part.mesh.nodes_of(card.option("NSET"), card.at)
    if kind == "R":
        part.axes.update(dict.fromkeys(nodes.tolist(), rectangular(values, data[0].at)))
        return
    a, b = np.array(values[:3]), np.array(values[3:])
    if not np.linalg.norm(b - a) > 0.0:
        fail(data[0].at, "The axis of *TRANSFORM has no length.", "It has no direction.", "Give two points.")
    axis = (b - a) / np.linalg.norm(b - a)
    for node in nodes.tolist():
        arm = np.array(part.mesh.points[node]) - a
        arm -= (arm @ axis) * axis
        length = float(np.linalg.norm(arm))
        if length < 1e-10 * np.linalg.norm(b - a):
            fail(card.at, f"A node of {card.options['NSET']} lies on the axis.", "No radius there.", "Take it out.")
        radial = arm / length
        part.axes[node] = np.stack([radial, np.cross(axis, radial), axis])


def equation_card(part: ConstraintPart, card: Card) -> None:
    """*EQUATION: the number of terms, then node, component, coefficient of each."""
    card.allow()
    lines = [line for line in card.lines if line.given]
    i = 0
    while i < len(lines):
        at = lines[i].at
        terms = whole(lines[i].given[0], at, "The number of terms")
        i += 1
        fields: list[str] = []
        while i < len(lines) and len(fields) < 3 * terms:
            fields += lines[i].given
            i += 1
        if terms < 1 or len(fields) != 3 * terms:
            fail(at, f"An equation of {terms} terms has {len(fields)} values.", "Each takes three.", "Complete it.")
        part.equations.append(_equation(part, fields, at))


def _equation(part: ConstraintPart, fields: list[str], at: Place) -> Equation:
    nodes, components, factors = [], [], []
    for j in range(0, len(fields), 3):
        found = part.mesh.nodes_of(fields[j], at)
        component = whole(fields[j + 1], at, "The component")
        if len(found) != 1 or not 1 <= component <= 3:
            fail(
                at,
                f"The term {', '.join(fields[j : j + 3])} is not one displacement.",
                "It cannot be solved.",
                "Fix it.",
            )
        nodes.append(int(found[0]))
        components.append(component - 1)
        factors.append(number(fields[j + 2], at, "A coefficient"))
    return Equation(tuple(nodes), tuple(components), tuple(factors), at)


def tie_card(part: ConstraintPart, card: Card) -> None:
    """*TIE: dependent surface (faces or nodes), independent surface (faces)."""
    card.allow("NAME", "POSITION TOLERANCE", "ADJUST")
    for line in card.lines:
        if len(line.given) != 2:
            fail(line.at, "A line of *TIE is not two surfaces.", "Nothing is tied.", "Give dependent, independent.")
        follows = part.mesh.surface(line.given[0].upper(), line.at)
        leads = part.mesh.surface(line.given[1].upper(), line.at)
        if not len(leads.faces):
            fail(line.at, f"The surface {line.given[1]} has no face.", "Nodes are tied to faces.", "Use TYPE=ELEMENT.")
        tolerance = number(card.options.get("POSITION TOLERANCE", "0"), card.at, "POSITION TOLERANCE")
        adjust = card.options.get("ADJUST", "YES") != "NO"
        name = card.options.get("NAME", "TIE")
        part.ties.append(DeckTie(name, follows.nodes, leads.faces, tolerance, adjust, line.at))


def rigid_body_card(part: ConstraintPart, card: Card) -> None:
    """*RIGID BODY: a node or element set follows a reference node, whose rotation is held by a second node."""
    card.allow("NSET", "ELSET", "REF NODE", "ROT NODE")
    if "NSET" in card.options:
        nodes = part.mesh.nodes_of(card.options["NSET"], card.at)
    else:
        cells = part.mesh.cells_of(card.option("ELSET"), card.at)
        given = [part.mesh.node_index(n, card.at) for c in cells for n in part.mesh.cells[c]]
        nodes = np.unique(given)
    reference = part.mesh.nodes_of(card.option("REF NODE"), card.at)
    rotation = card.options.get("ROT NODE")
    turn = -1 if rotation is None else int(part.mesh.nodes_of(rotation, card.at)[0])
    _couple(part, card, nodes, int(reference[0]), turn)


def coupling_card(part: ConstraintPart, card: Card) -> None:
    """*COUPLING: a surface and a reference node; what couples them stands on the next card."""
    card.allow("CONSTRAINT NAME", "REF NODE", "SURFACE")
    nodes = part.mesh.surface(card.option("SURFACE"), card.at).nodes
    reference = part.mesh.nodes_of(card.option("REF NODE"), card.at)
    part.open_coupling = (card, nodes, int(reference[0]))


def kinematic_card(part: ConstraintPart, card: Card) -> None:
    """*KINEMATIC: all three displacements follow the reference node."""
    if part.open_coupling is None:
        fail(card.at, "*KINEMATIC stands without *COUPLING.", "It couples nothing.", "Put *COUPLING before it.")
    card.allow()
    held: set[int] = set()
    for line in card.lines:
        first = whole(line.given[0], line.at, "The component")
        held |= set(range(first, (whole(line.given[1], line.at, "It") if len(line.given) > 1 else first) + 1))
    if held and not {1, 2, 3} <= held:
        fail(
            card.at,
            "*KINEMATIC leaves some displacements free.",
            "femsim's rigid coupling holds all three.",
            "Couple 1, 3; or write the rest as *EQUATION.",
        )
    coupling, nodes, reference = part.open_coupling
    _couple(part, coupling, nodes, reference, -1)
    part.open_coupling = None


def _couple(part: ConstraintPart, card: Card, nodes: Ints, reference: int, rotation: int) -> None:
    name = card.options.get("CONSTRAINT NAME", f"{card.name} of line {card.at.line}")
    kept = nodes[nodes != reference]
    part.couplings.append(DeckCoupling(name, kept, reference, rotation, card.at))


HANDLERS: dict[str, Callable[[ConstraintPart, Card], None]] = {
    "TRANSFORM": transform_card,
    "EQUATION": equation_card,
    "TIE": tie_card,
    "RIGID BODY": rigid_body_card,
    "COUPLING": coupling_card,
    "KINEMATIC": kinematic_card,
}
