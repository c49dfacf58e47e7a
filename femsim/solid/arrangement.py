"""All the solids of a comparison, in the order in which the mesher cuts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from femsim.solid.base import Solid


@dataclass(frozen=True)
class Arrangement:
    """The solids that one mesh has to resolve, for every strategy compared.

    Attributes
    ----------
    domain : Solid
        What is meshed (the periosteum, united with devices that stand proud of it). Nothing outside is meshed.
    solids : mapping of str to Solid
        Named solids inside or across the domain, in cutting order: endosteum first, then lesions, cement, devices.
        A cell of the mesh records the set of solids it lies in; overlaps are allowed and meant.
    fine : tuple of str
        Solids around whose union the mesh is fine.
    layers : tuple of str
        Solids that belong to the bone and bound a layer under the domain's surface (the endosteum, under which lies
        the cortex). They are cut once for a bone, before all others, and the mesh is sized by the layer's thickness.
    region : Solid, optional
        Where the mesh is fine, instead of around the `fine` solids: the same for all variants of a bone, it makes
        them share their background, element by element outside the cuts.
    thin : mapping of str to float
        Wall thickness in mm of the solids thinner than an element may be (a catheter wall); the mesher resolves or
        homogenises each and says which.
    slender : mapping of str to float
        Width in mm of long bodies that are few elements wide (the cement column of a catheter). Edges at them are
        limited to a share of it, so that the column is whole.
    """

    domain: Solid
    solids: Mapping[str, Solid]
    fine: tuple[str, ...] = ()
    thin: Mapping[str, float] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    region: Solid | None = None
    slender: Mapping[str, float] = field(default_factory=dict)
