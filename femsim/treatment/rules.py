"""Rules that paint materials over the compartments of one mesh: a strategy is an ordered list of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.errors import MeshError
from femsim.mesh.mesh import Mesh


@dataclass(frozen=True)
class Rule:
    """Cells inside all of some solids and outside all of others are made of a material.

    Attributes
    ----------
    inside, outside : tuple of str
        Names of solids; both empty means every cell.
    material : str
        Name in the material library.
    """

    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    material: str = ""


def base_rules(
    lesions: Iterable[str] = ("lesion",),
    *,
    cortex: str = "cortical_bone",
    medullary: str = "trabecular_bone",
    tumour: str = "tumour_tissue",
) -> tuple[Rule, ...]:
    """The bone before any treatment: cortex, what lies inside the endosteum, and tumour in the lesions.

    Parameters
    ----------
    lesions : iterable of str
        Names of the lesion solids; none for the lesion-free twin.
    cortex, medullary, tumour : str
        Materials.
    """
    bone = (Rule(material=cortex), Rule(inside=("endosteum",), material=medullary))
    return bone + tuple(Rule(inside=(name,), material=tumour) for name in lesions)


def paint(mesh: Mesh, rules: Sequence[Rule]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Material of every cell; where several rules apply the last one wins.

    Parameters
    ----------
    mesh : Mesh
        With the compartment of every cell.
    rules : sequence of Rule
        In order.

    Returns
    -------
    names : tuple of str
        Materials that occur in some cell, in the order of the rules.
    index : (m,) int64
        Material of every cell, into `names`.

    Raises
    ------
    MeshError
        If a rule names a solid that the mesh does not have, or a cell is left without a material. A solid that the
        mesher homogenised, and named in `Mesh.notes`, may be missing: its rule then paints nothing.
    """
    _check_lumens(mesh, rules)
    painted = np.full(len(mesh.cells), -1, dtype=np.int64)
    for number, rule in enumerate(rules):
        if _homogenised(mesh, rule):
            continue
        painted[_cells(mesh, rule)] = number
    if (painted < 0).any():
        raise MeshError(
            f"{int((painted < 0).sum())} cells of the mesh have no material.",
            "No rule covers them.",
            "Begin the rules with one for every cell, as base_rules() does.",
        )
    # Two rules may paint the same material: number the names, not the rules.
    names = tuple(dict.fromkeys(rules[i].material for i in np.unique(painted)))
    lookup = np.array([names.index(r.material) if r.material in names else -1 for r in rules], dtype=np.int64)
    return names, lookup[painted]


def mixed(mesh: Mesh, rules: Sequence[Rule]) -> tuple[tuple[str, NDArray[np.float64]], ...]:
    """Materials of homogenised solids, each with its share (m,) of the volume of every cell, in the order of the rules.

    `paint` gives these cells the material of what lies around the solid; the mixture is up to the caller.
    """
    return tuple(
        (rule.material, mesh.fractions[rule.inside[0]])
        for rule in rules
        if len(rule.inside) == 1 and rule.inside[0] in mesh.fractions
    )


def _cells(mesh: Mesh, rule: Rule) -> NDArray[np.bool_]:
    chosen = np.ones(len(mesh.cells), dtype=bool)
    for name in rule.inside:
        chosen &= mesh.inside(name)
    for name in rule.outside:
        if name in mesh.solids:
            chosen &= ~mesh.inside(name)
    return chosen


def _homogenised(mesh: Mesh, rule: Rule) -> bool:
    missing = [name for name in (*rule.inside, *rule.outside) if name not in mesh.solids]
    unexplained = [name for name in missing if not any(name in note for note in mesh.notes)]
    if unexplained:
        raise MeshError(
            f"The mesh has no solid {unexplained[0]!r}; it has {', '.join(mesh.solids) or 'none'}.",
            f"The material {rule.material} would be missing from the comparison without a word.",
            "Mesh the solids of every strategy together.",
        )
    return any(name in missing for name in rule.inside)


def _check_lumens(mesh: Mesh, rules: Sequence[Rule]) -> None:
    """A catheter whose lumen got lost would be wall throughout: a wrong stiffness without a word."""
    for name in {name for rule in rules for name in rule.inside if name.endswith("_lumen")}:
        outer = name.removesuffix("_lumen")
        if not {name, outer} <= set(mesh.solids):
            continue
        if mesh.inside(outer).any() and not mesh.inside(name).any():
            raise MeshError(
                f"The mesh holds {outer} but no element of its lumen.",
                "The whole catheter would be made of its wall.",
                "Use smaller elements near the devices (mesh.near), or a wider lumen.",
            )
