"""Materials: the library with sources, density laws, and the way from names to stiffness.

``materials()`` and ``density_laws()`` are the registries that the command line prints, the case file checks against and
the solver uses; there is no second list.
"""

from femsim.material.assign import assign, axes_along, blended
from femsim.material.density import (
    DensityLaw,
    Piece,
    ash_over_apparent,
    density_law,
    density_laws,
    elastic_modulus,
    yield_strength,
)
from femsim.material.material_data import CONSTANTS, CRITERIA, KINDS, MaterialData, get, materials

__all__ = [
    "CONSTANTS",
    "CRITERIA",
    "KINDS",
    "DensityLaw",
    "MaterialData",
    "Piece",
    "ash_over_apparent",
    "assign",
    "axes_along",
    "blended",
    "density_law",
    "density_laws",
    "elastic_modulus",
    "get",
    "materials",
    "yield_strength",
]
