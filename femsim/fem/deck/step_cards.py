"""The steps of a deck: supports, loads, temperatures and what is printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from femsim.fem.deck.cards import Card, Line, Place, fail, number, whole
from femsim.fem.deck.deck import Print, Step
from femsim.fem.deck.mesh_cards import MeshPart

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Conditions that Abaqus names.
NAMED = {"ENCASTRE": (0, 1, 2), "PINNED": (0, 1, 2), "XSYMM": (0,), "YSYMM": (1,), "ZSYMM": (2,)}
NODE_VARIABLES = ("U", "RF", "NT")
ELEMENT_VARIABLES = ("S", "E", "ME", "ENER", "ELSE", "EVOL", "COORD")


@dataclass(eq=False)
class StepPart:
    """What acts, while the steps are read; it is kept from step to step, as CalculiX does.

    A load that is given again in a later step replaces that of the earlier one; several in one step are added.
    """

    mesh: MeshPart
    temperature: dict[int, float] = field(default_factory=dict)
    initial: dict[int, float] = field(default_factory=dict)
    boundary: dict[tuple[int, int], float | None] = field(default_factory=dict)
    forces: dict[tuple[int, int], float] = field(default_factory=dict)
    pressures: dict[tuple[int, int], float] = field(default_factory=dict)
    bodies: dict[tuple[object, ...], tuple[str, Ints, tuple[float, ...]]] = field(default_factory=dict)
    prints: list[Print] = field(default_factory=list)
    new: set[object] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)
    open_at: Place | None = None
    static: bool = False
    period: float = 1.0
    skipped: list[str] = field(default_factory=list)

    def add(self, table: dict[tuple[int, int], float], kind: str, key: tuple[int, int], value: float) -> None:
        """Add to what this step gave before, or replace what earlier steps gave."""
        mark = (kind, key)
        table[key] = table[key] + value if mark in self.new else value
        self.new.add(mark)

    def renew(self, card: Card, kind: str, *tables: dict[object, object]) -> None:
        """OP=NEW, once in a step: what earlier steps gave is removed."""
        op = card.options.get("OP", "MOD")
        if op not in ("MOD", "NEW"):
            fail(card.at, f"OP={op} is not known.", "Loads are kept or removed by it.", "Use MOD or NEW.")
        if op == "NEW" and ("renewed", kind) not in self.new:
            for table in tables:
                table.clear()
        self.new.add(("renewed", kind))


def _in_step(part: StepPart, card: Card) -> None:
    if part.open_at is None:
        fail(card.at, f"*{card.name} stands outside a step.", "It has no load case to act in.", "Put it after *STEP.")


def step_card(part: StepPart, card: Card) -> None:
    """*STEP: linear only."""
    if "NLGEOM" in card.options and card.options["NLGEOM"] != "NO":
        fail(
            card.at,
            "*STEP asks for NLGEOM.",
            "Large displacements are not in femsim's linear solver; the answer would be another.",
            "Remove NLGEOM, or solve it in CalculiX.",
        )
    card.allow("INC", "INCF", "NAME", "NLGEOM", "AMPLITUDE")
    if card.options.get("AMPLITUDE", "RAMP") not in ("RAMP", "STEP"):
        card.allow("INC", "NAME")
    if part.open_at is not None:
        fail(card.at, "*STEP stands inside another step.", "A step is missing its *END STEP.", "Add it.")
    part.open_at, part.static, part.period, part.new = card.at, False, 1.0, set()


def static_card(part: StepPart, card: Card) -> None:
    """*STATIC: in a linear step only the length of the step is used, for the time in the prints."""
    _in_step(part, card)
    card.allow("SOLVER", "DIRECT", "TIME RESET", "TOTAL TIME AT START")
    part.static = True
    for line in card.lines:
        if len(line.given) > 1 and line.given[1]:
            part.period = number(line.given[1], line.at, "The period")


def end_step_card(part: StepPart, card: Card) -> None:
    """*END STEP: what acts now is the step."""
    _in_step(part, card)
    if not part.static or part.open_at is None:
        fail(card.at, "The step has no *STATIC.", "femsim solves static steps.", "Add *STATIC.")
    temperature = None
    if part.temperature or part.initial:
        filled = part.initial | part.temperature
        temperature = np.array([filled.get(i, 0.0) for i in range(len(part.mesh.points))])
    prints = tuple(part.prints)
    part.steps.append(
        Step(
            dict(part.boundary),
            dict(part.forces),
            dict(part.pressures),
            tuple(part.bodies.values()),
            temperature,
            part.period,
            prints,
            part.open_at,
        )
    )
    part.open_at = None


def boundary_card(part: StepPart, card: Card) -> None:
    """*BOUNDARY: node or set, first and last component, value; or a named condition of Abaqus."""
    card.allow("OP", "FIXED")
    part.renew(card, "boundary", part.boundary)  # type: ignore[arg-type]
    for line in card.lines:
        fields = line.given
        if len(fields) < 2:
            fail(line.at, "A line of *BOUNDARY names no component.", "Nothing is held.", "Give node, component.")
        nodes = part.mesh.nodes_of(fields[0], line.at)
        components, value = _held(fields, line)
        fixed = "FIXED" in card.options
        for node in nodes.tolist():
            part.boundary.update({(node, c): None if fixed else value for c in components})


def _held(fields: tuple[str, ...], line: Line) -> tuple[tuple[int, ...], float]:
    if fields[1].upper() in NAMED:
        return NAMED[fields[1].upper()], 0.0
    first = whole(fields[1], line.at, "The component")
    last = whole(fields[2], line.at, "The last component") if len(fields) > 2 and fields[2] else first
    value = number(fields[3], line.at, "The value") if len(fields) > 3 and fields[3] else 0.0
    if not 1 <= first <= last <= 6:
        fail(
            line.at,
            f"*BOUNDARY holds the components {first} to {last}.",
            "Displacements are 1 to 3, rotations of a reference node 4 to 6.",
            "Correct it.",
        )
    return tuple(range(first - 1, last)), value


def cload_card(part: StepPart, card: Card) -> None:
    """*CLOAD: node or set, component, force."""
    card.allow("OP")
    _in_step(part, card)
    part.renew(card, "cload", part.forces)  # type: ignore[arg-type]
    for line in card.lines:
        if len(line.given) != 3:
            fail(
                line.at, "A line of *CLOAD is not 'node or set, component, force'.", "No force follows.", "Correct it."
            )
        component = whole(line.given[1], line.at, "The component")
        if not 1 <= component <= 6:
            fail(line.at, f"*CLOAD acts on the component {component}.", "There are 1 to 6.", "Correct it.")
        value = number(line.given[2], line.at, "The force")
        for node in part.mesh.nodes_of(line.given[0], line.at).tolist():
            part.add(part.forces, "cload", (node, component - 1), value)


def dload_card(part: StepPart, card: Card) -> None:
    """*DLOAD: P1 to P6 on faces, GRAV and CENTRIF on sets."""
    card.allow("OP")
    _in_step(part, card)
    part.renew(card, "dload", part.pressures, part.bodies)  # type: ignore[arg-type]
    for line in card.lines:
        fields = line.given
        if len(fields) < 3:
            fail(
                line.at,
                "A line of *DLOAD is not 'element or set, label, value, ...'.",
                "No load follows.",
                "Correct it.",
            )
        cells, label = part.mesh.cells_of(fields[0], line.at), fields[1].upper()
        values = [number(f, line.at, f"A value of {label}") for f in fields[2:]]
        if label in ("GRAV", "CENTRIF"):
            _body(part, line, fields[0].upper(), cells, label, values)
        elif label.startswith("P") and label[1:].isdigit() and len(values) == 1:
            side = part.mesh.face(label, line.at)
            for cell in cells.tolist():
                part.add(part.pressures, "pressure", (cell, side), values[0])
        else:
            fail(
                line.at,
                f"*DLOAD has the label {fields[1]!r} with {len(values)} values.",
                "Leaving the load out would change the answer.",
                "Use P1 to P6, GRAV or CENTRIF.",
            )


def _body(part: StepPart, line: Line, name: str, cells: Ints, label: str, values: list[float]) -> None:
    """Loads of one set along one direction are added in a step, and replaced in a later one."""
    needed = 4 if label == "GRAV" else 7
    if len(values) != needed:
        fail(line.at, f"{label} has {len(values)} values; {needed} are needed.", "No load follows.", "Complete it.")
    direction = np.array(values[-3:])
    length = float(np.linalg.norm(direction))
    if length == 0.0:
        fail(line.at, f"{label} has the direction 0, 0, 0.", "It acts nowhere.", "Give a direction.")
    rest = tuple((direction / length).tolist())
    point = tuple(values[1:-3])
    key = (name, label, point, tuple(np.round(rest, 12)))
    size = values[0]
    if ("body", key) in part.new and key in part.bodies:
        size += part.bodies[key][2][0]
    part.new.add(("body", key))
    part.bodies[key] = (label, cells, (size, *point, *rest))


def dsload_card(part: StepPart, card: Card) -> None:
    """*DSLOAD: surface, P, pressure."""
    card.allow("OP")
    _in_step(part, card)
    part.renew(card, "dload", part.pressures, part.bodies)  # type: ignore[arg-type]
    for line in card.lines:
        if len(line.given) != 3 or line.given[1].upper() != "P":
            fail(line.at, "A line of *DSLOAD is not 'surface, P, value'.", "Only pressure is supported.", "Correct it.")
        value = number(line.given[2], line.at, "The pressure")
        surface = part.mesh.surface(line.given[0].upper(), line.at)
        if not len(surface.faces):
            fail(line.at, f"The surface {line.given[0]} has no face.", "Pressure needs faces.", "Use TYPE=ELEMENT.")
        for cell, side in surface.faces.tolist():
            part.add(part.pressures, "pressure", (cell, side), value)


def temperature_card(part: StepPart, card: Card) -> None:
    """*TEMPERATURE: node or set, value."""
    card.allow("OP")
    _in_step(part, card)
    part.renew(card, "temperature", part.temperature)  # type: ignore[arg-type]
    part.temperature.update(_nodal(part, card))


def initial_card(part: StepPart, card: Card) -> None:
    """*INITIAL CONDITIONS, TYPE=TEMPERATURE."""
    card.allow("TYPE")
    if card.options.get("TYPE") != "TEMPERATURE":
        fail(
            card.at,
            f"*INITIAL CONDITIONS has TYPE={card.options.get('TYPE', '')}.",
            "Leaving it out would change the answer.",
            "Only TEMPERATURE is supported.",
        )
    part.initial.update(_nodal(part, card))


def _nodal(part: StepPart, card: Card) -> dict[int, float]:
    out: dict[int, float] = {}
    for line in card.lines:
        if len(line.given) != 2:
            fail(line.at, f"A line of *{card.name} is not 'node or set, temperature'.", "None follows.", "Correct it.")
        value = number(line.given[1], line.at, "The temperature")
        out.update(dict.fromkeys(part.mesh.nodes_of(line.given[0], line.at).tolist(), value))
    return out


def print_card(part: StepPart, card: Card) -> None:
    """*NODE PRINT and *EL PRINT; the first of a step takes the place of those of earlier steps."""
    _in_step(part, card)
    kind, key = ("node", "NSET") if card.name == "NODE PRINT" else ("element", "ELSET")
    known = NODE_VARIABLES if kind == "node" else ELEMENT_VARIABLES
    if ("print", kind) not in part.new:
        part.prints = [p for p in part.prints if p.kind != kind]
    part.new.add(("print", kind))
    if card.options.get("FREQUENCY") == "0":
        return
    name = card.option(key)
    (part.mesh.nodes_of if kind == "node" else part.mesh.cells_of)(name, card.at)
    asked = [f.upper() for line in card.lines for f in line.given if f]
    part.skipped += [f"{f} of *{card.name} ({card.at})" for f in asked if f not in known]
    totals = card.options.get("TOTALS", "NO")
    part.prints.append(
        Print(
            kind,
            name,
            tuple(f for f in asked if f in known),
            totals != "ONLY",
            totals != "NO",
            card.options.get("GLOBAL", "NO") == "YES",
        )
    )


HANDLERS: dict[str, Callable[[StepPart, Card], None]] = {
    "STEP": step_card,
    "STATIC": static_card,
    "END STEP": end_step_card,
    "BOUNDARY": boundary_card,
    "CLOAD": cload_card,
    "DLOAD": dload_card,
    "DSLOAD": dsload_card,
    "TEMPERATURE": temperature_card,
    "INITIAL CONDITIONS": initial_card,
    "NODE PRINT": print_card,
    "EL PRINT": print_card,
}
