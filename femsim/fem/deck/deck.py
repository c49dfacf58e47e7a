"""What a deck says, resolved to arrays: mesh, materials, constraints, and the steps with all that acts in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from femsim.fem.deck.cards import Place

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DeckMaterial:
    """A material of a deck.

    Attributes
    ----------
    name : str
    stiffness : (6, 6) float64
        MPa, femsim's order of components, in local axes; at the first temperature of the table.
    modulus : (t, 2) float64 or None
        Temperature and modulus relative to `stiffness`, where it depends on temperature.
    expansion : (t, 7) float64 or None
        Temperature and six expansion coefficients (engineering shear, local axes); secant, from `zero`.
    zero : float
        Temperature at which the expansion is zero.
    density : float or None
        Mass per volume in the units of the deck.
    """

    name: str
    stiffness: Floats
    modulus: Floats | None = None
    expansion: Floats | None = None
    zero: float = 0.0
    density: float | None = None


@dataclass(frozen=True)
class Equation:
    """``sum coefficients * u = 0`` over (node index, component) in the node's own axes."""

    nodes: tuple[int, ...]
    components: tuple[int, ...]
    coefficients: tuple[float, ...]
    at: Place


@dataclass(frozen=True, eq=False)
class DeckTie:
    """Nodes tied to faces (cell, local face of femsim); `tolerance` 0 is CalculiX's default."""

    name: str
    nodes: Ints
    faces: Ints
    tolerance: float
    adjust: bool
    at: Place


@dataclass(frozen=True, eq=False)
class DeckCoupling:
    """Nodes that follow the node `reference`, whose rotation is that of node `rotation` (-1: its components 4 to 6)."""

    name: str
    nodes: Ints
    reference: int
    rotation: int
    at: Place


@dataclass(frozen=True)
class Print:
    """A *NODE PRINT or *EL PRINT: "node" or "element", set, variables, what of it, and whether in global axes."""

    kind: str
    set: str
    variables: tuple[str, ...]
    values: bool
    totals: bool
    global_axes: bool


@dataclass(frozen=True, eq=False)
class Step:
    """One static step, with everything that acts in it, kept from earlier steps or new.

    Attributes
    ----------
    boundary : mapping of (node, component) to float or None
        Prescribed displacements in the node's own axes; None keeps that of the end of the step before. Components 3
        to 5 are rotations of a reference node.
    forces : mapping of (node, component) to float
        Concentrated loads in the node's own axes.
    pressures : mapping of (cell, local face) to float
        MPa, on femsim's faces.
    bodies : tuple of (kind, cells, values)
        ("GRAV", cells, (g, x, y, z)) and ("CENTRIF", cells, (omega^2, point, direction)).
    temperature : (n,) float64 or None
        At the nodes.
    period : float
        Length of the step; only the time in the prints depends on it.
    prints : tuple of Print
    at : Place
    """

    boundary: Mapping[tuple[int, int], float | None]
    forces: Mapping[tuple[int, int], float]
    pressures: Mapping[tuple[int, int], float]
    bodies: tuple[tuple[str, Ints, tuple[float, ...]], ...]
    temperature: Floats | None
    period: float
    prints: tuple[Print, ...]
    at: Place


@dataclass(frozen=True, eq=False)
class Deck:
    """A whole input deck. Nodes, cells and materials are counted from 0; `node_ids` and `cell_ids` are the deck's.

    Attributes
    ----------
    node_ids, points : (n,) int64, (n, 3) float64
    cell_ids, cells : (m,) int64, (m, k) int64
    element : str
        Name of femsim's element.
    node_sets, cell_sets : mapping of str to int64
    materials : tuple of DeckMaterial
    material : (m,) int64
        Of every cell.
    axes : (m, 3, 3) float64 or None
        Local axes of every cell, and which of them were given (`oriented`, (m,) bool).
    node_axes : (n, 3, 3) float64 or None
        Axes of the displacements of every node, and at which they were given (`transformed`, (n,) bool).
    initial_temperature : (n,) float64 or None
    equations, ties, couplings : tuples
    steps : tuple of Step
    skipped : tuple of str
        Output requests that femsim does not have.
    """

    node_ids: Ints
    points: Floats
    cell_ids: Ints
    cells: Ints
    element: str
    node_sets: Mapping[str, Ints]
    cell_sets: Mapping[str, Ints]
    materials: tuple[DeckMaterial, ...]
    material: Ints
    axes: Floats | None
    oriented: NDArray[np.bool_]
    node_axes: Floats | None
    transformed: NDArray[np.bool_]
    initial_temperature: Floats | None
    equations: tuple[Equation, ...]
    ties: tuple[DeckTie, ...]
    couplings: tuple[DeckCoupling, ...]
    steps: tuple[Step, ...]
    skipped: tuple[str, ...] = field(default=())
