"""Every field and table column the program writes: name, unit, where it lives, what it means.

The names here are the names of VTU arrays, table columns, axis labels and colour bars. A room that writes a number
looks it up here; a name that is not here cannot be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Location = Literal["node", "cell", "table"]


@dataclass(frozen=True)
class Field:
    """One output: its name, unit ("-" for none), location and one-line meaning."""

    name: str
    unit: str
    location: Location
    meaning: str

    @property
    def label(self) -> str:
        """Name and unit as written on an axis or a colour bar."""
        words = self.name.replace("_", " ")
        return words if self.unit == "-" else f"{words} [{self.unit}]"


def _table(*rows: tuple[str, str, Location, str]) -> dict[str, Field]:
    return {row[0]: Field(*row) for row in rows}


FIELDS: dict[str, Field] = _table(
    # --- fields on the mesh
    ("displacement", "mm", "node", "displacement vector"),
    ("compartment", "-", "cell", "bit mask of the solids the element lies in"),
    ("material", "-", "cell", "index of the material in the strategy's list"),
    ("youngs_modulus", "MPa", "cell", "axial Young's modulus, mean over the element"),
    ("stress", "MPa", "cell", "stress, xx yy zz yz xz xy, mean over the element"),
    ("strain", "-", "cell", "strain, xx yy zz yz xz xy (engineering shear), mean over the element"),
    ("von_mises_stress", "MPa", "cell", "von Mises stress, mean over the element"),
    ("maximum_principal_stress", "MPa", "cell", "largest principal stress"),
    ("minimum_principal_stress", "MPa", "cell", "smallest principal stress"),
    ("maximum_principal_strain", "-", "cell", "largest principal strain"),
    ("minimum_principal_strain", "-", "cell", "smallest principal strain"),
    ("energy_density", "MPa", "cell", "strain energy per volume"),
    ("risk", "-", "cell", "factor of risk: averaged demand over capacity; 1 is the linear failure load"),
    ("failure_mode", "-", "cell", "mode that governs: 0 none, 1 tension, 2 compression, 3 shear"),
    ("excluded", "-", "cell", "1 where the element is left out of the risk (supports and load patches)"),
)
