"""Nodes, elements, sets and surfaces of a deck."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from femsim.errors import FemsimWarning
from femsim.fem.deck.cards import Card, Line, Place, fail, number, whole
from femsim.fem.elements import element

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A member of a set: a number, the name of another set, or a range of numbers.
Entry = int | str | range
#: Elements of CalculiX and what they are here.
KINDS = {"C3D4": "tet4", "C3D10": "tet10", "C3D8": "hex8", "C3D20": "hex20", "C3D20R": "hex20r"}
#: Corners of the faces S1, S2, ... of CalculiX (and Abaqus), from 0.
HEX_SIDES = ((0, 1, 2, 3), (4, 7, 6, 5), (0, 4, 5, 1), (1, 5, 6, 2), (2, 6, 7, 3), (3, 7, 4, 0))
TET_SIDES = ((0, 1, 2), (0, 3, 1), (1, 3, 2), (2, 3, 0))


@dataclass(frozen=True, eq=False)
class Surface:
    """A surface: faces (cell, local face), or nodes."""

    faces: Ints
    nodes: Ints


@dataclass(eq=False)
class Names:
    """A family of sets while it is read: lists of numbers and of other sets, resolved when first asked for."""

    kind: str
    parts: dict[str, list[tuple[Entry, Place]]] = field(default_factory=dict)
    found: dict[str, Ints] = field(default_factory=dict)

    def add(self, name: str, entries: Sequence[tuple[Entry, Place]]) -> None:
        """Append entries to a set, which is made if it is new."""
        self.parts.setdefault(name, []).extend(entries)

    def resolve(self, name: str, at: Place, index: Mapping[int, int], above: tuple[str, ...] = ()) -> Ints:
        """Indices of the members of a set, in the order in which they were given, once each."""
        if name in self.found:
            return self.found[name]
        if name not in self.parts or name in above:
            why = "It contains itself." if name in above else "What acts on an unknown set acts on nothing."
            known = ", ".join(list(self.parts)[:8]) or "none"
            fail(at, f"The {self.kind} set {name!r} does not exist.", why, f"Define it, or use one of: {known}.")
        members: dict[int, None] = {}
        for entry, place in self.parts[name]:
            if isinstance(entry, str):
                members.update(dict.fromkeys(self.resolve(entry, place, index, (*above, name)).tolist()))
            elif isinstance(entry, range):
                members.update(dict.fromkeys(self._generated(name, entry, place, index)))
            elif entry in index:
                members[index[entry]] = None
            else:
                fail(
                    place,
                    f"The {self.kind} set {name!r} names {self.kind} {entry}, which does not exist.",
                    "A set with holes is most often the set of another mesh, or the file is truncated.",
                    f"Define the {self.kind}, or take it out of the set.",
                )
        self.found[name] = np.array(list(members), np.int64)
        return self.found[name]

    def _generated(self, name: str, entry: range, at: Place, index: Mapping[int, int]) -> list[int]:
        """Those of a range that exist; ranges with gaps are common, and CalculiX skips the gaps too."""
        present = [index[i] for i in entry if i in index]
        if not present:
            fail(at, f"No {self.kind} of the range {entry} exists.", f"The set {name!r} would be empty.", "Correct it.")
        if len(present) < len(entry):
            warnings.warn(
                f"{at}: {len(entry) - len(present)} of {len(entry)} numbers that GENERATE puts into the set {name!r} "
                "do not exist and are left out.",
                FemsimWarning,
                stacklevel=2,
            )
        return present


@dataclass(eq=False)
class MeshPart:
    """The mesh of a deck while it is read."""

    node: dict[int, int] = field(default_factory=dict)
    points: list[tuple[float, ...]] = field(default_factory=list)
    cell: dict[int, int] = field(default_factory=dict)
    cells: list[list[int]] = field(default_factory=list)
    cell_at: list[Place] = field(default_factory=list)
    kind: str = ""
    label: str = ""
    node_sets: Names = field(default_factory=lambda: Names("node"))
    cell_sets: Names = field(default_factory=lambda: Names("element"))
    surfaces: dict[str, Card] = field(default_factory=dict)

    def nodes_of(self, text: str, at: Place) -> Ints:
        """A node number or the name of a node set, as indices."""
        if _is_number(text):
            return np.array([self.node_index(whole(text, at, "The node"), at)])
        return self.node_sets.resolve(text.upper(), at, self.node)

    def node_index(self, number_: int, at: Place) -> int:
        """Index of a node by its number."""
        if number_ not in self.node:
            fail(at, f"Node {number_} does not exist.", "What is done to it is done to nothing.", "Define it.")
        return self.node[number_]

    def cells_of(self, text: str, at: Place) -> Ints:
        """An element number or the name of an element set, as indices."""
        if not _is_number(text):
            return self.cell_sets.resolve(text.upper(), at, self.cell)
        given = whole(text, at, "The element")
        if given not in self.cell:
            fail(at, f"Element {given} does not exist.", "What acts on it acts on nothing.", "Define it.")
        return np.array([self.cell[given]])

    def face(self, label: str, at: Place) -> int:
        """femsim's local face of a label like P2 or S2."""
        sides = side_map(self.kind)
        if not label[1:].isdigit() or not 1 <= int(label[1:]) <= len(sides):
            fail(at, f"{label!r} is no face of a {self.label}.", f"It has {len(sides)} faces.", "Correct the label.")
        return sides[int(label[1:]) - 1]

    def surface(self, name: str, at: Place) -> Surface:
        """A surface by name."""
        if name not in self.surfaces:
            known = ", ".join(list(self.surfaces)[:8]) or "none"
            fail(
                at, f"The surface {name!r} does not exist.", "What acts on it acts on nothing.", f"Use one of: {known}."
            )
        card = self.surfaces[name]
        if card.options.get("TYPE", "ELEMENT") == "NODE":
            nodes = [self.nodes_of(text, line.at) for line in card.lines for text in line.given]
            return Surface(np.zeros((0, 2), np.int64), np.unique(np.concatenate([np.zeros(0, np.int64), *nodes])))
        faces = []
        for line in card.lines:
            if len(line.given) != 2:
                fail(line.at, "A line of *SURFACE is not 'element or set, face'.", "It names no face.", "Correct it.")
            side = self.face(line.given[1].upper(), line.at)
            faces += [(int(cell), side) for cell in self.cells_of(line.given[0], line.at)]
        pairs = np.array(faces, np.int64).reshape(-1, 2)
        nodes_ = np.array([self.cells[c] for c, _ in faces], np.int64)
        members = element(self.kind).faces[pairs[:, 1]]
        return Surface(pairs, np.unique(np.take_along_axis(nodes_, members, axis=1)) if len(faces) else pairs[:, 0])


