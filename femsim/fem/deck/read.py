"""From the text of a deck to a `Deck`: every card is understood, or named with its line and refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.fem.deck import constraint_cards, material_cards, mesh_cards, step_cards
from femsim.fem.deck.cards import Card, Place, fail, read_cards
from femsim.fem.deck.constraint_cards import ConstraintPart
from femsim.fem.deck.deck import Deck
from femsim.fem.deck.material_cards import MaterialPart
from femsim.fem.deck.mesh_cards import MeshPart
from femsim.fem.deck.step_cards import StepPart

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Cards that only ask for output or say something to people; leaving them out changes no number.
SILENT = {
    "HEADING", "NODE FILE", "EL FILE", "ELEMENT FILE", "NODE OUTPUT", "ELEMENT OUTPUT", "OUTPUT", "CONTACT FILE",
    "PREPRINT", "FILE FORMAT", "PRINT", "MONITOR", "PART", "END PART", "ASSEMBLY", "END ASSEMBLY", "AMPLITUDE",
    "PHYSICAL CONSTANTS", "USER NODE FILE", "ENERGY PRINT", "ENERGY FILE", "DIAGNOSTICS",
}  # fmt: skip
# An amplitude by itself does nothing; a load that refers to one is refused. PART and ASSEMBLY only bracket a flat deck;
# *INSTANCE, which moves and multiplies, is not here.
MESH: dict[str, Callable[[MeshPart, Card], None]] = {
    "NODE": mesh_cards.node_card,
    "ELEMENT": mesh_cards.element_card,
    "NSET": mesh_cards.set_card,
    "ELSET": mesh_cards.set_card,
    "SURFACE": mesh_cards.surface_card,
}
MATERIAL: dict[str, Callable[[MaterialPart, Card], None]] = {
    "MATERIAL": material_cards.material_card,
    "ELASTIC": material_cards.elastic_card,
    "EXPANSION": material_cards.expansion_card,
    "DENSITY": material_cards.density_card,
    "ORIENTATION": material_cards.orientation_card,
    "SOLID SECTION": material_cards.section_card,
}
#: Within a step only these have a meaning; a mesh or a material defined there would be lost or misplaced.
IN_STEP = {
    *step_cards.HANDLERS, *SILENT, "NSET", "ELSET", "SURFACE",
}  # fmt: skip


def read_deck(path: str | Path) -> Deck:
    """Read an Abaqus or CalculiX input deck.

    Parameters
    ----------
    path : path
        The ``.inp`` file; *INCLUDE is followed.

    Returns
    -------
    Deck

    Raises
    ------
    InputError
        With file and line, for what is wrong and for every card or option that femsim does not support and that could
        change the answer.
    MaterialError
        For elastic constants without a stable material.
    """
    cards = read_cards(Path(path))
    _know(cards)
    mesh, materials = MeshPart(), MaterialPart()
    for card in cards:
        if card.name in MESH:
            MESH[card.name](mesh, card)
    end = Place(Path(path).name, cards[-1].at.line)
    cells = mesh_cards.finish_cells(mesh, end)
    for card in cards:
        if card.name in MATERIAL:
            MATERIAL[card.name](materials, card)
    steps, constraints = StepPart(mesh), ConstraintPart(mesh)
    for card in cards:
        if card.name in constraint_cards.HANDLERS:
            constraint_cards.HANDLERS[card.name](constraints, card)
        elif card.name in step_cards.HANDLERS:
            step_cards.HANDLERS[card.name](steps, card)
    return _deck(mesh, cells, materials, constraints, steps, end)


def _know(cards: Sequence[Card]) -> None:
    """Stop at the first card that is not understood."""
    inside: Place | None = None
    for card in cards:
        if not (card.name in SILENT or card.name in MESH or card.name in MATERIAL or _handled(card.name)):
            fail(
                card.at,
                f"*{card.name} is not supported.",
                "It may change the answer, and nothing that does is ignored.",
                "Remove the card where it does not matter, or solve this deck in CalculiX.",
            )
        if inside is not None and card.name not in IN_STEP:
            fail(card.at, f"*{card.name} stands inside a step.", "The model is complete before it.", "Move it up.")
        if card.name == "STEP":
            inside = card.at
        elif card.name == "END STEP":
            inside = None
    if inside is not None:
        fail(inside, "The step has no *END STEP.", "The file is truncated.", "Complete the file.")


def _handled(name: str) -> bool:
    return name in step_cards.HANDLERS or name in constraint_cards.HANDLERS


def _deck(
    mesh: MeshPart, cells: Ints, materials: MaterialPart, constraints: ConstraintPart, steps: StepPart, end: Place
) -> Deck:
    if not steps.steps:
        fail(end, "The deck has no step.", "Nothing is loaded.", "Add *STEP, *STATIC, loads and *END STEP.")
    n = len(mesh.points)
    material, axes, oriented = _sections(mesh, materials, end)
    node_axes, transformed = None, np.zeros(n, bool)
    if constraints.axes:
        node_axes = np.broadcast_to(np.eye(3), (n, 3, 3)).copy()
        for node, own in constraints.axes.items():
            node_axes[node], transformed[node] = own, True
    initial = None
    if steps.initial:
        initial = np.array([steps.initial.get(i, 0.0) for i in range(n)])
    everywhere = Place(end.file, 0)
    return Deck(
        np.array(list(mesh.node), np.int64), np.array(mesh.points, float), np.array(list(mesh.cell), np.int64), cells,
        mesh.kind,
        {name: mesh.node_sets.resolve(name, everywhere, mesh.node) for name in mesh.node_sets.parts},
        {name: mesh.cell_sets.resolve(name, everywhere, mesh.cell) for name in mesh.cell_sets.parts},
        tuple(draft.finish() for draft in materials.drafts.values()), material, axes, oriented, node_axes, transformed,
        initial, tuple(constraints.equations), tuple(constraints.ties), tuple(constraints.couplings),
        tuple(steps.steps), tuple(steps.skipped),
    )  # fmt: skip


def _sections(mesh: MeshPart, part: MaterialPart, end: Place) -> tuple[Ints, Floats | None, NDArray[np.bool_]]:
    """Material and local axes of every cell."""
    m = len(mesh.cells)
    names = list(part.drafts)
    material = np.full(m, -1, np.int64)
    axes = np.broadcast_to(np.eye(3), (m, 3, 3)).copy()
    oriented = np.zeros(m, bool)
    for card in part.sections:
        cells = mesh.cells_of(card.options["ELSET"], card.at)
        if card.options["MATERIAL"] not in part.drafts:
            fail(
                card.at,
                f"The material {card.options['MATERIAL']} does not exist.",
                "The section would have no stiffness.",
                f"Use one of {', '.join(names) or 'none'}.",
            )
        material[cells] = names.index(card.options["MATERIAL"])
        oriented[cells] = "ORIENTATION" in card.options
        axes[cells] = _orientation(part, card)
    bare = np.flatnonzero(material < 0)
    if len(bare):
        given = list(mesh.cell)[bare[0]]
        raise InputError(
            f"{end.file}: element {given} has no *SOLID SECTION ({len(bare)} elements in all).",
            "Without a material it has no stiffness.",
            "Give its element set a *SOLID SECTION.",
        )
    return material, axes if oriented.any() else None, oriented


def _orientation(part: MaterialPart, card: Card) -> Floats:
    name = card.options.get("ORIENTATION")
    if name is None:
        return np.eye(3)
    if name not in part.orientations:
        fail(card.at, f"The orientation {name} does not exist.", "Axes would be wrong.", "Define *ORIENTATION.")
    return part.orientations[name]
