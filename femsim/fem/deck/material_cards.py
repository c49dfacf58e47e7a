"""Materials, local axes and sections of a deck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from femsim.errors import MaterialError
from femsim.fem.deck.cards import Card, Place, fail, number
from femsim.fem.deck.deck import DeckMaterial
from femsim.fem.elasticity import anisotropic, isotropic, orthotropic

Floats = NDArray[np.float64]

#: CalculiX orders components xx yy zz xy xz yz; femsim xx yy zz yz xz xy. It is its own inverse.
SWAP = np.array([0, 1, 2, 5, 4, 3])
ELASTIC = {
    "ISO": "iso", "ISOTROPIC": "iso", "ORTHO": "ortho", "ORTHOTROPIC": "ortho", "ANISO": "aniso",
    "ANISOTROPIC": "aniso", "ENGINEERING CONSTANTS": "engineering", "ENGINEERINGCONSTANTS": "engineering",
}  # fmt: skip
#: Numbers of a row without its temperature, and on how many lines it stands.
ROWS = {"iso": (2, 1), "ortho": (9, 2), "engineering": (9, 2), "aniso": (21, 3)}
EXPANSION = {"ISO": 1, "ISOTROPIC": 1, "ORTHO": 3, "ORTHOTROPIC": 3, "ANISO": 6, "ANISOTROPIC": 6}


@dataclass(eq=False)
class Draft:
    """A material while its cards are read."""

    name: str
    at: Place
    stiffness: Floats | None = None
    modulus: Floats | None = None
    expansion: Floats | None = None
    zero: float = 0.0
    density: float | None = None

    def finish(self) -> DeckMaterial:
        """The material, once all of its cards are read."""
        if self.stiffness is None:
            fail(self.at, f"The material {self.name} has no *ELASTIC.", "It has no stiffness.", "Add *ELASTIC.")
        return DeckMaterial(self.name, self.stiffness, self.modulus, self.expansion, self.zero, self.density)


@dataclass(eq=False)
class MaterialPart:
    """Materials, orientations and sections while they are read."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    current: Draft | None = None
    orientations: dict[str, Floats] = field(default_factory=dict)
    sections: list[Card] = field(default_factory=list)

    def of(self, card: Card) -> Draft:
        """The material that a card belongs to."""
        if self.current is None:
            fail(card.at, f"*{card.name} stands before any *MATERIAL.", "It belongs to no material.", "Move it.")
        return self.current


def material_card(part: MaterialPart, card: Card) -> None:
    """*MATERIAL: what follows belongs to it."""
    card.allow("NAME")
    name = card.option("NAME")
    if name in part.drafts:
        fail(card.at, f"The material {name} is defined a second time.", "One would be lost.", "Rename one.")
    part.current = part.drafts[name] = Draft(name, card.at)


def elastic_card(part: MaterialPart, card: Card) -> None:
    """*ELASTIC: isotropic (also with a modulus that depends on temperature), orthotropic, 21 constants."""
    card.allow("TYPE")
    draft = part.of(card)
    given = card.options.get("TYPE", "ISO")
    if given not in ELASTIC:
        fail(card.at, f"*ELASTIC has TYPE={given}.", "It is not supported.", f"Use one of {', '.join(ELASTIC)}.")
    kind = ELASTIC[given]
    count, _ = ROWS[kind]
    rows = _rows(card, count, ROWS[kind][1])
    try:
        matrices = [_stiffness(kind, row[:count]) for row in rows]
    except MaterialError as error:
        raise MaterialError(f"{card.at}: {error.what}", error.why, error.do) from error
    draft.stiffness = matrices[0]
    if len(rows) > 1:
        scale = np.array([m[0, 0] / matrices[0][0, 0] for m in matrices])
        if any(np.abs(m - s * matrices[0]).max() > 1e-9 * m.max() for m, s in zip(matrices, scale, strict=True)):
            fail(
                card.at,
                "The elastic constants change with temperature by more than one common factor.",
                "femsim scales one stiffness with temperature.",
                "Keep Poisson's ratio constant, or give one temperature.",
            )
        draft.modulus = np.column_stack([_temperatures(rows, count, card), scale])


def _stiffness(kind: str, values: Sequence[float]) -> Floats:
    if kind == "iso":
        return isotropic(values[0], values[1])
    if kind == "engineering":
        e, nu, g = values[:3], values[3:6], values[6:]
        return orthotropic(e, (nu[2], nu[1], nu[0]), (g[2], g[1], g[0]))
    full = np.zeros((6, 6))
    if kind == "ortho":
        full[[0, 0, 1, 0, 1, 2, 3, 4, 5], [0, 1, 1, 2, 2, 2, 3, 4, 5]] = values
    else:
        columns, rows = np.tril_indices(6)
        full[rows, columns] = values
    full = np.triu(full) + np.triu(full, 1).T
    full = full[np.ix_(SWAP, SWAP)]
    columns, rows = np.tril_indices(6)
    return anisotropic(full[rows, columns])