def side_map(kind: str) -> list[int]:
    """femsim's local face of every face of CalculiX."""
    shape = element(kind)
    corners = shape.size - len(shape.edges)
    own = {frozenset(f[f < corners].tolist()): i for i, f in enumerate(shape.faces)}
    return [own[frozenset(side)] for side in (TET_SIDES if kind.startswith("tet") else HEX_SIDES)]


def node_card(part: MeshPart, card: Card) -> None:
    """*NODE: number, x, y, z; a coordinate left out is zero, as in CalculiX."""
    card.allow("NSET")
    entries: list[tuple[Entry, Place]] = []
    for line in card.lines:
        fields = line.fields[:4]
        if not fields[0]:
            continue
        given = whole(fields[0], line.at, "The node number")
        if given in part.node:
            fail(
                line.at,
                f"Node {given} is defined a second time.",
                "It would silently move, with all that hangs on it.",
                "Give every node one number, and each number to one node.",
            )
        values = [number(f, line.at, f"A coordinate of node {given}") if f else 0.0 for f in fields[1:]]
        part.node[given] = len(part.points)
        part.points.append(tuple(values + [0.0] * (3 - len(values))))
        entries.append((given, line.at))
    if "NSET" in card.options:
        part.node_sets.add(card.options["NSET"], entries)


