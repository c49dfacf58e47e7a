"""Temperature in a deck: moduli and stress-free strains at quadrature points, interpolated as CalculiX does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from femsim.fem.deck.deck import Deck, DeckMaterial
from femsim.fem.elasticity import strain_rotation
from femsim.fem.elements import element

Floats = NDArray[np.float64]


def interpolation(kind: str) -> Floats:
    """Nodes to quadrature points, (q, k).

    A temperature of the order of the displacements gives thermal strains of a higher order than the strains can follow.
    CalculiX takes the mean of the nodes in a C3D8 and a trilinear field in a C3D20 (the quadratic one at the 2x2x2
    points, carried to 3x3x3 by trilinear functions); elsewhere the shape functions.
    """
    shape = element(kind)
    if kind == "hex8":
        return np.full((shape.points, 8), 1.0 / 8.0)
    if kind == "hex20":
        reduced, linear = element("hex20r"), element("hex8")
        return np.asarray(linear.function(shape.quadrature * np.sqrt(3.0))[0] @ _gauss_order(reduced.values))
    return shape.values


def _gauss_order(values: Floats) -> Floats:
    """Rows of the 2x2x2 rule (first coordinate fastest) in the order of the corners of a hexahedron."""
    return values[[0, 1, 3, 2, 4, 5, 7, 6]]


def at_quadrature(deck: Deck, nodal: Floats) -> Floats:
    """A nodal temperature (n,) at quadrature points, (m, q)."""
    return np.asarray(nodal[deck.cells] @ interpolation(deck.element).T)


def modulus_scale(deck: Deck, temperature: Floats | None) -> Floats | None:
    """Modulus relative to the first of each table, (m, q); None where no modulus depends on temperature."""
    if temperature is None or all(m.modulus is None for m in deck.materials):
        return None
    at = at_quadrature(deck, temperature)
    scale = np.ones_like(at)
    for i, material in enumerate(deck.materials):
        mine = deck.material == i
        if material.modulus is not None:
            scale[mine] = np.interp(at[mine], material.modulus[:, 0], material.modulus[:, 1])
    return scale


def thermal_strain(deck: Deck, temperature: Floats | None) -> Floats | None:
    """Stress-free strain (m, q, 6) in global axes; None where nothing expands."""
    if temperature is None or all(m.expansion is None for m in deck.materials):
        return None
    now = at_quadrature(deck, temperature)
    start = (
        at_quadrature(deck, deck.initial_temperature) if deck.initial_temperature is not None else np.zeros_like(now)
    )
    strain = np.zeros((*now.shape, 6))
    for i, material in enumerate(deck.materials):
        mine = deck.material == i
        if material.expansion is not None:
            strain[mine] = _expanded(material, now[mine]) - _expanded(material, start[mine])
    if deck.axes is not None:
        turned = np.flatnonzero(deck.oriented)
        back = strain_rotation(np.swapaxes(deck.axes[turned], 1, 2))
        strain[turned] = np.einsum("mij,mqj->mqi", back, strain[turned])
    return strain


def _expanded(material: DeckMaterial, at: Floats) -> Floats:
    """alpha(T) (T - zero), secant coefficients interpolated in the table and held beyond its ends."""
    table = material.expansion
    assert table is not None
    alpha = np.stack([np.interp(at, table[:, 0], table[:, c]) for c in range(1, 7)], axis=-1)
    return np.asarray(alpha * (at - material.zero)[..., None])