def _rows(card: Card, count: int, lines: int) -> list[list[float]]:
    """Records of numbers, each over `lines` lines."""
    data = [line for line in card.lines if line.given]
    if not data or len(data) % lines:
        fail(card.at, f"*{card.name} has {len(data)} data lines.", f"A record takes {lines}.", "Complete it.")
    out = []
    for i in range(0, len(data), lines):
        fields = [f for line in data[i : i + lines] for f in line.given]
        if len(fields) not in (count, count + 1):
            fail(
                data[i].at,
                f"*{card.name} has {len(fields)} values.",
                f"{count} are needed, with the temperature {count + 1}.",
                "Complete the record; the file may be truncated.",
            )
        out.append([number(f, data[i].at, f"A value of *{card.name}") for f in fields])
    return out


def _temperatures(rows: Sequence[Sequence[float]], count: int, card: Card) -> Floats:
    values = np.array([row[count] if len(row) > count else np.nan for row in rows])
    if len(values) > 1 and not (np.diff(values) > 0.0).all():
        fail(card.at, f"The temperatures of *{card.name} do not rise.", "No value lies between them.", "Sort the rows.")
    return np.where(np.isnan(values), 0.0, values)


def expansion_card(part: MaterialPart, card: Card) -> None:
    """*EXPANSION: secant coefficients from ZERO, isotropic, orthotropic or a whole tensor."""
    card.allow("TYPE", "ZERO")
    draft = part.of(card)
    kind = card.options.get("TYPE", "ISO")
    if kind not in EXPANSION:
        fail(card.at, f"*EXPANSION has TYPE={kind}.", "It is not supported.", "Use ISO, ORTHO or ANISO.")
    count = EXPANSION[kind]
    rows = _rows(card, count, 1)
    table = np.zeros((len(rows), 7))
    table[:, 0] = _temperatures(rows, count, card)
    values = np.array([row[:count] for row in rows])
    if count == 6:
        # Tensor components 11 22 33 12 13 23; engineering shear is twice the tensor's.
        table[:, 1:] = values[:, SWAP] * [1, 1, 1, 2, 2, 2]
    else:
        table[:, 1:4] = values
    draft.expansion = table
    draft.zero = number(card.options.get("ZERO", "0"), card.at, "ZERO")


def density_card(part: MaterialPart, card: Card) -> None:
    """*DENSITY: one value; it does not depend on temperature here."""
    card.allow()
    rows = _rows(card, 1, 1)
    if len(rows) > 1:
        fail(card.at, "The density depends on temperature.", "femsim takes one density.", "Give one value.")
    part.of(card).density = rows[0][0]


def orientation_card(part: MaterialPart, card: Card) -> None:
    """*ORIENTATION, rectangular: a on axis 1, b in the plane of axes 1 and 2."""
    card.allow("NAME", "SYSTEM")
    if card.options.get("SYSTEM", "RECTANGULAR") not in ("RECTANGULAR", "R"):
        fail(
            card.at,
            "*ORIENTATION has a system that is not rectangular.",
            "Its axes would turn within an element; femsim has one set of axes per element.",
            "Give rectangular axes to groups of elements.",
        )
    data = [line for line in card.lines if line.given]
    if len(data) != 1 or len(data[0].given) != 6:
        fail(card.at, "*ORIENTATION needs one line of two points.", "Axes follow from them.", "Give a and b.")
    values = [number(f, data[0].at, "A coordinate") for f in data[0].given]
    part.orientations[card.option("NAME")] = rectangular(values, data[0].at)


def rectangular(values: Sequence[float], at: Place) -> Floats:
    """Axes (rows) from a on axis 1 and b in the plane of axes 1 and 2."""
    a, b = np.array(values[:3]), np.array(values[3:6])
    normal = np.cross(a, b)
    if not np.linalg.norm(normal) > 1e-12 * np.linalg.norm(a) * np.linalg.norm(b):
        fail(at, "The two points of the local axes lie on a line with the origin.", "No plane follows.", "Move one.")
    first, third = a / np.linalg.norm(a), normal / np.linalg.norm(normal)
    return np.stack([first, np.cross(third, first), third])


def section_card(part: MaterialPart, card: Card) -> None:
    """*SOLID SECTION: kept until elements and materials are known."""
    card.allow("ELSET", "MATERIAL", "ORIENTATION")
    card.option("ELSET"), card.option("MATERIAL")
    part.sections.append(card)