def element_card(part: MeshPart, card: Card) -> None:
    """*ELEMENT: number and nodes, over as many lines as it takes."""
    card.allow("TYPE", "ELSET")
    label = card.option("TYPE")
    if label not in KINDS:
        fail(
            card.at,
            f"The element {label} is not supported.",
            "Leaving it out would change the answer.",
            f"Use {', '.join(KINDS)}.",
        )
    if part.kind and KINDS[label] != part.kind:
        fail(
            card.at,
            f"The deck has {label} besides {part.label}.",
            "femsim solves one kind of element at a time.",
            "Mesh the model with one kind, or split it.",
        )
    part.kind, part.label = KINDS[label], label
    size = element(part.kind).size
    entries: list[tuple[Entry, Place]] = []
    for fields, at in _joined(card.lines, size + 1):
        given = whole(fields[0], at, "The element number")
        if len(fields) != size + 1:
            fail(
                at,
                f"Element {given} has {len(fields) - 1} nodes; a {label} has {size}.",
                "The file may be truncated, or the type is another.",
                "Correct the element.",
            )
        if given in part.cell:
            fail(at, f"Element {given} is defined a second time.", "One of the two would be lost.", "Renumber one.")
        part.cell[given] = len(part.cells)
        part.cells.append([whole(f, at, f"A node of element {given}") for f in fields[1:]])
        part.cell_at.append(at)
        entries.append((given, at))
    if "ELSET" in card.options:
        part.cell_sets.add(card.options["ELSET"], entries)


def _joined(lines: Sequence[Line], size: int) -> list[tuple[tuple[str, ...], Place]]:
    """Records of `size` fields, each over as many lines as it takes (as CalculiX reads them)."""
    out: list[tuple[tuple[str, ...], Place]] = []
    fields: tuple[str, ...] = ()
    at: Place | None = None
    for line in lines:
        if not line.given:
            continue
        at = at or line.at
        fields += line.given
        if len(fields) >= size:
            out.append((fields, at))
            fields, at = (), None
    if fields and at is not None:
        out.append((fields, at))
    return out


def set_card(part: MeshPart, card: Card) -> None:
    """*NSET and *ELSET: numbers, other sets, or with GENERATE first, last, step."""
    family, key = (part.node_sets, "NSET") if card.name == "NSET" else (part.cell_sets, "ELSET")
    card.allow(key, "GENERATE", "UNSORTED")
    name = card.option(key)
    entries: list[tuple[Entry, Place]] = []
    for line in card.lines:
        if "GENERATE" in card.options:
            entries.append((_generated(line), line.at))
        else:
            entries += [(int(f) if _is_number(f) else f.upper(), line.at) for f in line.given if f]
    family.add(name, entries)


def _generated(line: Line) -> range:
    values = [whole(f, line.at, "A bound of GENERATE") for f in line.given]
    if (
        len(values) not in (1, 2, 3)
        or (len(values) == 3 and values[2] <= 0)
        or values[-1 if len(values) < 3 else 1] < 1
    ):
        fail(line.at, "GENERATE needs first, last and a positive step.", "The set would be empty.", "Correct the line.")
    first, last = values[0], values[1] if len(values) > 1 else values[0]
    if last < first:
        fail(line.at, f"GENERATE goes from {first} down to {last}.", "The set would be empty.", "Swap the two.")
    return range(first, last + 1, values[2] if len(values) == 3 else 1)


def surface_card(part: MeshPart, card: Card) -> None:
    """*SURFACE: kept until something uses it."""
    card.allow("NAME", "TYPE")
    kind = card.options.get("TYPE", "ELEMENT")
    if kind not in ("NODE", "ELEMENT"):
        fail(card.at, f"*SURFACE has TYPE={kind}.", "Only faces and nodes make a surface here.", "Use ELEMENT or NODE.")
    part.surfaces[card.option("NAME")] = card


def _is_number(text: str) -> bool:
    return text.lstrip("+-").isdigit()


def finish_cells(part: MeshPart, end: Place) -> Ints:
    """Cells as node indices, once all nodes are known."""
    if not part.cells or not part.points:
        fail(end, "The deck has no elements or no nodes.", "There is nothing to solve.", "Is the file truncated?")
    for row, at in zip(part.cells, part.cell_at, strict=True):
        for i, given in enumerate(row):
            row[i] = part.node_index(given, at)
    return np.array(part.cells, np.int64)
